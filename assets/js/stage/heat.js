// The difference as a heat map: for every pixel the largest gap of its three colours between the two
// videos, in grey levels, times a gain. By itself the gain lets the film's strongest pixels glow.
const HEAT_WIDTH = 480; // px; finer than the eye tells in a heat map
const GLOWING = 0.995; // share of all pixels of a film that lie below full heat
const STOPS = ["000004", "280b54", "65156e", "9f2a63", "d44842", "f57d15", "fac127", "fcffa4"].map(
  (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)),
);
// One colour per level, as bytes in a row.
const HEAT = Uint8ClampedArray.from({ length: 256 * 3 }, (_, i) => {
  const at = (Math.floor(i / 3) / 255) * (STOPS.length - 1);
  const before = Math.min(STOPS.length - 2, Math.floor(at));
  return STOPS[before][i % 3] + (at - before) * (STOPS[before + 1][i % 3] - STOPS[before][i % 3]);
});

const drawing = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// The gaps of one moment, a byte per pixel; kept with their source.
function gapsOf(source, frame) {
  source.gaps = source.gaps || [];
  if (source.gaps[frame]) return source.gaps[frame];
  const width = Math.min(HEAT_WIDTH, source.width);
  const height = Math.max(1, Math.round((width * source.height) / source.width));
  Object.assign(drawing.canvas, { width, height });
  const [a, b] = [0, 1].map((which) => {
    source.draw(drawing, which, frame, 0, 0, width, height);
    return drawing.getImageData(0, 0, width, height).data;
  });
  const levels = new Uint8Array(width * height);
  for (let i = 0, k = 0; i < levels.length; i++, k += 4) {
    const [red, green, blue] = [a[k] - b[k], a[k + 1] - b[k + 1], a[k + 2] - b[k + 2]];
    levels[i] = Math.max(Math.abs(red), Math.abs(green), Math.abs(blue));
  }
  const gaps = { width, height, levels };
  if (source.kind === "film") source.gaps[frame] = gaps;
  return gaps;
}

// The gain at which the strongest pixels of the whole film just glow.
function automaticGain(source) {
  const counts = new Array(256).fill(0);
  for (let frame = 0; frame < source.frames; frame++) {
    for (const level of gapsOf(source, frame).levels) counts[level]++;
  }
  let [above, level] = [counts.reduce((sum, count) => sum + count) * (1 - GLOWING), 255];
  while (level > 1 && (above -= counts[level]) > 0) level--;
  return clamp(255 / level, Number(part.gain.min), Number(part.gain.max));
}

function paintHeat(frame) {
  if (state.autoGain && active.complete && active !== paintHeat.gained) {
    paintHeat.gained = active;
    part.gain.value = automaticGain(active);
    arrangeGain();
  }
  const { width, height, levels } = gapsOf(active, frame);
  const context = canvasFor(part.heat, width, height);
  const picture = context.createImageData(width, height);
  const gain = Number(part.gain.value);
  for (let i = 0, k = 0; i < levels.length; i++, k += 4) {
    const colour = 3 * Math.min(255, Math.round(levels[i] * gain));
    picture.data[k] = HEAT[colour];
    picture.data[k + 1] = HEAT[colour + 1];
    picture.data[k + 2] = HEAT[colour + 2];
    picture.data[k + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

// The value of the gain, and the level at which the colours end.
function arrangeGain() {
  const gain = Number(part.gain.value);
  set(part["gain-value"], "textContent", "× " + gain.toFixed(1));
  set(part["heat-top"], "textContent", text("levels").replace("{0}", Math.round(255 / gain)));
  setAttribute(part["gain-auto"], "aria-pressed", state.autoGain);
}

function gainTo(automatic) {
  state.autoGain = automatic;
  paintHeat.gained = null;
  arrangeGain();
  paint();
}
