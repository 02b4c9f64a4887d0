// Why a token took as long as it did, in words.

import { meanLayers } from "./journey.js";
import { duration, percent } from "./numbers.js";

const SPEED_OF_LIGHT_KM_S = 299_792.458;

/** @param {import("../types").Trace} trace @param {any} journey */
export function verdict(trace, { latency_s, cause, layers }) {
  if (!Number.isFinite(latency_s)) return `Not served: ${cause.sentence}.`;
  const mean = meanLayers(trace);
  const took = layers.map((/** @type {any} */ l) => l.end_s - l.start_s);
  const late = took.map((/** @type {number} */ s, /** @type {number} */ l) => s - mean[l]);
  const worst = late.indexOf(Math.max(...late));
  const { hops, flight_s } = layers[worst];
  const far = Math.round(flight_s * SPEED_OF_LIGHT_KM_S).toLocaleString("en");
  const flown = layers.reduce((/** @type {number} */ sum, /** @type {any} */ l) => sum + l.flight_s, 0);
  return (
    `${duration(latency_s)}, ${against(latency_s / mean.reduce((a, b) => a + b, 0))}; ${percent(flown / latency_s, 0)} of it on the way. ` +
    `Most was lost in layer ${worst}: ${duration(took[worst])} instead of ${duration(mean[worst])}, ` +
    `for ${hops} hops and ${far} km to its slower expert and on to the next gateway.`
  );
}

/** @param {number} ratio */
function against(ratio) {
  if (Math.abs(ratio - 1) < 0.005) return "as the run's mean";
  return `${percent(Math.abs(ratio - 1), 0)} ${ratio > 1 ? "slower" : "faster"} than the run's mean`;
}
