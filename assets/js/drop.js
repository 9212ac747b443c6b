/* A drop zone that always takes another picture: drop, paste, or choose. props.value is the file that
   the server took (Gradio's FileData) or null; "upload" tells the server of a new one, or that it failed. */
const face = element.querySelector(".aw-drop");
const field = element.querySelector("input");
const image = element.querySelector("img");
const { words, pastes } = props;

function draw() {
  const url = props.value && props.value.url;
  face.classList.toggle("aw-drop-full", Boolean(url));
  image.hidden = !url;
  if (url && image.getAttribute("src") !== url) image.src = url;
  face.classList.remove("aw-drop-busy");
}

async function take(file) {
  if (!file) return;
  face.classList.add("aw-drop-busy");
  try {
    const { path, url } = await upload(file);
    props.value = { path, url, orig_name: file.name, meta: { _type: "gradio.FileData" } };
    trigger("upload", { problem: "" });
  } catch (error) {
    draw();
    trigger("upload", { problem: String(error && error.message) });
  }
}

face.addEventListener("click", () => field.click());
field.addEventListener("change", () => {
  take(field.files[0]);
  field.value = "";
});
for (const kind of ["dragenter", "dragover"])
  element.addEventListener(kind, (event) => {
    event.preventDefault();
    face.classList.add("aw-drop-over");
  });
for (const kind of ["dragleave", "drop"])
  element.addEventListener(kind, (event) => {
    event.preventDefault();
    face.classList.remove("aw-drop-over");
  });
element.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
if (pastes)
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
    if (file && element.isConnected) take(file);
  });

image.alt = words.alt;
element.querySelector(".aw-drop-hint").textContent = words.hint;
element.querySelector(".aw-drop-again").textContent = words.again;
element.querySelector(".aw-drop-label").textContent = words.label;
field.setAttribute("aria-label", words.label);
watch("value", draw);
draw();
