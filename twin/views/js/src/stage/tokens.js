// Tokens in flight: a glowing head on every active hop, a trail on every hop already made.

import {
  AdditiveBlending, BufferAttribute, BufferGeometry, DynamicDrawUsage, Float32BufferAttribute, Group, InstancedBufferAttribute,
  InstancedBufferGeometry, Mesh, NormalBlending, Points, Vector2, Vector3,
} from "three";

import { rgb } from "../data/colours.js";
import { placed } from "./glsl.js";
import { rests } from "../data/journey.js";

const HEAD_SIZE = 24;
// In pixels of the canvas: anything thinner would be drawn with gaps, so it gets paler instead.
const LEAST_WIDTH = 1.05;
const WIDTH = 2.6;
const TINTS = 4;

const HOP = `
  in vec3 hop; // source, target, token
  in vec3 when; // start, end, until when the head rests at the target
  uniform float now;
  uniform float chosen;
  uniform vec3 tints[${TINTS}];
  vec3 tint() { return tints[int(hop.z + 0.5) % ${TINTS}]; }
  float done() { return clamp((now - when.x) / max(when.y - when.x, 1e-9), 0.0, 1.0); }
  float faded() { return chosen >= 0.0 && abs(chosen - hop.z) > 0.5 ? 0.10 : 1.0; }
`;

const TRAIL_VERTEX = `${HOP}
  uniform vec2 resolution;
  uniform float width;
  uniform float span;
  out vec4 colour;
  out float side;
  void main() {
    vec3 p = place(hop.x);
    vec3 q = beside(place(hop.y), p);
    q = mix(p, q, done());
    vec4 a = projectionMatrix * (modelViewMatrix * vec4(p, 1.0));
    vec4 b = projectionMatrix * (modelViewMatrix * vec4(q, 1.0));
    vec2 along = (b.xy / b.w - a.xy / a.w) * resolution;
    float size = length(along);
    along = size > 0.0 ? along / size : vec2(1.0, 0.0);
    gl_Position = mix(a, b, position.x);
    gl_Position.xy += vec2(-along.y, along.x) * position.y * width / resolution * gl_Position.w;
    // A trail dims to its resting brightness soon after the token has passed.
    float age = max(0.0, now - when.y) / (0.07 * span);
    float alpha = (0.45 + 0.55 * exp(-age)) * faded();
    colour = vec4(tint(), alpha * (done() < 1.0 ? mix(0.55, 1.0, position.x) : 1.0));
    side = position.y;
    if (now < when.x) gl_Position = NOWHERE;
  }`;

const TRAIL_FRAGMENT = `
  in vec4 colour;
  in float side;
  uniform float strength;
  void main() {
    pixel = vec4(colour.rgb, strength * colour.a * (1.0 - side * side));
  }`;

const HEAD_VERTEX = `${HOP}
  uniform float scale;
  out vec4 colour;
  void main() {
    vec3 p = place(hop.x);
    vec3 at = mix(p, beside(place(hop.y), p), done());
    vec4 seen = modelViewMatrix * vec4(at, 1.0);
    bool there = now >= when.x && now <= max(when.y, when.z) && faded() > 0.5;
    gl_Position = there ? projectionMatrix * seen : NOWHERE;
    gl_PointSize = ${HEAD_SIZE}.0 * (done() < 1.0 ? 1.0 : 0.8) * scale / (view == 0 ? -seen.z : 1.3);
    colour = vec4(tint(), 1.0);
  }`;

const HEAD_FRAGMENT = `
  in vec4 colour;
  uniform float glow;
  void main() {
    float r = 2.0 * length(gl_PointCoord - 0.5);
    float halo = pow(max(1.0 - r, 0.0), 2.2);
    float core = 1.0 - smoothstep(0.16, 0.30, r);
    pixel = vec4(mix(colour.rgb, vec3(glow), core * glow), max(0.75 * halo, core));
  }`;

export class Tokens {
  constructor(shared, trace) {
    this.trace = trace;
    this.uniforms = {
      now: { value: 0 },
      span: { value: 1 },
      chosen: { value: -1 },
      tints: { value: Array.from({ length: TINTS }, () => new Vector3()) },
      resolution: { value: new Vector2(1, 1) },
      width: { value: WIDTH },
      strength: { value: 1 },
      glow: { value: 1 },
    };
    const { uniforms } = this;
    this.trails = new Mesh(new InstancedBufferGeometry(), placed(shared, { uniforms, vertexShader: TRAIL_VERTEX, fragmentShader: TRAIL_FRAGMENT }));
    this.heads = new Points(new BufferGeometry(), placed(shared, { uniforms, vertexShader: HEAD_VERTEX, fragmentShader: HEAD_FRAGMENT }));
    this.trails.frustumCulled = this.heads.frustumCulled = false;
    this.trails.renderOrder = 4;
    this.heads.renderOrder = 6;
    this.object = new Group();
    this.object.add(this.trails, this.heads);
    // Buffers of each kind: {hop, when} with room for `room` hops.
    this.buffers = new Map();
    this.frame = -1;
    this.rest = new Float32Array(0);
    this.edgeOf = /** @type {any} */ (null);
    this.active = [];
    this.reserve(this.trails, 1);
    this.reserve(this.heads, 1);
  }

