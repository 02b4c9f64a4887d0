// Many straight lines of a given width in pixels, drawn in one go.

import {
  DynamicDrawUsage, InstancedBufferAttribute, InstancedBufferGeometry,
  Float32BufferAttribute, Mesh, ShaderMaterial, Vector2,
} from "three";

// In pixels of the canvas: anything thinner would be drawn with gaps, so it gets paler instead.
const LEAST_WIDTH = 1.05;

const VERTEX = `
  attribute vec3 from;
  attribute vec3 to;
  attribute vec4 tint;
  attribute vec2 fade;
  uniform vec2 resolution;
  uniform float width;
  varying vec4 colour;
  varying float side;
  void main() {
    vec4 a = projectionMatrix * (modelViewMatrix * vec4(from, 1.0));
    vec4 b = projectionMatrix * (modelViewMatrix * vec4(to, 1.0));
    vec2 along = (b.xy / b.w - a.xy / a.w) * resolution;
    float size = length(along);
    along = size > 0.0 ? along / size : vec2(1.0, 0.0);
    gl_Position = mix(a, b, position.x);
    gl_Position.xy += vec2(-along.y, along.x) * position.y * width / resolution * gl_Position.w;
    colour = vec4(tint.rgb, tint.a * mix(fade.x, fade.y, position.x));
    side = position.y;
  }`;

const FRAGMENT = `
  uniform float strength;
  varying vec4 colour;
  varying float side;
  void main() {
    gl_FragColor = vec4(colour.rgb, strength * colour.a * (1.0 - side * side));
  }`;

/** Lines `width` pixels wide: `reserve` room, write into the arrays, then `commit` how many. */
export function createRibbons(width) {
  const uniforms = {
    resolution: { value: new Vector2(1, 1) },
    width: { value: width },
    strength: { value: 1 },
  };
  const material = new ShaderMaterial({
    uniforms,
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    transparent: true,
    depthWrite: false,
  });
  const mesh = new Mesh(new InstancedBufferGeometry(), material);
  mesh.frustumCulled = false;
  const ribbons = {
    object: mesh,
    setSize(columns, rows, pixelRatio) {
      uniforms.resolution.value.set(columns, rows);
      const wanted = width * pixelRatio;
      uniforms.width.value = Math.max(wanted, LEAST_WIDTH);
      uniforms.strength.value = Math.min(wanted / LEAST_WIDTH, 1);
    },
    reserve(capacity) {
      mesh.geometry.dispose();
      const geometry = new InstancedBufferGeometry();
      const corners = [0, -1, 0, 1, -1, 0, 1, 1, 0, 0, 1, 0];
      geometry.setAttribute("position", new Float32BufferAttribute(corners, 3));
      geometry.setIndex([0, 1, 2, 0, 2, 3]);
      for (const [name, size] of [["from", 3], ["to", 3], ["tint", 4], ["fade", 2]]) {
        const attribute = new InstancedBufferAttribute(new Float32Array(size * capacity), size);
        attribute.setUsage(DynamicDrawUsage);
        geometry.setAttribute(name, attribute);
        ribbons[name] = attribute.array;
      }
      geometry.instanceCount = 0;
      mesh.geometry = geometry;
    },
    commit(count) {
      mesh.geometry.instanceCount = count;
      for (const name of ["from", "to", "tint", "fade"]) mesh.geometry.attributes[name].needsUpdate = true;
    },
  };
  ribbons.reserve(0);
  return ribbons;
}
