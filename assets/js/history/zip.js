// What an export holds: runs as one zip, by fflate (assets/js/vendor), and films without their settings.

// Fetched when somebody exports; the server of the stage for talks has it.
async function fflateLoaded() {
  if (!self.fflate) await import(new URL("present/fflate.js", document.baseURI));
  return self.fflate;
}

const FIRST_DATE = new Date(1980, 0, 2); // a zip knows none before; a clock may be wrong

// entries: {name, bytes (Uint8Array), date}; the bytes of a zip. Nothing is compressed: films and
// pictures are already.
function zipped({ zipSync }, entries) {
  const options = (date) => ({ level: 0, mtime: date < FIRST_DATE ? FIRST_DATE : date });
  const stored = ({ name, bytes, date }) => [name, [bytes, options(date)]];
  return zipSync(Object.fromEntries(entries.map(stored)));
}

// A copy of an mp4 whose comment, the settings of its run, is all blanks: every box keeps its length.
function withoutComment(buffer) {
  const bytes = new Uint8Array(buffer).slice();
  const says = (at, text) => [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
  // size (4 bytes), "\u00a9cmt", then a box of its own: size, "data", kind (8), the text
  for (let at = bytes.indexOf(0xa9, 4); at >= 0; at = bytes.indexOf(0xa9, at + 1)) {
    if (!says(at, "\u00a9cmt") || !says(at + 8, "data")) continue;
    const size = new DataView(bytes.buffer).getUint32(at - 4);
    bytes.fill(0x20, at + 20, at - 4 + size);
  }
  return bytes;
}
