// The arithmetic of the mask, on sizes and RGBA bytes. It knows no canvas; tests/javascript tests it.

// The size of the mask for a picture: in its shape, the longer side ``longest`` pixels.
function maskSize(width, height, longest) {
  const scale = longest / Math.max(width, height);
  return [width, height].map((side) => Math.max(1, Math.round(side * scale)));
}

// Share of the pixels that are painted, 0 to 1: those that are more than half opaque.
function paintedShare(bytes) {
  let painted = 0;
  for (let i = 3; i < bytes.length; i += 4) painted += bytes[i] > 127;
  return (4 * painted) / bytes.length;
}

// A grey picture becomes white, as opaque as the grey was light; in place.
function greyToOpacity(bytes) {
  for (let i = 0; i < bytes.length; i += 4) {
    bytes[i + 3] = bytes[i];
    bytes.fill(255, i, i + 3);
  }
}
