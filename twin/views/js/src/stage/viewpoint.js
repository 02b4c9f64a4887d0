// Where to look from at first: much of the placement in view, and the terminator too.

import { Vector3 } from "three";

import { placementAt } from "../data/trace.js";

const TILT_RAD = 0.38;
// Cosine of the angle between viewer and Sun at which day fills most of the disc, night the rest.
const BEST_SUN_COSINE = 0.38;
const CANDIDATES = 72;

export function firstViewpoint(trace, distance) {
  const { role } = placementAt(trace, 0);
  const hosts = [];
  for (let i = 0; i < trace.count; i += 1) {
    if (role[i] > 0) hosts.push(new Vector3().fromArray(trace.positions, 3 * i).normalize());
  }
  const sun = new Vector3().fromArray(trace.sun).normalize();
  let best = { score: -Infinity, view: new Vector3(1, 0, 0) };
  for (let k = 0; k < CANDIDATES; k += 1) {
    const angle = (2 * Math.PI * k) / CANDIDATES;
    const view = new Vector3(
      Math.cos(angle) * Math.cos(TILT_RAD),
      Math.sin(angle) * Math.cos(TILT_RAD),
      Math.sin(TILT_RAD),
    );
    const seen = hosts.reduce((sum, host) => sum + Math.max(0, host.dot(view)), 0);
    const light = (sun.dot(view) - BEST_SUN_COSINE) ** 2;
    const score = (1.8 * seen) / Math.max(hosts.length, 1) - light;
    if (score > best.score) best = { score, view };
  }
  return best.view.multiplyScalar(distance);
}