  get hops() {
    return [this.trace.hopRange[this.frame], this.trace.hopRange[this.frame + 1]];
  }

  reserve(mesh, count) {
    const old = this.buffers.get(mesh);
    if (old && count <= old.room) return old;
    const room = Math.max(count, 2 * (old?.room ?? 32));
    const next = { room, hop: new Float32Array(3 * room), when: new Float32Array(3 * room) };
    const trails = mesh === this.trails;
    mesh.geometry.dispose();
    const Kind = trails ? InstancedBufferAttribute : BufferAttribute;
    mesh.geometry = trails ? new InstancedBufferGeometry() : new BufferGeometry();
    if (trails) {
      mesh.geometry.setAttribute("position", new Float32BufferAttribute([0, -1, 0, 1, -1, 0, 1, 1, 0, 0, 1, 0], 3));
      mesh.geometry.setIndex([0, 1, 2, 0, 2, 3]);
    }
    for (const name of ["hop", "when"]) {
      mesh.geometry.setAttribute(name, new Kind(next[name], 3).setUsage(DynamicDrawUsage));
    }
    this.buffers.set(mesh, next);
    return next;
  }

  /** Draw these hops of the trace. */
  fill(mesh, hops) {
    const { trace, rest } = this;
    const [first] = this.hops;
    const { hop, when } = this.reserve(mesh, hops.length);
    for (let k = 0, at = 0; k < hops.length; k += 1, at += 3) {
      const h = hops[k];
      hop[at] = trace.hop_source[h];
      hop[at + 1] = trace.hop_target[h];
      hop[at + 2] = trace.hop_token[h];
      when[at] = trace.hop_start_s[h];
      when[at + 1] = trace.hop_end_s[h];
      when[at + 2] = rest[h - first];
    }
    for (const name of ["hop", "when"]) {
      const attribute = mesh.geometry.attributes[name];
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, 3 * hops.length);
      attribute.needsUpdate = true;
    }
    if (mesh === this.trails) mesh.geometry.instanceCount = hops.length;
    else mesh.geometry.setDrawRange(0, hops.length);
  }

  /** Of every link its first hop, and all hops of the chosen token: a link is drawn once. */
  trailsOf(chosen) {
    const { trace } = this;
    const [first, last] = this.hops;
    this.edgeOf ??= numberEdges(trace);
    const earliest = new Int32Array(trace.links).fill(-1);
    const own = [];
    for (let h = first; h < last; h += 1) {
      if (trace.hop_token[h] === chosen) own.push(h);
      const edge = this.edgeOf.get(pair(trace, trace.hop_source[h], trace.hop_target[h]));
      if (earliest[edge] < 0 || trace.hop_start_s[h] < trace.hop_start_s[earliest[edge]]) earliest[edge] = h;
    }
    return [...earliest.filter((h) => h >= 0 && trace.hop_token[h] !== chosen), ...own];
  }

  paint({ palette, dark, show }) {
    this.object.visible = show.tokens;
    palette.tokens.slice(0, TINTS).forEach((hex, k) => this.uniforms.tints.value[k].fromArray(rgb(hex)));
    this.uniforms.glow.value = dark ? 1 : 0;
    this.heads.material.blending = dark ? AdditiveBlending : NormalBlending;
  }

  update(frame, chosen) {
    this.frame = frame;
    const [first, last] = this.hops;
    if (this.rest.length < last - first) this.rest = new Float32Array(2 * (last - first));
    rests(this.trace, first, last, this.rest);
    this.fill(this.trails, this.trailsOf(chosen));
  }

  /** Move on within the frame: seconds since its tokens began. */
  at(age_s, chosen) {
    const { trace, uniforms, rest, active } = this;
    uniforms.now.value = age_s;
    uniforms.span.value = trace.tokenSpan;
    uniforms.chosen.value = chosen;
    const [first, last] = this.hops;
    active.length = 0;
    for (let h = first; h < last; h += 1) {
      if (trace.hop_start_s[h] <= age_s && (trace.hop_end_s[h] >= age_s || rest[h - first] >= age_s)) active.push(h);
    }
    this.fill(this.heads, active);
  }

  setSize(columns, rows, pixelRatio) {
    this.uniforms.resolution.value.set(columns, rows);
    const wanted = WIDTH * pixelRatio;
    this.uniforms.width.value = Math.max(wanted, LEAST_WIDTH);
    this.uniforms.strength.value = Math.min(wanted / LEAST_WIDTH, 1);
  }
}

const pair = (trace, a, b) => Math.min(a, b) * trace.count + Math.max(a, b);

/** Number of each link by its ends. */
function numberEdges(trace) {
  const found = new Map();
  for (let e = 0; e < trace.links; e += 1) found.set(pair(trace, trace.edges[2 * e], trace.edges[2 * e + 1]), e);
  return found;
}
