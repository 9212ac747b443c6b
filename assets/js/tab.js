/* What this tab knows of itself: an unguessable name, by which the server finds its runs again, and
   what was under way at which place of the page. Both live in sessionStorage: they survive a reload,
   die with the tab, and are in no address. A duplicated tab inherits a copy, and takes a name of its
   own. */
(() => {
  const RUNS = "awaken-runs"; /* place -> what was asked for there, the newest last */
  const LUGGAGE = "awaken-luggage"; /* what the page before has packed for this one */
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
    write(RUNS, null);
    write(LUGGAGE, null);
  };

  const runs = () => JSON.parse(read(RUNS) || "{}");
  const keep = (place, run) => {
    const { [place]: _, ...others } = runs();
    write(RUNS, JSON.stringify(run ? { ...others, [place]: run } : others));
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
    session: async () => {
      await known;
      const how = performance.getEntriesByType("navigation")[0]?.type;
      const luggage = JSON.parse(read(LUGGAGE) || "{}");
      write(LUGGAGE, null);
      return JSON.stringify({ owner: read("awaken-owner"), again: how === "reload", runs: runs(), luggage });
    },
    /* To another page of ours, with what the server has packed for it. */
    leave: (packed) => {
      write(LUGGAGE, packed);
      const to = new URL(JSON.parse(packed).to, document.baseURI);
      if (to.origin === location.origin) location.assign(to.href);
    },
    /* Every part that shows a run calls this with what it shows. */
    mind: (place, { state, run }) => {
      if (run) keep(place, run);
      else if (["done", "stopped", "failed"].includes(state) && place in runs()) keep(place, null);
    },
  };
})();
