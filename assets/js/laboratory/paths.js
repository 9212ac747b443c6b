// Latent paths: props.value = {state, line, share, paths: [{kind, name, points, straightness, order}],
// about, alt}. One colour and one mark per path; the first frame is a ring, the last one is filled.
const box = element.querySelector(".aw-paths");
const pick = (selector) => box.querySelector(selector);
const [WIDTH, HEIGHT, EDGE] = [640, 400, 26];

const draw = (name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

function mark(kind, x, y, className) {
  const size = className.includes("end") ? 6 : 3.5;
  if (kind === "baseline")
    return draw("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size, class: className });
  if (kind === "clip") {
    const points = [[x, y - size * 1.3], [x + size * 1.2, y + size], [x - size * 1.2, y + size]];
    return draw("polygon", { points: points.join(" "), class: className });
  }
  return draw("circle", { cx: x, cy: y, r: size, class: className });
}

function map(paths) {
  const all = paths.flatMap((path) => path.points);
  const [xs, ys] = [0, 1].map((axis) => all.map((point) => point[axis]));
  const [left, top] = [Math.min(...xs), Math.max(...ys)];
  const [across, down] = [Math.max(...xs) - left, top - Math.min(...ys)];
  const scale = Math.min(
    (WIDTH - 2 * EDGE) / Math.max(across, 1e-9),
    (HEIGHT - 2 * EDGE) / Math.max(down, 1e-9),
  ); // the same on both axes: distances on a PCA map are distances
  const x0 = (WIDTH - across * scale) / 2;
  const y0 = (HEIGHT - down * scale) / 2;
  const place = ([x, y]) => [x0 + (x - left) * scale, y0 + (top - y) * scale];
  const nodes = [];
  for (const { kind, name, points } of paths) {
    const places = points.map(place);
    const group = draw("g", { class: "aw-path-" + kind });
    group.append(draw("polyline", { points: places.join(" "), class: "aw-path-line" }));
    places.forEach(([x, y], i) => {
      const end = i === 0 ? " aw-end aw-begin" : i === places.length - 1 ? " aw-end" : "";
      const node = mark(kind, x, y, "aw-mark" + end);
      const title = draw("title", {});
      title.textContent = name + " " + (i + 1);
      node.append(title);
      group.append(node);
    });
    nodes.push(group);
  }
  return nodes;
}

function cell(tag, text) {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}

function table(paths) {
  const head = document.createElement("tr");
  for (const word of [words.path_column, words.straightness, words.order]) {
    const node = cell("th", word);
    node.scope = "col";
    head.append(node);
  }
  pick("thead").replaceChildren(head);
  pick("tbody").replaceChildren(
    ...paths.map((path) => {
      const row = document.createElement("tr");
      const name = cell("th", path.name);
      name.scope = "row";
      const key = draw("svg", { viewBox: "0 0 14 14", class: "aw-key aw-path-" + path.kind });
      key.setAttribute("aria-hidden", "true");
      key.append(mark(path.kind, 7, 7, "aw-mark aw-end"));
      name.prepend(key);
      row.append(name, cell("td", path.straightness), cell("td", path.order));
      return row;
    }),
  );
}

function take() {
  const value = props.value || {};
  box.dataset.state = value.state || "idle";
  awakenTab.mind("paths", value);
  if (value.line !== undefined) pick(".aw-grid-line").textContent = value.line;
  if (value.state !== "running" && value.line) pick(".aw-spoken").textContent = value.line;
  pick(".aw-bar").hidden = value.state !== "running";
  pick(".aw-bar").firstElementChild.style.inlineSize = Math.round(100 * (value.share || 0)) + "%";
  if (!value.paths) return; // what is drawn stays
  const picture = pick("svg");
  picture.removeAttribute("hidden");
  picture.replaceChildren(...map(value.paths));
  picture.setAttribute("aria-label", value.alt);
  pick(".aw-about-map").textContent = value.about;
  pick(".aw-about-numbers").textContent = words.numbers_about;
  pick("table").hidden = false;
  table(value.paths);
}

watch("value", take);
take();
