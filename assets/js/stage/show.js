// Showing: words, pictures in the strip, and data attributes; the views themselves are CSS.

function set(node, key, what) {
  if (node[key] !== what) node[key] = what;
}

function setAttribute(node, name, what) {
  if (node.getAttribute(name) !== String(what)) node.setAttribute(name, what);
}

function nameOf(kind) {
  return text({ painting: "painting-path", proxy: "proxy-path" }[kind] || kind);
}

// Everything that depends on the value and the choices, nothing that depends on the moment.
function arrange() {
  const run = value.mode === "running" || value.mode === "chosen" ? value.run : null;
  const shown = active && active.kind === "film" ? active.result : null; // whose film is shown
  const subject = run || value.result; // whose pictures are in the strip
  arrangeStage(run);
  arrangeCaptions(run, shown);
  arrangePictures(run, subject, shown);
  arrangeRegion((shown || run || value.result || {}).region);
  arrangeButtons(subject);
}

function arrangeStage(run) {
  const data = stage.dataset;
  data.mode = value.mode;
  data.show = state.show;
  data.view = state.view;
  data.source = active ? active.kind : "none";
  data.frames = active ? active.frames : 0;
  data.playing = String(state.playing);
  data.overlaid = String(OVERLAID.includes(state.view));
  data.loupe = String(Boolean(state.loupe));
  data.last = String(Boolean(run && value.result));
  data.trouble = String(Boolean(part.trouble.textContent));
  data.blink = state.blinkB ? "b" : "a";
  stage.style.setProperty("--wipe", state.wipe + "%");
  arrangeGain();
  data.pending = String(value.mode === "done" && keyOf(value.result) !== shownKey);
  stage.style.setProperty("--opacity", part.opacity.value);
  stage.style.setProperty("--split", part.split.value + "%");
  const size = active || run || value.result; // frames have their size before they have a picture
  if (size && size.width && size.height) {
    stage.style.setProperty("--ratio", (size.width / size.height).toFixed(4));
    data.wide = String(size.width > 2.1 * size.height);
    data.tall = String(size.width < 0.95 * size.height);
  }
}

function arrangeCaptions(run, shown) {
  const label = shown ? shown.label : "";
  set(part.told, "textContent", (shown && shown.told) || "");
  const last = run && shown ? [text("last"), label].filter(Boolean).join(" · ") : label;
  set(part.label, "textContent", last);
  const given = shown && shown.names.length === 2 ? shown.names : null;
  const names = given || (active ? active.names.map(nameOf) : ["", ""]);
  const notes = (shown && shown.notes) || [];
  for (const [letter, i] of [
    ["a", 0],
    ["b", names.length - 1],
  ]) {
    set(part["name-" + letter], "textContent", names[i]);
    set(part["note-" + letter], "textContent", notes[i] || "");
    setAttribute(part["canvas-" + letter], "aria-label", names[i]);
  }
}

function arrangePictures(run, subject, shown) {
  const of = (what) => ({
    url: subject ? urlOf(subject[what === "proxy" ? "proxy" : "painting"]) : "",
    note: subject ? subject[what === "proxy" ? "proxy_note" : "painting_note"] : "",
  });
  for (const what of ["original", "proxy"]) {
    const { url, note } = of(what);
    fill(part["thumb-" + what], url, text(what));
    set(part["thumb-" + what + "-note"], "textContent", url || !run ? note : text("waiting"));
  }
  set(part["thumb-compare-note"], "textContent", run ? text("preview") : "");
  set(part["thumb-last-note"], "textContent", run && value.result ? value.result.label : "");

  const alone = state.show === "original" || state.show === "proxy" ? state.show : "";
  fill(part["single-image"], alone ? of(alone).url : "", alone ? text(alone) : "");
  const under = alone === "proxy" ? of("original").url : ""; // the painting, left of the wipe
  fill(part["single-over"], under, "");
  const names = under ? text("original") + " | " + text("proxy") : alone ? text(alone) : "";
  set(part["single-name"], "textContent", names);
  set(part["single-note"], "textContent", alone ? of(alone).note : "");

  const over = state.view === "onion" ? urlOf((shown || subject || {}).painting) : "";
  fill(part["onion-a"], over, "");
  fill(part["onion-b"], over, "");
}

// The brushed region of whatever is shown, if its run had one.
function arrangeRegion(outline) {
  const on = outline && state.region && state.view !== "difference" ? outline : "";
  const alone = state.show === "original" && state.region ? outline || "" : "";
  fill(part["region-a"], on, "");
  fill(part["region-b"], on, "");
  fill(part["region-single"], alone, "");
  part["region-toggle"].hidden = !outline;
  setAttribute(part["region-toggle"], "aria-pressed", state.region);
}

function arrangeButtons(subject) {
  for (const button of stage.querySelectorAll("button[data-show]")) {
    setAttribute(button, "aria-pressed", button.dataset.show === state.show);
  }
  stage.querySelector("button[data-show=proxy]").disabled = !(subject && urlOf(subject.proxy));
  for (const button of part.views.querySelectorAll("button[data-view]")) {
    setAttribute(button, "aria-pressed", button.dataset.view === state.view);
  }
  setAttribute(part["loupe-toggle"], "aria-pressed", Boolean(state.loupe));
  setAttribute(part["ping-pong"], "aria-pressed", state.pingPong);
  title(part.play, state.playing ? "pause" : "play");
  const full = document.fullscreenElement === stage;
  title(part["full-screen"], full ? "leave-full-screen" : "full-screen");
  const across = state.view === "wipe-across";
  setAttribute(part.grip, "aria-valuenow", Math.round(state.wipe));
  setAttribute(part.grip, "aria-orientation", across ? "vertical" : "horizontal");
  setAttribute(part.scrub, "max", active ? active.total - 1 : 0);
}

function fill(image, src, alt) {
  if (image.getAttribute("src") !== src) {
    if (src) image.setAttribute("src", src);
    else image.removeAttribute("src");
  }
  setAttribute(image, "alt", src ? alt : "");
  image.hidden = !src;
}

function title(node, key) {
  setAttribute(node, "aria-label", text(key));
  setAttribute(node, "title", text(key));
}
