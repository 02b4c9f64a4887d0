// Charts of a live run beyond now: what the newest outlook says, behind what has come.

import { outlookWords } from "../data/live.js";
import { column } from "../data/trace.js";
import { clear, line, steps, zeroBased } from "./drawn.js";

/** What is drawn: the outlook's band, the figure of the run that it is of, and its unit. */
const DRAWN = [
  { band: "fleet", figure: "soc_min", title: "Smallest charge, past and ahead", y: "charge, %", scale: 100, members: "members" },
  { band: "served", figure: "tokens_served_share", title: "Tokens served, past and ahead", y: "served, %", scale: 100, members: "forks" },
  { band: "tpot_s", figure: "latency_mean_s", title: "Time of a token, past and ahead", y: "latency, s", scale: 1, members: "forks" },
  { band: "ttft_s", figure: "ttft_p50_s", title: "First token, past and ahead", y: "first token, s", scale: 1, members: "forks" },
];

/** @param {import("../types").Trace} trace @param {import("../types").Palette} palette @returns {import("./specs.js").Spec[]} */
export function ofAhead(trace, palette) {
  const outlook = trace.live?.outlook;
  if (!outlook?.steps) return [];
  const [hue, ahead] = palette.series;
  return DRAWN.filter(({ band }) => outlook[band]).map(({ band, figure, title, y, scale, members }) => ({
    title,
    get caption() {
      return `${y.split(", ")[1]} over steps; ahead: median and 5 to 95 % of ${outlook[members]} ${members === "forks" ? "twins" : "members"}, ${outlookWords(trace)}.`;
    },
    x: "step",
    y,
    over: () => table(trace, Array.from(column(trace, figure), (v) => scale * v), outlook.step, outlook[band], scale),
    series: [line("mirrored", hue, 1.6), line("5 %", ahead, 0), line("ahead", ahead, 1.4, [4, 3]), line("95 %", ahead, 0)],
    bands: [{ series: /** @type {[number, number]} */ ([4, 2]), fill: clear(ahead, 0.28) }],
    range: scale === 100 ? (/** @type {number} */ low) => [Math.max(0, Math.floor(Math.min(low ?? 100, 98) / 10) * 10 - 2), 102] : zeroBased,
  }));
}

/** Past and ahead on one axis; undefined where one has nothing at the other's step. */
function table(trace, past, first, bands, scale) {
  const known = steps(trace);
  const at = new Map(known.map((step, k) => [step, k]));
  const x = [...new Set([...known, ...bands[0].map((/** @type {any} */ _, /** @type {number} */ k) => first + k)])].sort((a, b) => a - b);
  const of = (/** @type {number[]} */ band) => x.map((step) => (step < first || step >= first + band.length ? undefined : scaled(band[step - first], scale)));
  return [x, x.map((step) => (at.has(step) ? past[/** @type {number} */ (at.get(step))] : undefined)), ...bands.map(of)];
}

const scaled = (/** @type {number | null} */ value, /** @type {number} */ scale) => (value === null ? null : scale * value);
