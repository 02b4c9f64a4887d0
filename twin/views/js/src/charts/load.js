// Charts of a run of requests: what ended, what is inside, what was busy.

import { column, frameSeconds } from "../data/trace.js";
import { area, line, percent, steps, zeroBased, inPercent } from "./drawn.js";

const STEP = "step";

/** @param {import("../types").Trace} trace @param {import("../types").Palette} palette @returns {import("./specs.js").Spec[]} */
export function ofLoad(trace, palette) {
  if (!trace.meta.requests) return [];
  const [first, second, third] = palette.series;
  const perS = (name) => Array.from(column(trace, name), (v, k) => v / secondsOf(trace, k));
  return [
    {
      title: "Requests and goodput",
      caption: "a second, over steps: ended, served, and served within both targets.",
      x: STEP,
      y: "requests, 1/s",
      over: () => [steps(trace), perS("requests_ended"), perS("requests_served"), perS("requests_good")],
      series: [line("ended", palette.ring, 1.2, [4, 3]), line("served", first, 1.4), line("good", third, 1.8)],
      range: zeroBased,
    },
    {
      title: "Requests inside",
      caption: "at the end of each step: let in, and waiting for that.",
      x: STEP,
      y: "requests",
      over: () => {
        const running = Array.from(column(trace, "requests_running"));
        return [steps(trace), Array.from(column(trace, "requests_waiting"), (v, k) => v + running[k]), running];
      },
      series: [area("waiting", second), area("running", first)],
      range: zeroBased,
    },
    {
      title: "What is busy",
      caption: "% over steps: the busiest satellite and link, and caches.",
      x: STEP,
      y: "%",
      over: () => [steps(trace), ...["busiest_share", "busiest_link_share", "cache_share"].map((name) => percent(column(trace, name)))],
      series: [line("satellite", first, 1.6), line("link", second, 1.4), line("cache", third, 1.4)],
      range: inPercent,
    },
  ];
}

/** @param {import("../types").Trace} trace */
function insideOf(trace) {
  const waiting = column(trace, "requests_waiting");
  return Array.from(column(trace, "requests_running"), (v, k) => v + waiting[k]);
}

/**
 * The same of several runs, where all serve requests: titles, captions, axes, and what is drawn of each.
 *
 * @param {import("../types").Trace[]} traces
 */
export function loadOfAll(traces) {
  if (!traces.every(({ meta }) => meta.requests)) return [];
  const mine = (/** @type {string} */ name) => (/** @type {import("../types").Trace} */ t) => Array.from(column(t, name));
  return [
    { title: "Goodput", caption: "requests a second that meet both targets, over steps.", y: "good, 1/s", of: (t) => Array.from(column(t, "requests_good"), (v, k) => v / secondsOf(t, k)) },
    { title: "First token of requests", caption: "s over steps; mean of those that ended.", y: "first token, s", of: mine("request_ttft_s") },
    { title: "Requests inside", caption: "let in and waiting, at the end of each step.", y: "requests", of: (t) => insideOf(t) },
  ];
}

/** Seconds that a frame stands for; the last one may have fewer steps. */
const secondsOf = (trace, frame) => (frameSeconds(trace) * trace.steps[frame]) / trace.meta.stride;
