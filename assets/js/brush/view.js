// Looking at the mask: as old varnish shows under ultraviolet light, a translucent green that no
// painting has in it, with a thin line around it.
const VARNISH = "rgb(92 226 188)";
const OPACITY = 0.4;

const face = element.querySelector(".aw-brush");
const opener = element.querySelector(".aw-brush-open");
const thumb = element.querySelector(".aw-brush-thumb");
const state = element.querySelector(".aw-brush-state");
const free = element.querySelector(".aw-brush-free");
const why = element.querySelector(".aw-brush-why");
const easel = element.querySelector(".aw-easel");
const work = element.querySelector(".aw-easel-work");
const image = work.querySelector("img");
const view = work.querySelector("canvas");
const ring = element.querySelector(".aw-easel-ring");
const told = element.querySelector(".aw-easel-told");
const size = element.querySelector(".aw-easel-size input");
const layer = document.createElement("canvas");

// The mask in one colour on the spare canvas; grown by ``by`` pixels in all directions.
function stencilled(width, height, colour, by) {
  layer.width = width;
  layer.height = height;
  const context = layer.getContext("2d");
  const turns = by ? 12 : 1;
  for (let i = 0; i < turns; i++) {
    const angle = (2 * Math.PI * i) / turns;
    context.drawImage(mask, by * Math.cos(angle), by * Math.sin(angle), width, height);
  }
  if (by) {
    context.globalCompositeOperation = "destination-out";
    context.drawImage(mask, 0, 0, width, height);
  }
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return layer;
}

function varnish(context, width, height, by) {
  context.drawImage(stencilled(width, height, "rgb(16 22 20 / 0.75)", 2 * by), 0, 0);
  context.drawImage(stencilled(width, height, "#fff", by), 0, 0);
  context.globalAlpha = OPACITY;
  context.drawImage(stencilled(width, height, VARNISH, 0), 0, 0);
  context.globalAlpha = 1;
}

let due = false;
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    const box = view.getBoundingClientRect();
    const scale = Math.min(2, devicePixelRatio || 1);
    view.width = Math.max(1, Math.round(box.width * scale));
    view.height = Math.max(1, Math.round(box.height * scale));
    varnish(view.getContext("2d"), view.width, view.height, 1.25 * scale);
  });
}

// The button on the painting, in words; and what is painted, over the painting in the rail.
function drawFace(source) {
  const painted = touched && Boolean(props.value && props.value.mask);
  face.classList.toggle("aw-brush-painted", painted);
  free.hidden = !painted;
  state.textContent = painted ? words.share.replace("{0}", percent()) : words.everything;
  opener.title = words.open + ": " + state.textContent;
  thumb.hidden = !painted;
  if (!painted || !source || !source.clientWidth) return;
  const [box, frame] = [source.getBoundingClientRect(), thumb.offsetParent.getBoundingClientRect()];
  thumb.style.left = box.left - frame.left + "px";
  thumb.style.top = box.top - frame.top + "px";
  thumb.style.width = box.width + "px";
  thumb.style.height = box.height + "px";
  thumb.width = Math.round(box.width);
  thumb.height = Math.round(box.height);
  varnish(thumb.getContext("2d"), thumb.width, thumb.height, 1);
}

const percent = () => String(Math.max(share() > 0 ? 1 : 0, Math.round(100 * share())));

function tell() {
  const none = touched && share() === 0;
  const said = touched && !none ? words.share.replace("{0}", percent()) : "";
  told.textContent = none ? words.empty : said || words.everything;
  element.querySelector("[data-deed=undo]").disabled = !past.length;
}
