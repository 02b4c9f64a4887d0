// What charts are drawn from: lines, areas and bars, axes, columns over steps.

import { stepsOf } from "../data/align.js";

/** @param {string} hex @param {number} alpha */
export const clear = (hex, alpha) => `${hex}${Math.round(255 * alpha).toString(16).padStart(2, "0")}`;

/** @typedef {import("./specs.js").Series} Series */

/** @param {string} label @param {string} hue @param {number} width @param {number[]} [dash] @returns {Series} */
export const line = (label, hue, width, dash) => ({ label, hue, width, dash });
/** @returns {Series} */
export const area = (label, hue) => ({ label, hue, width: 1, fill: clear(hue, 0.85) });
/** @returns {Series} */
export const bars = (label, hue) => ({ label, hue, width: 0.01, fill: hue, bars: true });

/** @returns {[number, number]} */
export const zeroBased = (_, high) => [0, 1.08 * (high || 1)];
/** @type {() => [number, number]} */
export const inPercent = () => [0, 102];
export const percent = (values) => Array.from(values, (v) => 100 * v);
export const steps = (trace) => Array.from(stepsOf(trace, trace));
