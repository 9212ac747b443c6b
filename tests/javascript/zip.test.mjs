import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { load } from "./load.mjs";

const fflate = createRequire(import.meta.url)("../../assets/js/vendor/fflate.js");
const { withoutComment, zipped } = load("history/zip.js");
const bytes = (text) => new TextEncoder().encode(text);
const date = new Date(2026, 7, 1, 12, 30);

test("a zip gives back what went in, whatever the names", () => {
  const entries = [
    { name: "01-run/settings.json", bytes: bytes('{"p": 0.6}'), date },
    { name: "02-波/stacked.mp4", bytes: new Uint8Array(5000).map((_, i) => i), date },
    { name: "02-波/empty.txt", bytes: new Uint8Array(0), date },
  ];
  const packed = zipped(fflate, entries);
  const files = fflate.unzipSync(packed);
  assert.deepEqual(Object.keys(files), entries.map(({ name }) => name));
  for (const entry of entries) assert.deepEqual([...files[entry.name]], [...entry.bytes]);
  assert.ok(packed.length > 5000, "stored as they are: films are compressed already");
});

test("a wrong clock does not keep anybody from exporting", () => {
  const [name, date] = ["run/settings.json", new Date(0)];
  const files = fflate.unzipSync(zipped(fflate, [{ name, bytes: bytes("{}"), date }]));
  assert.deepEqual(Object.keys(files), [name]);
});

// A box of an mp4: its length, its name, what is in it.
function box(name, ...content) {
  const inside = content.flatMap((part) => [...part]);
  const size = new Uint8Array(new Uint32Array([8 + inside.length]).buffer).reverse();
  return [...size, ...[...name].map((letter) => letter.charCodeAt(0)), ...inside];
}

test("the comment of a film is blanked and every box keeps its length", () => {
  const [kind, words] = [new Uint8Array(8), bytes('{"prompt": "waves"}')];
  const comment = box("\u00a9cmt", box("data", kind, words));
  const title = box("\u00a9nam", box("data", kind, bytes("The wave")));
  const picture = bytes("\u00a9cmt in a picture is no box");
  const film = Uint8Array.from([...title, ...comment, ...box("mdat", picture)]);
  const bare = withoutComment(film.buffer);
  const blank = box("\u00a9cmt", box("data", kind, words.fill(32)));
  assert.deepEqual([...bare], [...title, ...blank, ...box("mdat", picture)]);
  assert.notDeepEqual([...bare], [...film], "the copy differs, the film itself is as it was");
});
