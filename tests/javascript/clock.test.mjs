import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { advanced } = load("stage/position.js");
const FILM = { frames: 4, complete: true };

// The frames that are seen in so many steps of ``by`` frames each.
function seen(start, steps, by, film = FILM) {
  let now = { position: 0, forwards: true, pingPong: false, ...start };
  return Array.from({ length: steps }, () => {
    now = { ...now, ...advanced(now, by, film) };
    assert.ok(now.position >= 0 && now.position < film.frames, `at ${now.position}`);
    return Math.floor(now.position);
  });
}

test("a loop begins anew after the last frame", () => {
  assert.deepEqual(seen({}, 6, 1), [1, 2, 3, 0, 1, 2]);
  assert.deepEqual(seen({}, 3, 9), [1, 2, 3], "a long pause leaps, and stays inside");
});

test("a ping-pong turns at both ends and shows each of them once", () => {
  assert.deepEqual(seen({ position: 0.5, pingPong: true }, 8, 1), [1, 2, 3, 2, 1, 0, 1, 2]);
  assert.equal(advanced({ position: 3.5, forwards: true, pingPong: true }, 1, FILM).forwards, false);
  assert.equal(advanced({ position: 0.5, forwards: false, pingPong: true }, 1, FILM).forwards, true);
});

test("a ping-pong stays inside a film of one frame, and after a leap", () => {
  seen({ pingPong: true }, 5, 0.7, { frames: 1, complete: true });
  seen({ pingPong: true }, 5, 6);
});

test("a film that is still being decoded waits at its last frame", () => {
  const film = { frames: 2, complete: false };
  assert.deepEqual(seen({}, 4, 1, film), [1, 1, 1, 1]);
});
