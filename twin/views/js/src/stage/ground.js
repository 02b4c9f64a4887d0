// Ground sites, and the link from each to the satellite that serves it.

import { BufferAttribute, BufferGeometry, Group, LineSegments, Points, Vector3 } from "three";

import { rgb } from "../data/colours.js";
import { placed } from "./glsl.js";

const SITE = `
  vec3 onGround(vec3 site) {
    if (view == 0) return turned(site, earthTurn + spin) * 1.002;
    return vec3(2.0 * atan(site.y, site.x) / PI, 2.0 * asin(site.z) / PI, 0.0);
  }
`;

const POINT_VERTEX = `${SITE}
  in vec3 site;
  in float served;
  uniform float scale;
  out float lit;
  void main() {
    vec3 p = onGround(site);
    vec4 seen = modelViewMatrix * vec4(p, 1.0);
    gl_Position = view == 2 || hidden(p) ? NOWHERE : projectionMatrix * seen;
    gl_PointSize = 7.0 * scale / (view == 0 ? -seen.z : 1.0);
    lit = served;
  }`;

const POINT_FRAGMENT = `
  in float lit;
  uniform vec3 tint;
  void main() {
    vec2 c = abs(gl_PointCoord - 0.5) * 2.0;
    float inside = c.x + c.y;
    if (inside > 1.0 || (lit < 0.5 && inside < 0.55)) discard;
    pixel = vec4(tint, 1.0);
  }`;

const LINE_VERTEX = `${SITE}
  in vec3 site;
  in vec2 end; // satellite, and whether this is its end
  void main() {
    vec3 p = onGround(site);
    bool away = view == 2 || end.x < 0.0;
    vec3 here = p;
    if (!away && end.y > 0.5) here = beside(place(end.x), p);
    away = away || hidden(p);
    gl_Position = away ? NOWHERE : projectionMatrix * modelViewMatrix * vec4(here, 1.0);
  }`;

const LINE_FRAGMENT = `
  uniform vec3 tint;
  void main() {
    pixel = vec4(tint, 0.8);
  }`;

export function createGround(shared, trace) {
  const { sites } = trace.meta;
  const tint = { value: new Vector3() };
  const places = new Float32Array(3 * sites.length);
  sites.forEach(({ latitude_deg, longitude_deg }, k) => {
    const [lat, lon] = [(latitude_deg * Math.PI) / 180, (longitude_deg * Math.PI) / 180];
    places.set([Math.cos(lat) * Math.cos(lon), Math.cos(lat) * Math.sin(lon), Math.sin(lat)], 3 * k);
  });
  const dots = new BufferGeometry();
  dots.setAttribute("site", new BufferAttribute(places, 3));
  dots.setAttribute("served", new BufferAttribute(new Float32Array(sites.length), 1));
  dots.setDrawRange(0, sites.length);
  const lines = new BufferGeometry();
  const twice = new Float32Array(6 * sites.length);
  for (let k = 0; k < sites.length; k += 1) {
    twice.set(places.subarray(3 * k, 3 * k + 3), 6 * k);
    twice.set(places.subarray(3 * k, 3 * k + 3), 6 * k + 3);
  }
  lines.setAttribute("site", new BufferAttribute(twice, 3));
  lines.setAttribute("end", new BufferAttribute(new Float32Array(4 * sites.length), 2));
  lines.setDrawRange(0, 2 * sites.length);
  const object = new Group();
  object.add(
    new Points(dots, placed(shared, { uniforms: { tint }, vertexShader: POINT_VERTEX, fragmentShader: POINT_FRAGMENT })),
    new LineSegments(lines, placed(shared, { uniforms: { tint }, vertexShader: LINE_VERTEX, fragmentShader: LINE_FRAGMENT })),
  );
  for (const child of object.children) {
    child.frustumCulled = false;
    child.renderOrder = 2;
  }

  return {
    object,
    paint({ palette, show }) {
      object.visible = show.ground && sites.length > 0;
      tint.value.fromArray(rgb(palette.ground));
    },
    update(frame) {
      for (let k = 0; k < sites.length; k += 1) {
        const satellite = trace.serving[frame * sites.length + k];
        dots.attributes.served.array[k] = satellite >= 0 ? 1 : 0;
        lines.attributes.end.array.set([satellite, 0, satellite, 1], 4 * k);
      }
      dots.attributes.served.needsUpdate = true;
      lines.attributes.end.needsUpdate = true;
    },
  };
}
