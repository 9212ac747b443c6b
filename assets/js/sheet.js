/* The head of a sheet (see row.js): its title and the way out. props.value lists the choices that cannot run
   here; their tiles are marked. */
const sheet = element.closest(".aw-sheet");
element.querySelector("h2").textContent = props.words.title;
const close = element.querySelector("button");
close.setAttribute("aria-label", props.words.close);
close.title = props.words.close;
close.addEventListener("click", () => sheet.hidePopover());

function mark() {
  for (const radio of sheet.querySelectorAll("input[type=radio]")) {
    const absent = (props.value || []).includes(radio.value);
    radio.closest("label").toggleAttribute("data-absent", absent);
  }
}

watch("value", mark);
sheet.addEventListener("beforetoggle", mark);
