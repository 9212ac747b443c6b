// Taking in a new value: what should be shown, and what is there until that is ready.

let decoding = new AbortController();
let shownKey = ""; // of the film that is shown whole

function takeFilm(result) {
  const key = keyOf(result);
  if (key === filmKey) return;
  filmKey = key;
  decoding.abort();
  part.trouble.textContent = "";
  if (!key) {
    if (film) film.free();
    film = null;
    return;
  }
  decoding = new AbortController();
  const signal = decoding.signal;
  const before = film;
  const decode = result.against ? decodePair : decodeFilm;
  decode(result, signal, (source) => {
    if (signal.aborted) return;
    if (!source.complete && before) return; // keep the old result until the new one is whole
    film = source;
    if (source.complete && !calm.matches) state.playing = true; // even if the last one was paused
    lastTime = performance.now();
    choose();
    if (!source.complete) return;
    if (before && before !== active) before.free();
    paintMotion();
    announceShown(key);
  }).catch((error) => {
    if (signal.aborted || !stage.isConnected) return;
    part.trouble.textContent = text("trouble");
    console.warn("stage: the video could not be decoded:", error.message);
    announceShown(key);
  });
}

// The first picture of a film is on the screen, or never will be: "Done" is said then, not before.
function announceShown(key) {
  shownKey = key;
  arrange();
  document.dispatchEvent(new CustomEvent("aw-shown"));
}

function takePreview(run) {
  const preview = run && run.preview;
  const key = preview ? preview.videos + preview.src : "";
  if (key === liveKey) return;
  liveKey = key;
  if (!preview) {
    live = null;
    glimpses = {};
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
      if (src !== stillSrc || !value.run) return;
      still = stillSource(image, value.run);
      choose();
    })
    .catch(() => {}); // the stage then keeps what it shows
}

// What the visitor took from the history stays until the server has news; a step of a run is none.
function serve() {
  const next = props.value && props.value.mode ? props.value : served;
  const news = !(served.mode === "running" && next.mode === "running");
  served = next;
  if (kept && news) document.dispatchEvent(new CustomEvent("aw-kept", { detail: null }));
  else take();
}

// "aw-kept" on the document says what of the history is shown: {film, placard}, or null for nothing.
// The tray sends it and the stage takes it back; the placard listens too.
function takeKept({ detail }) {
  if (!stage.isConnected) return;
  kept = detail && detail.film;
  take();
}

function take() {
  const before = value.mode;
  value = kept ? { mode: "done", result: kept, run: null } : served;
  if (kept || value.mode !== before || value.mode === "chosen") {
    state.show = value.mode === "chosen" ? "original" : "compare";
    state.region = value.mode === "running"; // while one waits, not over the finished film
  }
  takeFilm(value.result);
  takePreview(value.mode === "running" ? value.run : null);
  takeStill(value.mode === "running" || value.mode === "chosen" ? value.run : null);
  choose();
}

// What should be shown; until that is ready, what is there stays (no blank in between).
function choose() {
  const current = film && film.key === keyOf(value.result);
  let next = null;
  if (value.mode === "running") next = (state.show !== "last" && (live || still)) || film;
  else if (value.mode === "chosen") next = (state.show !== "last" && still) || film;
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
