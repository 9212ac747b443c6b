// The stage for talks. A film is decoded once, moment by moment, with the comparator's own decode.js
// and wipe.js;
// each moment holds both videos, so that they cannot fall out of step. Text goes through textContent.
const part = {};
for (const node of document.querySelectorAll("[data-part]")) part[node.dataset.part] = node;
const main = part.main;

const HOLD = 3000; // ms that a line moved by hand stays where it is
const POINTER = 2500; // ms after which a resting pointer hides, with all that it brought
const STEP = 5; // per cent that + and - move the line
const BELOW = 0.2; // share of the screen's height that a label below the picture takes
const BESIDE = 0.31; // share of its width that a label beside it takes

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const wanted = new URLSearchParams(location.search);
const LONG = 48; // letters of a title that need a smaller type; a Chinese character counts as two
const broken = new Set(); // indices whose film could not be decoded; a visit tries again
const films = new Map(); // index -> {moments, complete}, of the slides around the current one
let slides = [];
let texts = {};
let current = 0;
let active = null; // the film that is shown
let playing = !calm.matches;
let sweeping = !calm.matches;
let wipe = calm.matches ? 50 : 100; // per cent; left of it the baseline
let swept = 0; // s into the sweep
let position = 0; // in frames
let lastTime = 0;
let holding = 0; // timer that lets the line go again
let resting = 0; // timer that hides the pointer
let listed = false; // whether the keys stay in sight
let work = new AbortController(); // of the film being decoded
let decoding = -1; // its index
let clock = null; // {since, minutes}

const say = (key, values = {}) =>
  Object.entries(values).reduce((said, [k, v]) => said.replace(`{${k}}`, () => v), texts[key] || "");

async function begin() {
  const show = await (await fetch("present/show.json")).json();
  slides = show.slides;
  const language = (wanted.get("lang") || navigator.language || "en").slice(0, 2).toLowerCase();
  texts = show.texts[language] || show.texts.en;
  document.documentElement.lang = show.texts[language] ? language : "en";
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-title]")) {
    node.title = say(node.dataset.title);
    node.setAttribute("aria-label", node.title);
  }
  if (show.link) {
    part.code_picture.src = show.link.code;
    part.code_picture.alt = say("code");
    part.address.textContent = show.link.address;
    part.bar.querySelector("[data-act=code]").hidden = false;
    part.bar.querySelector(".hint").textContent += say("hint_code");
  }
  main.dataset.count = slides.length;
  if (!slides.length) return stop("empty");
  if (wanted.has("minutes")) startClock(Number(wanted.get("minutes")) || 0);
  go(Number(wanted.get("slide") || 1) - 1);
  requestAnimationFrame(tick);
}

function stop(state) {
  main.dataset.state = state;
  part.notice.textContent = say(state);
}

function go(index) {
  current = Math.min(slides.length - 1, Math.max(0, index));
  part.notice.textContent = "";
  broken.delete(current);
  if (films.has(current)) showFilm();
  else main.dataset.state = "loading";
  prepare();
}

// Decode what is missing, one film at a time: the current one, then its neighbours.
function prepare() {
  const next = [current, current + 1, current - 1].find(
    (i) => slides[i] && !films.has(i) && !broken.has(i),
  );
  if (next === undefined || next === decoding) return;
  decode(next);
}

async function decode(index) {
  work.abort();
  work = new AbortController();
  decoding = index;
  const { signal } = work;
  let url = "";
  try {
    const answer = await fetch(slides[index].film, { signal });
    if (!answer.ok) throw new Error(answer.status);
    url = URL.createObjectURL(await answer.blob());
    const { fps, frames } = slides[index];
    await opened(part.video, url, signal);
    const film = { moments: [], complete: false, fps };
    for (let i = 0; i < frames; i++) {
      await seek(part.video, (i + 0.5) / fps, 0.75 / fps, signal);
      film.moments.push(picture(part.video));
      films.set(index, film);
      if (index === current && active !== film) showFilm();
    }
    film.complete = true;
  } catch (error) {
    if (films.has(index) && !films.get(index).complete) films.delete(index);
    if (signal.aborted) return;
    broken.add(index);
    if (index === current) stop("trouble");
    console.warn("present: the film could not be decoded:", error.message);
  } finally {
    if (url && part.video.src === url) {
      part.video.removeAttribute("src"); // it asks for nothing any more once its address is taken back
      part.video.load();
    }
    URL.revokeObjectURL(url);
    if (decoding === index) decoding = -1;
  }
  for (const i of films.keys()) if (Math.abs(i - current) > 1) films.delete(i);
  prepare();
}

