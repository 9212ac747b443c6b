// The curves of Fig. 6: props.value = {steps, curves: [{name, alphas, rates, state, verdict, alt,
// chosen}]}. Bars are alpha (left scale, up to 10 or the peak), the line is lambda (right scale, 0 to
// 2.5, with a line at 1 and at 2); a lambda beyond the scale is drawn at its top.
const box = element.querySelector(".aw-curves");
const [WIDTH, HEIGHT, MOST, PEAK] = [300, 120, 2.5, 10];

const make = (name, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
};

function figure({ name, alphas, rates, state, verdict, alt, chosen }, steps) {
  const svg = make("svg", { viewBox: "0 0 300 124", role: "img", "aria-label": alt });
  const pitch = WIDTH / Math.max(steps, 1);
  const top = Math.max(PEAK, ...alphas);
  const y = (rate) => HEIGHT - (Math.min(rate, MOST) / MOST) * (HEIGHT - 6);
  alphas.forEach((alpha, i) => {
    const height = (alpha / top) * (HEIGHT - 6);
    const [x, width] = [i * pitch + pitch * 0.12, pitch * 0.76];
    svg.append(make("rect", { x, y: HEIGHT - height, width, height, class: "aw-alpha" }));
  });
  svg.append(make("line", { x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT, class: "aw-floor" }));
  if (rates.length) {
    for (const limit of [1, 2]) {
      svg.append(make("line", { x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit), class: "aw-limit" }));
      const word = "λ > " + limit + " " + words["curve_limit_" + limit];
      svg.append(make("text", { x: WIDTH - 2, y: y(limit) - 3, class: "aw-limit-word" }, word));
    }
    const places = rates.map((rate, i) => [(i + 0.5) * pitch, y(rate)]);
    svg.append(make("polyline", { points: places.join(" "), class: "aw-lambda" }));
    places.forEach(([cx, cy], i) => {
      const beyond = rates[i] > 2 ? " aw-beyond" : rates[i] > 1 ? " aw-over" : "";
      const dot = make("circle", { cx, cy, r: 3, class: "aw-dot" + beyond });
      dot.append(make("title", {}, "α " + alphas[i].toFixed(2) + ", λ " + rates[i].toFixed(2)));
      svg.append(dot);
    });
  }
  const node = document.createElement("figure");
  node.className = "aw-curve-tile aw-curve-" + state + (chosen ? " aw-curve-chosen" : "");
  node.dataset.state = state;
  const caption = document.createElement("figcaption");
  const [title, said] = [document.createElement("strong"), document.createElement("span")];
  title.textContent = name;
  said.textContent = verdict;
  caption.append(title, said);
  node.append(svg, caption);
  return node;
}

function take() {
  const value = props.value || {};
  box.replaceChildren(...(value.curves || []).map((curve) => figure(curve, value.steps)));
}

watch("value", take);
take();
