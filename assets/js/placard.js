/* Placard: draws props.value = {tag, title, byline, prompt, facts, files, credit}, or what of the history
   is on the stage ("aw-kept", see stage/value.js). All text by textContent. */
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

let taken = null;

function back(label) {
  const button = make("button", "aw-file", label);
  button.type = "button";
  button.onclick = () => document.dispatchEvent(new CustomEvent("aw-kept", { detail: null }));
  return button;
}

function draw() {
  const value = taken || props.value;
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
      const pair = make("div", said.length > 36 ? "aw-fact-long" : "");
      pair.append(make("dt", "", name), make("dd", "", said));
      return pair;
    }),
  );
  drawFiles(value.files || [], value.back);
}

// The awakened video and the link at once, all else behind "More". One switch for all files; this
// browser remembers it, the server never hears of it.
function drawFiles(files, wayBack) {
  const kept = (keep.checked ? files : files.map((file) => file.bare && { ...file, ...file.bare }))
    .filter(Boolean);
  const link = kept.find(({ name }) => !name); // what has no name is no file
  const [first, ...others] = kept.filter(({ name }) => name).map(download);
  pick(".aw-placard-line .aw-files").replaceChildren(
    ...[wayBack && back(wayBack), first, link && share(link)].filter(Boolean),
  );
  pick(".aw-others .aw-files").replaceChildren(...others);
  pick(".aw-others").hidden = !files.length;
  pick(".aw-shared").hidden = true;
}

function download({ label, name, file }) {
  const link = make("a", "aw-file", label);
  link.href = new URL(file.url, location.href).href;
  link.download = name;
  return link;
}

// The link to the settings is copied and shown: to follow it would leave the result.
function share({ label, file }) {
  const button = make("button", "aw-file", props.words.share);
  button.type = "button";
  button.title = label;
  button.onclick = async () => {
    const field = pick(".aw-shared input");
    field.value = new URL(file.url, location.href).href;
    field.setAttribute("aria-label", label);
    pick(".aw-shared").hidden = false;
    field.select();
    const said = pick(".aw-shared [role=status]");
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = props.words.copied;
    } catch {
      said.textContent = props.words.copy; // the browser does not let us: the link is selected
    }
  };
  return button;
}

const keep = pick(".aw-keep input");
pick(".aw-others summary").textContent = props.words.more;
pick(".aw-details summary").textContent = props.words.details;
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
document.addEventListener("aw-kept", function take({ detail }) {
  if (!element.isConnected) return document.removeEventListener("aw-kept", take);
  taken = detail && detail.placard;
  draw();
});
watch("value", draw);
draw();
