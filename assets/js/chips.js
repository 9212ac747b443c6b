/* Prompt suggestions: props.value = [text, ...]. */
const box = element.querySelector(".aw-chips");

function draw() {
  box.replaceChildren(
    ...(props.value || []).map((text) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => trigger("select", { text }));
      return button;
    }),
  );
}

watch("value", draw);
draw();
