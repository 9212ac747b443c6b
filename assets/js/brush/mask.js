// The motion brush in the browser. Gradio runs this text once per mount as the body of a function with
// (element, trigger, props, server, upload, watch); awaken/ui/viewer/brush.py joins the files of this folder
// after one line with its words. The template is static; texts are written with textContent.
//
// The mask: a small canvas, white where motion is allowed and transparent elsewhere, in the painting's
// shape. It counts only once it has been touched; until then everything may move.
const LONGEST = 512; // pixels; finer than any model's cells
const PAST = 30; // strokes that can be taken back
const mask = document.createElement("canvas");
const ink = mask.getContext("2d", { willReadFrequently: true });
let past = [];
let touched = false;

function blank(width, height) {
  [mask.width, mask.height] = maskSize(width, height, LONGEST);
  past = [];
  touched = false;
}

function remember() {
  past.push({ pixels: ink.getImageData(0, 0, mask.width, mask.height), touched });
  if (past.length > PAST) past.shift();
}

function undo() {
  const last = past.pop();
  if (!last) return;
  ink.putImageData(last.pixels, 0, 0);
  touched = last.touched;
}

// A straight piece of a stroke, ends round; points and radius in pixels of the mask.
function line(from, to, radius, erase) {
  touched = true;
  ink.globalCompositeOperation = erase ? "destination-out" : "source-over";
  ink.fillStyle = ink.strokeStyle = "#fff";
  ink.lineCap = "round";
  ink.lineWidth = 2 * radius;
  ink.beginPath();
  ink.moveTo(from.x, from.y);
  ink.lineTo(to.x, to.y);
  ink.stroke();
  ink.beginPath();
  ink.arc(to.x, to.y, radius, 0, 2 * Math.PI);
  ink.fill();
}

// "copy" fills, "destination-out" clears, "source-out" inverts: all of the canvas at once.
function flood(how) {
  remember();
  touched = true;
  ink.globalCompositeOperation = how;
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, mask.width, mask.height);
}

// Share of the picture that is painted, 0 to 1.
function share() {
  return paintedShare(ink.getImageData(0, 0, mask.width, mask.height).data);
}

// From a grey picture, and back to one.
function take(image) {
  ink.globalCompositeOperation = "copy";
  ink.drawImage(image, 0, 0, mask.width, mask.height);
  const layer = ink.getImageData(0, 0, mask.width, mask.height);
  greyToOpacity(layer.data);
  ink.putImageData(layer, 0, 0);
  touched = true;
}

function asFile() {
  const grey = document.createElement("canvas");
  grey.width = mask.width;
  grey.height = mask.height;
  const context = grey.getContext("2d");
  context.fillRect(0, 0, grey.width, grey.height); // black: still
  context.drawImage(mask, 0, 0);
  return new Promise((resolve) =>
    grey.toBlob((blob) => resolve(new File([blob], "mask.png", { type: "image/png" })), "image/png"),
  );
}
