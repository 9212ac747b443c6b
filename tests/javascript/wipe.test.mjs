import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { sweepAt, sweepTime, wipeUnder } = load("stage/wipe.js");
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a sweep goes from the baseline to the awakened video and back", () => {
  const whole = 2 * sweepTime(0);
  [100, 50, 0, 50, 100].forEach((percent, i) => near(sweepAt((whole * i) / 4), percent));
});

test("a line that was moved by hand goes on from where it is", () => {
  for (const percent of [0, 1, 37, 50, 99.5, 100]) near(sweepAt(sweepTime(percent)), percent);
});

test("a wipe follows the pointer and stays on the picture", () => {
  const box = { left: 20, top: 100, width: 200, height: 50 };
  assert.equal(wipeUnder(box, 70, 999, false), 25);
  assert.equal(wipeUnder(box, 999, 110, true), 20);
  assert.equal(wipeUnder(box, 0, 0, false), 0);
  assert.equal(wipeUnder(box, 999, 999, true), 100);
});
