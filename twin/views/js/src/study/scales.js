// Where values stand on the axes of a plot, and which mark is nearest to a pointer.

import { ticks } from "../charts/export.js";

/** Values this many times apart stand on a logarithmic scale, as in reports (twin/report/study_plots.py). */
const DECADES = 50;
/** Values of an axis that stand at it as they are. */
const TICKS = 8;

/** @typedef {{at: (value: number) => number, ticks: {at: number, words: string}[]}} Scale places 0 to 1 */
/** @typedef {[number | null, number | null, number | null]} Ends mean, low, high */
/** @typedef {{label: string, numeric: boolean, values: any[]}} Axis */

/** @param {number[]} values */
export const isDecades = (values) => values.length > 0 && Math.min(...values) > 0 && Math.max(...values) >= DECADES * Math.min(...values);

/** A number at a tick. @param {number} v */
export const plain = (v) => (v !== 0 && (Math.abs(v) >= 1e6 || Math.abs(v) < 1e-4) ? v.toExponential(0).replace("e+", "e") : String(Number(v.toPrecision(6))));

/** @param {number} low @param {number} high */
function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const m of [1, 2, 5]) found.push(m * 10 ** power);
  }
  const inside = found.filter((v) => v >= low * 0.999 && v <= high * 1.001);
  return inside.length > TICKS ? inside.filter((v) => Number.isInteger(Number(Math.log10(v).toFixed(9)))) : inside;
}

/** Between two ends. @param {number} low @param {number} high @param {boolean} log @param {number} wanted how many ticks @param {number[]} [own] values that stand there as they are @returns {Scale} */
export function scaleOf(low, high, log, wanted, own = []) {
  const of = (/** @type {number} */ v) => (log ? Math.log(v) : v);
  const span = of(high) - of(low) || 1;
  const at = (/** @type {number} */ v) => (of(v) - of(low)) / span;
  const apart = own.map(at).sort((a, b) => a - b).map((v, k, all) => (k ? v - all[k - 1] : 1));
  const fits = own.length > 0 && own.length <= TICKS && Math.min(...apart) > 0.7 / wanted;
  const values = fits ? own : log ? logTicks(low, high) : ticks(low, high, wanted);
  return { at, ticks: values.map((v) => ({ at: at(v), words: plain(v) })) };
}

/**
 * The scale of what is drawn: as far as means reach and as much again, where intervals would dwarf their differences.
 *
 * @param {Ends[][]} lines
 * @param {boolean} share whether it is between 0 and 100
 * @returns {Scale | null} null where nothing is known
 */
export function valueScale(lines, share) {
  const all = lines.flat();
  const means = all.flatMap(([mean]) => (mean === null ? [] : [mean]));
  if (!means.length) return null;
  const ends = [...means, ...all.flatMap(([, low, high]) => (low === null || high === null ? [] : [low, high]))];
  const [least, most] = [Math.min(...means), Math.max(...means)];
  if (isDecades(means)) return scaleOf(least / 1.3, most * 1.3, true, 5);
  const room = most - least || 0.1 * Math.abs(most) || 1;
  let [low, high] = [Math.max(Math.min(...ends), least - room), Math.min(Math.max(...ends), most + room)];
  const margin = 0.06 * (high - low) || 0.05 * Math.abs(high) || 1;
  [low, high] = [low - margin, high + margin];
  if (share) [low, high] = [Math.max(low, -1), Math.min(high, 101)];
  return scaleOf(low, high, false, 5);
}

/**
 * Where on an axis each value stands; names are evenly spaced, and cases beside each other there.
 *
 * @param {Axis} axis
 * @param {number} cases
 * @param {number} wanted how many ticks
 * @returns {{at: (value: number, one: number) => number, ticks: Scale["ticks"]}} places of the number of a value and of a case
 */
export function axisScale({ numeric, values }, cases, wanted) {
  if (!numeric) {
    const place = (/** @type {number} */ k) => (k + 0.5) / values.length;
    const aside = (/** @type {number} */ one) => (0.5 * ((one + 0.5) / cases - 0.5)) / values.length;
    return { at: (k, one) => place(k) + aside(one), ticks: values.map((words, k) => ({ at: place(k), words: String(words) })) };
  }
  const scale = scaleOf(Math.min(...values), Math.max(...values), isDecades(values), wanted, values);
  return { at: (k) => (values.length > 1 ? scale.at(values[k]) : 0.5), ticks: values.length > 1 ? scale.ticks : [{ at: 0.5, words: plain(values[0]) }] };
}

/** The mark nearest to a point, or null where none is within reach. @template {{x: number, y: number}} M @param {M[]} marks @param {number} x @param {number} y @param {number} reach @returns {M | null} */
export function nearestMark(marks, x, y, reach) {
  let [best, least] = [/** @type {M | null} */ (null), reach ** 2];
  for (const mark of marks) {
    const squared = (mark.x - x) ** 2 + (mark.y - y) ** 2;
    if (squared < least) [best, least] = [mark, squared];
  }
  return best;
}

/** A mean with its interval, in words. @param {Ends} ends @param {string} unit */
export function inWords([mean, low, high], unit) {
  if (mean === null) return "–";
  const told = Number(mean.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
  const apart = low === null || high === null ? "" : ` (${plain(Number(low.toPrecision(4)))} to ${plain(Number(high.toPrecision(4)))})`;
  return `${told}${unit ? ` ${unit}` : ""}${apart}`;
}
