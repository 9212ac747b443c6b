/* Placard: draws props.value = {tag, title, byline, prompt, facts, files, credit}, or what of the history
   hangs on the stage ("aw-hang", see stage/value.js). All text by textContent. */
const KEPT = "awaken-keep-settings";
const pick = (name) => element.querySelector(name);
const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};
const put = (name, text) => {
  const node = pick(name);
  node.textContent = text || "";
  node.hidden = !text;
};

let hung = null;

function back(label) {
  const button = make("button", "aw-file", label);
  button.type = "button";
  button.onclick = () => document.dispatchEvent(new CustomEvent("aw-hang", { detail: null }));
  return button;
}

function draw() {
  const value = hung || props.value;
  element.closest("#aw-placard").hidden = !value;
  if (!value) return;
  put(".aw-tag", value.tag);
  put("h2", value.title);
  put(".aw-byline", value.byline);
  put(".aw-said", value.prompt);
  put(".aw-remark", value.remark);
  if (value.credit && value.credit.startsWith("https://")) {
    const link = make("a", "", props.words.source);
    link.href = value.credit;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.title = value.licence || "";
    pick(".aw-byline").append(" · ", link);
  }
  pick(".aw-facts").replaceChildren(
    ...(value.facts || []).map(([name, said]) => {
      const pair = make("div");
      pair.append(make("dt", "", name), make("dd", "", said));
      return pair;
    }),
  );
  drawFiles(value.files || [], value.back);
}

// One switch for all files; this browser remembers it, the server never hears of it.
function drawFiles(files, wayBack) {
  const kept = keep.checked ? files : files.map((file) => file.bare && { ...file, ...file.bare });
  pick(".aw-files").hidden = !files.length && !wayBack;
  keep.closest("label").hidden = !files.length;
  pick(".aw-files").replaceChildren(
    ...(wayBack ? [back(wayBack)] : []),
    ...(files.length ? [make("span", "aw-files-title", props.words.downloads)] : []),
    ...kept.filter(Boolean).map(({ label, name, file }) => {
      const link = make("a", "aw-file", label);
      link.href = new URL(file.url, location.href).href;
      if (name) link.download = name;
      return link;
    }),
  );
}

const keep = pick(".aw-keep input");
pick(".aw-keep span").append(props.words.keep, make("small", "", props.words.keep_info));
try {
  keep.checked = localStorage.getItem(KEPT) !== "no";
} catch {} // a browser that stores nothing
keep.addEventListener("change", () => {
  try {
    localStorage.setItem(KEPT, keep.checked ? "yes" : "no");
  } catch {}
  draw();
});
document.addEventListener("aw-hang", function hang({ detail }) {
  if (!element.isConnected) return document.removeEventListener("aw-hang", hang);
  hung = detail && detail.placard;
  draw();
});
watch("value", draw);
draw();
