// Satellites as points: colour tells what the viewer chose, size and ring tell role and load.

import { BufferAttribute, BufferGeometry, NearestFilter, DataTexture, Points, UnsignedByteType, Vector3 } from "three";

import { ramp, rgb } from "../data/colours.js";
import { placed, table } from "./glsl.js";
import { GATEWAY, placementAt } from "../data/trace.js";

// Diameters in pixels, at the distance of Earth's centre from the default camera.
const SIZES = [3.4, 8, 15];
const COLOURED = 1;
const RINGED = 2;
const DIMMED = 4;
const SHADED = 8;
const CHOSEN = 16;

const VERTEX = `
  in float satellite;
  uniform sampler2D looks;
  uniform sampler2D colours;
  uniform vec3 idle;
  uniform vec3 chosenTint;
  uniform float scale;
  uniform float shade;
  out vec4 colour;
  out float ringed;
  void main() {
    vec3 p = place(satellite);
    vec4 look = floor(texelFetch(looks, at(satellite), 0) * 255.0 + 0.5);
    int flags = int(look.b);
    vec4 seen = modelViewMatrix * vec4(p, 1.0);
    gl_Position = hidden(p) ? NOWHERE : projectionMatrix * seen;
    gl_PointSize = look.g / 8.0 * scale / (view == 0 ? -seen.z : 1.0);
    vec3 tint = (flags & ${COLOURED}) != 0 ? texelFetch(colours, ivec2(int(look.r), 0), 0).rgb : idle;
    if ((flags & ${SHADED}) != 0) tint = mix(vec3(shade), tint, 0.42);
    colour = vec4(tint, (flags & ${DIMMED}) != 0 ? 0.16 : 1.0);
    ringed = (flags & ${RINGED}) != 0 ? 1.0 : 0.0;
    if ((flags & ${CHOSEN}) != 0) { gl_PointSize = max(gl_PointSize, 13.0) + 7.0; ringed = 2.0; }
  }`;

const FRAGMENT = `
  in vec4 colour;
  in float ringed;
  uniform vec3 ringTint;
  uniform vec3 chosenTint;
  void main() {
    float r = 2.0 * length(gl_PointCoord - 0.5);
    float edge = fwidth(r);
    bool ring = ringed > 0.5;
    float rim = ring ? 0.62 : 1.0;
    float disc = 1.0 - smoothstep(rim - edge, rim, r);
    float band = ring ? smoothstep(0.74 - edge, 0.74, r) * (1.0 - smoothstep(1.0 - edge, 1.0, r)) : 0.0;
    float alpha = max(disc, band);
    if (alpha < 0.02) discard;
    pixel = vec4(mix(colour.rgb, ringed > 1.5 ? chosenTint : ringTint, band), alpha * colour.a);
  }`;

/** A colour for each copy of the model; they repeat. */
const copyColours = ({ series }) => Array.from({ length: 256 }, (_, k) => series[k % series.length]);

export function createSatellites(shared, trace) {
  const looks = table(trace.count, Uint8Array, UnsignedByteType);
  const colours = new DataTexture(new Uint8Array(4 * 256), 256, 1);
  colours.minFilter = colours.magFilter = NearestFilter;
  const uniforms = {
    looks: { value: looks },
    colours: { value: colours },
    idle: { value: new Vector3() },
    ringTint: { value: new Vector3(1, 1, 1) },
    chosenTint: { value: new Vector3(1, 1, 1) },
    shade: { value: 0 },
  };
  const material = placed(shared, { uniforms, vertexShader: VERTEX, fragmentShader: FRAGMENT });
  const geometry = new BufferGeometry();
  geometry.setAttribute("satellite", new BufferAttribute(Float32Array.from({ length: trace.count }, (_, i) => i), 1));
  geometry.setDrawRange(0, trace.count);
  const object = new Points(geometry, material);
  object.frustumCulled = false;
  object.renderOrder = 3;

  return {
    object,
    /** Colours of a theme and of what the viewer chose. */
    paint({ palette, dark, colourBy }) {
      const signs = { state: palette.states, instance: copyColours(palette) }[colourBy];
      if (signs) {
        colours.image.data.fill(255);
        signs.forEach((hex, k) => colours.image.data.set(rgb(hex).map((v) => Math.round(255 * v)), 4 * k));
      } else {
        colours.image.data.set(ramp(palette.ramps[colourBy]));
      }
      colours.needsUpdate = true;
      uniforms.idle.value.fromArray(rgb(palette.idle));
      uniforms.ringTint.value.fromArray(rgb(palette.ring));
      uniforms.chosenTint.value.fromArray(rgb(palette.migration));
      uniforms.shade.value = dark ? 0.02 : 0.55;
    },
    /** What each satellite looks like at a frame. */
    update(frame, { colourBy, sizeByLoad, layer: focus, satellite: chosen }) {
      const { layer, role, instance } = placementAt(trace, frame);
      const { data } = looks.image;
      const at = frame * trace.count;
      const hosting = colourBy === "layer" || colourBy === "instance";
      const values = hosting ? null : trace[colourBy];
      const most = Math.max(trace.layers - 1, 1);
      for (let i = 0; i < trace.count; i += 1) {
        const mine = role[i];
        let size = SIZES[mine];
        if (values !== null && mine === 0) size *= 1.3;
        if (sizeByLoad) size = 3.2 + (trace.utilisation[at + i] / 255) * 14;
        const flag = (mark, on) => (on ? mark : 0);
        const flags = flag(RINGED, mine === GATEWAY) | flag(COLOURED, values !== null || layer[i] >= 0)
          | flag(DIMMED, focus >= 0 && layer[i] !== focus) | flag(CHOSEN, i === chosen)
          | flag(SHADED, colourBy !== "sunlit" && trace.sunlit[at + i] < 128);
        data[4 * i] = values !== null ? values[at + i] : colourBy === "instance" ? Math.max(instance[i], 0) % 256 : Math.max(0, Math.round((255 * layer[i]) / most));
        data[4 * i + 1] = Math.min(255, Math.round(8 * size));
        data[4 * i + 2] = flags;
      }
      looks.needsUpdate = true;
    },
    dispose() {
      looks.dispose();
      colours.dispose();
    },
  };
}
