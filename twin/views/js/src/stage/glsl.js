// Where a satellite stands, on the graphics card: in every view, at any time between two frames.

import { DataTexture, FloatType, GLSL3, NearestFilter, RGBAFormat, ShaderMaterial } from "three";

export const GLOBE = 0;
export const MAP = 1;
export const RING = 2;

const WIDTH = 256;

/** A texture with four values for each of `count` things, which shaders read with `at(number)`. */
export function table(count, kind = /** @type {any} */ (Float32Array), type = FloatType) {
  const height = Math.max(1, Math.ceil(count / WIDTH));
  const texture = new DataTexture(new kind(4 * WIDTH * height), WIDTH, height, RGBAFormat, type);
  texture.minFilter = NearestFilter;
  texture.magFilter = NearestFilter;
  texture.needsUpdate = true;
  return texture;
}

/** Shared by all shaders of a trace; `view` and the camera change from pane to pane. */
const PLACES = `
  precision highp sampler2D;
  uniform sampler2D placeNow;
  uniform sampler2D placeNext;
  uniform sampler2D ringPlace;
  uniform float blend;
  uniform float spin;
  uniform float earthTurn;
  uniform int view;
  const float PI = 3.14159265358979;

  ivec2 at(float number) {
    int n = int(number + 0.5);
    return ivec2(n % ${WIDTH}, n / ${WIDTH});
  }
  vec3 inertial(float satellite) {
    vec3 a = texelFetch(placeNow, at(satellite), 0).xyz;
    vec3 b = texelFetch(placeNext, at(satellite), 0).xyz;
    return normalize(mix(a, b, blend)) * mix(length(a), length(b), blend);
  }
  vec3 turned(vec3 p, float angle) {
    float c = cos(angle);
    float s = sin(angle);
    return vec3(c * p.x - s * p.y, s * p.x + c * p.y, p.z);
  }
  vec3 onMap(vec3 p) {
    float longitude = atan(p.y, p.x) - earthTurn;
    longitude -= 2.0 * PI * floor((longitude + PI) / (2.0 * PI));
    return vec3(2.0 * longitude / PI, 2.0 * asin(p.z / length(p)) / PI, 0.0);
  }
  vec3 place(float satellite) {
    if (view == ${RING}) return vec3(texelFetch(ringPlace, at(satellite), 0).xy, 0.0);
    vec3 p = inertial(satellite);
    return view == ${MAP} ? onMap(p) : turned(p, spin);
  }
  /** The other end of a line, on the side of the date line where the first one is. */
  vec3 beside(vec3 q, vec3 p) {
    if (view == ${MAP} && abs(q.x - p.x) > 2.0) q.x += q.x < p.x ? 4.0 : -4.0;
    return q;
  }
  bool hidden(vec3 p) {
    if (view != ${GLOBE}) return false;
    float distance = length(cameraPosition);
    float depth = dot(p, cameraPosition) / distance;
    if (depth > 1.0 / distance) return false;
    float offAxis = dot(p, p) - depth * depth;
    // The shadow that a lamp at the eye would cast: a cone touching the ball.
    return offAxis * (distance * distance - 1.0) < (distance - depth) * (distance - depth);
  }
  const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);
`;

export function placed(shared, { uniforms = {}, vertexShader, fragmentShader, ...rest }) {
  return new ShaderMaterial({
    glslVersion: GLSL3,
    uniforms: { ...shared, ...uniforms },
    vertexShader: PLACES + vertexShader,
    fragmentShader: `out vec4 pixel;\n${fragmentShader}`,
    transparent: true,
    depthWrite: false,
    ...rest,
  });
}
