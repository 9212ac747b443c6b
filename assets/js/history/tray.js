// The tray: one card per kept run, newest first. Cards live as long as their runs, so that the focus
// stays where it is; every word that a visitor wrote goes through textContent or an attribute.

const tray = element.querySelector(".aw-history");
const part = {};
for (const node of tray.querySelectorAll("[data-part]")) part[node.dataset.part] = node;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const tabs = new BroadcastChannel("awaken-history"); // other tabs of this browser show the same
const THUMB = 368; // px of a thumbnail's width: twice what it is drawn at

let store = null;
let runs = [];
let shown = []; // ids of what is on the stage: none, one, or A and B
let picked = []; // ids chosen for comparing: A, then B
const cards = new Map(); // id -> list item
const arriving = new Set();

function announce(words, answer = "", react = null, kept = false) {
  part.says.textContent = words;
  part.answer.textContent = answer;
  part.answer.hidden = !answer;
  part.answer.onclick = () => Promise.resolve(react()).catch(trouble);
  part.keep.hidden = !kept;
}

const titled = (run) => fill("titled", { title: run.placard.title, note: noteOf(run) });

async function refresh() {
  runs = await store.all();
  draw();
}

function draw() {
  const ids = new Set(runs.map(({ id }) => id));
  picked = picked.filter((id) => ids.has(id));
  for (const [id, card] of cards) if (!ids.has(id)) (seen.unobserve(card), still(card), card.remove(), cards.delete(id));
  for (const run of runs) if (!cards.has(run.id)) cards.set(run.id, makeCard(run));
  const wanted = runs.map(({ id }) => cards.get(id));
  wanted.forEach((card, i) => {
    if (part.row.children[i] !== card) part.row.insertBefore(card, part.row.children[i] || null);
  });
  for (const run of runs) drawCard(run);
  tray.dataset.state = runs.length ? "full" : "empty";
  const amounts = { count: runs.length, megabytes: Math.max(1, Math.round(weight(runs) / 1e6)) };
  const about = fill(runs.length === 1 ? "about_one" : "about", amounts);
  part.about.textContent = runs.length ? about + (/^zh/.test(document.documentElement.lang) ? "" : " ") + boundsInWords() : texts.empty;
}

const boundsInWords = () => fill("bounds", { runs: bounds.runs, megabytes: bounds.bytes / 1e6 });

function makeCard(run) {
  const card = part.run.content.firstElementChild.cloneNode(true);
  card.dataset.id = run.id;
  card.querySelector("img").src = run.thumb;
  card.querySelector(".aw-run-mount").style.aspectRatio = run.film.width + " / " + run.film.height;
  card.querySelector(".aw-run-title").textContent = run.placard.title;
  card.querySelector(".aw-run-show").title = run.placard.prompt + "\n" + when(run);
  seen.observe(card);
  return card;
}

function drawCard(run) {
  const card = cards.get(run.id);
  const letter = picked.indexOf(run.id);
  const act = (name) => card.querySelector('[data-act="' + name + '"]');
  const label = (name, words, pressed) => {
    act(name).setAttribute("aria-label", words + ": " + titled(run));
    if (name !== "show") act(name).title = words;
    if (pressed !== undefined) act(name).setAttribute("aria-pressed", pressed);
  };
  label("show", texts.show, shown.length === 1 && shown[0] === run.id);
  label("star", texts.star, run.star);
  label("compare", texts.compare, letter >= 0);
  label("restore", texts.restore);
  label("delete", texts.delete);
  card.dataset.shown = shown.includes(run.id);
  card.querySelector(".aw-run-note").textContent = noteOf(run);
  card.querySelector(".aw-run-letter").textContent = letter < 0 ? "" : "AB"[letter];
}

// Cards move while they can be seen, unless the visitor wants stillness.
const seen = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    target.dataset.seen = isIntersecting;
    if (isIntersecting && !calm.matches) animate(target).catch(trouble);
    else still(target);
  }
});
calm.addEventListener("change", () => {
  for (const card of cards.values()) (seen.unobserve(card), seen.observe(card)); // tells again
});

