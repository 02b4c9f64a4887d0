// A trace that grows: its head, then chunks of frames, as Python packed them (twin/views/trace.py).

/** @typedef {import("../types").Trace} Trace */

/** @type {Record<string, any>} */
const TYPES = {
  float64: Float64Array, float32: Float32Array, int32: Int32Array, int16: Int16Array,
  uint16: Uint16Array, uint8: Uint8Array,
};

export const EARTH_RADIUS_KM = 6378.137;
// Beyond this angle between frames a straight path between two positions would mislead.
const MAX_GAP_RAD = 0.6;
// Values of every frame, one row a frame; the rest of a chunk are lists that grow.
const ROWS = [
  "positions", "sun", "sunlit", "soc", "utilisation", "temperature", "state", "link_state", "serving",
  "figures", "instance_open", "instance_running", "instance_waiting", "instance_cache", "layer_propagation_s", "layer_compute_s", "quantiles_s", "soc_quantiles", "steps",
];
const LISTS = [
  "token", "latency_s", "cause", "hop_token", "hop_layer", "hop_rank", "hop_source", "hop_target",
  "hop_start_s", "hop_end_s", "placement_instance", "placement_layer", "placement_expert", "placement_copy",
  "placement_satellite", "bin_value_s", "bin_count",
];

/** {meta, arrays by name} of one message. @param {DataView} view @returns {any} */
export function unpack(view) {
  // The message's buffer need not be aligned, so views into it are not possible.
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const length = new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  const { meta, arrays } = JSON.parse(text);
  const found = { meta };
  for (const { name, type, offset, size } of arrays) found[name] = new TYPES[type](buffer, offset, size);
  return found;
}

/** An array that grows at its end, twice the room whenever it is full. */
function appended(old, length, more) {
  if (old === undefined) return more.slice();
  if (length + more.length <= old.length) {
    old.set(more, length);
    return old;
  }
  const next = new old.constructor(Math.max(2 * old.length, length + more.length));
  next.set(old.subarray(0, length));
  next.set(more, length);
  return next;
}

/** @param {DataView} view @returns {Trace} */
export function createTrace(view) {
  const { meta, ...head } = unpack(view);
  return {
    ...head,
    meta,
    frames: meta.frames, // in the end; `ready` of them are here
    ready: 0,
    count: meta.n_satellites,
    links: head.edges.length / 2,
    layers: 0,
    done: false,
    smooth: false,
    shellRadius: 1,
    tokenSpan: 1e-3,
    tokenRange: [0],
    hopRange: [0],
    binRange: [0], // of each frame its bins of latency
    placements: [], // {frame, start, end} into placement_*
    events: [], // {t_s, frame, kind, cause, satellite, other, value}
    migrations: [], // {from_s, to_s, source, target, kind, bytes}
    kinds: {}, // of each kind: {count, kept, byFrame}
  };
}

// Of each kind; the rest is counted only.
const KEPT_EVENTS = 6000;
const lengths = new WeakMap();

/** Take in a chunk of frames. @param {Trace} trace @param {DataView} view */
export function append(trace, view) {
  const { meta, ...chunk } = unpack(view);
  const { first, count, last } = meta;
  trace.done = last;
  if (count === 0) {
    trace.frames = trace.ready;
    return;
  }
  takeRows(trace, chunk, first, count);
  takeLists(trace, chunk);
  trace.layers = chunk.layer_compute_s.length / count;
  trace.ready = first + count;
  if (last) trace.frames = trace.ready;
  takeEvents(trace, meta, chunk);
  for (let h = trace.hopRange[first]; h < trace.hopRange[trace.ready]; h += 1) {
    if (trace.hop_end_s[h] > trace.tokenSpan) trace.tokenSpan = trace.hop_end_s[h];
  }
  if (first === 0 || !trace.smooth) {
    trace.shellRadius = shellRadius(trace);
    trace.smooth = trace.ready > 1 && gap(trace) < MAX_GAP_RAD;
  }
}

