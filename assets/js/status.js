/* Status strip: draws props.value = {state, line, detail, share, phases, cards, run}. All text by textContent.
   ``run`` is what the tab remembers while one is under way; see tab.js. */
const { words } = props;
const pick = (name) => element.querySelector(name);
const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};

function drawPhases(phases) {
  const list = pick(".aw-phases");
  list.hidden = !phases.length;
  list.replaceChildren(
    ...phases.map(({ label, state, spoken }) => {
      const item = make("li", "aw-phase aw-phase-" + state, label);
      if (state === "now") item.setAttribute("aria-current", "step");
      if (spoken) item.append(make("span", "aw-spoken", " " + spoken));
      return item;
    }),
  );
}

function drawCards(cards) {
  const drawn = JSON.stringify(cards);
  const box = pick(".aw-cards");
  if (box.dataset.drawn === drawn) return; /* keep focus and spare the screen reader */
  box.dataset.drawn = drawn;
  box.tabIndex = cards.length ? 0 : -1; /* what scrolls can be reached by keys */
  box.replaceChildren(
    ...cards.map(({ tone, title, text, actions, commands }) => {
      const card = make("section", "aw-card aw-card-" + tone);
      if (tone === "bad") card.setAttribute("role", "alert");
      card.append(make("h3", "", title), make("p", "", text));
      for (const command of commands || []) card.append(make("code", "aw-command", command));
      for (const { name, label } of actions || []) {
        const button = make("button", "aw-action", label);
        button.type = "button";
        button.addEventListener("click", () => trigger("select", { action: name }));
        card.append(button);
      }
      return card;
    }),
  );
  const asking = box.querySelector(".aw-card-bad, .aw-card:has(.aw-action)");
  if (asking) asking.scrollIntoView({ block: "nearest" }); /* below the fold nobody would see it */
}

function draw() {
  const value = props.value || {};
  const ran = element.dataset.state === "running";
  element.dataset.state = value.state || "idle";
  opening = value.state === "done" && (opening || (ran && document.querySelector(".stage") !== null));
  drawPhases(value.phases || []);
  const bar = pick(".aw-bar");
  const percent = Math.round(100 * (value.share || 0));
  bar.hidden = value.state !== "running";
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.inlineSize = percent + "%";
  drawLine();
  pick(".aw-detail").textContent = value.detail || "";
  drawCards(value.cards || []);
  awakenTab.mind("run", value);
}

/* A card goes when its cause goes: a model that is missing once another is chosen, any other request
   once something in the rail has changed. */
const CAUSES = {
  model: () => !document.querySelector('.aw-row[data-absent="true"]'),
  request: () => Boolean(document.querySelector("#aw-prompt textarea")?.value.trim()),
};
function forgive() {
  const value = props.value || {};
  const gone = (value.cards || []).find(({ cause }) => CAUSES[cause] && CAUSES[cause]());
  if (value.state !== "failed" || !gone) return;
  props.value = { ...value, state: "idle", line: words.idle, cards: value.cards.filter((card) => card !== gone) };
  draw();
}
for (const kind of ["input", "aw-row"]) {
  document.addEventListener(kind, function caused() {
    if (element.isConnected) return forgive();
    document.removeEventListener(kind, caused);
  });
}

/* "Done" is said when the new video is shown (stage/value.js), not while it is still being opened. */
let opening = false;
function drawLine() {
  const said = opening ? words.opening : (props.value && props.value.line) || "";
  if (pick(".aw-line").textContent !== said) pick(".aw-line").textContent = said;
}
document.addEventListener("aw-shown", function shown() {
  if (!element.isConnected) return document.removeEventListener("aw-shown", shown);
  opening = false;
  drawLine();
});

/* A run goes on without the page, so a silent server needs a word; Gradio reloads when it is back. */
async function listen() {
  if (!element.isConnected) return;
  if (element.dataset.state === "running") {
    const { root = "", api_prefix = "" } = window.gradio_config || {};
    try {
      await fetch(root + api_prefix + "/app_id", { cache: "no-store" });
    } catch {
      pick(".aw-line").textContent = words.lost;
      pick(".aw-detail").textContent = "";
    }
  }
  setTimeout(listen, 3000);
}

watch("value", draw);
draw();
setTimeout(listen, 3000);
