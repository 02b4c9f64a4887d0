// Satellites as points: colour tells what the viewer chose, size and ring tell the role.

import { BufferAttribute, BufferGeometry, DynamicDrawUsage, Points, ShaderMaterial } from "three";

import { behindEarth } from "./horizon.js";
import { ramp, rgb } from "./palette.js";
import { placementRow } from "./trace.js";

export const EXPERT = 1;
export const GATEWAY = 2;
// Diameters in pixels, at the distance of Earth's centre from the default camera.
const SIZES = [3.6, 8, 15];

const VERTEX = `
  attribute vec3 tint;
  attribute float size;
  attribute float ring;
  uniform float scale;
  varying vec3 colour;
  varying float ringed;
  void main() {
    vec4 seen = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * seen;
    gl_PointSize = size * scale / -seen.z;
    colour = tint;
    ringed = ring;
  }`;

const FRAGMENT = `
  varying vec3 colour;
  varying float ringed;
  void main() {
    float r = 2.0 * length(gl_PointCoord - 0.5);
    float edge = fwidth(r);
    float disc = 1.0 - smoothstep(mix(1.0, 0.62, ringed) - edge, mix(1.0, 0.62, ringed), r);
    float band = ringed * smoothstep(0.74 - edge, 0.74, r) * (1.0 - smoothstep(1.0 - edge, 1.0, r));
    float alpha = max(disc, band);
    if (alpha < 0.02) discard;
    gl_FragColor = vec4(mix(colour, vec3(1.0), band), alpha);
  }`;

export function createSatellites() {
  const scale = { value: 1 };
  const object = new Points(
    new BufferGeometry(),
    new ShaderMaterial({
      uniforms: { scale },
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      transparent: true,
      depthWrite: false,
    }),
  );
  object.frustumCulled = false;
  let trace = null;
  let ramps = {};

  return {
    object,
    scale,
    setTrace(next) {
      trace = next;
      ramps = Object.fromEntries(Object.entries(trace.palette.ramps).map(([k, v]) => [k, ramp(v)]));
      object.geometry.dispose();
      const geometry = new BufferGeometry();
      for (const [name, size] of [["position", 3], ["tint", 3], ["size", 1], ["ring", 1]]) {
        const attribute = new BufferAttribute(new Float32Array(size * trace.count), size);
        geometry.setAttribute(name, attribute.setUsage(DynamicDrawUsage));
      }
      object.geometry = geometry;
    },
    update({ frame, positions, colourBy, eye }) {
      const { position, tint, size, ring } = object.geometry.attributes;
      const row = placementRow(trace, frame) * trace.count;
      const table = ramps[colourBy];
      const idle = rgb(trace.palette.idle);
      const values = colourBy === "layer" ? null : trace[colourBy];
      let drawn = 0;
      for (let i = 0; i < trace.count; i += 1) {
        if (behindEarth(eye, positions, 3 * i)) continue;
        const layer = trace.placement_layer[row + i];
        const role = trace.placement_role[row + i];
        size.array[drawn] = SIZES[role] * (values && role === 0 ? 1.25 : 1);
        ring.array[drawn] = role === GATEWAY ? 1 : 0;
        if (values === null && layer < 0) {
          tint.array.set(idle, 3 * drawn);
        } else {
          const level = values ? values[frame * trace.count + i] : layerLevel(trace, layer);
          tint.array.set(table.subarray(3 * level, 3 * level + 3), 3 * drawn);
        }
        for (let c = 0; c < 3; c += 1) position.array[3 * drawn + c] = positions[3 * i + c];
        drawn += 1;
      }
      object.geometry.setDrawRange(0, drawn);
      for (const attribute of [position, tint, size, ring]) attribute.needsUpdate = true;
    },
  };
}

function layerLevel(trace, layer) {
  return Math.round((255 * layer) / Math.max(trace.meta.n_layers - 1, 1));
}