/** @param {Trace} trace @param {any} chunk @param {number} first @param {number} count */
function takeRows(trace, chunk, first, count) {
  for (const name of ROWS) {
    const width = chunk[name].length / count;
    trace[name] ??= new chunk[name].constructor(width * trace.frames);
    trace[name].set(chunk[name], width * first);
  }
}

/** @param {Trace} trace @param {any} chunk */
function takeLists(trace, chunk) {
  const sizes = lengths.get(trace) ?? {};
  lengths.set(trace, sizes);
  let at = sizes.placement_layer ?? 0;
  for (const name of LISTS) {
    const length = sizes[name] ?? 0;
    trace[name] = appended(trace[name], length, chunk[name]);
    sizes[name] = length + chunk[name].length;
  }
  for (const n of chunk.token_count) trace.tokenRange.push((trace.tokenRange.at(-1) ?? 0) + n);
  for (const n of chunk.hop_count) trace.hopRange.push((trace.hopRange.at(-1) ?? 0) + n);
  for (const n of chunk.latency_bins) trace.binRange.push((trace.binRange.at(-1) ?? 0) + n);
  chunk.placement_frame.forEach((/** @type {number} */ frame, /** @type {number} */ k) => {
    trace.placements.push({ frame, start: at, end: (at += chunk.placement_count[k]) });
  });
}

/** @param {Trace} trace @param {any} meta @param {any} chunk */
function takeEvents(trace, meta, chunk) {
  const eachS = frameSeconds(trace);
  for (let i = 0; i < chunk.event_t_s.length; i += 1) {
    const kind = meta.kinds[chunk.event_kind[i]];
    const event = {
      t_s: chunk.event_t_s[i],
      frame: Math.min(Math.floor(chunk.event_t_s[i] / eachS + 1e-9), trace.frames - 1),
      kind,
      cause: meta.event_causes[chunk.event_cause[i]],
      satellite: chunk.event_satellite[i],
      other: chunk.event_other[i],
      value: chunk.event_value[i],
    };
    const tally = (trace.kinds[kind] ??= { count: 0, kept: 0, byFrame: new Uint32Array(trace.frames) });
    tally.count += 1;
    tally.byFrame[event.frame] += 1;
    takeMigration(trace, event);
    if (tally.kept < KEPT_EVENTS) {
      tally.kept += 1;
      trace.events.push(event);
    }
  }
}

/** @param {Trace} trace @param {import("../types").Event} event */
function takeMigration({ migrations, meta }, { kind, cause, t_s, satellite, other, value }) {
  const [begins, ends] = meta.vocabulary.migration;
  if (kind === begins) {
    migrations.push({ from_s: t_s, to_s: Infinity, source: satellite, target: other, kind: cause, bytes: value });
  } else if (kind === ends) {
    const open = migrations.find((m) => m.to_s === Infinity && m.target === other && m.kind === cause);
    if (open) open.to_s = t_s;
  }
}

/** @param {Trace} trace */
function shellRadius({ positions, count }) {
  let most = 0;
  for (let i = 0; i < 3 * count; i += 3) {
    most = Math.max(most, Math.hypot(positions[i], positions[i + 1], positions[i + 2]));
  }
  return most / EARTH_RADIUS_KM;
}

/** @param {Trace} trace */
function gap({ positions, count }) {
  const p = positions.subarray(0, 3);
  const q = positions.subarray(3 * count, 3 * count + 3);
  const dot = p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  return Math.acos(Math.min(1, dot / (Math.hypot(...p) * Math.hypot(...q))));
}

/** Hosts in force at a frame: per satellite its layer (-1: none), role and copy of the model, and gateways by layer, of the first copy and of each. @param {Trace} trace @param {number} frame @returns {import("../types").Hosts} */
export function placementAt(trace, frame) {
  let row = 0;
  while (row + 1 < trace.placements.length && trace.placements[row + 1].frame <= frame) row += 1;
  const placement = trace.placements[row];
  placement.hosts ??= hosts(trace, placement);
  return placement.hosts;
}

