// From the easel to the page's value and back. A mask belongs to the painting it was painted on.
const chosen = () => document.querySelector("#aw-painting img");
// The server's path of a picture that Gradio serves; value.painting is such a path.
const pathOf = (url) => decodeURIComponent((url || "").split("file=")[1] || "");
const here = () => (chosen() && !chosen().hidden ? pathOf(chosen().src) : "");
const owned = () => Boolean(props.value && props.value.mask && props.value.painting === here());

let shown = ""; // address of the mask that the small picture shows

function loaded(src) {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => resolve(picture);
    picture.onerror = reject;
    picture.src = src;
  });
}

// The value has changed, here or by the server, or another painting has come.
async function settle() {
  const painting = chosen();
  const present = Boolean(here() && painting.naturalWidth);
  opener.disabled = Boolean(props.reason) || !present;
  why.hidden = !props.reason;
  why.textContent = props.reason || "";
  if (!present) return;
  const address = owned() ? props.value.mask.url : "";
  if (address !== shown && !easel.open) {
    shown = address;
    blank(painting.naturalWidth, painting.naturalHeight);
    const picture = address && (await loaded(address).catch(() => null));
    if (address !== shown) return; // another one overtook it
    if (picture) take(picture);
  }
  drawFace(painting);
}

function forget() {
  shown = "";
  touched = false;
  props.value = { painting: "", mask: null };
}

async function paint() {
  const painting = chosen();
  image.src = painting.src;
  if (!owned()) blank(painting.naturalWidth, painting.naturalHeight);
  past = [];
  cursor = { x: mask.width / 2, y: mask.height / 2 };
  work.style.setProperty("--ratio", mask.width / mask.height);
  easel.dataset.painting = here();
  easel.showModal();
  tell();
  draw();
}

async function keep() {
  if (!touched) return leave();
  told.textContent = words.wait;
  const painting = easel.dataset.painting;
  try {
    const { path, url } = await upload(await asFile());
    const file = { path, url, orig_name: "mask.png", meta: { _type: "gradio.FileData" } };
    shown = url;
    props.value = { painting, mask: file };
    leave();
  } catch (error) {
    told.textContent = words.lost;
    console.warn("brush: the mask could not be sent:", error && error.message);
  }
}

function leave() {
  if (easel.open) easel.close();
}

const deeds = {
  undo: () => undo(),
  fill: () => flood("copy"),
  invert: () => flood("source-out"),
  clear: () => flood("destination-out"),
  everything: () => {
    forget();
    leave();
  },
  cancel: leave,
  done: keep,
};
function act(name) {
  deeds[name]();
  if (["cancel", "done", "everything"].includes(name)) return;
  draw();
  tell();
}
for (const button of element.querySelectorAll("[data-deed]"))
  button.addEventListener("click", () => act(button.dataset.deed));
for (const button of element.querySelectorAll("[data-tool]"))
  button.addEventListener("click", () => choose(button.dataset.tool));
opener.addEventListener("click", paint);
free.addEventListener("click", () => {
  forget();
  opener.focus();
});
// However it was closed: what is not kept is gone, and the mask is the value's again.
easel.addEventListener("close", () => {
  stroke = null;
  down.clear();
  shown = null;
  settle();
});
new ResizeObserver(() => easel.open && draw()).observe(work);
new ResizeObserver(() => drawFace(chosen())).observe(element);

element.querySelector(".aw-brush-name").textContent = words.open;
free.title = words.free;
free.setAttribute("aria-label", words.free);
easel.querySelector("h2").textContent = words.title;
easel.querySelector("header p").textContent = words.hint;
element.querySelector("#aw-easel-keys").textContent = words.keys;
element.querySelector(".aw-easel-tools").setAttribute("aria-label", words.tools);
element.querySelector(".aw-easel-size span").textContent = words.size;
view.setAttribute("aria-label", words.canvas);
for (const button of easel.querySelectorAll("button")) {
  const name = words[button.dataset.tool || button.dataset.deed];
  button.querySelector("span").textContent = name;
  button.title = name;
}
// Another painting: its mask is not this one's. "load" does not bubble, hence the capture.
function arrived(event) {
  if (!element.isConnected) document.removeEventListener("load", arrived, true);
  else if (event.target === chosen()) {
    if (props.value && props.value.mask && !owned()) forget();
    settle();
  }
}
document.addEventListener("load", arrived, true);
watch("value", settle);
watch("reason", settle);
settle();
