/* Ways to other pages of ours: props.value = [{path, tag, name, here}], this page in every language, and
   props.other = {path, name}. A press takes settings, painting and result along (page/passage.py); opened in
   a tab of its own, the link carries what its address says. */
const nav = element.querySelector("nav");
const { label, offer, title } = props.words;
const wanted = (navigator.languages || [navigator.language])[0].slice(0, 2);
const themeOf = (query) => (/[?&]__theme=\w+/.exec(query) || [""])[0].replace("&", "?");
nav.setAttribute("aria-label", label);
document.title = title;

function way(path, name) {
  const link = document.createElement("a");
  link.textContent = name;
  link.href = new URL(path + location.search, document.baseURI).href;
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    trigger("select", { to: path + themeOf(location.search) });
  });
  return link;
}

for (const { path, tag, name, here } of props.value || []) {
  /* whoever reads another language is told in it that the page has it, and goes there or not */
  const node = here ? document.createElement("span") : way(path, tag.startsWith(wanted) ? offer : name);
  node.lang = tag;
  if (here) {
    node.textContent = name;
    node.setAttribute("aria-current", "page");
    document.documentElement.lang = tag;
  } else node.hreflang = tag;
  nav.append(node);
}
nav.append(way(props.other.path, props.other.name));
