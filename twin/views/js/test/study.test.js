// Where the values of a study stand.
import assert from "node:assert/strict";
import { test } from "node:test";

import { axisScale, inWords, isDecades, nearestMark, plain, scaleOf, valueScale } from "../src/study/scales.js";

const words = (scale) => scale.ticks.map((tick) => tick.words);

test("values far apart stand on a logarithmic scale", () => {
  assert.equal(isDecades([1, 49]), false);
  assert.equal(isDecades([1, 50]), true);
  assert.equal(isDecades([0, 50]), false);
  const scale = scaleOf(0.01, 100, true, 5);
  assert.ok(Math.abs(scale.at(1) - 0.5) < 1e-12);
  assert.deepEqual(words(scale), ["0.01", "0.1", "1", "10", "100"]);
});

test("few values of an axis stand there as they are, unless too close", () => {
  const axis = (values) => axisScale({ label: "", numeric: true, values }, 1, 8);
  assert.deepEqual(words(axis([550, 800, 1150])), ["550", "800", "1150"]);
  assert.deepEqual(words(axis([0, 1, 100])), ["0", "20", "40", "60", "80", "100"]);
  assert.equal(axis([5]).at(0, 0), 0.5);
});

test("names are evenly spaced, and cases stand beside each other", () => {
  const { at } = axisScale({ label: "", numeric: false, values: ["a", "b"] }, 2, 8);
  assert.deepEqual([at(0, 0), at(0, 1), at(1, 0)], [0.1875, 0.3125, 0.6875]);
});

test("an interval that would dwarf the means leaves the plot, and a share ends at all", () => {
  const wide = valueScale([[[10, -1000, 1000], [11, 10.5, 11.5]]], false);
  assert.ok(wide.at(10) > 0.2 && wide.at(11) < 0.8);
  const share = valueScale([[[99, 40, 100], [100, 100, 100]]], true);
  assert.ok(share.at(100) <= 1 && share.at(101) >= 1);
  assert.equal(valueScale([[[null, null, null]]], false), null);
});

test("a pointer finds the nearest mark within reach", () => {
  const marks = [{ x: 0, y: 0 }, { x: 10, y: 0 }];
  assert.equal(nearestMark(marks, 6, 0, 18), marks[1]);
  assert.equal(nearestMark(marks, 40, 0, 18), null);
});

test("means in words, with the ends of their interval", () => {
  assert.equal(inWords([0.91278, 0.9, 0.95], "s"), "0.9128 s (0.9 to 0.95)");
  assert.equal(inWords([3, null, null], ""), "3");
  assert.equal(inWords([null, null, null], "s"), "–");
  assert.equal(plain(2_000_000), "2e6");
});
