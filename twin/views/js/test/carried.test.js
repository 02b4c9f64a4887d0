// Load by satellite and link, and dispatch, as they come from Python.
import assert from "node:assert/strict";
import { test } from "node:test";

import { dispatchOf, forgetRefusals, numbers, recordAt, toned, trafficOf } from "../src/data/carried.js";
import { KINDS, busyMap, recordedMap, toneOf } from "../src/data/heat.js";
import { trace } from "./traces.js";

const packed = (array) => Buffer.from(array.buffer).toString("base64");

test("numbers are read as they were packed", () => {
  assert.deepEqual([...numbers(packed(Float32Array.of(1.5, NaN)), "f4")], [1.5, NaN]);
  assert.deepEqual([...numbers(packed(Int32Array.of(-1, 7)), "i4")], [-1, 7]);
});

test("the last record that is no later", () => {
  assert.deepEqual([-1, 0, 3, 4, 99].map((step) => recordAt([0, 4, 8], step)), [-1, 0, 0, 1, 2]);
});

test("a link has the load of its busier direction, by record", () => {
  const run = trace();
  const found = trafficOf(run, {
    steps: [0, 2], offset: [0, 3, 4], most: 0.5,
    source: packed(Int32Array.of(0, 1, 2, 3)), target: packed(Int32Array.of(1, 0, 3, 2)), share: packed(Uint8Array.of(10, 200, 5, 9)),
  });
  assert.deepEqual(found.records.map((record) => [...record]), [[[0, 200], [1, 5]], [[1, 9]]]);
});

test("requests are found by frame", () => {
  const found = dispatchOf({ rows: packed(Int32Array.of(0, 3, 1, 2, 0, 4, 0, 1, 5, 3, 1, 1)) });
  assert.deepEqual([...found], [[0, [[3, 1, 2], [4, 0, 1]]], [5, [[3, 1, 1]]]]);
});

test("what was refused is asked once more, what is there is not", () => {
  const run = trace({ traffic: { wrong: "not yet" }, dispatch: new Map() });
  forgetRefusals([run]);
  assert.equal(run.traffic, undefined);
  assert.ok(run.dispatch);
});

test("a heat map of records finds columns by frame and frames by column", () => {
  const run = trace({ frames: 6, stride: 2 });
  const map = recordedMap(run, { steps: [0, 8], values: packed(Float32Array.of(1, 2, 3, NaN)), most: 3 });
  assert.deepEqual([map.value(0, 1), map.value(1, 0)], [2, 3]);
  assert.deepEqual([0, 3, 4, 5].map(map.columnOf), [0, 0, 1, 1]);
  assert.deepEqual([0, 1].map(map.frameOf), [0, 4]);
});

test("what is not here yet has no colour, and small loads are not lost", () => {
  const run = trace({ ready: 1, utilisation: Uint8Array.of(0, 255, 0, 0, 9, 9, 9, 9) });
  const map = busyMap(run, [1]);
  assert.equal(map.value(0, 0), 1);
  assert.ok(Number.isNaN(map.value(0, 1)));
  const colours = Uint8Array.from({ length: 1024 }, (_, k) => k >> 2);
  assert.deepEqual([...toneOf(colours, NaN, 1)], [0, 0, 0, 0]);
  assert.equal(toneOf(colours, 1, 100)[0], Math.round(255 * toned(0.01)));
  assert.equal(KINDS.waiting_tokens.words(1), "1 token waits");
});
