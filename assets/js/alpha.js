/* The alpha dial: five small curves of Fig. 6 to choose from. props.value is the chosen kind; props.drawn =
   {steps, curves: [{kind, name, alphas, state, said}]}, one alpha per distilled step out of ``steps``; said
   stands beside the curves while that one is chosen. The scale holds still up to the published peak of 10. */
const [WIDTH, HEIGHT, PEAK] = [60, 36, 10];
const box = element.querySelector(".aw-alpha-curves");
const SVG = "http://www.w3.org/2000/svg";
const group = "aw-alpha-" + Math.random().toString(36).slice(2); /* radios of one dial */

function shape(alphas, steps) {
  const top = Math.max(PEAK, ...alphas);
  const pitch = WIDTH / Math.max(steps, 1);
  const stairs = alphas.map((alpha, i) => {
    const y = (HEIGHT - 1 - (alpha / top) * (HEIGHT - 5)).toFixed(2);
    return (i ? "L" : "M") + (i * pitch).toFixed(2) + " " + y + "H" + ((i + 1) * pitch).toFixed(2);
  });
  return stairs.join("");
}

function option(kind) {
  const label = document.createElement("label");
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: group, value: kind, className: "aw-spoken" });
  radio.addEventListener("change", () => {
    props.value = kind;
    draw();
  });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-hidden", "true");
  for (const name of ["aw-alpha-rest", "aw-alpha-line"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  label.append(radio, svg);
  box.append(label);
  return label;
}

const options = new Map(props.drawn.curves.map(({ kind }) => [kind, option(kind)]));

function draw() {
  const { curves, steps } = props.drawn;
  for (const { kind, name, alphas, state, said } of curves) {
    const label = options.get(kind);
    const radio = label.firstElementChild;
    const chosen = kind === props.value;
    label.title = name;
    label.dataset.state = state;
    label.dataset.steps = alphas.length;
    radio.setAttribute("aria-label", name);
    radio.checked = chosen;
    const floor = HEIGHT - 1;
    const [rest, line] = label.querySelectorAll("path");
    rest.setAttribute("d", `M${(alphas.length / Math.max(steps, 1)) * WIDTH} ${floor}H${WIDTH}`);
    line.setAttribute("d", shape(alphas, steps));
    if (!chosen) continue;
    element.querySelector(".aw-alpha-name").textContent = name;
    const sentence = element.querySelector(".aw-alpha-said");
    sentence.textContent = said;
    sentence.dataset.state = state;
  }
}

element.querySelector(".aw-alpha-title").textContent = props.words.title;
element.querySelector("fieldset").title = props.words.info;
watch("value", draw);
watch("drawn", draw);
draw();
