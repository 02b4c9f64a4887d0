// The heat map of satellites: what it can show, and the colour of a value.

import { numbers, recordAt, toned } from "./carried.js";
import { count, percent } from "./numbers.js";
import { stepOf } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */
/** @typedef {{columns: number, value: (row: number, column: number) => number, columnOf: (frame: number) => number, frameOf: (column: number) => number, most: number}} Map */

/** What is drawn, by the name of its column: how it is called, and a value in words. @type {Record<string, {label: string, words: (v: number) => string}>} */
export const KINDS = {
  busy: { label: "Busy", words: (v) => `busy ${percent(v)}` },
  waiting_tokens: { label: "Queue", words: (v) => `${count(v)} ${v === 1 ? "token waits" : "tokens wait"}` },
  batch_mean: { label: "Batch", words: (v) => (v > 0 ? `${v.toFixed(1)} tokens together` : "served nothing") },
  cache_share: { label: "Cache", words: (v) => `caches take ${percent(v, 2)} of the memory beside weights` },
};

/** How busy satellites were, which the page has frame by frame. @param {Trace} trace @param {number[]} rows @returns {Map} */
export const busyMap = (trace, rows) => ({
  columns: trace.frames,
  most: 1,
  value: (row, frame) => (frame < trace.ready ? trace.utilisation[frame * trace.count + rows[row]] / 255 : NaN),
  columnOf: (frame) => frame,
  frameOf: (column) => column,
});

/** What Python answers of the rest, by the steps that are recorded. @param {Trace} trace @param {any} answer @returns {Map} */
export function recordedMap(trace, { steps, values, most }) {
  const all = numbers(values, "f4");
  return {
    columns: steps.length,
    most,
    value: (row, column) => all[row * steps.length + column],
    columnOf: (frame) => Math.max(recordAt(steps, stepOf(trace, frame)), 0),
    frameOf: (column) => Math.min(Math.max(0, Math.floor((steps[column] - trace.meta.first_step) / trace.meta.stride)), trace.frames - 1),
  };
}

/** Four bytes of a value's colour; nothing where it is not known. @param {Uint8Array} colours 256 of them @param {number} value @param {number} most */
export function toneOf(colours, value, most) {
  if (!Number.isFinite(value)) return [0, 0, 0, 0];
  const at = 4 * Math.round(255 * toned(most > 0 ? value / most : 0));
  return colours.subarray(at, at + 4);
}