export const EXPERT = 1;
export const GATEWAY = 2;

function hosts(trace, { start, end }) {
  const layer = new Int16Array(trace.count).fill(-1);
  const role = new Uint8Array(trace.count);
  const instance = new Int16Array(trace.count).fill(-1);
  const gateways = Array.from({ length: trace.meta.requests?.instances ?? 1 }, () => new Int32Array(trace.layers).fill(-1));
  const experts = new Map();
  for (let i = start; i < end; i += 1) {
    const satellite = trace.placement_satellite[i];
    const expert = trace.placement_expert[i];
    if (!experts.has(satellite)) experts.set(satellite, []);
    experts.get(satellite).push({ instance: trace.placement_instance[i], layer: trace.placement_layer[i], expert, copy: trace.placement_copy[i] });
    if (instance[satellite] < 0) instance[satellite] = trace.placement_instance[i];
    if (expert < 0 || (role[satellite] !== GATEWAY && layer[satellite] < 0)) layer[satellite] = trace.placement_layer[i];
    role[satellite] = Math.max(role[satellite], expert < 0 ? GATEWAY : EXPERT);
    if (expert < 0 && trace.placement_copy[i] === 0) gateways[trace.placement_instance[i]][trace.placement_layer[i]] = satellite;
  }
  return { layer, role, instance, gateways: gateways[0], rings: gateways, experts };
}

const numberOf = (trace, name) => trace.meta.figures.findIndex((f) => f.name === name);

/** A figure of the steps that a frame stands for. */
export function figure(trace, name, frame) {
  return trace.figures[frame * trace.meta.figures.length + numberOf(trace, name)];
}

export function column(trace, name) {
  const width = trace.meta.figures.length;
  const at = numberOf(trace, name);
  return Float64Array.from({ length: trace.ready }, (_, k) => trace.figures[k * width + at]);
}

/** Groups of link states that are drawn alike; the last is not drawn. */
export const LINK_GROUPS = ["live", "acquiring", "down", "none"];

/** How many links are live, acquiring, down, and not drawn at a frame. @param {Trace} trace @param {number} frame */
export function linkCounts(trace, frame) {
  const counts = LINK_GROUPS.map(() => 0);
  const groups = linkGroups(trace);
  for (let e = 0; e < trace.links; e += 1) counts[groups[trace.link_state[frame * trace.links + e]]] += 1;
  return counts;
}

/** A link's state as people see it: live, acquiring, down, or none where it is not meant to be. */
export function linkGroups(trace) {
  return trace.meta.vocabulary.link_states.map(({ group }) => LINK_GROUPS.indexOf(group));
}

/** @param {Trace} trace @param {number} satellite */
export function nameOf(trace, satellite) {
  return satellite < 0 ? "ground" : trace.meta.names[satellite];
}

/** A satellite by its name, in any case; -1 if there is none. @param {Trace} trace @param {string} name */
export function satelliteNamed(trace, name) {
  const wanted = name.trim().toLowerCase();
  return wanted ? trace.meta.names.findIndex((known) => known.toLowerCase() === wanted) : -1;
}

/** Seconds that a frame stands for. @param {Trace} trace */
export const frameSeconds = (trace) => trace.meta.stride * trace.meta.step_s;

/** Number of the step that a frame shows, as in the run's tables. @param {Trace} trace @param {number} frame */
export const stepOf = (trace, frame) => trace.meta.first_step + frame * trace.meta.stride;

/** Seconds since the first frame. @param {Trace} trace @param {number} time */
export const seconds = (trace, time) => time * frameSeconds(trace);

/** @param {Trace} trace @param {number} time */
export function utc(trace, time) {
  const milliseconds = Date.parse(trace.meta.start_utc) + 1000 * seconds(trace, time);
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Time of day at which an event was. @param {Trace} trace @param {{t_s: number}} event */
export const timeOfDay = (trace, event) => utc(trace, event.t_s / frameSeconds(trace)).slice(11, 19);
