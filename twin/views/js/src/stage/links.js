// Laser links, thin: live ones a faint mesh, those being acquired and those down in colours of their own.

import { BufferAttribute, BufferGeometry, DataTexture, LineSegments, NearestFilter, UnsignedByteType, Vector4 } from "three";

import { recordAt, toned } from "../data/carried.js";
import { ramp, rgb } from "../data/colours.js";
import { placed, table } from "./glsl.js";
import { LINK_GROUPS, linkGroups, stepOf } from "../data/trace.js";

const VERTEX = `
  in vec3 link; // this end, the other end, the link's number
  uniform sampler2D groups;
  uniform vec4 tints[4];
  uniform sampler2D loads;
  uniform bool byLoad;
  out vec4 colour;
  void main() {
    vec3 p = place(link.x);
    vec3 q = place(link.y);
    vec2 state = texelFetch(groups, at(link.z), 0).rg * 255.0 + 0.5;
    int group = int(state.x);
    colour = tints[group];
    if (view == 2) colour.a *= 0.55; // denser there
    if (byLoad && state.y >= 1.0) colour = vec4(texelFetch(loads, ivec2(int(state.y), 0), 0).rgb, 0.45 + 0.55 * state.y / 255.0);
    else if (byLoad && group == 0) colour.a *= 0.4;
    bool away = colour.a == 0.0 || (hidden(p) && hidden(q));
    // Lines across the date line are drawn from one end, out of the map.
    if (view == 1 && abs(p.x - q.x) > 2.0 && link.x > link.y) p = beside(p, q);
    gl_Position = away ? NOWHERE : projectionMatrix * modelViewMatrix * vec4(p, 1.0);
  }`;

const FRAGMENT = `
  in vec4 colour;
  void main() {
    pixel = colour;
  }`;

export function createLinks(shared, trace) {
  const groups = table(trace.links, Uint8Array, UnsignedByteType);
  const tints = [0, 1, 2, 3].map(() => new Vector4());
  const loads = new DataTexture(new Uint8Array(4 * 256), 256, 1);
  loads.minFilter = loads.magFilter = NearestFilter;
  const byLoad = { value: false };
  const material = placed(shared, {
    uniforms: { groups: { value: groups }, tints: { value: tints }, loads: { value: loads }, byLoad },
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
  });
  const geometry = new BufferGeometry();
  const ends = new Float32Array(6 * trace.links);
  for (let e = 0; e < trace.links; e += 1) {
    const [a, b] = [trace.edges[2 * e], trace.edges[2 * e + 1]];
    ends.set([a, b, e, b, a, e], 6 * e);
  }
  geometry.setAttribute("link", new BufferAttribute(ends, 3));
  geometry.setDrawRange(0, 2 * trace.links);
  const object = new LineSegments(geometry, material);
  object.frustumCulled = false;
  object.renderOrder = 1;
  const group = linkGroups(trace);

  return {
    object,
    paint({ palette, dark, show }) {
      const alphas = dark ? [0.26, 0.8, 0.6] : [0.42, 0.9, 0.75];
      LINK_GROUPS.slice(0, 3).forEach((name, k) => {
        tints[k].set(...rgb(palette.links[name]), show[name] ? alphas[k] : 0);
      });
      loads.image.data.set(ramp(palette.ramps.utilisation));
      loads.needsUpdate = true;
      byLoad.value = Boolean(show.load && trace.traffic?.records);
    },
    /** State of every link at a frame. */
    update(frame) {
      const { data } = groups.image;
      const at = frame * trace.links;
      for (let e = 0; e < trace.links; e += 1) {
        data[4 * e] = group[trace.link_state[at + e]];
        data[4 * e + 1] = 0;
      }
      for (const [e, load] of loadedLinks(trace, frame)) data[4 * e + 1] = Math.max(1, Math.round(255 * toned(load / 255)));
      groups.needsUpdate = true;
    },
    dispose() {
      groups.dispose();
      loads.dispose();
    },
  };
}

/** Links that carried something by the last record before a frame, and how much. */
function loadedLinks(trace, frame) {
  const { traffic } = trace;
  return traffic?.records?.[recordAt(traffic.steps, stepOf(trace, frame))] ?? [];
}
