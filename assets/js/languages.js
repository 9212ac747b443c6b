/* Links between the languages of the page: props.value = [{path, tag, name, here}]. The query stays. */
const nav = element.querySelector("nav");
const { label, offer, title } = props.words;
const wanted = (navigator.languages || [navigator.language])[0].slice(0, 2);
/* of the address only the theme goes along: the settings travel with the tab */
const themeOf = (query) => (/[?&]__theme=\w+/.exec(query) || [""])[0].replace("&", "?");
nav.setAttribute("aria-label", label);
document.title = title;

for (const { path, tag, name, here } of props.value || []) {
  const node = document.createElement(here ? "span" : "a");
  /* whoever reads another language is told in it that the page has it, and goes there or not */
  node.textContent = !here && tag.startsWith(wanted) ? offer : name;
  node.lang = tag;
  if (here) {
    node.setAttribute("aria-current", "page");
    document.documentElement.lang = tag;
  } else {
    node.hreflang = tag;
    node.href = new URL(path + location.search, document.baseURI).href;
    node.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; /* a tab of its own */
      event.preventDefault();
      trigger("select", { to: path + themeOf(location.search) });
    });
  }
  nav.append(node);
}
