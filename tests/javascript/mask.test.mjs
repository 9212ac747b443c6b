import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { greyToOpacity, maskSize, paintedShare } = load("brush/pixels.js");
const rgba = (...pixels) => new Uint8ClampedArray(pixels.flat());

test("a mask has the picture's shape, its longer side as wanted", () => {
  assert.deepEqual([...maskSize(2000, 1000, 512)], [512, 256]);
  assert.deepEqual([...maskSize(300, 900, 512)], [171, 512]);
  assert.deepEqual([...maskSize(10000, 3, 512)], [512, 1], "never without an extent");
});

test("what is more than half opaque counts as painted", () => {
  const [clear, faint, solid] = [[255, 255, 255, 0], [255, 255, 255, 127], [255, 255, 255, 128]];
  assert.equal(paintedShare(rgba(clear, faint, clear, faint)), 0);
  assert.equal(paintedShare(rgba(clear, solid, solid, faint)), 0.5);
  assert.equal(paintedShare(rgba(solid)), 1);
});

test("a grey picture becomes white of its own lightness", () => {
  const pixels = rgba([0, 0, 0, 255], [200, 200, 200, 255], [255, 255, 255, 255]);
  greyToOpacity(pixels);
  const white = (opacity) => [255, 255, 255, opacity];
  assert.deepEqual([...pixels], [...white(0), ...white(200), ...white(255)]);
  assert.equal(paintedShare(pixels), 2 / 3);
});
