// The three.js stage: camera, renderer and the layers of the picture.

import { PerspectiveCamera, Scene, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

import { createEarth } from "./earth.js";
import { createLinks } from "./links.js";
import { createSatellites } from "./satellites.js";
import { createTokens } from "./tokens.js";
import { earthRotationAt, positionsAt } from "./trace.js";

const FIELD_OF_VIEW_DEG = 32;
// Point sizes are given for a canvas this high, seen from the default distance.
const REFERENCE_HEIGHT = 860;

export function createScene(onMove) {
  const renderer = openRenderer();
  renderer.setClearColor(0x04070e);
  const camera = new PerspectiveCamera(FIELD_OF_VIEW_DEG, 1, 0.05, 200);
  camera.up.set(0, 0, 1);
  const controls = new OrbitControls(camera, renderer.domElement);
  controls.enablePan = false;
  controls.rotateSpeed = 0.5;
  controls.addEventListener("change", onMove);

  const earth = createEarth();
  const links = createLinks();
  const tokens = createTokens();
  const satellites = createSatellites();
  const scene = new Scene();
  scene.add(earth.object, links.object, satellites.object, tokens.object);

  const sunDirection = new Vector3();
  let trace = null;
  let positions = new Float32Array(0);
  let distance = 4.4;

  /** Fit a canvas of `width` x `height` CSS pixels, drawn at `sharpness` times its full resolution. */
  function resize(width, height, sharpness) {
    const pixels = sharpness * Math.min(window.devicePixelRatio, 2);
    renderer.setPixelRatio(pixels);
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    for (const ribbons of [...links.ribbons, ...tokens.ribbons]) {
      ribbons.setSize(width * pixels, height * pixels, pixels);
    }
    const size = (distance * height * pixels) / REFERENCE_HEIGHT;
    satellites.scale.value = size;
    tokens.scale.value = size;
  }

  return {
    canvas: renderer.domElement,
    resize,
    setTrace(next) {
      const first = trace === null;
      trace = next;
      positions = new Float32Array(3 * trace.count);
      distance = 4.05 * trace.shellRadius;
      controls.minDistance = 1.3 * trace.shellRadius;
      controls.maxDistance = 4 * distance;
      for (const layer of [links, satellites, tokens]) layer.setTrace(trace);
      if (first) frameCamera();
    },
    draw({ time, tokenTime, colourBy, show }) {
      const frame = Math.min(Math.floor(time), trace.frames - 1);
      positionsAt(trace, time, positions);
      sunDirection.fromArray(trace.sun, 3 * frame).normalize();
      earth.update({ sunDirection, earthRotation: earthRotationAt(trace, time) });
      const counts = links.update({ frame, positions, show, eye: camera.position });
      satellites.update({ frame, positions, colourBy });
      tokens.update({ frame, positions, tokenTime, show });
      renderer.render(scene, camera);
      return counts;
    },
    dispose() {
      controls.dispose();
      scene.traverse(({ geometry, material }) => {
        geometry?.dispose();
        material?.dispose();
      });
      renderer.dispose();
    },
  };

  /** Start where both day and night, and the terminator between them, are in view. */
  function frameCamera() {
    const sun = Math.atan2(trace.sun[1], trace.sun[0]);
    const angle = sun - 1.15;
    const tilt = 0.42;
    camera.position
      .set(Math.cos(angle) * Math.cos(tilt), Math.sin(angle) * Math.cos(tilt), Math.sin(tilt))
      .multiplyScalar(distance);
    controls.update();
  }
}

/** Opaque and without multisampling: every line and point has soft edges of its own. */
function openRenderer() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { alpha: false, antialias: false, stencil: false });
  return new WebGLRenderer({ canvas, context });
}
