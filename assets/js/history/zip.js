// A zip without compression: films and pictures are compressed already. Names are UTF-8.

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

function checksum(bytes) {
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = CRC[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

// [width in bytes, number] pairs, little-endian
function packed(...fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [width]) => sum + width, 0)));
  let at = 0;
  for (const [width, number] of fields) {
    if (width === 2) view.setUint16(at, number, true);
    else view.setUint32(at, number, true);
    at += width;
  }
  return new Uint8Array(view.buffer);
}

function dosTime(date) {
  const days = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  return [[2, time], [2, days]];
}

// entries: {name, bytes (Uint8Array), date}; a Blob. Below 4 GB in all, which the bounds ensure.
function zipped(entries) {
  const [body, directory] = [[], []];
  let at = 0;
  for (const { name, bytes, date } of entries) {
    const title = new TextEncoder().encode(name);
    // version 2.0; names in UTF-8; stored
    const facts = [[2, 20], [2, 0x800], [2, 0], ...dosTime(date), [4, checksum(bytes)]];
    facts.push([4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]);
    body.push(packed([4, 0x04034b50], ...facts), title, bytes);
    const place = [[2, 0], [2, 0], [2, 0], [4, 0], [4, at]];
    directory.push(packed([4, 0x02014b50], [2, 20], ...facts, ...place), title);
    at += 30 + title.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length;
  const end = packed([4, 0x06054b50], [4, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]);
  return new Blob([...body, ...directory, end], { type: "application/zip" });
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
