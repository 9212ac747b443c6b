// A kept run on the stage again, or two against each other: what stage and placard are told.

let urls = []; // of what is shown now; they are given back when something else is

function urlOf(bytes, type) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  urls.push(url);
  return url;
}

const fill = (key, values = {}) =>
  texts[key].replace(/\{(\w+)\}/g, (blank, name) => (name in values ? values[name] : blank));

const settingsOf = (run) => JSON.parse(run.texts["settings.json"]);
const when = (run) =>
  new Date(run.date).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

// What tells a run from the one before: the choices in which they differ, or its sentence; of the first
// one, or where nothing differs, "p 0.6 · seed 42".
function noteOf(run) {
  const before = runs[runs.findIndex(({ id }) => id === run.id) + 1];
  const facts = before ? differing(before, run).slice(0, 2) : [];
  if (facts.length) return facts.map(([name, , is]) => name + " " + is).join(" · ");
  if (before && before.placard.prompt !== run.placard.prompt) return run.placard.prompt;
  const { p, seed } = settingsOf(run);
  return fill("note", { p: Number(p.toFixed(2)), seed });
}

function filmOf(run, files) {
  const picture = (name) => urlOf(files[name], "image/png");
  return {
    ...run.film,
    label: texts.label,
    painting: picture("painting"),
    proxy: picture("proxy"),
    stacked: urlOf(files.stacked, "video/mp4"),
  };
}

// All downloads of a fresh run while the server still has it; what this browser keeps otherwise.
async function offered(run) {
  const files = run.placard.files || [];
  const told = files.find(({ file }) => /settings\.json(\?|$)/.test(file.url)); // the smallest of them
  if (!told) return null;
  const answer = await fetch(new URL(told.file.url, location.href), { method: "HEAD" }).catch(() => null);
  return answer && answer.ok ? files : null;
}

function one(run, files, fresh) {
  const film = filmOf(run, files);
  const stem = nameOf(run);
  // the film carries its settings: it goes with them where the visitor keeps settings out of files
  const saved = [
    ["film", "stacked.mp4", film.stacked],
    ["file_proxy", "proxy.png", film.proxy, {}],
    ["file_settings", "settings.json", urlOf(run.texts["settings.json"], "application/json")],
  ].map(([label, name, url, bare]) => ({
    label: texts[label],
    name: stem + "-" + name,
    file: { url },
    bare,
  }));
  const own = { tag: texts.tag, remark: when(run), files: fresh || saved, back: texts.back };
  return { film, placard: { ...run.placard, ...own } };
}

function two(a, b, filesOfA, filesOfB) {
  const facts = differing(a, b);
  const film = {
    ...filmOf(a, filesOfA),
    against: filmOf(b, filesOfB),
    label: texts.label_two,
    names: letters(a, b, facts),
    notes: ["", ""],
    told: "",
    curves: [a, b].map((run) => (run.film.curves || [])[1]).filter(Boolean),
    painting_note: "A",
    proxy_note: "A",
  };
  const [from, to] = [a.placard, b.placard];
  const placard = {
    ...from,
    tag: texts.tag_two,
    title: from.title === to.title ? from.title : "A " + from.title + " · B " + to.title,
    byline: from.byline === to.byline ? from.byline : "",
    credit: from.credit === to.credit ? from.credit : "",
    prompt: from.prompt === to.prompt ? from.prompt : "A " + from.prompt + " · B " + to.prompt,
    files: [],
    facts: facts.map(([name, was, is]) => [name, "A " + was + " · B " + is]),
    remark: [facts.length ? "" : texts.same_settings, ...caveats(a.film, b.film)].join(" ").trim(),
    back: texts.back,
  };
  return { film, placard };
}

// Choices in which two runs differ, the most telling first: [name, of A, of B].
function differing(a, b) {
  const [ours, theirs] = [settingsOf(a), settingsOf(b)];
  const named = (value) =>
    typeof value === "number" ? +value.toFixed(3) : texts.choices[value] || value || "–";
  const words = (settings, keys) => keys.map((key) => named(settings[key])).join(", ");
  return texts.telling
    .map(([name, keys]) => [name, words(ours, keys), words(theirs, keys)])
    .filter(([, was, is]) => was !== is);
}

// The captions under A and B: the painting, or what was chosen differently, or asked, or the time.
function letters(a, b, facts) {
  const differ = (name) => a.placard[name] !== b.placard[name];
  const words = (run, at) => {
    if (differ("title")) return run.placard.title;
    if (facts.length) return facts.slice(0, 2).map((fact) => fact[0] + " " + fact[at]).join(" · ");
    return differ("prompt") ? run.placard.prompt : when(run);
  };
  return ["A · " + words(a, 1), "B · " + words(b, 2)];
}

// How films of different length, speed or shape are brought together, in words.
function caveats(a, b) {
  const said = [];
  const frames = Math.min(a.frames, b.frames);
  if (a.frames !== b.frames) said.push(fill("shorter", { frames }));
  if (a.fps !== b.fps) said.push(fill("pace", { fps: a.fps }));
  if (a.width !== b.width || a.height !== b.height) said.push(texts.fitted);
  return said;
}

// make() -> {film, placard}, or null for nothing. The stage sends null too, when a run takes its place.
function showKept(make) {
  const before = urls;
  urls = [];
  const detail = make ? make() : null;
  document.dispatchEvent(new CustomEvent("aw-kept", { detail }));
  for (const url of before) URL.revokeObjectURL(url);
}

// A name for files and folders: letters and digits of the title, and the seed.
const nameOf = (run) => plainName(run) + "-seed" + settingsOf(run).seed;

function plainName(run) {
  const plain = run.placard.title.normalize("NFKD").replace(/[^\w]+/g, "-").toLowerCase();
  return plain.replace(/^-+|-+$/g, "").slice(0, 40) || "run";
}
