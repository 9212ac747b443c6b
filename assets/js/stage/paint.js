// Painting moments on the canvases.

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
    if (state.view === "difference") paintHeat(frame);
    stage.dataset.frame = frame;
    const onThumb = (state.show === "last" && (live || still)) || active;
    paintThumb(part["thumb-compare"], onThumb, frame);
    paintLoupe(frame);
    set(part.scrub, "value", String(frame));
    const spoken = text("frame")
      .replace("{0}", frame + 1)
      .replace("{1}", active.total);
    setAttribute(part.scrub, "aria-valuetext", spoken);
    set(part.count, "textContent", frame + 1 + " / " + active.total);
    stage.style.setProperty("--played", active.total > 1 ? frame / (active.total - 1) : 0);
  }
  if (value.run && film) paintThumb(part["thumb-last"], film, filmFrame(), true);
}

// Half and half, as the two pictures would be under a wipe in the middle.
function paintThumb(canvas, source, frame, own = false) {
  const width = 240;
  const height = Math.round((width * source.height) / source.width);
  const share = own ? frame : Math.floor((frame / active.frames) * source.frames);
  const at = Math.min(share, source.frames - 1);
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
    // LOUPE_ZOOM times the size on the page, in the finer pixels of the lens
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

// How much each video moves from frame to frame, as the server measured it, in grey levels. The scale
// is the same for every result, so that two of them can be told apart; what exceeds it is cut off.
const MOST_MOTION = 10;

function paintMotion() {
  const canvas = part.motion;
  const box = canvas.getBoundingClientRect();
  const curves = (film && film.result.curves) || [];
  stage.dataset.curves = String(curves.length > 0);
  if (!curves.length || !box.width) return;
  const scale = Math.min(2, devicePixelRatio || 1);
  const context = canvasFor(canvas, Math.round(box.width * scale), Math.round(box.height * scale));
  const style = getComputedStyle(stage);
  const given = film.result.names.length === 2 ? film.result.names : film.names.map(nameOf);
  set(part["legend-a"], "textContent", given[0]);
  set(part["legend-b"], "textContent", given[1]);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const height = (amount) => {
    return (canvas.height - 2 * scale) * (1 - Math.min(1, amount / MOST_MOTION)) + scale;
  };
  context.fillStyle = style.getPropertyValue("--aw-line");
  for (const level of [0, MOST_MOTION / 2, MOST_MOTION]) {
    context.fillRect(0, Math.round(height(level)), canvas.width, Math.max(1, scale / 2));
  }
  curves.forEach((curve, which) => {
    context.beginPath();
    curve.forEach((amount, i) => {
      const x = ((i + 0.5) / curve.length) * canvas.width;
      if (!i) context.moveTo(0, height(amount));
      context.lineTo(x, height(amount));
      if (i === curve.length - 1) context.lineTo(canvas.width, height(amount));
    });
    context.lineWidth = (which ? 2 : 1.25) * scale;
    context.lineJoin = "round";
    context.strokeStyle = style.getPropertyValue(which ? "--aw-accent" : "--aw-edge");
    context.stroke();
  });
}
