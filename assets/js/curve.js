/* The alpha curve: props.value = {alphas, steps, summary, alt}; one bar per denoising step, the
   distilled ones as tall as their alpha. The scale is fixed by the largest peak the dial allows. */
const svg = element.querySelector("svg");
const [WIDTH, HEIGHT, FLOOR, TOP] = [300, 92, 84, 20];

function bar(x, width, height, className) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const place = { x, y: FLOOR - height, width, height, rx: Math.min(1.5, width / 3), class: className };
  for (const [name, value] of Object.entries(place)) node.setAttribute(name, value);
  return node;
}

function draw() {
  const { alphas = [], steps = 1, summary = "", alt = "" } = props.value || {};
  const pitch = WIDTH / Math.max(steps, 1);
  const bars = [];
  for (let i = 0; i < steps; i++) {
    const distils = i < alphas.length;
    const height = distils ? 2 + (alphas[i] / TOP) * (FLOOR - 6) : 2;
    bars.push(bar(i * pitch + pitch * 0.12, pitch * 0.76, height, distils ? "aw-distils" : "aw-rests"));
  }
  svg.replaceChildren(...bars);
  svg.setAttribute("aria-label", alt);
  element.querySelector("figcaption").textContent = summary;
}

watch("value", draw);
draw();
