// What this browser keeps, in this browser alone: an IndexedDB of three tables. awaken/ui/viewer/history.py
// joins the files of this folder after one line with words and bounds: texts = {...}, bounds = {...}.
//   runs   {id, date, star, thumb, bytes, film, placard, texts}  enough to draw the tray
//   files  {id, stacked, painting, proxy, mask}  ArrayBuffers, which every browser can keep
//   gone   {id, date}  deleted: a result that a reload brings again stays deleted
const TABLES = ["runs", "files", "gone"];
const REMEMBERED_GONE = 200;

function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Rejects where the browser keeps nothing, as some private windows do.
async function openStore() {
  const request = indexedDB.open("awaken-history", 1);
  request.onupgradeneeded = () => {
    for (const table of TABLES) request.result.createObjectStore(table, { keyPath: "id" });
  };
  const database = await answered(request);
  database.onversionchange = () => database.close();

  // All or nothing: resolves with what the request returned by ``work`` found.
  const within = (mode, tables, work) =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(tables, mode);
      const request = work(...tables.map((table) => transaction.objectStore(table)));
      transaction.oncomplete = () => resolve(request && request.result);
      transaction.onabort = () => reject(transaction.error);
    });

  const all = async () => {
    const runs = await within("readonly", ["runs"], (runs) => runs.getAll());
    return runs.sort((a, b) => b.date - a.date);
  };

  // Adds a run and lets the oldest without a star go; returns how many went, or -1 when stars have
  // taken all the room and the new one was not kept.
  async function keep(run, files) {
    let room = bounds.bytes;
    for (;;) {
      const before = await all();
      const leaving = surplus([run, ...before], room);
      if (leaving.includes(run)) return -1;
      try {
        await within("readwrite", ["runs", "files"], (runs, blobs) => {
          for (const { id } of leaving) (runs.delete(id), blobs.delete(id));
          runs.put(run);
          blobs.put({ id: run.id, ...files });
        });
        return leaving.length;
      } catch (error) {
        if (!error || error.name !== "QuotaExceededError") throw error;
        room = weight(before) - 1; // the browser gives less room than we would take
      }
    }
  }

  return {
    all,
    keep,
    files: (id) => within("readonly", ["files"], (files) => files.get(id)),
    update: (run) => within("readwrite", ["runs"], (runs) => runs.put(run)),
    isGone: (id) => within("readonly", ["gone"], (gone) => gone.get(id)),
    restore: (run, files) =>
      within("readwrite", TABLES, (runs, blobs, gone) => {
        gone.delete(run.id);
        runs.put(run);
        blobs.put(files);
      }),
    async remove(ids) {
      const old = await within("readonly", ["gone"], (gone) => gone.getAll());
      old.sort((a, b) => b.date - a.date);
      await within("readwrite", TABLES, (runs, blobs, gone) => {
        for (const { id } of old.slice(REMEMBERED_GONE)) gone.delete(id);
        for (const id of ids) {
          runs.delete(id);
          blobs.delete(id);
          gone.put({ id, date: Date.now() });
        }
      });
    },
  };
}

const weight = (runs) => runs.reduce((sum, run) => sum + run.bytes, 0);

// The runs that have to go so that the others fit: the oldest first, never one with a star.
function surplus(runs, room) {
  const stay = [...runs].sort((a, b) => b.date - a.date);
  const leaving = [];
  while (stay.length > bounds.runs || weight(stay) > room) {
    const at = stay.findLastIndex((run) => !run.star);
    if (at < 0) break;
    leaving.push(...stay.splice(at, 1));
  }
  return leaving;
}
