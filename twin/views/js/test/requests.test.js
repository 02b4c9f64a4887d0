import assert from "node:assert/strict";
import test from "node:test";

import { everHosting } from "../src/data/hosting.js";
import { gapsOf, passesOf, stretchesOf } from "../src/data/request.js";

const row = { prompt_tokens: 4, asked_s: 0, admitted_s: 1, ttft_s: 5 };
// first token, tokens, came, ended, waited, worked, services, satellite
const passes = passesOf({ row, passes: [[0, 2, 1, 3, 0, 1, 4, 7], [2, 2, 2, 5, 0, 1, 4, 7], [4, 1, 5, 6, 0, 1, 4, 7], [5, 1, 6, 9, 2, 1, 4, 7]] });

test("gaps lie between ends of tokens, the longest first, with what happened in them", () => {
  assert.deepEqual(passes.map(({ prompt }) => prompt), [true, true, false, false]);
  const gaps = gapsOf(passes, [{ t_s: 7, kind: "x" }, { t_s: 20, kind: "y" }]);
  assert.deepEqual(gaps.map(({ number, took }) => [number, took]), [[3, 3], [2, 1]]);
  assert.deepEqual(gaps[0].events.map(({ kind }) => kind), ["x"]);
});

test("a request without passes is its stretches, one that was never let in waits to its end", () => {
  assert.deepEqual(stretchesOf(row, 9).map(({ from, to }) => [from, to]), [[0, 1], [1, 5], [5, 9]]);
  assert.deepEqual(stretchesOf({ asked_s: 2, admitted_s: null, ttft_s: null }, 9).map(({ from, to }) => [from, to]), [[2, 9], [9, 9], [9, 9]]);
});

test("hosts are in the order of copies and layers", () => {
  const trace = { placements: [{ end: 4 }], placement_satellite: [5, 3, 9, 3], placement_layer: [1, 0, 0, 1], placement_instance: [0, 0, 1, 0] };
  assert.deepEqual(everHosting(/** @type {any} */ (trace)), [3, 5, 9]);
});
