// Figures over many frames, merged by the rules that come with the head (twin/views/block.py).

import { column, figure as figureAt } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */

/** Figures of the headline, by the names of their fields. @type {Record<string, string>} */
export const HEADLINE = {
  latency: "latency_mean_s", p99: "latency_p99_s", served: "tokens_served_share", lowest: "soc_min", sunlit: "sunlit_mean",
  carried: "migrated_bytes",
};

const rules = new WeakMap();

function ruleOf(trace, name) {
  if (!rules.has(trace)) rules.set(trace, new Map(trace.meta.figures.map((figure) => [figure.name, figure])));
  return rules.get(trace).get(name);
}

/** What Python says of a figure: {name, label, unit, scale, sentence, merge, ...}. */
export const described = ruleOf;

/** A figure over the frames [first, last): of all steps that they stand for; NaN where unknown. */
export function merged(trace, name, first = 0, last = trace.ready) {
  const rule = ruleOf(trace, name);
  if (rule.merge === "ratio") return sumOf(trace, rule.part, first, last) / (sumOf(trace, rule.whole, first, last) || NaN);
  if (rule.merge === "quantile") {
    // The page has the distribution of latencies only.
    return rule.quantity === "latency" ? quantileOf(distribution(trace, first, last), rule.share) : NaN;
  }
  const values = column(trace, name).subarray(first, last);
  if (rule.merge === "first") return values[0];
  if (rule.merge === "last") return values.at(-1);
  if (rule.merge === "mean") {
    const weight = rule.weight ? column(trace, rule.weight) : trace.steps;
    return mean(values, weight.subarray(first, last));
  }
  const known = values.filter(Number.isFinite);
  if (!known.length) return NaN;
  const join = { sum: (a, b) => a + b, least: Math.min, most: Math.max }[rule.merge];
  return known.reduce((a, b) => join(a, b));
}

function sumOf(trace, names, first, last) {
  return names.reduce((sum, name) => sum + merged(trace, name, first, last), 0);
}

function mean(values, weights) {
  let sum = 0;
  let total = 0;
  values.forEach((value, k) => {
    if (!Number.isFinite(value)) return;
    sum += value * weights[k];
    total += weights[k];
  });
  return total ? sum / total : NaN;
}

/** {values, counts} of all tokens of the frames [first, last), ascending; bins are alike everywhere. */
export function distribution(trace, first = 0, last = trace.ready) {
  const tally = new Map();
  for (let i = trace.binRange[first]; i < trace.binRange[last]; i += 1) {
    const value = trace.bin_value_s[i];
    tally.set(value, (tally.get(value) ?? 0) + trace.bin_count[i]);
  }
  const values = [...tally.keys()].sort((a, b) => a - b);
  return { values, counts: values.map((value) => tally.get(value)) };
}

const whole = new WeakMap();

/** The same of all frames that are here. */
export function wholeDistribution(trace) {
  const known = whole.get(trace);
  if (known?.ready === trace.ready) return known.found;
  const found = distribution(trace);
  whole.set(trace, { ready: trace.ready, found });
  return found;
}

/** Value within which a share of the tokens lies, linear between tokens; NaN if there are none. */
export function quantileOf({ values, counts }, share) {
  const place = share * (counts.reduce((a, b) => a + b, 0) - 1);
  if (place < 0) return NaN;
  const at = (rank) => {
    let seen = 0;
    for (let k = 0; k < values.length; k += 1) if ((seen += counts[k]) > rank) return values[k];
    return values.at(-1);
  };
  const low = at(Math.floor(place));
  return low + (at(Math.floor(place) + 1) - low) * (place - Math.floor(place));
}

/** Shares of the tokens that took no longer than each of `at`, ascending; null if there are none. */
export function sharesWithin({ values, counts }, at) {
  const total = counts.reduce((a, b) => a + b, 0);
  let k = 0;
  let seen = 0;
  return at.map((value) => {
    while (k < values.length && values[k] <= value) seen += counts[k++];
    return total ? seen / total : null;
  });
}

const headlines = new WeakMap();

/** The headline: {field: [the run so far, now]}, of all steps that the frames stand for. @param {Trace} trace @param {number} frame */
export function headline(trace, frame) {
  const known = headlines.get(trace);
  if (known?.ready === trace.ready && known.frame === frame) return known.found;
  const sofar = known?.ready === trace.ready ? known.sofar : Object.values(HEADLINE).map((name) => merged(trace, name));
  const found = Object.fromEntries(Object.entries(HEADLINE).map(([key, name], k) => [key, [sofar[k], figureAt(trace, name, frame)]]));
  headlines.set(trace, { ready: trace.ready, frame, sofar, found });
  return found;
}
