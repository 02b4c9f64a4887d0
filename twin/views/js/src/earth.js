// Earth: land, coast and graticule from world-atlas, lit by the Sun; air around it; stars behind.

import { geoEquirectangular, geoGraticule10, geoPath } from "d3-geo";
import {
  AdditiveBlending, BackSide, BufferGeometry, CanvasTexture, Float32BufferAttribute, Group, Mesh,
  Points, PointsMaterial, ShaderMaterial, SphereGeometry, Vector3,
} from "three";
import { feature } from "topojson-client";
import land from "world-atlas/land-110m.json";

const TEXTURE_WIDTH = 3072;

/** Masks in the channels of one picture: land red, coast green, graticule blue. */
function drawMasks() {
  const canvas = document.createElement("canvas");
  canvas.width = TEXTURE_WIDTH;
  canvas.height = TEXTURE_WIDTH / 2;
  const context = canvas.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "lighter";
  const projection = geoEquirectangular()
    .translate([canvas.width / 2, canvas.height / 2])
    .scale(canvas.width / (2 * Math.PI));
  const path = geoPath(projection, context);
  const shapes = feature(land, land.objects.land);
  const draw = (shape, style, width) => {
    context.beginPath();
    path(shape);
    if (width) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    } else {
      context.fillStyle = style;
      context.fill();
    }
  };
  draw(shapes, "#f00");
  draw(shapes, "#0f0", 3);
  draw(geoGraticule10(), "#00f", 1.6);
  return canvas;
}

const VERTEX = `
  varying vec2 place;
  varying vec3 normalWorld;
  varying vec3 toEye;
  void main() {
    place = uv;
    vec4 world = modelMatrix * vec4(position, 1.0);
    normalWorld = normalize(mat3(modelMatrix) * normal);
    toEye = normalize(cameraPosition - world.xyz);
    gl_Position = projectionMatrix * (viewMatrix * world);
  }`;

const SURFACE = `
  uniform sampler2D masks;
  uniform vec3 sun;
  varying vec2 place;
  varying vec3 normalWorld;
  varying vec3 toEye;
  void main() {
    vec3 mask = texture2D(masks, place).rgb;
    float height = dot(normalize(normalWorld), sun);
    float day = smoothstep(-0.10, 0.16, height);
    vec3 nightTone = mix(vec3(0.012, 0.022, 0.048), vec3(0.035, 0.055, 0.092), mask.r);
    vec3 dayTone = mix(vec3(0.050, 0.135, 0.260), vec3(0.165, 0.300, 0.355), mask.r);
    dayTone *= 0.70 + 0.45 * max(height, 0.0);
    vec3 tone = mix(nightTone, dayTone, day);
    tone += mask.g * mix(vec3(0.060, 0.110, 0.175), vec3(0.190, 0.330, 0.390), day);
    tone += mask.b * mix(0.012, 0.030, day);
    // Warm light just on the day side of the terminator.
    float dusk = max(1.0 - abs(height - 0.01) / 0.085, 0.0);
    tone += vec3(0.10, 0.045, 0.03) * dusk * dusk;
    float edge = 1.0 - max(dot(normalize(normalWorld), toEye), 0.0);
    tone += edge * edge * edge * mix(vec3(0.02, 0.05, 0.12), vec3(0.14, 0.34, 0.62), day);
    gl_FragColor = vec4(tone, 1.0);
  }`;

const AIR = `
  uniform vec3 sun;
  varying vec3 normalWorld;
  varying vec3 toEye;
  void main() {
    float facing = max(-dot(normalize(normalWorld), toEye), 0.0);
    float lit = smoothstep(-0.35, 0.45, dot(normalize(normalWorld), sun));
    float depth = facing / 0.36;
    float glow = depth * depth * sqrt(depth) * mix(0.16, 0.85, lit);
    gl_FragColor = vec4(vec3(0.26, 0.56, 1.0) * min(glow, 1.0), 1.0);
  }`;

export function createEarth() {
  const sun = { value: new Vector3(1, 0, 0) };
  const texture = new CanvasTexture(drawMasks());
  const ball = new Mesh(
    new SphereGeometry(1, 96, 48).rotateX(Math.PI / 2),
    new ShaderMaterial({
      uniforms: { masks: { value: texture }, sun },
      vertexShader: VERTEX,
      fragmentShader: SURFACE,
    }),
  );
  const air = new Mesh(
    new SphereGeometry(1.065, 64, 32),
    new ShaderMaterial({
      uniforms: { sun },
      vertexShader: VERTEX,
      fragmentShader: AIR,
      side: BackSide,
      blending: AdditiveBlending,
      transparent: true,
      depthWrite: false,
    }),
  );
  const object = new Group();
  object.add(createStars(), air, ball);
  return {
    object,
    update({ sunDirection, earthRotation }) {
      sun.value.copy(sunDirection);
      ball.rotation.z = earthRotation;
    },
  };
}

/** A fixed sky, the same on every visit. */
function createStars() {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const places = [];
  const tints = [];
  for (let i = 0; i < 1400; i += 1) {
    const z = 2 * random() - 1;
    const angle = 2 * Math.PI * random();
    const flat = 60 * Math.sqrt(1 - z * z);
    places.push(flat * Math.cos(angle), flat * Math.sin(angle), 60 * z);
    const light = 0.12 + 0.5 * random() ** 4;
    tints.push(light * 0.85, light * 0.92, light);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute(places, 3));
  geometry.setAttribute("color", new Float32BufferAttribute(tints, 3));
  return new Points(
    geometry,
    new PointsMaterial({ size: 1.6, sizeAttenuation: false, vertexColors: true, depthWrite: false }),
  );
}
