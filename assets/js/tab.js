/* What this tab knows of itself: an unguessable name, by which the server finds its runs again, and
   whether a run was under way. Both live in sessionStorage: they survive a reload, die with the tab,
   and are in no address. A duplicated tab inherits a copy, and takes a name of its own. */
(() => {
  const RUN = "awaken-run";
  const memory = {};
  const read = (key) => {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return memory[key] ?? null; /* storage is forbidden: the name lives as long as the page */
    }
  };
  const write = (key, value) => {
    memory[key] = value;
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, value);
    } catch {}
  };
  const random = () =>
    btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const begin = () => {
    write("awaken-owner", random());
    write("awaken-tab", random()); /* not secret: only for finding a twin */
    write(RUN, null);
  };

  const inherited = read("awaken-tab");
  if (!inherited || !read("awaken-owner")) begin();
  const me = random(); /* this page among the tabs: an answer is for whoever asked */
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("awaken-tabs") : null;
  const known = new Promise((settle) => {
    if (!tabs) return settle();
    tabs.onmessage = ({ data }) => {
      if (data.ask && data.ask === read("awaken-tab")) tabs.postMessage({ taken: data.from });
      if (data.taken === me && read("awaken-tab") === inherited) begin(); /* even if it comes late */
      if (data.taken === me) settle();
    };
    if (!inherited) return settle();
    tabs.postMessage({ ask: inherited, from: me });
    setTimeout(settle, 150);
  });

  window.awakenTab = {
    owner: async () => {
      await known;
      return read("awaken-owner");
    },
    hello: async () => {
      await known;
      const how = performance.getEntriesByType("navigation")[0]?.type;
      const run = JSON.parse(read(RUN) || "null");
      return JSON.stringify({ owner: read("awaken-owner"), again: how === "reload", run });
    },
    keepRun: (run) => write(RUN, JSON.stringify(run)),
    dropRun: () => write(RUN, null),
  };
})();