// Both videos at one moment: the baseline above, the awakened one below.
function picture(video) {
  const moment = document.createElement("canvas");
  moment.width = video.videoWidth;
  moment.height = video.videoHeight;
  moment.getContext("2d").drawImage(video, 0, 0);
  return moment;
}

// Show the film of the current slide, with its label.
function showFilm() {
  const slide = slides[current];
  active = films.get(current);
  position = 0;
  swept = 0;
  part.canvas.width = active.moments[0].width;
  part.canvas.height = Math.floor(active.moments[0].height / 2);
  part.title.textContent = slide.title;
  part.title.dataset.long = slide.title.replace(/[\u2e80-\uffff]/g, "--").length > LONG;
  part.byline.textContent = slide.byline;
  part.prompt.textContent = slide.prompt ? `“${slide.prompt}”` : "";
  part.count.textContent = say("count", { index: current + 1, count: slides.length });
  part.canvas.setAttribute("aria-label", say("picture", { title: slide.title }));
  part.status.textContent = [slide.title, slide.byline, part.prompt.textContent].join(". ");
  document.title = slide.title || document.title;
  main.dataset.index = current;
  main.dataset.state = "ready";
  arrange();
  paint();
}

// The picture as large as it can be, the label below it or beside it, whichever lets it be larger.
function arrange() {
  if (!active) return;
  const gap = parseFloat(getComputedStyle(main).paddingLeft);
  const [w, h] = [innerWidth - 2 * gap, innerHeight - 2 * gap];
  const ratio = part.canvas.width / part.canvas.height;
  const below = Math.min(w, (h - Math.max(110, BELOW * h)) * ratio);
  const beside = Math.min(w - BESIDE * innerWidth, h * ratio);
  const width = Math.floor(Math.max(below, beside));
  main.dataset.lay = beside > below ? "beside" : "below";
  part.picture.style.width = `${width}px`;
  part.picture.style.height = `${Math.floor(width / ratio)}px`;
  part.label.style.maxWidth = beside > below ? "" : `${Math.max(width, Math.min(w, 640))}px`;
}

function paint() {
  if (!active) return;
  const frame = Math.min(Math.floor(position), active.moments.length - 1);
  const { width, height } = part.canvas;
  const x = Math.round((width * wipe) / 100);
  const context = part.canvas.getContext("2d");
  const half = (top, from, to) => {
    const size = to - from;
    if (size) context.drawImage(active.moments[frame], from, top, size, height, from, 0, size, height);
  };
  half(0, 0, x);
  half(height, x, width);
  part.line.style.transform = `translateX(${(part.picture.clientWidth * wipe) / 100}px)`;
  part.line.style.opacity = wipe > 0.5 && wipe < 99.5 ? 1 : 0;
  part.baseline.style.opacity = Math.min(1, Math.max(0, (wipe - 8) / 14));
  part.awakened.style.opacity = Math.min(1, Math.max(0, (92 - wipe) / 14));
  main.dataset.frame = frame;
  main.dataset.wipe = wipe.toFixed(1);
}

function tick(now) {
  const seconds = Math.min(0.1, (now - lastTime) / 1000);
  lastTime = now;
  if (active && playing) {
    position = (position + seconds * active.fps) % active.moments.length;
    if (sweeping) {
      swept = (swept + seconds) % SWEEP;
      wipe = sweepAt(swept);
    }
    paint();
  }
  main.dataset.playing = playing;
  showClock();
  requestAnimationFrame(tick);
}

