// Charts as numbers and as files.
import assert from "node:assert/strict";
import { test } from "node:test";

import { csvOf, fileName, stretches, svgOf, ticks } from "../src/charts/export.js";
import { differenceTo, several } from "../src/charts/specs.js";
import { trace } from "./traces.js";

const SPEC = {
  title: "Latency <mean>", caption: "s over steps.", x: "step", y: "latency, s",
  series: [{ label: "a, b", hue: "#0072b2", width: 1 }, { label: "c", hue: "#d55e0080", width: 1, fill: "#d55e0080" }],
};

test("a difference is taken at the same time, and is a gap where the first has nothing", () => {
  const first = trace({ frames: 4, figures: { latency_mean_s: [1, 2, NaN, 4] } });
  const later = trace({ frames: 4, first_step: 1, start: "2026-03-20T00:00:15.000Z", figures: { latency_mean_s: [5, 5, 5, 5] } });
  assert.deepEqual(differenceTo(first, later, "latency_mean_s"), [3, NaN, 1, NaN]);
});

test("lines of several runs are told apart by their dashes", () => {
  const palette = { series: ["#1", "#2", "#3", "#4"] };
  const runs = [trace(), trace(), trace(), trace()];
  const [spec] = several(runs, palette, ["a", "b", "c", "d"], (tables) => tables.flat());
  assert.equal(new Set(spec.series.map(({ dash }) => String(dash))).size, 4);
});

test("columns as CSV: labels in full, gaps empty, commas kept", () => {
  assert.equal(csvOf(SPEC, [[0, 1], [0.5, null], [1, 2]]), 'step,"a, b (latency, s)","c (latency, s)"\n0,0.5,1\n1,,2');
});

test("a picture has all labels, its source, and a break at a gap", () => {
  const svg = svgOf(SPEC, [[0, 1, 2, 3], [1, null, 2, 3], [1, 1, 1, 1]], { x: [0, 3], y: [0, 4] }, "run r");
  for (const words of ["Latency &lt;mean&gt;", "latency, s", ">step<", "a, b", "run r"]) assert.ok(svg.includes(words), words);
  assert.equal(svg.match(/stroke="#0072b2" stroke-width="1" \/>/g)?.length, 2);
  assert.ok(!/NaN|undefined|null/.test(svg));
});

test("what is only missing at another run's x is no gap", () => {
  assert.deepEqual(stretches([1, undefined, 2, null, 3]), [[0, 2], [4]]);
});

test("ticks are round and within the ends", () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(3, 29, 5), [10, 20]);
  assert.deepEqual(ticks(2, 2, 5), [2]);
  assert.equal(fileName("Token latency (TPOT), mean"), "token-latency-tpot-mean");
});
