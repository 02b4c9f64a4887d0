// Several runs at one time: the page's clock counts frames of the first, the others follow by time.

import { clamp } from "./numbers.js";
import { frameSeconds, stepOf } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */

/** Of a step or a frame: dates have milliseconds. */
export const NEAR = 5e-3;

/** Seconds from the start of a run to that of another; 0 where the two never meet. @param {Trace} first @param {Trace} trace */
export function offset(first, trace) {
  const apart = (Date.parse(trace.meta.start_utc) - Date.parse(first.meta.start_utc)) / 1000;
  const meet = apart < first.frames * frameSeconds(first) && -apart < trace.frames * frameSeconds(trace);
  return meet ? apart : 0;
}

/** Where another run is when the first is at `time`: a fractional frame, which need not be there. @param {Trace} first @param {Trace} trace @param {number} time */
export function timeIn(first, trace, time) {
  if (first === trace) return time;
  return (time * frameSeconds(first) - offset(first, trace)) / frameSeconds(trace);
}

/** The clock's time, in frames of the first run, at seconds since the start of another. @param {Trace} first @param {Trace} trace @param {number} t_s */
export const timeOfFirst = (first, trace, t_s) => (t_s + (first === trace ? 0 : offset(first, trace))) / frameSeconds(first);

/** The same among the frames that are here. @param {Trace} first @param {Trace} trace @param {number} time */
export const shownAt = (first, trace, time) => clamp(timeIn(first, trace, time), 0, trace.ready - 1e-6);

/** Whether the other run has something at this time of the first. @param {Trace} first @param {Trace} trace @param {number} time */
export function runsAt(first, trace, time) {
  const frame = timeIn(first, trace, time);
  return frame > -NEAR && frame < trace.frames + NEAR;
}

/** How far the clock, in frames of the first run, may go until a run still to come holds it up. @param {Trace[]} traces */
export function readyOf(traces) {
  const [first] = traces;
  return Math.min(...traces.map((trace) => {
    if (trace.done) return first.ready;
    return (trace.ready * frameSeconds(trace) + offset(first, trace)) / frameSeconds(first);
  }), first.ready);
}

/** What is so near a step is that step. @param {number} step */
const onStep = (step) => (Math.abs(step - Math.round(step)) < NEAR ? Math.round(step) : Number(step.toFixed(6)));

/** Steps of the first run at which another run's frames begin. @param {Trace} first @param {Trace} trace */
export function stepsOf(first, trace) {
  const begin = offset(first, trace) / first.meta.step_s + first.meta.first_step;
  const each = frameSeconds(trace) / first.meta.step_s;
  if (first === trace) return Float64Array.from({ length: trace.ready }, (_, k) => stepOf(trace, k));
  return Float64Array.from({ length: trace.ready }, (_, k) => onStep(begin + k * each));
}
