// The page's pure parts: figures, alignment, addresses, layout, words.
import assert from "node:assert/strict";
import { test } from "node:test";

import { offset, readyOf, runsAt, stepsOf, timeIn } from "../src/data/align.js";
import { fromAddress, toAddress } from "../src/data/address.js";
import { advance, createClock } from "../src/data/clock.js";
import { chosenEvents, inWords, quietKinds } from "../src/data/eventlog.js";
import { merged, quantileOf, sharesWithin } from "../src/data/figures.js";
import { layout } from "../src/data/layout.js";
import { amount, duration, gaps, percent } from "../src/data/numbers.js";
import { chosenRows, hosted, linksOf, neighbour } from "../src/data/satellite.js";
import { linkCounts, satelliteNamed, stepOf, utc } from "../src/data/trace.js";
import { newView, switched, turned } from "../src/data/view.js";
import { trace } from "./traces.js";

test("a fork's frames are at whole steps of its parent, whatever dates are rounded to", () => {
  const parent = trace({ step_s: 218.8467 });
  const fork = trace({ step_s: 218.8467, first_step: 2, start: "2026-03-20T00:07:17.694Z", frames: 2 });
  assert.deepEqual([...stepsOf(parent, fork)], [2, 3]);
});

test("a fork that begins later is put where its own time is", () => {
  const first = trace({ frames: 8 });
  const fork = trace({ frames: 4, start: "2026-03-20T00:01:00.000Z", first_step: 4 });
  assert.equal(offset(first, fork), 60);
  assert.equal(timeIn(first, fork, 4.5), 0.5);
  assert.equal(runsAt(first, fork, 3.5), false);
  assert.equal(runsAt(first, fork, 4), true);
  assert.deepEqual([...stepsOf(first, fork)], [4, 5, 6, 7]);
});

test("runs of other steps and strides agree on time, not on index", () => {
  const first = trace({ frames: 6, step_s: 15 });
  const other = trace({ frames: 3, step_s: 15, stride: 2 });
  assert.equal(timeIn(first, other, 5), 2.5);
  assert.deepEqual([...stepsOf(first, other)], [0, 2, 4]);
  assert.deepEqual([...stepsOf(first, trace({ frames: 2, step_s: 30 }))], [0, 2]);
});

test("runs that never meet begin together", () => {
  assert.equal(offset(trace(), trace({ start: "2030-01-01T00:00:00.000Z" })), 0);
});

test("a run that is still coming holds the clock up, one that has ended does not", () => {
  const first = trace({ frames: 10 });
  assert.equal(readyOf([first, trace({ frames: 10, ready: 3 })]), 3);
  assert.equal(readyOf([first, trace({ frames: 3 })]), 10);
});

test("an address says what is not as at first, and is read back", () => {
  const told = {
    runs: ["a", "b"], t_s: 12.5, views: ["ring"], colourBy: "soc", tab: "events", fixed: true, satellite: "P02S08", zoom: [3, 9],
    cameras: { ring: [0, 0.25, 2] },
  };
  const search = toAddress("?keep=1", told);
  assert.match(search, /keep=1/);
  assert.deepEqual(fromAddress(search), { ...told, satellite: "P02S08" });
  const plain = toAddress("?colour=soc", { ...told, views: ["globe", "ring"], colourBy: "layer", tab: "charts", fixed: false, satellite: "", zoom: null, cameras: {} });
  assert.equal(plain, "?run=a,b&t=12.5");
});

test("nonsense in an address is left out", () => {
  const found = fromAddress("?view=moon&colour=red&tab=x&steps=9-3&cam=globe:1,2&t=abc");
  assert.deepEqual(found, { runs: [], views: null, colourBy: "layer", tab: "charts", fixed: false, satellite: "", zoom: null, cameras: {}, t_s: NaN });
  assert.equal(fromAddress("?t=inf").t_s, Infinity);
});

test("the clock waits for frames to come and begins again after the last", () => {
  const clock = { ...createClock(true), time: 1.9, ready: 2, frames: 4 };
  advance(clock, 80);
  assert.ok(clock.time < 2 || clock.time < 4);
  Object.assign(clock, { time: 3.9, ready: 4 });
  advance(clock, 1.6);
  assert.ok(Math.abs(clock.time - 0.1) < 1e-9);
});

test("figures are merged by their rules, what is not known left out", () => {
  const mine = trace({ frames: 3, figures: { latency_mean_s: [1, NaN, 4] } });
  assert.equal(merged(mine, "latency_mean_s"), 2.5);
  mine.meta.figures[0].merge = "most";
  assert.equal(merged(trace({ frames: 2, figures: { x: [NaN, NaN] } }), "x"), NaN);
});

