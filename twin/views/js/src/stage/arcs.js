// Bowed lines between satellites: the ring from gateway to gateway, and migrations, dashed.

import { Float32BufferAttribute, InstancedBufferAttribute, InstancedBufferGeometry, Mesh, Vector2, Vector3 } from "three";

import { rgb } from "../data/colours.js";
import { placed } from "./glsl.js";
import { placementAt } from "../data/trace.js";

const SEGMENTS = 20;

const VERTEX = `
  in vec2 ends; // source (-1: the ground below the target), target
  uniform vec2 resolution;
  uniform float width;
  uniform float lift;
  out float along;
  out float side;
  vec3 point(vec3 p, vec3 q, float t) {
    vec3 straight = mix(p, q, t);
    float bow = lift * 4.0 * t * (1.0 - t);
    if (view == 0) return normalize(straight) * (mix(length(p), length(q), t) + bow * length(q - p));
    vec2 across = q.xy - p.xy;
    return straight + vec3(vec2(-across.y, across.x) * bow, 0.0);
  }
  void main() {
    vec3 q = place(ends.y);
    vec3 p = ends.x < 0.0 ? (view == 0 ? normalize(q) : q * 0.86) : beside(place(ends.x), q);
    float t = position.x;
    vec3 here = point(p, q, t);
    vec3 next = point(p, q, t + 0.02);
    vec4 a = projectionMatrix * (modelViewMatrix * vec4(here, 1.0));
    vec4 b = projectionMatrix * (modelViewMatrix * vec4(next, 1.0));
    vec2 heading = normalize((b.xy / b.w - a.xy / a.w) * resolution + 1e-9);
    gl_Position = hidden(p) && hidden(q) ? NOWHERE : a;
    gl_Position.xy += vec2(-heading.y, heading.x) * position.y * width / resolution * a.w;
    along = t * length(q - p);
    side = position.y;
  }`;

const FRAGMENT = `
  in float along;
  in float side;
  uniform vec3 tint;
  uniform float alpha;
  uniform float dashes;
  uniform float march;
  void main() {
    float on = dashes > 0.0 ? smoothstep(0.42, 0.5, abs(fract(along * dashes - march) - 0.5) * 1.0 + 0.22) : 1.0;
    float strength = alpha * on * (1.0 - side * side);
    if (strength < 0.01) discard;
    pixel = vec4(tint, strength);
  }`;

export function createArcs(shared, { lift, width, alpha, dashes }) {
  const uniforms = {
    resolution: { value: new Vector2(1, 1) },
    width: { value: width },
    lift: { value: lift },
    tint: { value: new Vector3(1, 1, 1) },
    alpha: { value: alpha },
    dashes: { value: dashes },
    march: { value: 0 },
  };
  const geometry = new InstancedBufferGeometry();
  const corners = [];
  const index = [];
  for (let k = 0; k <= SEGMENTS; k += 1) {
    corners.push(k / SEGMENTS, -1, 0, k / SEGMENTS, 1, 0);
    if (k < SEGMENTS) index.push(2 * k, 2 * k + 2, 2 * k + 1, 2 * k + 1, 2 * k + 2, 2 * k + 3);
  }
  geometry.setAttribute("position", new Float32BufferAttribute(corners, 3));
  geometry.setIndex(index);
  geometry.instanceCount = 0;
  const object = new Mesh(geometry, placed(shared, { uniforms, vertexShader: VERTEX, fragmentShader: FRAGMENT }));
  object.frustumCulled = false;
  object.renderOrder = 5;

  return {
    object,
    uniforms,
    set(pairs) {
      const attribute = geometry.attributes.ends;
      if (attribute === undefined || attribute.count < pairs.length) {
        geometry.dispose();
        geometry.setAttribute("ends", new InstancedBufferAttribute(new Float32Array(2 * Math.max(64, 2 * pairs.length)), 2));
      }
      geometry.attributes.ends.array.set(pairs.flat());
      geometry.attributes.ends.needsUpdate = true;
      geometry.instanceCount = pairs.length;
      object.visible = pairs.length > 0;
    },
    paint(hex) {
      uniforms.tint.value.fromArray(rgb(hex));
    },
    setSize(columns, rows, pixelRatio) {
      uniforms.resolution.value.set(columns, rows);
      uniforms.width.value = Math.max(width * pixelRatio, 1.05);
    },
  };
}

/** From each layer's gateway to the next one's, of every copy of the model. */
export function ringPairs(trace, frame) {
  const pairs = [];
  for (const gateways of placementAt(trace, frame).rings) {
    for (let l = 0; l < gateways.length; l += 1) {
      const next = gateways[(l + 1) % gateways.length];
      if (gateways[l] >= 0 && next >= 0 && gateways[l] !== next) pairs.push([gateways[l], next]);
    }
  }
  return pairs;
}

/** Weights and caches on their way at a frame. */
export function migrationPairs(trace, frame) {
  const stepS = trace.meta.step_s * trace.meta.stride;
  const [from, to] = [frame * stepS, (frame + 1) * stepS];
  return trace.migrations.filter((m) => m.from_s < to && m.to_s > from).map((m) => [m.source, m.target]);
}

/** From the satellite that serves a site to the first gateway of a copy of the model that got requests of it at a frame. @param {import("../types").Trace} trace @param {number} frame @param {(copy: number) => boolean} mine */
export function dispatchPairs(trace, frame, mine) {
  const { rings } = placementAt(trace, frame);
  const sites = trace.meta.sites.length;
  return (trace.dispatch?.get?.(frame) ?? []).flatMap(([site, copy]) => {
    const [from, to] = [trace.serving[frame * sites + site], rings[copy]?.[0]];
    return mine(copy) && from >= 0 && to >= 0 && from !== to ? [[from, to]] : [];
  });
}
