/* The alpha curve: props.value = {alphas, steps, summary, alt}; one bar per denoising step, the
   distilled ones as tall as their alpha. The scale holds still up to the published peak of 10. */
const svg = element.querySelector("svg");
const [WIDTH, FLOOR, PEAK] = [300, 84, 10];

function bar(x, width, height, className) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const place = { x, y: FLOOR - height, width, height, rx: Math.min(1.5, width / 3), class: className };
  for (const [name, value] of Object.entries(place)) node.setAttribute(name, value);
  return node;
}

function draw() {
  const { alphas = [], steps = 1, summary = "", alt = "" } = props.value || {};
  const top = Math.max(PEAK, ...alphas);
  const pitch = WIDTH / Math.max(steps, 1);
  const bars = [];
  for (let i = 0; i < steps; i++) {
    const distils = i < alphas.length;
    const height = distils ? 2 + (alphas[i] / top) * (FLOOR - 8) : 2;
    bars.push(bar(i * pitch + pitch * 0.12, pitch * 0.76, height, distils ? "aw-distils" : "aw-rests"));
  }
  svg.replaceChildren(...bars);
  svg.setAttribute("aria-label", alt);
  element.querySelector("figcaption").textContent = summary;
}

watch("value", draw);
draw();
