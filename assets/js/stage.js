// The stage in the browser. Gradio runs this text once per mount as the body of a function with
// (element, trigger, props, server, upload, watch); the template is static, so every node below lives as
// long as the component and only data changes. User text is written with textContent, never as markup.
// awaken/ui/stage.py puts one line above this text: const texts = {...}, the stage's own words.
//
// One idea carries it: a *source* is a list of whole moments. Moment i holds both videos, from one decoded
// picture of the stacked mp4 (baseline over awakened) or one column of a preview atlas; both canvases are
// always painted from the same moment in the same task, so they cannot fall out of step.
const stage = element.querySelector(".stage");
const part = {};
for (const node of stage.querySelectorAll("[data-part]")) part[node.dataset.part] = node;

const MEMORY = 256 * 2 ** 20; // bytes of decoded pictures; longer films are kept at a smaller size
const BLINK = 700; // ms per picture in the blink view
const SEEK_PATIENCE = 400; // ms to wait for a sought picture to be presented (hidden tabs never present)
const LOUPE_ZOOM = 3;
const VIEWS = ["side", "wipe", "wipe-across", "blink", "difference", "onion"];
const OVERLAID = ["wipe", "wipe-across", "blink", "difference"];

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const unmounted = new AbortController(); // ends listeners that outlive the component's own nodes
const state = {
  show: "compare",
  view: "side",
  position: 0, // in frames of the active source, fractional while playing
  playing: !calm.matches,
  forwards: true,
  pingPong: false,
  speed: 1,
  wipe: 50, // per cent
  loupe: null, // {x, y} in 0..1 of a picture
  blinkB: false,
};

let value = { mode: "empty", result: null, run: null };
let film = null; // source of the last good result
let filmUrl = "";
let live = null; // source of the run's newest preview
let liveKey = "";
let still = null; // the run's painting in both frames, until its first preview
let stillSrc = "";
let active = null; // the source on the wall
let breathing = []; // the animations of breathe()
let ticking = false;
let lastTime = 0;

const text = (key) => texts[key] || key;
const urlOf = (picture) => (picture && typeof picture === "object" ? picture.url : picture) || "";
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// --- sources ------------------------------------------------------------------------------------

function loadImage(src) {
  const image = new Image();
  image.src = src;
  return image.decode().then(() => image);
}

function atlasSource(image, preview, run) {
  const { width, height, frames, videos } = preview;
  return {
    kind: "preview",
    names: videos,
    frames,
    total: frames,
    complete: true,
    fps: run.fps || 8,
    width: run.width || width * 4,
    height: run.height || height * 4,
    draw(context, which, frame, x, y, w, h) {
      const row = Math.min(which, videos.length - 1);
      context.drawImage(image, frame * width, row * height, width, height, x, y, w, h);
    },
  };
}

function stillSource(image, run) {
  return {
    kind: "still",
    names: ["baseline", "awakened"],
    frames: 1,
    total: 1,
    complete: true,
    fps: 1,
    width: run.width || image.naturalWidth,
    height: run.height || image.naturalHeight,
    draw(context, which, frame, x, y, w, h) {
      context.drawImage(image, x, y, w, h);
    },
  };
}

// Show the picture of a moment: seek to its middle, then wait until the browser says that it is presented.
// Where requestVideoFrameCallback is missing, "seeked" must do.
function seek(video, time, tolerance, signal) {
  return new Promise((resolve, reject) => {
    let sought = false;
    let presented = !video.requestVideoFrameCallback;
    const over = new AbortController();
    const finish = () => {
      clearTimeout(patience);
      over.abort();
      resolve();
    };
    const check = () => sought && presented && finish();
    const patience = setTimeout(finish, SEEK_PATIENCE);
    const look = () =>
      video.requestVideoFrameCallback((now, picture) => {
        if (over.signal.aborted) return;
        presented = Math.abs(picture.mediaTime - time) < tolerance;
        presented ? check() : look();
      });
    if (!presented) look();
    video.addEventListener("seeked", () => ((sought = true), check()), { signal: over.signal });
    signal.addEventListener(
      "abort",
      () => (clearTimeout(patience), over.abort(), reject(signal.reason)),
      { signal: over.signal },
    );
    video.currentTime = time;
  });
}

function opened(video, url, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const leave = (how) => (what) => (over.abort(), how(what));
    video.addEventListener("loadeddata", leave(resolve), { signal: over.signal });
    video.addEventListener("error", leave(() => reject(new Error("media"))), { signal: over.signal });
    signal.addEventListener("abort", leave(() => reject(signal.reason)), { signal: over.signal });
    video.src = url;
    video.load();
  });
}

