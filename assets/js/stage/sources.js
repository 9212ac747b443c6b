// Sources: where moments come from. See state.js for the idea.

// What is shown side by side. A run that makes one of a pair at a time shows the last of the other.
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

// Decode a stacked mp4 once, moment by moment. ready(source) is called after the first picture and
// again when all are there; source.frames grows in between, and the clock waits for it. The decoded
// pictures take at most ``memory`` bytes.
async function decodeFilm(result, signal, ready, memory = MEMORY) {
  const video = part.video;
  await opened(video, urlOf(result.stacked), signal);
  const fps = result.fps;
  const count = Math.max(1, result.frames || Math.round(video.duration * fps));
  const width = video.videoWidth;
  const height = Math.floor(video.videoHeight / 2);
  const shrink = Math.min(1, Math.sqrt(memory / (count * width * height * 8)));
  const w = Math.max(1, Math.round(width * shrink));
  const h = Math.max(1, Math.round(height * shrink));
  const moments = [];
  const source = {
    kind: "film",
    key: keyOf(result),
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

// Two films against each other: the awakened video of ``result`` and that of ``result.against``,
// decoded one after the other before the first picture is shown. Moment i is picture i of both, so they
// cannot fall out of step; the longer one waits beyond the shorter one's end, unseen. A picture of
// another shape is fitted whole into the frame of the first.
async function decodePair(result, signal, ready) {
  const unseen = () => {};
  const a = await decodeFilm(result, signal, unseen, MEMORY / 2);
  let b;
  try {
    b = await decodeFilm(result.against, signal, unseen, MEMORY / 2);
  } catch (error) {
    a.free();
    throw error;
  }
  const frames = Math.min(a.frames, b.frames);
  ready({
    ...a,
    key: keyOf(result),
    names: ["awakened", "awakened"],
    frames,
    total: frames,
    draw(context, which, frame, x, y, w, h) {
      if (!which) return a.draw(context, 1, frame, x, y, w, h);
      const scale = Math.min(a.width / b.width, a.height / b.height);
      const [across, down] = [(scale * b.width) / a.width, (scale * b.height) / a.height];
      context.clearRect(x, y, w, h);
      const [left, top] = [x + (w * (1 - across)) / 2, y + (h * (1 - down)) / 2];
      b.draw(context, 1, frame, left, top, w * across, h * down);
    },
    free() {
      a.free();
      b.free();
    },
  });
}
