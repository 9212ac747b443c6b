// Painting: pointers and keys. Points are in pixels of the mask.
const STEP = 0.02; // of the longer side, per press of an arrow key
const DEEPEST = 0.2; // of the longer side: the largest brush's radius

let erase = false;
let cursor = { x: 0, y: 0 };
let stroke = null; // the pointer that paints, and where it was
let pressing = false; // the space bar
const down = new Set(); // pointers on the canvas: two of them pinch, and paint nothing

const longest = () => Math.max(mask.width, mask.height);
// The dial is squared, so that small brushes can be told apart.
const radius = () => Math.max(2, (size.value / 100) ** 2 * DEEPEST * longest());

function pointOf(event) {
  const box = view.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) / box.width) * mask.width,
    y: ((event.clientY - box.top) / box.height) * mask.height,
  };
}

function showRing(point) {
  cursor = point;
  const scale = view.getBoundingClientRect().width / mask.width;
  ring.hidden = false;
  ring.classList.toggle("aw-easel-rubs", erase);
  ring.style.width = ring.style.height = 2 * radius() * scale + "px";
  ring.style.left = point.x * scale + "px";
  ring.style.top = point.y * scale + "px";
}

// A pen presses; a mouse and a finger do not.
const pressed = (event) => (event.pointerType === "pen" ? 0.4 + 0.6 * event.pressure : 1);

function finish(keep) {
  if (!stroke) return;
  stroke = null;
  if (!keep) undo();
  draw();
  tell();
}

view.addEventListener("pointerdown", (event) => {
  down.add(event.pointerId);
  if (down.size > 1) return finish(false);
  if (event.button) return;
  view.setPointerCapture(event.pointerId);
  remember();
  const point = pointOf(event);
  stroke = { id: event.pointerId, at: point };
  line(point, point, radius() * pressed(event), erase);
  showRing(point);
  draw();
});
view.addEventListener("pointermove", (event) => {
  const point = pointOf(event);
  if (event.pointerType !== "touch" || stroke) showRing(point);
  if (!stroke || stroke.id !== event.pointerId) return;
  const between = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const moment of between.length ? between : [event]) {
    const next = pointOf(moment);
    line(stroke.at, next, radius() * pressed(moment), erase);
    stroke.at = next;
  }
  draw();
});
for (const kind of ["pointerup", "pointercancel"])
  view.addEventListener(kind, (event) => {
    down.delete(event.pointerId);
    if (stroke && stroke.id === event.pointerId) finish(kind === "pointerup");
  });
view.addEventListener("pointerleave", () => (ring.hidden = true));
view.addEventListener("focus", () => view.matches(":focus-visible") && showRing(cursor));
view.addEventListener("blur", () => {
  ring.hidden = true;
  pressing = false;
});

function choose(tool) {
  erase = tool === "eraser";
  for (const button of element.querySelectorAll("[data-tool]"))
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  if (!ring.hidden) showRing(cursor);
}

function resize(by) {
  size.value = Number(size.value) + by;
  showRing(cursor);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function walk(event) {
  const [dx, dy] = ARROWS[event.key];
  const far = STEP * longest() * (event.shiftKey ? 5 : 1);
  const next = {
    x: Math.min(mask.width, Math.max(0, cursor.x + dx * far)),
    y: Math.min(mask.height, Math.max(0, cursor.y + dy * far)),
  };
  if (pressing) line(cursor, next, radius(), erase);
  showRing(next);
  draw();
  const [x, y] = [next.x / mask.width, next.y / mask.height].map((n) => Math.round(100 * n));
  told.textContent = words.cursor.replace("{0}", x).replace("{1}", y);
}

view.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in ARROWS) walk(event);
  else if (event.key === " " && !event.repeat) {
    pressing = true;
    remember();
    line(cursor, cursor, radius(), erase);
    showRing(cursor);
    draw();
  } else if (event.key !== " ") return;
  event.preventDefault();
});
view.addEventListener("keyup", (event) => {
  if (event.key !== " ") return;
  pressing = false;
  tell();
});
easel.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") act("undo");
  else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (key === "[") resize(-4);
  else if (key === "]") resize(4);
  else if (key === "b") choose("brush");
  else if (key === "e") choose("eraser");
  else return;
  event.preventDefault();
});