// Decode the stacked mp4 once, moment by moment. ready(source) is called after the first picture and
// again when all are there; source.frames grows in between, and the clock waits for it.
async function decodeFilm(result, signal, ready) {
  const video = part.video;
  await opened(video, urlOf(result.stacked), signal);
  const fps = result.fps;
  const count = Math.max(1, result.frames || Math.round(video.duration * fps));
  const width = video.videoWidth;
  const height = Math.floor(video.videoHeight / 2);
  const shrink = Math.min(1, Math.sqrt(MEMORY / (count * width * height * 8)));
  const w = Math.max(1, Math.round(width * shrink));
  const h = Math.max(1, Math.round(height * shrink));
  const moments = [];
  const source = {
    kind: "film",
    url: urlOf(result.stacked),
    result,
    names: ["baseline", "awakened"],
    frames: 0, // so far
    total: count,
    complete: false,
    fps,
    width: w,
    height: h,
    moments,
    draw(context, which, frame, x, y, dw, dh) {
      context.drawImage(moments[frame], 0, which * h, w, h, x, y, dw, dh);
    },
    free() {
      for (const moment of moments) moment.width = moment.height = 0;
    },
  };
  try {
    for (let i = 0; i < count; i++) {
      await seek(video, (i + 0.5) / fps, 0.75 / fps, signal);
      const moment = document.createElement("canvas");
      moment.width = w;
      moment.height = 2 * h;
      moment.getContext("2d").drawImage(video, 0, 0, width, 2 * height, 0, 0, w, 2 * h);
      moments.push(moment);
      source.frames = moments.length;
      if (i === 0) ready(source);
    }
  } catch (error) {
    if (active !== source) source.free();
    throw error;
  }
  source.complete = true;
  ready(source);
  return source;
}

// --- taking in a new value ----------------------------------------------------------------------

let decoding = new AbortController();

function takeFilm(result) {
  const url = result ? urlOf(result.stacked) : "";
  if (url === filmUrl) return;
  filmUrl = url;
  decoding.abort();
  part.trouble.textContent = "";
  if (!url) {
    if (film) film.free();
    film = null;
    return;
  }
  decoding = new AbortController();
  const signal = decoding.signal;
  const before = film;
  decodeFilm(result, signal, (source) => {
    if (signal.aborted) return;
    if (!source.complete && before) return; // keep the old result until the new one is whole
    film = source;
    choose();
    if (source.complete && before && before !== active) before.free();
    if (source.complete) drawMotion();
  }).catch((error) => {
    if (signal.aborted || !stage.isConnected) return;
    part.trouble.textContent = text("trouble");
    console.warn("stage: the video could not be decoded:", error.message);
    arrange();
  });
}

function takePreview(run) {
  const preview = run && run.preview;
  const key = preview ? preview.videos + preview.src : "";
  if (key === liveKey) return;
  liveKey = key;
  if (!preview) {
    live = null;
    return;
  }
  loadImage(preview.src)
    .then((image) => {
      if (key !== liveKey || value.mode !== "running") return; // a newer one overtook it
      live = atlasSource(image, preview, value.run);
      choose();
    })
    .catch(() => {}); // a broken preview is skipped: the next step brings another
}

function takeStill(run) {
  const src = run ? urlOf(run.painting) : "";
  if (src === stillSrc) return;
  stillSrc = src;
  still = null;
  if (!src) return;
  loadImage(src)
    .then((image) => {
      if (src !== stillSrc || value.mode !== "running") return;
      still = stillSource(image, value.run);
      choose();
    })
    .catch(() => {}); // the wall then keeps what it shows
}

function take() {
  const before = value.mode;
  value = props.value && props.value.mode ? props.value : { mode: "empty", result: null, run: null };
  if (value.mode !== before) state.show = "compare";
  takeFilm(value.result);
  takePreview(value.mode === "running" ? value.run : null);
  takeStill(value.mode === "running" ? value.run : null);
  choose();
}

