// Earth: land, coast and graticule from world-atlas, lit by the Sun; air around it; stars behind.

import { geoEquirectangular, geoGraticule10, geoPath } from "d3-geo";
import {
  AdditiveBlending, BackSide, BufferGeometry, CanvasTexture, CylinderGeometry,
  Float32BufferAttribute, FrontSide, Group, Mesh, PlaneGeometry, Points, PointsMaterial, ShaderMaterial,
  SphereGeometry, Vector3,
} from "three";
import { feature } from "topojson-client";
import land from "world-atlas/land-110m.json";

import { rgb } from "../data/colours.js";

const TEXTURE_WIDTH = 3072;
// For the first picture, which would else wait for it.
const COARSE_WIDTH = 1024;
const UP = new Vector3(0, 0, 1);

/** Masks in the channels of one picture: land red, coast green, graticule blue. */
function drawMasks(width) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = width / 2;
  // Drawn by the processor: where there is no graphics card, that is by far the faster way.
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "lighter";
  const projection = geoEquirectangular()
    .translate([canvas.width / 2, canvas.height / 2])
    .scale(canvas.width / (2 * Math.PI));
  const path = geoPath(projection, context);
  const shapes = feature(land, land.objects.land);
  const draw = (shape, style, line) => {
    context.beginPath();
    path(shape);
    if (line) {
      context.strokeStyle = style;
      context.lineWidth = (line * width) / TEXTURE_WIDTH;
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

// Day and night of a place on Earth, the same on the globe and on the map.
const TONES = `
  uniform sampler2D masks;
  uniform float light; // 1 on a light page
  vec3 tones(vec3 mask, float height) {
    float day = smoothstep(-0.10, 0.16, height);
    vec3 seaNight = mix(vec3(0.012, 0.022, 0.048), vec3(0.400, 0.470, 0.600), light);
    vec3 landNight = mix(vec3(0.035, 0.055, 0.092), vec3(0.470, 0.530, 0.620), light);
    vec3 seaDay = mix(vec3(0.050, 0.135, 0.260), vec3(0.760, 0.860, 0.955), light);
    vec3 landDay = mix(vec3(0.165, 0.300, 0.355), vec3(0.905, 0.925, 0.890), light);
    vec3 tone = mix(mix(seaNight, landNight, mask.r), mix(seaDay, landDay, mask.r) * (0.70 + mix(0.45, 0.30, light) * max(height, 0.0)), day);
    vec3 coast = mix(vec3(0.060, 0.110, 0.175), vec3(0.190, 0.330, 0.390), day);
    tone += mask.g * mix(coast, vec3(-0.22, -0.20, -0.16), light);
    tone += mask.b * mix(mix(0.012, 0.030, day), -0.035, light);
    // Warm light just on the day side of the terminator.
    float dusk = max(1.0 - abs(height - 0.01) / 0.085, 0.0);
    return tone + vec3(0.10, 0.045, 0.03) * dusk * dusk * (1.0 - light);
  }
`;

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

const SURFACE = `${TONES}
  uniform vec3 sun;
  varying vec2 place;
  varying vec3 normalWorld;
  varying vec3 toEye;
  void main() {
    float height = dot(normalize(normalWorld), sun);
    float day = smoothstep(-0.10, 0.16, height);
    vec3 tone = tones(texture2D(masks, place).rgb, height);
    float edge = 1.0 - max(dot(normalize(normalWorld), toEye), 0.0);
    vec3 rim = mix(vec3(0.02, 0.05, 0.12), vec3(0.14, 0.34, 0.62), day);
    tone += edge * edge * edge * mix(rim, vec3(-0.10, -0.07, -0.03), light);
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

// On the map `place` runs once round in longitude; the shell of the satellites has a shadow of its own.
const FLAT = `${TONES}
  uniform vec3 sunFixed;
  uniform float shell;
  uniform float shown;
  varying vec2 place;
  void main() {
    float longitude = (place.x - 0.5) * 6.28318530718;
    float latitude = (place.y - 0.5) * 3.14159265359;
    vec3 up = vec3(cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude));
    float height = dot(up, sunFixed);
    vec3 tone = tones(texture2D(masks, place).rgb, height);
    // A satellite overhead is in shadow where Earth's cylinder of shadow meets its shell.
    float limit = -sqrt(max(1.0 - 1.0 / (shell * shell), 0.0));
    float edge = abs(height - limit) / max(fwidth(height), 1e-5);
    tone = mix(tone, mix(vec3(0.54, 0.61, 1.0), vec3(0.15, 0.20, 0.42), light), shown * 0.7 * (1.0 - smoothstep(0.6, 1.6, edge)));
    if (height < limit) tone *= 1.0 - 0.25 * shown;
    gl_FragColor = vec4(tone, 1.0);
  }`;

// Earth's shadow as a volume: brighter where it is looked at edge-on, fading away from Earth.
const SHADOW_VERTEX = `
  varying float facing;
  varying float far;
  void main() {
    vec4 world = modelMatrix * vec4(position, 1.0);
    vec3 normalWorld = normalize(mat3(modelMatrix) * normal);
    facing = abs(dot(normalWorld, normalize(cameraPosition - world.xyz)));
    far = 1.0 - uv.y;
    gl_Position = projectionMatrix * (viewMatrix * world);
  }`;

const SHADOW = `
  uniform vec3 tint;
  varying float facing;
  varying float far;
  void main() {
    float rim = 1.0 - facing;
    gl_FragColor = vec4(tint, (0.05 + 0.22 * rim * rim) * (1.0 - far));
  }`;

const SHADOW_LENGTH = 1.6;

/** Earth for the globe (`globe`) and as a map (`map`); `update` moves its light. */
export function createEarth() {
  const uniforms = {
    masks: { value: new CanvasTexture(drawMasks(COARSE_WIDTH)) },
    light: { value: 0 },
    sun: { value: new Vector3(1, 0, 0) },
    sunFixed: { value: new Vector3(1, 0, 0) },
    shell: { value: 1.1 },
    shown: { value: 1 },
    tint: { value: new Vector3(1, 1, 1) },
  };
  const ball = new Mesh(
    new SphereGeometry(1, 96, 48).rotateX(Math.PI / 2),
    new ShaderMaterial({ uniforms, vertexShader: VERTEX, fragmentShader: SURFACE }),
  );
  const air = new Mesh(
    new SphereGeometry(1.065, 64, 32),
    new ShaderMaterial({
      uniforms, vertexShader: VERTEX, fragmentShader: AIR,
      side: BackSide, blending: AdditiveBlending, transparent: true, depthWrite: false,
    }),
  );
  const shadow = new Mesh(
    new CylinderGeometry(1, 1, SHADOW_LENGTH, 64, 1, true).translate(0, SHADOW_LENGTH / 2, 0).scale(1, -1, 1),
    new ShaderMaterial({
      uniforms, vertexShader: SHADOW_VERTEX, fragmentShader: SHADOW,
      side: FrontSide, transparent: true, depthWrite: false,
    }),
  );
  shadow.renderOrder = 1;
  const stars = createStars();
  const globe = new Group();
  globe.add(stars, air, ball, shadow);
  const map = new Mesh(
    new PlaneGeometry(4, 2),
    new ShaderMaterial({ uniforms, vertexShader: VERTEX, fragmentShader: FLAT, depthWrite: false }),
  );
  map.position.z = -0.01;
  const down = new Vector3(0, -1, 0);
  const away = new Vector3();
  return {
    globe,
    map,
    get texture() {
      return uniforms.masks.value;
    },
    /** Draw it as sharp as it is meant to be. */
    sharpen() {
      uniforms.masks.value.dispose();
      uniforms.masks.value = new CanvasTexture(drawMasks(TEXTURE_WIDTH));
    },
    paint({ palette, dark, show }) {
      uniforms.light.value = dark ? 0 : 1;
      uniforms.shown.value = show.shadow ? 1 : 0;
      uniforms.tint.value.fromArray(rgb(palette.shadow));
      air.visible = stars.visible = dark;
      shadow.visible = show.shadow;
    },
    /** `sun`: unit vector along the inertial axes; the globe is turned by `spin` against them. */
    update({ sun, earthTurn, spin, shell }) {
      uniforms.sun.value.copy(sun).applyAxisAngle(UP, spin);
      uniforms.sunFixed.value.copy(sun).applyAxisAngle(UP, -earthTurn);
      uniforms.shell.value = shell;
      ball.rotation.z = earthTurn + spin;
      shadow.quaternion.setFromUnitVectors(down, away.copy(uniforms.sun.value).negate());
    },
    dispose: () => uniforms.masks.value.dispose(),
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
