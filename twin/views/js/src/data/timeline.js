// A run as lanes over its frames, and what each frame's lanes are caused by.

import { EXPERT, column, linkCounts, nameOf, placementAt, stepOf } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */

/** Share of the hosts of the model that are in Earth's shadow, frame by frame. @param {Trace} trace */
export function hostsInShadow(trace) {
  return Array.from({ length: trace.ready }, (_, frame) => {
    const { role } = placementAt(trace, frame);
    let [hosts, dark] = [0, 0];
    for (let i = 0; i < trace.count; i += 1) {
      if (role[i] < EXPERT) continue;
      hosts += 1;
      if (trace.sunlit[frame * trace.count + i] < 128) dark += 1;
    }
    return hosts ? dark / hosts : NaN;
  });
}

/** How many satellites are in a state that hampers them, frame by frame. @param {Trace} trace */
export const hampered = (trace) => Array.from({ length: trace.ready }, (_, frame) => {
  let n = 0;
  for (let i = 0; i < trace.count; i += 1) if (trace.state[frame * trace.count + i]) n += 1;
  return n;
});

/** How many events of a lane each frame has. @param {Trace} trace @param {number} lane its number */
export function eventsOf(trace, lane) {
  const sum = new Array(trace.ready).fill(0);
  for (const [kind, { byFrame }] of Object.entries(trace.kinds)) {
    if (trace.meta.vocabulary.kinds[kind]?.lane !== lane) continue;
    for (let frame = 0; frame < trace.ready; frame += 1) sum[frame] += byFrame[frame];
  }
  return sum;
}

/** Share of tokens that were lost, frame by frame. @param {Trace} trace */
export const lostShare = (trace) => Array.from(column(trace, "tokens_lost_share"), (v) => v);

/**
 * What a frame's figures come from: lines of words, the gravest first.
 *
 * @param {Trace} trace
 * @param {number} frame
 * @returns {string[]}
 */
export function causesAt(trace, frame) {
  const { vocabulary } = trace.meta;
  const told = [];
  for (const cause of vocabulary.causes.slice(1)) {
    const n = column(trace, /** @type {string} */ (cause.column))[frame];
    if (n > 0) told.push(`${n.toLocaleString("en")} ${n === 1 ? "token" : "tokens"} lost: ${cause.sentence || cause.label}`);
  }
  const placement = trace.placements.find((one) => one.frame === frame && frame > 0);
  if (placement) told.push("The model gets a new placement in this step.");
  const moving = trace.migrations.filter((m) => m.from_s < (frame + 1) * trace.meta.stride * trace.meta.step_s && m.to_s > frame * trace.meta.stride * trace.meta.step_s);
  if (moving.length) told.push(`${moving.length} ${moving.length === 1 ? "part moves" : "parts move"} between satellites.`);
  told.push(...states(trace, frame), ...slowest(trace, frame), ...shadow(trace, frame));
  const [, acquiring, down] = linkCounts(trace, frame);
  if (down + acquiring) told.push(`${down} laser links are down, ${acquiring} are being acquired.`);
  return told;
}

/** @param {Trace} trace @param {number} frame */
function states(trace, frame) {
  return trace.meta.vocabulary.states.slice(1).flatMap(({ label }, k) => {
    const mine = [];
    for (let i = 0; i < trace.count; i += 1) if (trace.state[frame * trace.count + i] === k + 1) mine.push(i);
    if (!mine.length) return [];
    const named = mine.slice(0, 3).map((i) => nameOf(trace, i)).join(", ");
    return [`${label}: ${named}${mine.length > 3 ? ` and ${mine.length - 3} more` : ""}.`];
  });
}

/** The layer that is slowest against its mean over the run. @param {Trace} trace @param {number} frame */
function slowest(trace, frame) {
  let [most, layer] = [0, -1];
  for (let l = 0; l < trace.layers; l += 1) {
    const at = (/** @type {number} */ k) => trace.layer_propagation_s[k * trace.layers + l] + trace.layer_compute_s[k * trace.layers + l];
    let [sum, n] = [0, 0];
    for (let k = 0; k < trace.ready; k += 1) if (Number.isFinite(at(k))) [sum, n] = [sum + at(k), n + 1];
    const over = at(frame) - sum / n;
    if (over > most) [most, layer] = [over, l];
  }
  if (layer < 0 || most < 1e-4) return [];
  return [`Layer ${layer} takes ${(1000 * most).toFixed(1)} ms longer than over the run; its gateway is ${nameOf(trace, placementAt(trace, frame).gateways[layer])}.`];
}

/** @param {Trace} trace @param {number} frame */
function shadow(trace, frame) {
  const share = hostsInShadow({ ...trace, ready: frame + 1 })[frame];
  return Number.isFinite(share) && share > 0 ? [`${(100 * share).toFixed(0)} % of the hosts are in Earth's shadow.`] : [];
}

/** @param {Trace} trace @param {number} frame */
export const titleOf = (trace, frame) => (trace.meta.stride > 1 ? `Steps ${stepOf(trace, frame)} to ${stepOf(trace, frame) + trace.steps[frame] - 1}` : `Step ${stepOf(trace, frame)}`);