// What should be on the wall; until that is ready, what is there stays (no blank in between).
function choose() {
  const current = film && film.url === urlOf(value.result && value.result.stacked);
  let next = null;
  if (value.mode === "running") next = (state.show !== "last" && (live || still)) || film;
  else if (value.mode === "done") {
    const soon = active && active.kind === "preview"; // it moves already: wait for the whole film
    next = current && (film.complete || !soon) ? film : active || film;
  }
  if (next !== active) {
    const phase = active && active.frames > 1 ? state.position / active.frames : 0;
    const retired = active;
    active = next;
    state.position = active ? phase * active.frames : 0;
    if (retired && retired.free && retired !== film) retired.free();
  }
  arrange();
  paint();
  breathe();
  tick();
}

// --- showing ------------------------------------------------------------------------------------

function set(node, key, what) {
  if (node[key] !== what) node[key] = what;
}

function setAttribute(node, name, what) {
  if (node.getAttribute(name) !== String(what)) node.setAttribute(name, what);
}

function nameOf(kind) {
  return text({ painting: "painting-path", proxy: "proxy-path" }[kind] || kind);
}

// Everything that depends on the value and the choices, nothing that depends on the moment.
function arrange() {
  const run = value.mode === "running" ? value.run : null;
  const result = value.result;
  const shown = active && active.kind === "film" ? active.result : null;
  const subject = run || result; // whose pictures are in the strip
  const data = stage.dataset;
  data.mode = value.mode;
  data.show = state.show;
  data.view = state.view;
  data.source = active ? active.kind : "none";
  data.frames = active ? active.frames : 0;
  data.playing = String(state.playing);
  data.overlaid = String(OVERLAID.includes(state.view));
  data.loupe = String(Boolean(state.loupe));
  data.last = String(Boolean(run && result));
  data.trouble = String(Boolean(part.trouble.textContent));

  const label = shown ? shown.label : "";
  set(part.label, "textContent", run && shown ? [text("last"), label].filter(Boolean).join(" · ") : label);
  const given = shown && shown.names.length === 2 ? shown.names : null;
  const names = given || (active ? active.names.map(nameOf) : ["", ""]);
  const notes = shown ? shown.notes : ["", ""];
  set(part["name-a"], "textContent", names[0]);
  set(part["name-b"], "textContent", names[names.length - 1]);
  set(part["note-a"], "textContent", notes[0] || "");
  set(part["note-b"], "textContent", notes[1] || "");
  setAttribute(part["canvas-a"], "aria-label", names[0]);
  setAttribute(part["canvas-b"], "aria-label", names[names.length - 1]);

  const painting = subject ? urlOf(subject.painting) : "";
  const proxy = subject ? urlOf(subject.proxy) : "";
  fill(part["thumb-original"], painting, text("original"));
  fill(part["thumb-proxy"], proxy, text("proxy"));
  const under = state.view === "onion" ? urlOf((shown || subject || {}).painting) : "";
  fill(part["onion-a"], under, "");
  fill(part["onion-b"], under, "");
  set(part["thumb-original-note"], "textContent", subject ? subject.painting_note : "");
  set(part["thumb-proxy-note"], "textContent", subject && proxy ? subject.proxy_note : subject ? text("waiting") : "");
  set(part["thumb-compare-note"], "textContent", run ? text("preview") : "");
  set(part["thumb-last-note"], "textContent", run && result ? result.label : "");

  const single = state.show === "original" || state.show === "proxy";
  fill(part["single-image"], state.show === "proxy" ? proxy : single ? painting : "", text(single ? state.show : "original"));
  set(part["single-name"], "textContent", single ? text(state.show) : "");
  set(part["single-note"], "textContent", single && subject ? subject[state.show === "proxy" ? "proxy_note" : "painting_note"] : "");

  for (const button of stage.querySelectorAll("button[data-show]")) {
    setAttribute(button, "aria-pressed", button.dataset.show === state.show);
  }
  stage.querySelector("button[data-show=proxy]").disabled = !proxy;
  for (const button of part.views.querySelectorAll("button[data-view]")) {
    setAttribute(button, "aria-pressed", button.dataset.view === state.view);
  }
  setAttribute(part["loupe-toggle"], "aria-pressed", Boolean(state.loupe));
  setAttribute(part["ping-pong"], "aria-pressed", state.pingPong);
  title(part.play, state.playing ? "pause" : "play");
  title(part["full-screen"], document.fullscreenElement === stage ? "leave-full-screen" : "full-screen");
  setAttribute(part.grip, "aria-valuenow", Math.round(state.wipe));
  setAttribute(part.grip, "aria-orientation", state.view === "wipe-across" ? "vertical" : "horizontal");
  setAttribute(part.scrub, "max", active ? active.total - 1 : 0);
  stage.style.setProperty("--wipe", state.wipe + "%");
  stage.style.setProperty("--gain", part.gain.value);
  stage.style.setProperty("--opacity", part.opacity.value);
  const size = active || run || result; // frames have their size before they have a picture
  if (size && size.width && size.height) {
    stage.style.setProperty("--ratio", (size.width / size.height).toFixed(4));
    data.tall = String(size.width < 0.95 * size.height);
  }
  data.blink = state.blinkB ? "b" : "a";
}

