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
listen(part.gain, "input", () => gainTo(false));
listen(part["gain-auto"], "click", () => gainTo(true));
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
// The views behind "More": a list that closes once one was chosen, or when something else is pressed.
function listMore(open) {
  part["more-list"].hidden = !open;
  setAttribute(part["more-toggle"], "aria-expanded", open);
}
listen(part["more-toggle"], "click", () => listMore(part["more-list"].hidden));
listen(part["more-list"], "click", () => listMore(false));
listen(document, "pointerdown", (event) => part.more.contains(event.target) || listMore(false));

part["full-screen"].hidden = !document.fullscreenEnabled;

// The wipe follows a press anywhere on the picture, or its handle with the arrow keys.
function wipeAt(event) {
  const box = part.rail.getBoundingClientRect();
  wipeTo(wipeUnder(box, event.clientX, event.clientY, state.view === "wipe-across"));
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
listen(part.pictures, "pointermove", loupeAt);
listen(part.pictures, "pointerdown", loupeAt);
listen(part.pictures, "click", () => {
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
// What the list of keys shows, and in which order; the words are texts["key-..."].
const KEYS = [
  ["Space", "play"],
  [", . ← →", "step"],
  ["Home End", "ends"],
  ["1 2 3 4 5 6", "views"],
  ["← → ↑ ↓", "wipe"],
  ["L", "loupe"],
  ["[ ]", "speed"],
  ["− +", "amount"],
  ["B", "ping-pong"],
  ["O P C", "show"],
  ["F", "full-screen"],
  ["?", "list"],
];

function listKeys(open) {
  part.help.hidden = !open;
  setAttribute(part["help-toggle"], "aria-expanded", open);
}

function moveLoupe(key) {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const { x, y } = state.loupe;
  state.loupe = { x: clamp(x + 0.05 * step[0], 0, 1), y: clamp(y + 0.05 * step[1], 0, 1) };
  paint();
}

function changeSpeed(by) {
  part.speed.selectedIndex = clamp(part.speed.selectedIndex + by, 0, part.speed.length - 1);
  state.speed = Number(part.speed.value);
}

function changeAmount(by) {
  const dial = part[{ difference: "gain", onion: "opacity" }[state.view]];
  if (!dial) return;
  by > 0 ? dial.stepUp() : dial.stepDown();
  dial === part.gain ? gainTo(false) : arrange();
}

// The deck hides beside a single picture, and would take the keyboard's focus away with it.
function hangAlone(what) {
  if (stage.querySelector("button[data-show=" + what + "]").disabled) return;
  part.comparator.focus({ preventScroll: true });
  show(what);
}

const LETTERS = {
  f: toggleFullScreen,
  l: () => part["loupe-toggle"].click(),
  b: () => part["ping-pong"].click(),
  o: () => hangAlone("original"),
  p: () => hangAlone("proxy"),
  c: () => hangAlone("compare"),
  "[": () => changeSpeed(-1),
  "]": () => changeSpeed(1),
  "-": () => changeAmount(-1),
  "+": () => changeAmount(1),
  "=": () => changeAmount(1),
  "?": () => listKeys(part.help.hidden),
};

listen(part["help-toggle"], "click", () => listKeys(part.help.hidden));
listen(stage, "keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, .split")) return;
  const key = event.key;
  const onGrip = event.target === part.grip;
  const onWall = !event.target.matches("input") && !onGrip; // a dial has its own use for arrows
  const onButton = event.target.matches("button") && !onGrip; // and a button for the space bar
  const alone = state.show === "original" || state.show === "proxy";
  const along = { wipe: /Left|Right/, "wipe-across": /Up|Down/ }[state.view];
  const wipes = onGrip || (onWall && !alone && along && along.test(key));
  if (key === "Escape" && !part["more-list"].hidden) {
    listMore(false);
    part["more-toggle"].focus();
  } else if (key === "Escape" && !part.help.hidden) listKeys(false);
  else if (state.loupe && event.shiftKey && /^Arrow/.test(key)) moveLoupe(key);
  else if (wipes && key in WIPE_KEYS) wipeTo(state.wipe + WIPE_KEYS[key] * (event.shiftKey ? 5 : 1));
  else if (onGrip && key === "Home") wipeTo(0);
  else if (onGrip && key === "End") wipeTo(100);
  else if (key === " " && !onButton && (onWall || onGrip)) play(!state.playing);
  else if (key === "," || (onWall && key === "ArrowLeft")) go(currentFrame() - 1);
  else if (key === "." || (onWall && key === "ArrowRight")) go(currentFrame() + 1);
  else if (onWall && key === "Home") go(0);
  else if (onWall && key === "End") go(-1);
  else if (/^[1-6]$/.test(key)) view(VIEWS[Number(key) - 1]);
  else if (key.toLowerCase() in LETTERS) LETTERS[key.toLowerCase()]();
  else return;
  event.preventDefault();
});

listen(document, "fullscreenchange", () => {
  // the space bar then plays; on the button that was pressed it would leave again
  if (document.fullscreenElement === stage) part.comparator.focus({ preventScroll: true });
  arrange();
});
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
for (const [keys, what] of KEYS) {
  const [name, said] = [document.createElement("dt"), document.createElement("dd")];
  for (const key of keys.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = key;
    name.append(cap);
  }
  said.textContent = text("key-" + what);
  part.help.append(name, said);
}
listen(document, "aw-kept", takeKept);
watch("value", serve);
serve();
