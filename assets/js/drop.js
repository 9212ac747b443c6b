/* A drop zone that always takes another picture: drop, paste, or choose. props.value is the file that
   the server took (Gradio's FileData) or null; "upload" tells the server of a new one, or that it failed,
   and which one was there before. */
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
  const before = (props.value && props.value.path) || "";
  try {
    const { path, url } = await upload(await lighter(file).catch(() => file));
    props.value = { path, url, orig_name: file.name, meta: { _type: "gradio.FileData" } };
    trigger("upload", { problem: "", name: file.name, before });
  } catch (error) {
    draw();
    trigger("upload", { problem: String(error && error.message), before });
  }
}

/* A bundle travels whole if it may; one that is larger than the server takes leaves behind what the page
   does not show, and then what no longer fits. Anything unforeseen goes there whole, and the server finds
   the words. */
const LARGEST = 20e6; // bytes that the server takes
const SHOWN = ["settings.json", "mask.png", "painting.png", "stacked.mp4", "proxy.png"];
async function lighter(file) {
  if (file.size < LARGEST) return file;
  const bytes = async (from, to) => new DataView(await file.slice(from, to).arrayBuffer());
  if ((await bytes(0, 4)).getUint32(0, true) !== 0x04034b50) return file;
  const tail = await bytes(Math.max(0, file.size - 65_557), file.size);
  let end = tail.byteLength - 22; // of the table of contents, which a comment may follow
  while (tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  const from = tail.getUint32(end + 16, true);
  const table = await bytes(from, from + tail.getUint32(end + 12, true));
  const rows = [];
  for (let at = 0; at < table.byteLength; ) {
    const [name, extra, comment] = [28, 30, 32].map((k) => table.getUint16(at + k, true));
    const next = at + 46 + name + extra + comment;
    const called = new TextDecoder().decode(new Uint8Array(table.buffer, at + 46, name));
    const rank = SHOWN.indexOf(called.replace(/^[^/]+[/]/, ""));
    if (rank >= 0) rows.push({ rank, row: new DataView(table.buffer.slice(at, next)) });
    at = next;
  }
  const members = [], kept = [];
  let size = 0;
  for (const { row } of rows.sort((a, b) => a.rank - b.rank)) {
    const place = row.getUint32(42, true);
    const head = await bytes(place, place + 30);
    const length = 30 + head.getUint16(26, true) + head.getUint16(28, true) + row.getUint32(20, true);
    if (size + length > LARGEST - 4096) continue;
    members.push(file.slice(place, place + length));
    row.setUint32(42, size, true);
    kept.push(row);
    size += length;
  }
  const foot = new DataView(new ArrayBuffer(22));
  foot.setUint32(0, 0x06054b50, true);
  for (const place of [8, 10]) foot.setUint16(place, kept.length, true);
  foot.setUint32(12, kept.reduce((sum, row) => sum + row.byteLength, 0), true);
  foot.setUint32(16, size, true);
  return kept.length ? new File([...members, ...kept, foot], file.name) : file;
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
if (pastes) {
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
    if (file && element.isConnected) take(file);
  });
  // a file that misses the zone would make the browser leave the page: the whole page is the zone
  const ours = (event) =>
    element.isConnected && !event.defaultPrevented && event.dataTransfer.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!ours(event)) return;
    event.preventDefault();
    face.classList.add("aw-drop-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) face.classList.remove("aw-drop-over");
  });
  document.addEventListener("drop", (event) => {
    face.classList.remove("aw-drop-over");
    if (!ours(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
}

/* The server clears away what nobody uses; an open page does. */
setInterval(() => {
  const url = element.isConnected && props.value && props.value.url;
  if (url) fetch(url, { method: "HEAD" }).catch(() => {});
}, 300_000);

image.alt = words.alt;
element.querySelector(".aw-drop-hint").textContent = words.hint;
element.querySelector(".aw-drop-again").textContent = words.again;
element.querySelector(".aw-drop-label").textContent = words.label;
field.setAttribute("aria-label", words.label);
watch("value", draw);
draw();
