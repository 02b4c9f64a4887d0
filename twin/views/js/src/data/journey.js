// A token's way through the layers, read off its hops: when each layer began and ended, and why.

import { column } from "./trace.js";

/** Until when the head of each hop in [first, last) rests where the hop ended, into `rest`. */
export function rests(trace, first, last, rest) {
  let branch = first;
  let layer = { to: first, done: 0 };
  while (branch < last) {
    if (branch >= layer.to) layer = endOfLayer(trace, branch, last);
    let end = branch + 1;
    while (end < layer.to && trace.hop_rank[end] === trace.hop_rank[branch]) end += 1;
    for (let h = branch; h < end; h += 1) {
      // It waits for its next hop: while an expert computes, or for its sibling at the next gateway.
      let until = Infinity;
      for (let other = branch; other < end; other += 1) {
        const start = trace.hop_start_s[other];
        if (start >= trace.hop_end_s[h] - 1e-6 && start < until) until = start;
      }
      rest[h - first] = until === Infinity ? layer.done : until;
    }
    branch = end;
  }
}

function endOfLayer(trace, from, last) {
  let to = from;
  let done = 0;
  while (to < last && trace.hop_token[to] === trace.hop_token[from] && trace.hop_layer[to] === trace.hop_layer[from]) {
    done = Math.max(done, trace.hop_end_s[to]);
    to += 1;
  }
  return { to, done };
}

const known = new WeakMap();

/**
 * The drawn tokens of a frame: {token, latency_s, cause, layers: [{start_s, end_s, hops, flight_s,
 * host, hosts}]}. Of each layer `hops` and `flight_s` are those of its slowest branch.
 */
export function journeys(trace, frame) {
  const last = known.get(trace);
  if (last?.frame === frame) return last.tokens;
  const tokens = [];
  let h = trace.hopRange[frame];
  for (let t = trace.tokenRange[frame]; t < trace.tokenRange[frame + 1]; t += 1) {
    const token = trace.token[t];
    const layers = [];
    while (h < trace.hopRange[frame + 1] && trace.hop_token[h] === token) {
      const layer = endOfLayer(trace, h, trace.hopRange[frame + 1]);
      layers[trace.hop_layer[h]] = ofLayer(trace, h, layer);
      h = layer.to;
    }
    let now = 0;
    for (let l = 0; l < trace.layers; l += 1) {
      layers[l] ??= { start_s: now, end_s: now, hops: 0, flight_s: 0, rank: -1, first: h, last: h };
      layers[l].start_s = now;
      now = layers[l].end_s;
    }
    tokens.push({
      token,
      latency_s: trace.latency_s[t],
      cause: trace.meta.vocabulary.causes[trace.cause[t]],
      layers,
    });
  }
  known.set(trace, { frame, tokens });
  return tokens;
}

function ofLayer(trace, first, { to, done }) {
  let slowest = first;
  for (let h = first; h < to; h += 1) if (trace.hop_end_s[h] > trace.hop_end_s[slowest]) slowest = h;
  const rank = trace.hop_rank[slowest];
  let hops = 0;
  let flight = 0;
  for (let h = first; h < to; h += 1) {
    if (trace.hop_rank[h] !== rank) continue;
    hops += 1;
    flight += trace.hop_end_s[h] - trace.hop_start_s[h];
  }
  return { start_s: 0, end_s: done, hops, flight_s: flight, rank, first, last: to };
}

/** Layer a token is in at an age, or -1 when it is done. */
export function layerOf(journey, age_s) {
  for (let l = 0; l < journey.layers.length; l += 1) if (age_s < journey.layers[l].end_s) return l;
  return -1;
}

/** The hop under way, else the last one made, in the slowest branch of the layer; -1 if none yet. */
export function hopOf(trace, journey, age_s) {
  const l = layerOf(journey, age_s);
  const { first, last, rank } = journey.layers[l < 0 ? journey.layers.length - 1 : l];
  let found = -1;
  for (let h = first; h < last; h += 1) {
    if (trace.hop_rank[h] !== rank || trace.hop_start_s[h] > age_s) continue;
    if (found < 0 || trace.hop_start_s[h] > trace.hop_start_s[found]) found = h;
  }
  return found >= 0 ? found : first < last ? first : -1;
}

/** Seconds of each layer of the mean token of the frames that are here, (layers,). */
export function meanLayers(trace) {
  const mean = new Float64Array(trace.layers);
  const served = column(trace, "tokens_served");
  for (let l = 0; l < trace.layers; l += 1) {
    let count = 0;
    for (let k = 0; k < trace.ready; k += 1) {
      const value = trace.layer_propagation_s[k * trace.layers + l] + trace.layer_compute_s[k * trace.layers + l];
      if (Number.isFinite(value)) {
        mean[l] += value * served[k];
        count += served[k];
      }
    }
    mean[l] /= Math.max(count, 1);
  }
  return mean;
}