// The awakened half of the stacked film over the thumbnail, without sound and without end.
async function animate(card) {
  const files = await store.files(card.dataset.id);
  if (!files || card.dataset.seen !== "true" || card.querySelector("video")) return;
  const film = document.createElement("video");
  Object.assign(film, { muted: true, loop: true, playsInline: true, tabIndex: -1 });
  film.setAttribute("aria-hidden", "true");
  film.src = URL.createObjectURL(new Blob([files.stacked], { type: "video/mp4" }));
  film.addEventListener("playing", () => (film.dataset.plays = "true"), { once: true });
  card.querySelector("img").after(film);
  film.play().catch(() => still(card)); // a browser that saves power shows the thumbnail
}

function still(card) {
  const film = card.querySelector("video");
  if (!film) return;
  const url = film.src;
  film.remove();
  film.removeAttribute("src"); // it asks for nothing any more once its address is taken back
  film.load();
  URL.revokeObjectURL(url);
}

// Runs that have just ended, or that a reload brought again.
async function arriveAll(value) {
  for (const one of (value && value.runs) || [value]) await arrive(one);
}

async function arrive(value) {
  if (!value || !value.id || arriving.has(value.id)) return;
  arriving.add(value.id);
  if (runs.some(({ id }) => id === value.id) || (await store.isGone(value.id))) return;
  const files = {};
  for (const [name, { url }] of Object.entries(value.files)) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error("the server no longer has " + name);
    files[name] = await answer.arrayBuffer();
  }
  const run = {
    id: value.id,
    date: Date.now(),
    star: false,
    thumb: await thumbnail(files.painting),
    bytes: Object.values(files).reduce((sum, file) => sum + file.byteLength, 0),
    film: value.film,
    placard: value.placard,
    texts: value.texts,
  };
  const left = await store.keep(run, files);
  if (left < 0) announce(texts.full);
  else if (left) announce(texts.made_room);
  await refresh();
  tabs.postMessage("changed");
}

async function thumbnail(painting) {
  const picture = await createImageBitmap(new Blob([painting], { type: "image/png" }));
  const canvas = document.createElement("canvas");
  canvas.width = Math.min(THUMB, picture.width);
  canvas.height = Math.round((canvas.width * picture.height) / picture.width);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas.toDataURL("image/jpeg", 0.82);
}

async function show(run) {
  if (shown.length === 1 && shown[0] === run.id) return showKept(null);
  const files = await store.files(run.id);
  if (!files) return refresh(); // another tab has deleted it
  picked = [];
  const fresh = await offered(run);
  present([run.id], () => one(run, files, fresh));
}

async function compare(run) {
  if (picked.includes(run.id)) picked = picked.filter((id) => id !== run.id);
  else picked = [...picked.slice(0, 1), run.id];
  if (picked.length < 2) {
    if (shown.length === 2) showKept(null);
    announce(picked.length ? fill("choose_second", { title: titled(find(picked[0])) }) : "");
    return draw();
  }
  const [a, b] = picked.map(find);
  const files = await Promise.all([store.files(a.id), store.files(b.id)]);
  if (!files.every(Boolean)) return refresh();
  present([a.id, b.id], () => two(a, b, ...files));
}

const find = (id) => runs.find((run) => run.id === id);

function present(ids, make) {
  showKept(make);
  shown = ids;
  announce(ids.length === 2 ? texts.comparing : texts.showing, texts.back, () => showKept(null));
  draw();
  const stage = document.getElementById("aw-stage");
  const { top } = stage.getBoundingClientRect();
  const smooth = { block: "start", behavior: calm.matches ? "auto" : "smooth" };
  if (top < 0 || top > innerHeight / 2) stage.scrollIntoView(smooth);
}

// Something else is shown, or nothing of the tray's any more: a run has begun, an example was chosen.
document.addEventListener("aw-kept", function taken({ detail }) {
  if (!tray.isConnected) return document.removeEventListener("aw-kept", taken);
  if (detail) return;
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  if (shown.length) announce("");
  shown = [];
  picked = [];
  draw();
});

