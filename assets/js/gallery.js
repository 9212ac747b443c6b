/* Gallery of bundled pictures: props.value = [{id, alt, thumb}]; props.selected marks one. */
const box = element.querySelector(".aw-gallery");

function mark() {
  for (const button of box.querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button.dataset.id === props.selected));
}

function draw() {
  box.replaceChildren();
  for (const { id, alt, thumb } of props.value || []) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = alt;
    button.dataset.id = id;
    const picture = document.createElement("img");
    picture.src = thumb;
    picture.alt = alt;
    button.append(picture);
    button.addEventListener("click", () => trigger("select", { id }));
    box.append(button);
  }
  mark();
}

watch("value", draw);
watch("selected", mark);
draw();
