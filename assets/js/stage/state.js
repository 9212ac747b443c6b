// The stage in the browser. Gradio runs this text once per mount as the body of a function with
// (element, trigger, props, server, upload, watch). awaken/ui/viewer/stage.py joins the files of this
// folder, in the order of its SCRIPT, after one line with the stage's own words: texts = {...}.
// The template is static: every node lives as long as the component, only data changes. User text
// is written with textContent, never as markup.
//
// One idea carries it: a *source* is a list of whole moments. Moment i holds both videos, from one
// decoded picture of the stacked mp4 (baseline over awakened) or one column of a preview atlas.
// Both canvases are always painted from the same moment in one task: they cannot fall out of step.
const stage = element.querySelector(".stage");
const part = {};
for (const node of stage.querySelectorAll("[data-part]")) part[node.dataset.part] = node;

const MEMORY = 256 * 2 ** 20; // bytes of decoded pictures; longer films are kept at a smaller size
const BLINK = 700; // ms per picture in the blink view
const LOUPE_ZOOM = 3;
const VIEWS = ["side", "wipe", "wipe-across", "blink", "difference", "onion"];
const OVERLAID = ["wipe", "wipe-across", "blink", "difference"];

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const unmounted = new AbortController(); // ends listeners that outlive the component's own nodes
const state = {
  show: "compare",
  view: "side",
  position: 0, // in frames of the active source, fractional while playing
  playing: !calm.matches,
  forwards: true,
  pingPong: false,
  speed: 1,
  wipe: 50, // per cent
  region: false, // show where the motion brush allows motion
  loupe: null, // {x, y} in 0..1 of a picture
  blinkB: false,
  autoGain: true, // the gain of the difference follows the film
};

let value = { mode: "empty", result: null, run: null }; // what the stage shows
let served = value; // what the server sent last
let kept = null; // a film from the visitor's history, shown until the server sends news
let film = null; // source of the last good result
let filmKey = "";
let live = null; // source of the run's newest preview
let liveKey = "";
let still = null; // the run's painting in both frames, until its first preview
let stillSrc = "";
let active = null; // the source that is shown
let breathing = []; // the animations of breathe()
let ticking = false;
let lastTime = 0;

const text = (key) => texts[key] || key;
const urlOf = (picture) => (picture && typeof picture === "object" ? picture.url : picture) || "";
// two films differ when their keys do; a film with another one ``against`` it is a film of its own
const keyOf = (result) =>
  result ? [result, result.against].map((one) => (one ? urlOf(one.stacked) : "")).join(" ") : "";
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
