// Tokens in flight: a glowing head on every active hop, a trail on every hop already made.

import {
  AdditiveBlending, BufferAttribute, BufferGeometry, DynamicDrawUsage, Group, Points, ShaderMaterial,
} from "three";

import { rgb } from "./palette.js";
import { createRibbons } from "./ribbons.js";

const HEAD_SIZE = 26;
// A trail dims to its resting brightness over this part of a token's life.
const TRAIL_SHARE = 0.07;
const REST_ALPHA = 0.5;

const VERTEX = `
  attribute vec3 tint;
  attribute float size;
  uniform float scale;
  varying vec3 colour;
  void main() {
    vec4 seen = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * seen;
    gl_PointSize = size * scale / -seen.z;
    colour = tint;
  }`;

const FRAGMENT = `
  varying vec3 colour;
  void main() {
    float r = 2.0 * length(gl_PointCoord - 0.5);
    float halo = pow(max(1.0 - r, 0.0), 2.2);
    float core = 1.0 - smoothstep(0.16, 0.30, r);
    gl_FragColor = vec4(mix(colour, vec3(1.0), core), max(0.75 * halo, core));
  }`;

export function createTokens() {
  const scale = { value: 1 };
  const heads = new Points(
    new BufferGeometry(),
    new ShaderMaterial({
      uniforms: { scale },
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      blending: AdditiveBlending,
      transparent: true,
      depthWrite: false,
    }),
  );
  heads.frustumCulled = false;
  const trails = createRibbons(3);
  const object = new Group();
  object.add(trails.object, heads);
  let trace = null;
  let colours = [];
  let resting = { frame: -1, until: new Float32Array(0) };

  function reserve(count) {
    heads.geometry.dispose();
    const geometry = new BufferGeometry();
    for (const [name, size] of [["position", 3], ["tint", 3], ["size", 1]]) {
      const attribute = new BufferAttribute(new Float32Array(size * count), size);
      geometry.setAttribute(name, attribute.setUsage(DynamicDrawUsage));
    }
    heads.geometry = geometry;
    trails.reserve(count);
  }

  function update({ frame, positions, tokenTime, show }) {
    object.visible = show.tokens;
    const [first, last] = [trace.hopRange[frame], trace.hopRange[frame + 1]];
    if (resting.frame !== frame) resting = { frame, until: restUntil(trace, first, last) };
    const { position, tint, size } = heads.geometry.attributes;
    let drawn = 0;
    let lit = 0;
    for (let h = first; h < last; h += 1) {
      const start = trace.hop_start_s[h];
      const end = trace.hop_end_s[h];
      if (start > tokenTime) continue;
      const done = Math.min(1, (tokenTime - start) / Math.max(end - start, 1e-9));
      const colour = colours[trace.hop_token[h] % colours.length];
      const age = Math.max(0, tokenTime - end) / (TRAIL_SHARE * trace.tokenSpan);
      const alpha = REST_ALPHA + (1 - REST_ALPHA) * Math.exp(-age);
      const a = 3 * trace.hop_source[h];
      const b = 3 * trace.hop_target[h];
      const at = 3 * drawn;
      for (let c = 0; c < 3; c += 1) {
        trails.from[at + c] = positions[a + c];
        trails.to[at + c] = positions[a + c] + (positions[b + c] - positions[a + c]) * done;
      }
      trails.tint.set([...colour, alpha], 4 * drawn);
      trails.fade.set([done < 1 ? 0.55 : 1, 1], 2 * drawn);
      drawn += 1;
      if (tokenTime <= Math.max(end, resting.until[h - first])) {
        position.array.set(trails.to.subarray(at, at + 3), 3 * lit);
        tint.array.set(colour, 3 * lit);
        size.array[lit] = done < 1 ? HEAD_SIZE : 0.8 * HEAD_SIZE;
        lit += 1;
      }
    }
    trails.commit(drawn);
    heads.geometry.setDrawRange(0, lit);
    for (const attribute of [position, tint, size]) attribute.needsUpdate = true;
  }

  return {
    object,
    scale,
    trails,
    setTrace(next) {
      trace = next;
      colours = trace.palette.tokens.map(rgb);
      resting = { frame: -1, until: new Float32Array(0) };
      let most = 0;
      for (let k = 0; k < trace.frames; k += 1) {
        most = Math.max(most, trace.hopRange[k + 1] - trace.hopRange[k]);
      }
      reserve(most);
    },
    update,
  };
}

/**
 * Until when a head waits where its hop ended: computing at an expert, or for its sibling at the
 * next gateway. That is when the same token next leaves from there, else the end of its layer.
 */
function restUntil(trace, first, last) {
  const departures = new Map();
  const joins = new Map();
  for (let h = first; h < last; h += 1) {
    const from = `${trace.hop_token[h]} ${trace.hop_source[h]}`;
    if (!departures.has(from)) departures.set(from, []);
    departures.get(from).push(trace.hop_start_s[h]);
    const layer = `${trace.hop_token[h]} ${trace.hop_layer[h]}`;
    joins.set(layer, Math.max(joins.get(layer) ?? 0, trace.hop_end_s[h]));
  }
  const until = new Float32Array(last - first);
  for (let h = first; h < last; h += 1) {
    const join = joins.get(`${trace.hop_token[h]} ${trace.hop_layer[h]}`);
    const later = (departures.get(`${trace.hop_token[h]} ${trace.hop_target[h]}`) ?? []).filter(
      (start) => start >= trace.hop_end_s[h] - 1e-6,
    );
    until[h - first] = later.length ? Math.min(...later) : join;
  }
  return until;
}

/** What the viewer may read about each token of a frame: its layer now, its age, whether it is done. */
export function tokenStates(trace, frame, tokenTime) {
  const states = new Map();
  for (let h = trace.hopRange[frame]; h < trace.hopRange[frame + 1]; h += 1) {
    const token = trace.hop_token[h];
    const state = states.get(token) ?? { token, layer: 0, end: 0 };
    if (trace.hop_start_s[h] <= tokenTime) state.layer = Math.max(state.layer, trace.hop_layer[h]);
    state.end = Math.max(state.end, trace.hop_end_s[h]);
    states.set(token, state);
  }
  return [...states.values()];
}
