// Where a film is, in frames; fractional while it plays. Pure arithmetic, tested by tests/javascript.

// ``frames`` later: {position, forwards}. of: {frames, complete}, of which an incomplete film waits at
// the last frame that it has; pingPong: forwards and backwards instead of in a loop.
function advanced({ position, forwards, pingPong }, frames, of) {
  const end = of.frames - 1e-6; // still the last frame
  const next = position + (pingPong && !forwards ? -frames : frames);
  if (!of.complete) return { position: Math.min(next, end), forwards };
  if (!pingPong) return { position: next % of.frames, forwards };
  if (next >= of.frames) {
    return { position: Math.max(0, 2 * of.frames - 1 - next), forwards: false };
  }
  if (next < 0) return { position: Math.min(end, 1 - next), forwards: true };
  return { position: next, forwards };
}
