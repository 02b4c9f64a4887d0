// What each chart shows: columns over steps, or over something else at the frame on screen.

import { distribution, sharesWithin, wholeDistribution } from "../data/figures.js";
import { meanLayers } from "../data/journey.js";
import { NEAR, runsAt, stepsOf, timeIn } from "../data/align.js";
import { gaps } from "../data/numbers.js";
import { area, bars, clear, inPercent, line, percent, steps, zeroBased } from "./drawn.js";
import { ofAhead } from "./ahead.js";
import { loadOfAll, ofLoad } from "./load.js";
import { LINK_GROUPS, column, stepOf } from "../data/trace.js";

/** @typedef {import("../types").Trace} Trace */
/** @typedef {import("../types").Palette} Palette */
/** @typedef {any[][]} Columns x, then each series */

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} hue
 * @property {number} width 0: not drawn, the edge of a band
 * @property {number[]} [dash]
 * @property {string} [fill]
 * @property {boolean} [bars]
 */

/**
 * @typedef {object} Spec
 * @property {string} title
 * @property {string} caption
 * @property {string} x label of the axis
 * @property {string} y
 * @property {Series[]} series
 * @property {{series: [number, number], fill: string}[]} [bands]
 * @property {() => Columns} [over] over steps
 * @property {(frame: number) => Columns} [atFrame] at a frame
 * @property {(low: number, high: number) => [number, number]} [range] of y
 * @property {[number, number]} [xRange] where it is not that of the run's steps, or of the values
 */

const STEP = "step";
const DASHES = [undefined, [9, 5], [2, 3], [9, 3, 2, 3]];

const every = (values, width, at, trace) => Array.from({ length: trace.ready }, (_, k) => values[width * k + at]);
const quantile = (trace, k) => every(trace.quantiles_s, 21, k, trace);

/** Of one run. @param {Trace} trace @param {Palette} palette @returns {Spec[]} */
export function single(trace, palette) {
  return [
    ...ofAhead(trace, palette), ...ofLoad(trace, palette),
    byLayer(trace, palette), latency(trace, palette), spread(trace, palette), lost(trace, palette), charge(trace, palette), links(trace, palette),
    migration(trace, palette),
  ];
}

/** Room above and below what there is, also where all is zero. @type {(low: number, high: number) => [number, number]} */
const aroundZero = (low, high) => {
  const most = Math.max(Math.abs(low), Math.abs(high), 1e-6);
  return [Math.min(1.1 * low, -0.05 * most), Math.max(1.1 * high, 0.05 * most)];
};

/** @returns {Spec} */
function byLayer(trace, palette) {
  return {
    title: "Latency by layer, this step",
    caption: "ms; propagation and compute apart. Line: mean of the run.",
    x: "layer",
    y: "latency, ms",
    xRange: [-0.5, trace.layers - 0.5],
    atFrame(frame) {
      const [flight, total] = layersAt(trace, frame);
      return [Array.from(total, (_, l) => l), total, flight, Array.from(meanLayers(trace), (v) => 1000 * v)];
    },
    series: [bars("compute", palette.compute), bars("propagation", palette.propagation), line("run", palette.ring, 1.2, [4, 3])],
    range: () => [0, 1.05 * slowestLayer(trace)],
  };
}

/** Propagation, and all, of each layer at a frame, ms. */
function layersAt(trace, frame) {
  const at = frame * trace.layers;
  const flight = Array.from({ length: trace.layers }, (_, l) => 1000 * trace.layer_propagation_s[at + l]);
  return [flight, flight.map((v, l) => v + 1000 * trace.layer_compute_s[at + l])];
}

function slowestLayer(trace) {
  let most = 0;
  for (let i = 0; i < trace.ready * trace.layers; i += 1) {
    const value = 1000 * (trace.layer_compute_s[i] + trace.layer_propagation_s[i]);
    if (value > most) most = value;
  }
  return most || 1;
}

/** @returns {Spec} */
function latency(trace, palette) {
  const [hue] = palette.series;
  return {
    title: "Token latency (TPOT)",
    caption: "s over steps; median, 5 to 95 % and the slowest.",
    x: STEP,
    y: "latency, s",
    over: () => [steps(trace), quantile(trace, 1), quantile(trace, 10), quantile(trace, 19), quantile(trace, 20)],
    series: [line("5 %", hue, 0), line("median", hue, 1.6), line("95 %", hue, 0), line("slowest", clear(hue, 0.55), 1)],
    bands: [{ series: [3, 1], fill: clear(hue, 0.22) }],
    range: zeroBased,
  };
}

/** @returns {Spec} */
function spread(trace, palette) {
  return {
    title: "Distribution of token latency",
    caption: "Share of tokens that took at most a number of seconds: this frame, and the run.",
    x: "latency, s",
    y: "share of tokens",
    atFrame(frame) {
      const [now, run] = [distribution(trace, frame, frame + 1), wholeDistribution(trace)];
      return [run.values, sharesWithin(now, run.values), sharesWithin(run, run.values)];
    },
    series: [line("this step", palette.series[1], 1.8), line("run", palette.ring, 1.2, [4, 3])],
    range: () => [0, 1],
  };
}

/** @returns {Spec} */
function lost(trace, palette) {
  const causes = trace.meta.vocabulary.causes.slice(1);
  return {
    title: "Tokens lost, by cause",
    caption: "% of those asked or waiting, over steps.",
    x: STEP,
    y: "lost, %",
    over() {
      // Stacked from the last to the first, the highest drawn first.
      let sum = new Array(trace.ready).fill(0);
      const sums = causes.map((cause) => {
        const part = percent(column(trace, `${cause.column}_share`));
        return (sum = part.map((v, k) => v + sum[k]));
      });
      return [steps(trace), ...sums.reverse()];
    },
    series: causes.map(({ label }, k) => area(label, palette.causes[k])).reverse(),
    range: (_, high) => [0, Math.max(high ?? 0, 1)],
  };
}

