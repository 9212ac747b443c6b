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
  if (value.mode === "running" && film) paintThumb(part["thumb-last"], film, filmFrame(), true);
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
  const given = film.result.names.length === 2 ? film.result.names : film.names.map(nameOf);
  set(part["legend-a"], "textContent", given[0]);
  set(part["legend-b"], "textContent", given[1]);
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