test("a quantile lies between tokens as numpy's does", () => {
  assert.equal(quantileOf({ values: [1, 3], counts: [1, 1] }, 0.5), 2);
  assert.equal(quantileOf({ values: [], counts: [] }, 0.5), NaN);
  assert.deepEqual(sharesWithin({ values: [1, 2], counts: [1, 3] }, [0, 1, 2]), [0, 0.25, 1]);
});

test("numbers as people write them, and a gap for what is not known", () => {
  assert.equal(duration(0.25), "250 ms");
  assert.equal(duration(1.5), "1.50 s");
  assert.equal(percent(NaN), "–");
  assert.equal(amount(1500), "1.50 kB");
  assert.deepEqual(gaps([1, NaN, undefined, Infinity]), [1, null, undefined, null]);
});

test("panes fill the stage without overlapping", () => {
  for (const [runs, views] of [[1, 1], [1, 3], [2, 1], [3, 2], [4, 2]]) {
    for (const size of [{ width: 1000, height: 700 }, { width: 390, height: 430 }]) {
      const rects = layout({ ...size, left: 0 }, runs, views).flat();
      assert.equal(rects.length, runs * views);
      for (const a of rects) {
        assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= size.width + 1e-6 && a.y + a.height <= size.height + 1e-6);
        for (const b of rects) {
          const apart = a === b || a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
          assert.ok(apart);
        }
      }
    }
  }
});

test("one numbering: names, steps and layers are those of the run's tables", () => {
  const mine = trace({ first_step: 120, stride: 2, placements: [] });
  assert.equal(stepOf(mine, 3), 126);
  assert.equal(satelliteNamed(mine, " p1s0 "), 2);
  assert.equal(satelliteNamed(mine, "P9S9"), -1);
  assert.equal(utc(mine, 2), "2026-03-20 00:01:00 UTC");
});

test("a satellite's hosts, links and neighbours", () => {
  const experts = new Map([[1, [{ layer: 0, expert: -1, copy: 0 }, { layer: 0, expert: 5, copy: 1 }]]]);
  const mine = trace({ link_state: [0, 1], placements: [{ frame: 0, hosts: { experts } }] });
  assert.equal(hosted(mine, 0, 1), "layer 0: gateway, expert 5 (copy 1)");
  assert.equal(hosted(mine, 0, 3), "nothing");
  assert.deepEqual(linksOf(mine, 0, 3).map(({ other, state }) => [other, state.group]), [[2, "down"]]);
  assert.deepEqual(linkCounts(mine, 0), [1, 0, 1, 0]);
  assert.equal(neighbour(mine, -1, { slots: 1 }), 0);
  assert.equal(neighbour(mine, 1, { slots: 1 }), 0);
  assert.equal(neighbour(mine, 1, { planes: 1 }), 3);
});

test("rows of the table are found by layer, name and role, and put in order", () => {
  const rows = [{ satellite: 0, name: "P0S0", layer: 1, role: "gateway", state: "well", sites: "Lima" }, { satellite: 1, name: "P0S1", layer: 0, role: "", state: "well", sites: "" }];
  const names = (how) => chosenRows(rows, { by: "name", down: false, text: "", ...how }).map(({ name }) => name);
  assert.deepEqual(names({ down: true }), ["P0S1", "P0S0"]);
  assert.deepEqual(names({ by: "layer" }), ["P0S1", "P0S0"]);
  assert.deepEqual(names({ text: "layer 1" }), ["P0S0"]);
  assert.deepEqual(names({ text: "lima" }), ["P0S0"]);
});

test("events are chosen by kind and satellite, and told in words", () => {
  const events = [{ kind: "fault", cause: "", satellite: 0, other: 3, value: 2000 }, { kind: "umbra-in", cause: "", satellite: 1, other: -1, value: NaN }];
  const mine = trace({ events });
  const off = quietKinds(mine);
  assert.deepEqual(chosenEvents(mine, off, -1), [events[0]]);
  assert.deepEqual(chosenEvents(mine, new Set(), 1), [events[1]]);
  assert.equal(inWords(mine, events[0]), "P0S0 to P1S1: 2.00 kB");
});

test("the last view stays, and lists go round", () => {
  assert.deepEqual(switched(["globe"], "globe"), ["globe"]);
  assert.deepEqual(switched(["ring"], "globe"), ["globe", "ring"]);
  assert.equal(turned(["a", "b"], "b", 1), "a");
  assert.deepEqual(newView({ alone: true, dark: true }).views, ["globe"]);
});
