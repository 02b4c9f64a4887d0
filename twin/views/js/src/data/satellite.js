// What is known of one satellite at a frame, in words and numbers.

import { percent } from "./numbers.js";
import { earthRotationAt, positionOf } from "./motion.js";
import { GATEWAY, nameOf, placementAt, EARTH_RADIUS_KM } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */

/** What it hosts, in words. @param {Trace} trace @param {number} frame @param {number} satellite */
export function hosted(trace, frame, satellite) {
  const mine = placementAt(trace, frame).experts.get(satellite) ?? [];
  /** @type {Map<number, string[]>} */
  const layers = new Map();
  const several = (trace.meta.requests?.instances ?? 1) > 1;
  for (const { instance, layer, expert, copy } of mine) {
    const what = expert < 0 ? "gateway" : `expert ${expert}`;
    const name = several ? `${what} of copy ${instance} of the model` : what;
    layers.set(layer, [...(layers.get(layer) ?? []), copy ? `${name} (copy ${copy})` : name]);
  }
  return [...layers].map(([layer, things]) => `layer ${layer}: ${things.join(", ")}`).join("; ") || "nothing";
}

/** @param {Trace} trace @param {number} at */
export function lightOf(trace, at) {
  const lit = trace.sunlit[at] / 255;
  if (lit < 0.005) return "in shadow";
  return lit > 0.995 ? "in sunlight" : `sunlit ${percent(lit, 0)} of the step`;
}

/** Rounded, °C. @param {Trace} trace @param {number} at */
export function temperatureOf({ meta, temperature }, at) {
  const [low, high] = meta.temperature_range_c;
  return Math.round(low + ((high - low) * temperature[at]) / 255);
}

/** The other ends of its links and the state of each. @param {Trace} trace @param {number} frame @param {number} satellite */
export function linksOf(trace, frame, satellite) {
  const found = [];
  for (let e = 0; e < trace.links; e += 1) {
    const [a, b] = [trace.edges[2 * e], trace.edges[2 * e + 1]];
    if (a !== satellite && b !== satellite) continue;
    const state = trace.meta.vocabulary.link_states[trace.link_state[frame * trace.links + e]];
    if (state.group !== "none") found.push({ other: a === satellite ? b : a, state });
  }
  return found;
}

/** Latitude and longitude of the point below it, degrees, and its height, km. @param {Trace} trace @param {number} time @param {number} satellite */
export function placeOf(trace, time, satellite) {
  const [x, y, z] = positionOf(trace, time, satellite, [0, 0, 0]);
  const radius = Math.hypot(x, y, z);
  const turn = Math.atan2(y, x) - earthRotationAt(trace, time);
  const longitude = turn - 2 * Math.PI * Math.floor((turn + Math.PI) / (2 * Math.PI));
  return { latitude: (Math.asin(z / radius) * 180) / Math.PI, longitude: (longitude * 180) / Math.PI, height: (radius - 1) * EARTH_RADIUS_KM };
}

/**
 * Rows of the table of satellites: all that the stage shows of each at a frame.
 *
 * @param {Trace} trace
 * @param {number} time
 */
export function rowsAt(trace, time) {
  const frame = Math.floor(time);
  const { layer, role } = placementAt(trace, frame);
  const down = downLinks(trace, frame);
  const sites = sitesServed(trace, frame);
  return Array.from({ length: trace.count }, (_, i) => {
    const at = frame * trace.count + i;
    return {
      satellite: i,
      name: nameOf(trace, i),
      layer: layer[i],
      role: role[i] === GATEWAY ? "gateway" : role[i] ? "experts" : "",
      ...placeOf(trace, time, i),
      light: trace.sunlit[at] / 255,
      charge: trace.soc[at] / 255,
      heat: temperatureOf(trace, at),
      busy: trace.utilisation[at] / 255,
      state: trace.meta.vocabulary.states[trace.state[at]].label,
      ...down[i],
      sites: sites[i] ?? "",
    };
  });
}

/** @param {Trace} trace @param {number} frame */
function downLinks(trace, frame) {
  const counts = Array.from({ length: trace.count }, () => ({ live: 0, acquiring: 0, down: 0 }));
  for (let e = 0; e < trace.links; e += 1) {
    const group = /** @type {"live" | "acquiring" | "down"} */ (trace.meta.vocabulary.link_states[trace.link_state[frame * trace.links + e]].group);
    for (const end of [trace.edges[2 * e], trace.edges[2 * e + 1]]) if (group in counts[end]) counts[end][group] += 1;
  }
  return counts;
}

/** @param {Trace} trace @param {number} frame */
function sitesServed(trace, frame) {
  /** @type {Record<number, string>} */
  const found = {};
  trace.meta.sites.forEach(({ name }, k) => {
    const satellite = trace.serving[frame * trace.meta.sites.length + k];
    if (satellite >= 0) found[satellite] = found[satellite] ? `${found[satellite]}, ${name}` : name;
  });
  return found;
}

/** Rows that have a text in name, role, state or sites, or are of a layer ("layer 3"), in order. @param {any[]} rows @param {{by: string, down: boolean, text: string}} how */
export function chosenRows(rows, { by, down, text }) {
  const wanted = text.trim().toLowerCase();
  const layer = /^layer (\d+)$/.exec(wanted)?.[1];
  const fits = (/** @type {any} */ row) => (layer
    ? row.layer === Number(layer)
    : [row.name, row.role, row.state, row.sites].some((words) => words.toLowerCase().includes(wanted)));
  const sign = down ? -1 : 1;
  return rows.filter(fits).sort((a, b) => sign * (typeof a[by] === "string" ? a[by].localeCompare(b[by]) : a[by] - b[by]) || a.satellite - b.satellite);
}

/** The satellite so many slots ahead in its plane, or in another plane at the same place of its list; -1: none was chosen. @param {Trace} trace @param {number} satellite @param {{slots?: number, planes?: number}} by */
export function neighbour(trace, satellite, { slots = 0, planes = 0 }) {
  if (satellite < 0) return 0;
  const plane = (trace.plane[satellite] + planes + trace.meta.n_planes) % trace.meta.n_planes;
  const mine = members(trace, trace.plane[satellite]);
  const theirs = members(trace, plane);
  const at = mine.indexOf(satellite) + slots;
  return theirs[((at % theirs.length) + theirs.length) % theirs.length];
}

/** @param {Trace} trace @param {number} plane */
function members(trace, plane) {
  const found = [];
  for (let i = 0; i < trace.count; i += 1) if (trace.plane[i] === plane) found.push(i);
  return found.sort((a, b) => trace.slot[a] - trace.slot[b]);
}