function fill(image, src, alt) {
  if (image.getAttribute("src") !== src) {
    if (src) image.setAttribute("src", src);
    else image.removeAttribute("src");
  }
  setAttribute(image, "alt", src ? alt : "");
  image.hidden = !src;
}

function title(node, key) {
  setAttribute(node, "aria-label", text(key));
  setAttribute(node, "title", text(key));
}

const currentFrame = () => (active ? clamp(Math.floor(state.position), 0, active.frames - 1) : 0);

function canvasFor(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  return context;
}

// Both canvases from the same moment, in one task.
function paint() {
  if (active) {
    const frame = currentFrame();
    const { width, height } = active;
    active.draw(canvasFor(part["canvas-a"], width, height), 0, frame, 0, 0, width, height);
    active.draw(canvasFor(part["canvas-b"], width, height), 1, frame, 0, 0, width, height);
    stage.dataset.frame = frame;
    paintThumb(part["thumb-compare"], state.show === "last" ? live || still || active : active, frame);
    paintLoupe(frame);
    set(part.scrub, "value", String(frame));
    const spoken = text("frame").replace("{0}", frame + 1).replace("{1}", active.total);
    setAttribute(part.scrub, "aria-valuetext", spoken);
    set(part.count, "textContent", frame + 1 + " / " + active.total);
    stage.style.setProperty("--played", active.total > 1 ? frame / (active.total - 1) : 0);
  }
  if (value.mode === "running" && film) paintThumb(part["thumb-last"], film, filmFrame(), true);
}

// Half and half, as the two pictures would be under a wipe in the middle.
function paintThumb(canvas, source, frame, own = false) {
  const width = 240;
  const height = Math.round((width * source.height) / source.width);
  const at = Math.min(own ? frame : Math.floor((frame / active.frames) * source.frames), source.frames - 1);
  const context = canvasFor(canvas, width, height);
  source.draw(context, 1, at, 0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(0, 0, width / 2, height);
  context.clip();
  source.draw(context, 0, at, 0, 0, width, height);
  context.restore();
  context.fillStyle = "#fff";
  context.fillRect(width / 2 - 1, 0, 2, height);
}

function filmFrame() {
  const seconds = state.playing ? lastTime / 1000 : 0;
  return Math.floor(seconds * film.fps) % film.frames;
}

function paintLoupe(frame) {
  if (!state.loupe) return;
  const { x, y } = state.loupe;
  const box = part["canvas-a"].getBoundingClientRect();
  for (const [which, canvas] of [part["loupe-a"], part["loupe-b"]].entries()) {
    const context = canvas.getContext("2d");
    const size = canvas.width;
    // LOUPE_ZOOM times the size on the wall, in the finer pixels of the lens
    const scale = (LOUPE_ZOOM * size) / (canvas.clientWidth || size);
    const w = box.width * scale;
    const h = box.height * scale;
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, size, size);
    active.draw(context, which, frame, size / 2 - x * w, size / 2 - y * h, w, h);
  }
  stage.style.setProperty("--loupe-x", x * 100 + "%");
  stage.style.setProperty("--loupe-y", y * 100 + "%");
}

// How much each video moves, as a curve over time: mean absolute difference of neighbouring frames.
function drawMotion() {
  const canvas = part.motion;
  if (!film || !film.complete || film.frames < 3) return;
  const side = 48;
  const small = document.createElement("canvas");
  small.width = small.height = side;
  const context = small.getContext("2d", { willReadFrequently: true });
  const curves = [0, 1].map((which) => {
    let before = null;
    const curve = [];
    for (let i = 0; i < film.frames; i++) {
      film.draw(context, which, i, 0, 0, side, side);
      const pixels = context.getImageData(0, 0, side, side).data;
      if (before) {
        let sum = 0;
        for (let k = 0; k < pixels.length; k += 4) {
          sum += Math.abs(pixels[k] - before[k]) + Math.abs(pixels[k + 1] - before[k + 1]);
          sum += Math.abs(pixels[k + 2] - before[k + 2]);
        }
        curve.push(sum / (3 * side * side));
      }
      before = pixels;
    }
    return curve;
  });
  film.motion = curves;
  paintMotion();
}

