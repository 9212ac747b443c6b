// The line of a wipe, in per cent of the picture: left of it, or above it, is the baseline. The page
// and the stage for talks use it; pure arithmetic, tested by tests/javascript.
const SWEEP = 11; // s for the line to go over the picture and back by itself

// From all baseline (100) to all awakened (0) and back, slowly at the ends.
function sweepAt(seconds) {
  return 50 + 50 * Math.cos((2 * Math.PI * seconds) / SWEEP);
}

// When, on the way from 100 to 0, the line is at ``percent``.
function sweepTime(percent) {
  return (Math.acos((percent - 50) / 50) * SWEEP) / (2 * Math.PI);
}

// Under a pointer at (x, y); across: the line lies flat. Never outside of the box.
function wipeUnder(box, x, y, across) {
  const share = across ? (y - box.top) / box.height : (x - box.left) / box.width;
  return Math.min(100, Math.max(0, 100 * share));
}
