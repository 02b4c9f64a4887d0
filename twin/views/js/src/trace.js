// Read what Python packed: a length, a JSON header, then aligned little-endian arrays.

const TYPES = {
  float32: Float32Array,
  int32: Int32Array,
  int16: Int16Array,
  uint8: Uint8Array,
};

export const EARTH_RADIUS_KM = 6378.137;
// Beyond this angle between frames a straight path between two positions would mislead.
const MAX_GAP_RAD = 0.6;

/** Typed arrays by name, the header's other fields, and a few values derived from them. */
export function unpack(view) {
  // The message's buffer need not be aligned, so views into it are not possible.
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const length = new DataView(buffer).getUint32(0, true);
  const { arrays, ...trace } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  for (const { name, type, offset, size } of arrays) {
    trace[name] = new TYPES[type](buffer, offset, size);
  }
  trace.frames = trace.sun.length / 3;
  trace.count = trace.positions.length / 3 / trace.frames;
  trace.shellRadius = shellRadius(trace);
  trace.smooth = trace.frames > 1 && gap(trace) < MAX_GAP_RAD;
  trace.hopRange = ranges(trace.hop_step, trace.frames);
  trace.tokenSpan = Math.max(trace.hop_end_s.reduce((a, b) => Math.max(a, b), 0), 1e-3);
  return trace;
}

function shellRadius({ positions, count }) {
  let most = 0;
  for (let i = 0; i < 3 * count; i += 3) {
    most = Math.max(most, Math.hypot(positions[i], positions[i + 1], positions[i + 2]));
  }
  return most / EARTH_RADIUS_KM;
}

function gap({ positions, count }) {
  const p = positions.subarray(0, 3);
  const q = positions.subarray(3 * count, 3 * count + 3);
  const dot = p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  return Math.acos(Math.min(1, dot / (Math.hypot(...p) * Math.hypot(...q))));
}

function ranges(sorted, frames) {
  const start = new Int32Array(frames + 1);
  for (const frame of sorted) start[frame + 1] += 1;
  for (let k = 0; k < frames; k += 1) start[k + 1] += start[k];
  return start;
}

/** The row of the placement table in force at a frame. */
export function placementRow(trace, frame) {
  let row = 0;
  while (row + 1 < trace.placement_step.length && trace.placement_step[row + 1] <= frame) row += 1;
  return row;
}

export function edgeUp(trace, frame, edge) {
  const stride = Math.ceil(trace.edges.length / 2 / 8);
  return (trace.edge_up[frame * stride + (edge >> 3)] >> (edge & 7)) & 1;
}

/**
 * Positions in Earth radii at a fractional frame, into `out`.
 *
 * Straight between two frames, then put back on the orbit's radius: on a circular orbit a step of
 * 2 degrees is right to a metre. Frames too far apart for that are shown one by one instead.
 */
export function positionsAt(trace, time, out) {
  const last = trace.frames - 1;
  const k = trace.smooth ? Math.min(Math.floor(time), last - 1) : Math.min(Math.floor(time), last);
  const mix = trace.smooth ? time - k : 0;
  const a = 3 * trace.count * k;
  const b = trace.smooth ? a + 3 * trace.count : a;
  const p = trace.positions;
  for (let i = 0; i < 3 * trace.count; i += 3) {
    const ax = p[a + i], ay = p[a + i + 1], az = p[a + i + 2];
    const bx = p[b + i], by = p[b + i + 1], bz = p[b + i + 2];
    const x = ax + (bx - ax) * mix, y = ay + (by - ay) * mix, z = az + (bz - az) * mix;
    const radius = Math.sqrt(ax * ax + ay * ay + az * az) * (1 - mix) + Math.sqrt(bx * bx + by * by + bz * bz) * mix;
    const scale = radius / Math.sqrt(x * x + y * y + z * z) / EARTH_RADIUS_KM;
    out[i] = x * scale;
    out[i + 1] = y * scale;
    out[i + 2] = z * scale;
  }
}

/** Angle from the inertial x axis to Greenwich at a fractional frame, rad. */
export function earthRotationAt(trace, time) {
  const theta = trace.earth_rotation;
  const k = Math.min(Math.floor(time), trace.frames - 1);
  if (!trace.smooth) return theta[k];
  const j = Math.min(k, trace.frames - 2);
  const turn = 2 * Math.PI;
  const step = (((theta[j + 1] - theta[j]) % turn) + turn) % turn;
  return theta[j] + step * (time - j);
}