function paintMotion() {
  if (!film || !film.motion) return;
  const canvas = part.motion;
  const box = canvas.getBoundingClientRect();
  if (!box.width) return;
  const scale = Math.min(2, devicePixelRatio || 1);
  const context = canvasFor(canvas, Math.round(box.width * scale), Math.round(box.height * scale));
  const style = getComputedStyle(stage);
  const top = Math.max(0.5, ...film.motion.flat());
  context.clearRect(0, 0, canvas.width, canvas.height);
  film.motion.forEach((curve, which) => {
    context.beginPath();
    curve.forEach((amount, i) => {
      const x = ((i + 0.5) / (film.frames - 1)) * canvas.width;
      const y = canvas.height * (1 - 0.9 * (amount / top)) - scale;
      if (!i) context.moveTo(0, y);
      context.lineTo(x, y);
      if (i === curve.length - 1) context.lineTo(canvas.width, y);
    });
    context.lineWidth = (which ? 2 : 1.25) * scale;
    context.lineJoin = "round";
    context.strokeStyle = style.getPropertyValue(which ? "--aw-accent" : "--aw-edge");
    context.stroke();
  });
}

// --- the clock ----------------------------------------------------------------------------------

// Before the first preview both pictures are the still painting; they breathe, so that one sees it begin.
function breathe() {
  const waiting = value.mode === "running" && active && active.kind === "still" && !calm.matches;
  if (waiting === breathing.length > 0) return;
  for (const animation of breathing) animation.cancel();
  breathing = [];
  if (!waiting) return;
  for (const canvas of [part["canvas-a"], part["canvas-b"]]) {
    const frames = [{ opacity: 1 }, { opacity: 0.82 }, { opacity: 1 }];
    breathing.push(canvas.animate(frames, { duration: 2800, iterations: Infinity, easing: "ease-in-out" }));
  }
}

function tick() {
  if (ticking) return;
  ticking = true;
  requestAnimationFrame(step);
}

function step(now) {
  if (!stage.isConnected) return void leave();
  const elapsed = Math.min(0.25, Math.max(0, (now - lastTime) / 1000)); // a sleeping tab does not jump
  lastTime = now;
  ticking = false;
  if (!active || !state.playing) return;
  const before = currentFrame();
  const blinkB = state.view === "blink" && !calm.matches && now % (2 * BLINK) >= BLINK;
  advance(elapsed * active.fps * state.speed);
  if (state.view === "blink" && !calm.matches && blinkB !== state.blinkB) {
    state.blinkB = blinkB;
    stage.dataset.blink = blinkB ? "b" : "a";
  }
  const lastMoves = value.mode === "running" && film;
  if (currentFrame() !== before || (lastMoves && filmFrame() !== step.lastFilmFrame)) paint();
  if (lastMoves) step.lastFilmFrame = filmFrame();
  if (active.total > 1 || lastMoves) tick();
}

function advance(frames) {
  const n = active.frames;
  let p = state.position + (state.pingPong && !state.forwards ? -frames : frames);
  if (!active.complete) p = Math.min(p, n - 1e-6);
  else if (!state.pingPong) p %= n;
  else if (p >= n) [p, state.forwards] = [Math.max(0, 2 * n - 1 - p), false];
  else if (p < 0) [p, state.forwards] = [Math.min(n - 1e-6, 1 - p), true];
  state.position = p;
}

function leave() {
  unmounted.abort();
  decoding.abort();
}

// --- choices of the visitor -----------------------------------------------------------------------

function play(on) {
  state.playing = on;
  arrange();
  tick();
}

function go(frame) {
  if (!active) return;
  state.playing = false;
  state.position = ((frame % active.frames) + active.frames) % active.frames;
  arrange();
  paint();
}

function show(what) {
  state.show = what;
  choose();
}

function view(what) {
  state.view = what;
  if (state.show !== "last") state.show = "compare";
  choose();
}

function wipeTo(percent) {
  state.wipe = clamp(percent, 0, 100);
  arrange();
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (stage.requestFullscreen) stage.requestFullscreen();
}

function listen(node, type, react, options = {}) {
  node.addEventListener(type, react, { signal: unmounted.signal, ...options });
}