// The line in somebody's hand: it stays there, then goes on from where it is.
function moveLine(to) {
  wipe = Math.min(100, Math.max(0, to));
  sweeping = false;
  clearTimeout(holding);
  holding = setTimeout(() => {
    if (calm.matches) return;
    swept = sweepTime(wipe);
    sweeping = true;
  }, HOLD);
  paint();
}

function startClock(minutes = 0) {
  clock = { since: performance.now(), minutes };
  part.timer.hidden = false;
}

// Counts up, or down from ?minutes=20 and on below zero.
function showClock() {
  if (!clock) return;
  const gone = Math.floor((performance.now() - clock.since) / 1000);
  const left = clock.minutes ? Math.round(60 * clock.minutes) - gone : gone;
  const [m, s] = [Math.floor(Math.abs(left) / 60), Math.abs(left) % 60];
  const shown = `${left < 0 ? "−" : ""}${m}:${String(s).padStart(2, "0")}`;
  if (part.timer.textContent !== shown) part.timer.textContent = shown;
  part.timer.dataset.over = left < 0;
}

const blank = (on) => (main.dataset.blank = on);
const isBlank = () => main.dataset.blank === "true";

// Whether something lay over the picture; it is gone now.
function uncovered() {
  const covered = isBlank() || !part.code.hidden;
  blank(false);
  part.code.hidden = true;
  return covered;
}

const acts = {
  // the first press after a black screen or the code only brings the picture back
  next: () => uncovered() || go(current + 1),
  previous: () => uncovered() || go(current - 1),
  first: () => go(0),
  last: () => go(slides.length - 1),
  blank: () => blank(!isBlank()),
  play: () => (playing = !playing),
  code: () => (part.code.hidden = !part.code.hidden || !part.address.textContent),
  back: () => moveLine(wipe - STEP),
  forth: () => moveLine(wipe + STEP),
  timer() {
    if (!clock) return startClock();
    clock = null;
    part.timer.hidden = true;
  },
  // the line of keys stays until the next press
  keys() {
    listed = !listed;
    clearTimeout(resting);
    main.dataset.pointer = listed;
  },
  full_screen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {}); // kiosks refuse: they are full already
  },
};

const keys = {
  PageDown: "next", ArrowRight: "next", ArrowDown: "next", " ": "next", Enter: "next", n: "next",
  PageUp: "previous", ArrowLeft: "previous", ArrowUp: "previous", Backspace: "previous",
  Home: "first", End: "last", b: "blank", ".": "blank", p: "play", f: "full_screen", F5: "full_screen",
  t: "timer", q: "code", "?": "keys", "+": "forth", "=": "forth", "-": "back",
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !slides.length) return;
  const onButton = event.target instanceof HTMLButtonElement;
  if (onButton && (event.key === " " || event.key === "Enter")) return;
  let act = keys[event.key] || keys[event.key.toLowerCase()];
  if (event.key === " " && event.shiftKey) act = "previous";
  if (!act) return;
  event.preventDefault();
  acts[act]();
});

part.bar.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && slides.length) acts[button.dataset.act]();
});

function pointed(event) {
  const box = part.picture.getBoundingClientRect();
  moveLine(wipeUnder(box, event.clientX, event.clientY, false));
}

part.picture.addEventListener("pointerdown", (event) => {
  part.picture.setPointerCapture(event.pointerId);
  pointed(event);
});
part.picture.addEventListener("pointermove", (event) => event.buttons && pointed(event));

function stir() {
  if (listed) return;
  main.dataset.pointer = true;
  clearTimeout(resting);
  resting = setTimeout(() => (main.dataset.pointer = false), POINTER);
}

addEventListener("pointermove", stir);
addEventListener("pointerdown", stir);
addEventListener("resize", () => (arrange(), paint()));
calm.addEventListener("change", () => (playing = sweeping = !calm.matches));
stir(); // the keys are shown once, at the beginning
begin().catch(() => stop("trouble"));
