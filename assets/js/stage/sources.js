// Sources: where moments come from. See state.js for the idea.

// What hangs side by side. A run that makes one of a pair at a time shows the last of the other.
const PAIRS = [["baseline", "awakened"], ["painting", "proxy"]];
let glimpses = {}; // of this run: name -> {image, row, width, height, frames}

function atlasSource(image, preview, run) {
  const { width, height, frames, videos } = preview;
  const pair = PAIRS.find((names) => names.includes(videos[0])) || videos;
  videos.forEach((name, row) => (glimpses[name] = { image, row, width, height, frames }));
  const shown = pair.map((name) => glimpses[name]);
  return {
    kind: "preview",
    names: pair,
    frames,
    total: frames,
    complete: true,
    fps: run.fps || 8,
    width: run.width || width * 4,
    height: run.height || height * 4,
    draw(context, which, frame, x, y, w, h) {
      const seen = shown[Math.min(which, shown.length - 1)];
      if (!seen) return still && still.draw(context, which, 0, x, y, w, h); // nothing yet: the painting
      const left = (frame % seen.frames) * seen.width;
      const top = seen.row * seen.height;
      context.drawImage(seen.image, left, top, seen.width, seen.height, x, y, w, h);
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

// Decode the stacked mp4 once, moment by moment. ready(source) is called after the first picture
// and again when all are there; source.frames grows in between, and the clock waits for it.
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
