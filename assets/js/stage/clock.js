// The clock: one position for everything that is shown.

// Before the first preview both pictures are the still painting; they breathe: it has begun.
function breathe() {
  const waiting = value.mode === "running" && active && active.kind === "still" && !calm.matches;
  if (waiting === breathing.length > 0) return;
  for (const animation of breathing) animation.cancel();
  breathing = [];
  if (!waiting) return;
  for (const canvas of [part["canvas-a"], part["canvas-b"]]) {
    const breath = [{ opacity: 1 }, { opacity: 0.82 }, { opacity: 1 }];
    const timing = { duration: 2800, iterations: Infinity, easing: "ease-in-out" };
    breathing.push(canvas.animate(breath, timing));
  }
}

function tick() {
  if (ticking) return;
  ticking = true;
  requestAnimationFrame(step);
}

function step(now) {
  if (!stage.isConnected) return void leave();
  const elapsed = Math.min(0.25, Math.max(0, (now - lastTime) / 1000)); // no leap after sleep
  lastTime = now;
  ticking = false;
  if (!active || !state.playing) return;
  const before = currentFrame();
  const blinkB = state.view === "blink" && !calm.matches && now % (2 * BLINK) >= BLINK;
  Object.assign(state, advanced(state, elapsed * active.fps * state.speed, active));
  if (state.view === "blink" && !calm.matches && blinkB !== state.blinkB) {
    state.blinkB = blinkB;
    stage.dataset.blink = blinkB ? "b" : "a";
  }
  const lastMoves = value.run && film;
  if (currentFrame() !== before || (lastMoves && filmFrame() !== step.lastFilmFrame)) paint();
  if (lastMoves) step.lastFilmFrame = filmFrame();
  if (active.total > 1 || lastMoves) tick();
}

function leave() {
  unmounted.abort();
  decoding.abort();
}