async function star(run) {
  await store.update({ ...run, star: !run.star });
  await changed();
}

async function forget(run) {
  const files = await store.files(run.id);
  if (shown.includes(run.id)) showKept(null);
  await store.remove([run.id]);
  await changed();
  announce(fill("deleted", { title: titled(run) }), texts.undo, async () => {
    await store.restore(run, files);
    announce("");
    await changed();
    cards.get(run.id).querySelector("button").focus();
  });
  part.answer.focus();
}

function forgetAll() {
  const count = runs.length;
  announce(fill("clear_ask", { count }), texts.clear_yes, async () => {
    showKept(null);
    await store.remove(runs.map(({ id }) => id));
    announce(texts.cleared);
    await changed();
  }, true);
  part.answer.focus();
}

// Everything as one zip: a folder per run that the page takes back by its settings.json or its film.
// With the switch beside the downloads off no setting is in any file, nor in a name.
async function exportAll() {
  announce(texts.exporting);
  const keeps = localStorage.getItem("awaken-keep-settings") !== "no"; // see placard.js
  const entries = [];
  for (const [i, run] of runs.entries()) {
    const name = keeps ? nameOf(run) : plainName(run);
    const folder = String(i + 1).padStart(2, "0") + "-" + name + "/";
    const files = await store.files(run.id);
    if (!files) continue;
    const add = (name, bytes) =>
      entries.push({ name: folder + name, bytes: new Uint8Array(bytes), date: new Date(run.date) });
    for (const [name, bytes] of Object.entries(files)) {
      if (name === "id" || (name === "mask" && !keeps)) continue;
      const film = name === "stacked";
      add(name + (film ? ".mp4" : ".png"), film && !keeps ? withoutComment(bytes) : bytes);
    }
    const encoder = new TextEncoder();
    for (const [name, text] of Object.entries(run.texts)) {
      if (keeps || name === "ATTRIBUTION.txt") add(name, encoder.encode(text));
    }
  }
  const zip = new Blob([zipped(await fflateLoaded(), entries)], { type: "application/zip" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(zip);
  link.download = "awaken-history.zip";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the download has begun by then
  announce(fill(keeps ? "exported" : "exported_bare", { count: runs.length }));
}

async function changed() {
  await refresh();
  tabs.postMessage("changed");
}

const ACTS = {
  show,
  star,
  compare,
  async restore(run) {
    const files = (await store.files(run.id)) || {};
    const bring = async (name) =>
      files[name] ? (await upload(new File([files[name]], name + ".png", { type: "image/png" }))).path : "";
    const [painting, mask] = [await bring("painting"), await bring("mask")];
    const { title, byline } = run.placard;
    trigger("select", { settings: run.texts["settings.json"], painting, mask, title, byline });
    scrollTo({ top: 0, behavior: calm.matches ? "auto" : "smooth" });
  },
  delete: forget,
  export: exportAll,
  clear: forgetAll,
};

tray.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  const card = button.closest(".aw-run");
  try {
    await ACTS[button.dataset.act](card && find(card.dataset.id));
  } catch (error) {
    trouble(error);
  }
});
part.keep.onclick = () => {
  announce("");
  tray.querySelector('[data-act="clear"]').focus();
};

function trouble(error) {
  console.warn("history:", error && error.message);
  announce(texts.trouble);
}

for (const node of tray.querySelectorAll("[data-text]")) {
  node.textContent = texts[node.dataset.text];
}
openStore().then(
  async (opened) => {
    store = opened;
    tabs.onmessage = () => (tray.isConnected ? refresh().catch(trouble) : tabs.close());
    watch("value", () => arriveAll(props.value).catch(trouble));
    await refresh();
    await arriveAll(props.value);
  },
  () => {
    tray.dataset.state = "closed";
    part.about.textContent = texts.closed;
  },
).catch(trouble);
