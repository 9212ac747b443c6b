/* Wall of bundled pictures: props.value = [{id, alt, thumb, group}]; props.selected marks one. */
const box = element.querySelector(".aw-wall");

function mark() {
  for (const button of box.querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button.dataset.id === props.selected));
}

function draw() {
  let group = "";
  box.replaceChildren();
  for (const { id, alt, thumb, group: name } of props.value || []) {
    if (name && name !== group) {
      const title = document.createElement("p");
      title.textContent = group = name;
      box.append(title);
    }
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
