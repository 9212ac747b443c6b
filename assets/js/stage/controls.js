// The choices of the visitor: buttons, pointer, keyboard; then the start.

function play(on) {
  state.playing = on;
  lastTime = performance.now(); // the pause is not made up for
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
listen(part.split, "input", arrange);
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
listen(part["region-toggle"], "click", () => {
  state.region = !state.region;
  arrange();
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
  for (const canvas of [part["canvas-a"], part["canvas-b"]]) {
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    if (x < 0 || x > 1 || y < 0 || y > 1) continue;
    state.loupe = { x, y };
    paint();
    return;
  }
}
listen(part.hang, "pointermove", loupeAt);
listen(part.hang, "pointerdown", loupeAt);
listen(part.hang, "click", () => {
  if (state.view !== "blink") return;
  state.blinkB = !state.blinkB;
  arrange();
});

const WIPE_KEYS = {
  ArrowLeft: -2,
  ArrowUp: -2,
  ArrowRight: 2,
  ArrowDown: 2,
  PageUp: -10,
  PageDown: 10,
};
listen(stage, "keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, .split")) return;
  const key = event.key;
  const onWall = event.target === part.wall;
  const onGrip = event.target === part.grip;
  const alone = state.show === "original" || state.show === "proxy";
  const along = { wipe: /Left|Right/, "wipe-across": /Up|Down/ }[state.view];
  const wipes = onGrip || (onWall && !alone && along && along.test(key));
  if (wipes && key in WIPE_KEYS) wipeTo(state.wipe + WIPE_KEYS[key] * (event.shiftKey ? 5 : 1));
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
// the motion curve is drawn at the size and in the colours of the moment
function redrawMotion() {
  if (stage.isConnected) return paintMotion();
  resized.disconnect();
  themed.disconnect();
}
const resized = new ResizeObserver(redrawMotion);
resized.observe(part.motion);
const themed = new MutationObserver(redrawMotion);
themed.observe(document.body, { attributes: true, attributeFilter: ["class"] });

for (const node of stage.querySelectorAll("[data-text]")) {
  node.textContent = text(node.dataset.text);
}
for (const node of stage.querySelectorAll("[data-label]")) {
  node.setAttribute("aria-label", text(node.dataset.label));
}
for (const node of stage.querySelectorAll("[data-title]")) title(node, node.dataset.title);
watch("value", take);
take();
