// A grid of videos with one clock. One mp4 holds all of them, row by row; every decoded picture is a
// whole moment, and all canvases are painted from the same one in one task: they cannot fall out of
// step. Until the film is there, a small JPEG atlas (row = video, column = frame) plays the same way.
// awaken/ui/lab/grid.py joins stage/decode.js, lines with words and place, and this.
const grid = element.querySelector(".aw-grid");
const pick = (name) => grid.querySelector("." + name);
const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};

const MEMORY = 192 * 2 ** 20; // bytes of decoded pictures; a larger film is kept at a smaller size
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let canvases = [];
let drawnTiles = "";
let names = [];
let active = null; // shown: {kind, count, frames, fps, width, height, draw, url of a film}
let sheet = ""; // the preview's data URL
let url = ""; // the film's address
let decoding = new AbortController();
let position = 0;
let playing = !calm.matches;
let last = 0;
let ticking = false;

const frame = () => (active ? Math.min(active.frames - 1, Math.max(0, Math.floor(position))) : 0);

function drawTiles(tiles, value) {
  const key = JSON.stringify([tiles, value.columns, value.width, value.height]);
  if (key === drawnTiles) return;
  drawnTiles = key;
  // while a series goes on its tiles only get more; other tiles never show these pictures
  const more = names.every((name, i) => tiles[i] && tiles[i].name === name);
  names = tiles.map((tile) => tile.name);
  if (active && !(more && active.kind === "preview")) forget();
  const box = pick("aw-tiles");
  box.style.setProperty("--columns", value.columns);
  canvases = [];
  box.replaceChildren(
    ...tiles.map((tile) => {
      const figure = make("figure", "aw-tile");
      const canvas = make("canvas");
      canvas.dataset.testid = "grid-canvas";
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", tile.name);
      canvas.style.aspectRatio = value.width + " / " + value.height;
      canvases.push(canvas);
      const caption = make("figcaption");
      caption.append(make("span", "aw-tile-name", tile.name), make("span", "aw-tile-note", tile.note));
      figure.append(canvas, caption);
      if (tile.still) {
        const still = make("img", "aw-tile-still");
        still.src = tile.still;
        still.alt = words.still.replace("{0}", tile.name);
        caption.prepend(still);
      }
      if (tile.use) {
        const use = make("button", "aw-tile-use", words.use);
        use.type = "button";
        use.setAttribute("aria-label", words.use + ": " + tile.name);
        use.addEventListener("click", () => trigger("select", { use: tile.use }));
        caption.append(use);
      }
      return figure;
    }),
  );
}

function paint() {
  if (!active) return;
  const now = frame();
  const { width, height } = active;
  canvases.slice(0, active.count).forEach((canvas, i) => {
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    active.draw(canvas.getContext("2d"), i, now);
  });
  grid.dataset.frame = now;
  grid.dataset.frames = active.frames;
  grid.dataset.source = active.kind;
  const scrub = pick("aw-scrub");
  scrub.max = active.frames - 1;
  scrub.value = now;
  const said = words.frame.replace("{0}", now + 1).replace("{1}", active.frames);
  scrub.setAttribute("aria-valuetext", said);
  pick("aw-count").textContent = now + 1 + " / " + active.frames;
}

function tick() {
  if (ticking || !playing || !active) return;
  ticking = true;
  requestAnimationFrame((now) => {
    ticking = false;
    if (!grid.isConnected) return void decoding.abort();
    const elapsed = Math.min(0.25, Math.max(0, (now - last) / 1000));
    last = now;
    if (!playing || !active) return; // paused, or other videos are on their way
    const before = frame();
    position = (position + elapsed * active.fps) % active.frames;
    if (frame() !== before) paint();
    tick();
  });
}

function play(wanted) {
  playing = wanted;
  grid.dataset.playing = playing;
  const button = pick("aw-play");
  button.setAttribute("aria-label", playing ? words.pause : words.play);
  button.title = playing ? words.pause : words.play;
  tick();
}

function go(to) {
  if (!active) return;
  play(false);
  position = ((to % active.frames) + active.frames) % active.frames;
  paint();
}

function forget() {
  if (active && active.free) active.free();
  active = null;
}

function show(source) {
  forget();
  active = source;
  position = Math.min(position, active.frames - 1e-6);
  pick("aw-deck").hidden = false;
  paint();
  tick();
}