/** @returns {Spec} */
function charge(trace, palette) {
  const [hue, sun] = palette.series;
  return {
    title: "Batteries and light",
    caption: "% over steps; charge: emptiest, 5 to 95 %, median. Satellites in sunlight.",
    x: STEP,
    y: "%",
    over: () => [
      steps(trace), percent(column(trace, "soc_min")), ...[1, 2, 3].map((q) => percent(every(trace.soc_quantiles, 5, q, trace))),
      percent(column(trace, "sunlit_mean")),
    ],
    series: [
      line("emptiest", clear(hue, 0.6), 1), line("5 %", hue, 0), line("median", hue, 1.6), line("95 %", hue, 0), line("sunlit", sun, 1.4),
    ],
    bands: [{ series: [4, 2], fill: clear(hue, 0.22) }],
    range: inPercent,
  };
}

/** @returns {Spec} */
function links(trace, palette) {
  return {
    title: "Laser links",
    caption: "% over steps: live, acquiring, down.",
    x: STEP,
    y: "links, %",
    over: () => [steps(trace), ...linkShares(trace).map(percent)],
    series: ["live", "acquiring", "down"].map((name) => line(name, palette.links[name], 1.5)),
    range: inPercent,
  };
}

/** Shares of links live, acquiring and down, of those that both ends want, frame by frame. */
function linkShares(trace) {
  const sums = LINK_GROUPS.slice(0, 3).map(() => new Float64Array(trace.ready));
  for (const { group, column: name } of trace.meta.vocabulary.link_states) {
    const into = sums[LINK_GROUPS.indexOf(group)];
    if (into) column(trace, name).forEach((v, k) => (into[k] += v));
  }
  return sums.map((sum) => sum.map((v, k) => v / (sums[0][k] + sums[1][k] + sums[2][k])));
}

/** @returns {Spec} */
function migration(trace, palette) {
  return {
    title: "Migration",
    caption: "GB over steps, carried so far.",
    x: STEP,
    y: "carried, GB",
    over: () => [steps(trace), carriedGb(trace)],
    series: [area("weights and caches", palette.migration)],
    range: zeroBased,
  };
}

function carriedGb(trace) {
  let sum = 0;
  return Array.from(column(trace, "migrated_bytes"), (v) => (sum += v / 1e9));
}

/**
 * Several runs on the same axes, and what each differs from the first; x is the first one's step,
 * to which the others are put by time.
 *
 * @param {Trace[]} traces
 * @param {Palette} palette
 * @param {string[]} names
 * @param {(tables: Columns[]) => Columns} join puts tables with an x of their own together
 * @returns {Spec[]}
 */
export function several(traces, palette, names, join) {
  // Lines that lie on each other are told apart by their dashes, the later ones on top.
  const each = names.map((name, k) => line(name, palette.series[k % palette.series.length], 2, DASHES[k % DASHES.length]));
  const over = (of) => () => join(traces.map((t) => [Array.from(stepsOf(traces[0], t)), gaps(of(t))]));
  const mine = (name, factor = 1) => (t) => Array.from(column(t, name), (v) => factor * v);
  const common = { x: STEP, series: each };
  return [
    ...loadOfAll(traces).map(({ of, ...told }) => ({ ...common, ...told, over: over(of), range: zeroBased })),
    { ...common, title: "Token latency (TPOT), mean", caption: "s over steps.", y: "latency, s", over: over(mine("latency_mean_s")), range: zeroBased },
    {
      ...common,
      title: `Difference to ${names[0]}`,
      caption: "s over steps, at the same time; below zero is faster.",
      y: "difference, s",
      over: () => join(traces.map((t) => [Array.from(stepsOf(traces[0], t)), gaps(differenceTo(traces[0], t, "latency_mean_s"))])),
      range: aroundZero,
    },
    layersOfAll(traces, each),
    { ...common, title: "Tokens served", caption: "% of those asked, over steps.", y: "served, %", over: over(mine("tokens_served_share", 100)), range: () => [0, 105] },
    { ...common, title: "Emptiest battery", caption: "% over steps.", y: "charge, %", over: over(mine("soc_min", 100)), range: inPercent },
    { ...common, title: "Migration", caption: "GB over steps, carried so far.", y: "carried, GB", over: over(carriedGb), range: zeroBased },
  ];
}

/** @returns {Spec} */
function layersOfAll(traces, series) {
  return {
    title: "Latency by layer, this step",
    caption: "ms.",
    x: "layer",
    y: "latency, ms",
    series,
    atFrame(frame) {
      const deepest = Math.max(...traces.map((t) => t.layers));
      const layers = Array.from({ length: deepest }, (_, l) => l);
      return [layers, ...traces.map((t) => {
        const there = runsAt(traces[0], t, frame);
        const total = there ? layersAt(t, Math.max(0, Math.min(Math.floor(timeIn(traces[0], t, frame) + NEAR), t.ready - 1)))[1] : [];
        return layers.map((l) => total[l] ?? null);
      })];
    },
    range: () => [0, 1.05 * Math.max(...traces.map(slowestLayer))],
  };
}

/**
 * A figure of a run less that of the first at the same time; a gap where the first has no frame
 * that begins then.
 *
 * @param {Trace} first
 * @param {Trace} trace
 * @param {string} name
 */
export function differenceTo(first, trace, name) {
  const theirs = new Map(Array.from(column(first, name), (v, k) => [stepOf(first, k), v]));
  const at = stepsOf(first, trace);
  return Array.from(column(trace, name), (v, k) => v - (theirs.get(at[k]) ?? NaN));
}