listen(part.play, "click", () => play(!state.playing));
listen(part.previous, "click", () => go(currentFrame() - 1));
listen(part.next, "click", () => go(currentFrame() + 1));
listen(part.scrub, "input", () => go(Number(part.scrub.value)));
listen(part.speed, "change", () => (state.speed = Number(part.speed.value)));
listen(part.gain, "input", arrange);
listen(part.opacity, "input", arrange);
listen(part["full-screen"], "click", toggleFullScreen);
listen(part["ping-pong"], "click", () => {
  state.pingPong = !state.pingPong;
  state.forwards = true;
  arrange();
});
listen(part["loupe-toggle"], "click", () => {
  state.loupe = state.loupe ? null : { x: 0.5, y: 0.5 };
  arrange();
  paint();
});
for (const button of stage.querySelectorAll("button[data-show]")) {
  listen(button, "click", () => show(button.dataset.show));
}
for (const button of part.views.querySelectorAll("button[data-view]")) {
  listen(button, "click", () => view(button.dataset.view));
}
part["full-screen"].hidden = !document.fullscreenEnabled;

// The wipe follows a press anywhere on the picture, or its handle with the arrow keys.
function wipeAt(event) {
  const box = part.rail.getBoundingClientRect();
  if (state.view === "wipe-across") wipeTo((100 * (event.clientY - box.top)) / box.height);
  else wipeTo((100 * (event.clientX - box.left)) / box.width);
}
listen(part.rail, "pointerdown", (event) => {
  if (event.button) return;
  part.rail.setPointerCapture(event.pointerId);
  part.grip.focus({ preventScroll: true });
  wipeAt(event);
});
listen(part.rail, "pointermove", (event) => {
  if (part.rail.hasPointerCapture(event.pointerId)) wipeAt(event);
});

function loupeAt(event) {
  if (!state.loupe) return;
  const canvas = [part["canvas-a"], part["canvas-b"]].find((one) => {
    const box = one.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  });
  if (!canvas) return;
  const box = canvas.getBoundingClientRect();
  state.loupe = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  paint();
}
listen(part.hang, "pointermove", loupeAt);
listen(part.hang, "pointerdown", loupeAt);
listen(part.hang, "click", () => {
  if (state.view !== "blink") return;
  state.blinkB = !state.blinkB;
  arrange();
});

const WIPE_KEYS = { ArrowLeft: -2, ArrowUp: -2, ArrowRight: 2, ArrowDown: 2, PageDown: 10, PageUp: -10 };
listen(stage, "keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const key = event.key;
  const onWall = event.target === part.wall;
  const onGrip = event.target === part.grip;
  const wiping = state.show !== "original" && state.show !== "proxy" && state.view.startsWith("wipe");
  const move = WIPE_KEYS[key];
  const along = state.view === "wipe-across" ? /Up|Down/ : /Left|Right/;
  if ((onGrip || (onWall && wiping && along.test(key))) && move) wipeTo(state.wipe + move * (event.shiftKey ? 5 : 1));
  else if (onGrip && key === "Home") wipeTo(0);
  else if (onGrip && key === "End") wipeTo(100);
  else if (key === " " && (onWall || onGrip)) play(!state.playing);
  else if (key === "," || (onWall && key === "ArrowLeft")) go(currentFrame() - 1);
  else if (key === "." || (onWall && key === "ArrowRight")) go(currentFrame() + 1);
  else if (onWall && key === "Home") go(0);
  else if (onWall && key === "End") go(-1);
  else if (/^[1-6]$/.test(key)) view(VIEWS[Number(key) - 1]);
  else if (key === "f" || key === "F") toggleFullScreen();
  else return;
  event.preventDefault();
});

listen(document, "fullscreenchange", arrange);
listen(calm, "change", () => play(!calm.matches));
const resized = new ResizeObserver(() => (stage.isConnected ? paintMotion() : resized.disconnect()));
resized.observe(part.motion);
// the motion curve is drawn with the theme's colours
const themed = new MutationObserver(() => (stage.isConnected ? paintMotion() : themed.disconnect()));
themed.observe(document.body, { attributes: true, attributeFilter: ["class"] });

for (const node of stage.querySelectorAll("[data-text]")) node.textContent = text(node.dataset.text);
for (const node of stage.querySelectorAll("[data-label]")) node.setAttribute("aria-label", text(node.dataset.label));
for (const node of stage.querySelectorAll("[data-title]")) title(node, node.dataset.title);
watch("value", take);
take();