function takePreview(value) {
  const preview = value.preview;
  if (!preview || preview.src === sheet) return;
  sheet = preview.src;
  loadImage(preview.src)
    .then((image) => {
      if (sheet !== preview.src || (url && active && active.url === url)) return;
      const { width, height, frames } = preview;
      show({
        kind: "preview",
        count: preview.videos.length,
        frames,
        fps: value.fps,
        width,
        height,
        draw: (context, i, at) =>
          context.drawImage(image, at * width, i * height, width, height, 0, 0, width, height),
      });
    })
    .catch(() => {}); // the next finished run brings another
}

async function decodeGrid(value, signal) {
  const video = pick("aw-decoder");
  await opened(video, value.film.url, signal);
  const { columns, fps, frames: total } = value;
  const wide = video.videoWidth;
  const high = video.videoHeight;
  const shrink = Math.min(1, Math.sqrt(MEMORY / (total * wide * high * 4)));
  const rows = Math.max(1, Math.round(high / value.height));
  const width = Math.max(1, Math.round((wide / columns) * shrink));
  const height = Math.max(1, Math.round((high / rows) * shrink));
  const moments = [];
  for (let i = 0; i < total; i++) {
    await seek(video, (i + 0.5) / fps, 0.75 / fps, signal);
    const moment = make("canvas");
    moment.width = width * columns;
    moment.height = height * rows;
    moment.getContext("2d").drawImage(video, 0, 0, moment.width, moment.height);
    moments.push(moment);
  }
  return {
    kind: "film",
    url: value.film.url,
    count: Infinity,
    frames: total,
    fps,
    width,
    height,
    draw(context, i, at) {
      const x = (i % columns) * width;
      const y = Math.floor(i / columns) * height;
      context.drawImage(moments[at], x, y, width, height, 0, 0, width, height);
    },
    free() {
      for (const moment of moments) moment.width = moment.height = 0;
    },
  };
}

function takeFilm(value) {
  const next = (value.film && value.film.url) || "";
  if (next === url) return;
  url = next;
  decoding.abort();
  pick("aw-grid-trouble").textContent = "";
  const link = pick("aw-film-link");
  link.hidden = !url;
  if (!url) return;
  link.href = url;
  decoding = new AbortController();
  const signal = decoding.signal;
  decodeGrid(value, signal)
    .then((source) => signal.aborted || show(source))
    .catch((error) => {
      if (signal.aborted || !grid.isConnected) return;
      pick("aw-grid-trouble").textContent = words.trouble;
      console.warn("grid: the film could not be decoded:", error.message);
    });
}

function take() {
  const value = props.value || {};
  grid.dataset.state = value.state || "idle";
  awakenTab.mind(place, value);
  const line = pick("aw-grid-line");
  if (line.textContent !== value.line) line.textContent = value.line || "";
  if (value.state !== "running") pick("aw-spoken").textContent = value.line || "";
  pick("aw-bar").hidden = value.state !== "running";
  pick("aw-bar").firstElementChild.style.inlineSize = Math.round(100 * (value.share || 0)) + "%";
  if (!value.tiles) return; // what is shown stays
  pick("aw-problems").replaceChildren(...(value.problems || []).map((said) => make("li", "", said)));
  takeFilm(value);
  drawTiles(value.tiles, value);
  takePreview(value);
  paint();
}

pick("aw-tiles").setAttribute("aria-label", words.grid);
pick("aw-scrub").setAttribute("aria-label", words.scrub);
pick("aw-film-link").textContent = words.download;
for (const [name, word] of [["aw-previous", words.previous], ["aw-next", words.next]]) {
  pick(name).setAttribute("aria-label", word);
  pick(name).title = word;
}
pick("aw-play").addEventListener("click", () => play(!playing));
pick("aw-previous").addEventListener("click", () => go(frame() - 1));
pick("aw-next").addEventListener("click", () => go(frame() + 1));
pick("aw-scrub").addEventListener("input", (event) => go(Number(event.target.value)));
grid.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ",") go(frame() - 1);
  else if (event.key === ".") go(frame() + 1);
  else return;
  event.preventDefault();
});
calm.addEventListener("change", () => play(!calm.matches));
play(playing);
watch("value", take);
take();
