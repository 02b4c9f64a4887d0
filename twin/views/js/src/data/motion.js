// Where things are between two frames.

import { EARTH_RADIUS_KM } from "./trace.js";

/** @typedef {import("../types").Trace} Trace */

/** Frame on screen and the one it moves towards, with how far it has. */
export function framesAt(trace, time) {
  const last = trace.ready - 1;
  const now = Math.min(Math.floor(time), last);
  if (!trace.smooth) return { now, next: now, blend: 0 };
  return { now, next: Math.min(now + 1, last), blend: now === last ? 0 : time - now };
}

/**
 * Position of a satellite in Earth radii at a fractional frame, into `out`.
 *
 * Straight between two frames, then put back on the orbit's radius: on a circular orbit a step of
 * 2 degrees is right to a metre. Frames too far apart for that are shown one by one instead.
 */
export function positionOf(trace, time, satellite, out) {
  const { now, next, blend } = framesAt(trace, time);
  const p = trace.positions;
  const a = 3 * (trace.count * now + satellite);
  const b = 3 * (trace.count * next + satellite);
  for (let c = 0; c < 3; c += 1) out[c] = p[a + c] + (p[b + c] - p[a + c]) * blend;
  const from = Math.hypot(p[a], p[a + 1], p[a + 2]);
  const to = Math.hypot(p[b], p[b + 1], p[b + 2]);
  const scale = (from + (to - from) * blend) / Math.hypot(out[0], out[1], out[2]) / EARTH_RADIUS_KM;
  for (let c = 0; c < 3; c += 1) out[c] *= scale;
  return out;
}

/** Angle from the inertial x axis to Greenwich at a fractional frame, rad. */
export function earthRotationAt(trace, time) {
  const { now, blend } = framesAt(trace, time);
  const theta = trace.earth_rotation;
  const turn = 2 * Math.PI;
  const ahead = theta[Math.min(now + 1, theta.length - 1)] - theta[now];
  return theta[now] + (((ahead % turn) + turn) % turn) * blend;
}
