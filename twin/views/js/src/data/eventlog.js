// The event log: which events are chosen, and each in words.

import { amount, count } from "./numbers.js";
import { nameOf } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */
/** @typedef {import("../types").Event} Event */

/** Kinds that happen too often to be shown before they are asked for. @param {Trace} trace */
export const quietKinds = ({ meta }) => new Set(Object.entries(meta.vocabulary.kinds).filter(([, { quiet }]) => quiet).map(([kind]) => kind));

/** @param {Trace} trace @param {Set<string>} off @param {number} only a satellite, or -1 for all */
export const chosenEvents = ({ events }, off, only) => events.filter((e) => !off.has(e.kind) && (only < 0 || e.satellite === only || e.other === only));

/** @param {Trace} trace @param {Event} event */
export function inWords(trace, { kind, cause, satellite, other, value }) {
  const named = (/** @type {number} */ s) => (s >= 0 ? nameOf(trace, s) : "");
  /** @type {Record<string, string | undefined>} */
  const words = {
    satellite: named(satellite) || "ground",
    other: named(other),
    cause,
    site: trace.meta.sites[value]?.name,
    bytes: amount(value),
    count: count(value),
    seconds: Number.isFinite(value) ? `${value.toPrecision(3)} s` : "–",
  };
  const form = trace.meta.vocabulary.kinds[kind]?.shown ?? "{satellite} {cause}";
  return form.replace(/\{(\w+)\}/g, (_, word) => words[word] ?? "");
}
