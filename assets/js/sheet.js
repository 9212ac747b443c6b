/* The head of a sheet (see row.js): its title and the way out. props.value lists the choices that cannot run
   here (absent), whose tiles are marked, and the titles of groups by the choice that begins each (groups). */
const sheet = element.closest(".aw-sheet");
element.querySelector("h2").textContent = props.words.title;
const close = element.querySelector("button");
close.setAttribute("aria-label", props.words.close);
close.title = props.words.close;
close.addEventListener("click", () => sheet.hidePopover());

function mark() {
  for (const radio of sheet.querySelectorAll("input[type=radio]")) {
    const { absent = [], groups = {} } = props.value || {};
    const tile = radio.closest("label");
    tile.toggleAttribute("data-absent", absent.includes(radio.value));
    if (groups[radio.value]) tile.dataset.group = groups[radio.value];
    else delete tile.dataset.group;
  }
}

watch("value", mark);
sheet.addEventListener("beforetoggle", mark);
