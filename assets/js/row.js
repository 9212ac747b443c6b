/* A row of the rail that opens a sheet: props.value = {name, chosen, note, absent}; props.sheet is the id of
   the column that slides in beside the rail, so that all of the rail can still be used. The browser's own
   popover closes it on Escape and on a press outside. */
const face = element.querySelector("button");
const put = (part, text) => (element.querySelector(".aw-row-" + part).textContent = text || "");

function draw() {
  const { name, chosen, note, absent } = props.value;
  put("name", name);
  put("chosen", chosen);
  put("note", note);
  face.dataset.absent = String(Boolean(absent));
  document.dispatchEvent(new CustomEvent("aw-row"));
}

function bind() {
  const sheet = document.getElementById(props.sheet);
  if (!sheet) return void requestAnimationFrame(bind); /* it is mounted after the row */
  sheet.popover = "auto";
  sheet.setAttribute("role", "dialog");
  sheet.setAttribute("aria-label", props.value.name);
  sheet.addEventListener("beforetoggle", () => {
    const { right } = document.getElementById("aw-left").getBoundingClientRect();
    sheet.style.setProperty("--aw-beside", right + "px");
  });
  sheet.addEventListener("toggle", ({ newState }) => {
    face.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "open") (sheet.querySelector("input:checked") || sheet).focus();
  });
  face.popoverTargetElement = sheet;
}

face.setAttribute("aria-haspopup", "dialog");
watch("value", draw);
draw();
bind();
