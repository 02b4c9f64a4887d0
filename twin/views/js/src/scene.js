// The three.js stage: camera, renderer and the layers of the picture.

import { PerspectiveCamera, Scene, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

import { createEarth } from "./earth.js";
import { behindEarth } from "./horizon.js";
import { createLinks } from "./links.js";
import { createSatellites } from "./satellites.js";
import { createTokens } from "./tokens.js";
import { earthRotationAt, positionsAt } from "./trace.js";
import { firstViewpoint } from "./viewpoint.js";

const FIELD_OF_VIEW_DEG = 32;
// Point sizes are given for a canvas this high, seen from the default distance.
const REFERENCE_HEIGHT = 860;
// Of the camera at first, in radii of the constellation.
const DISTANCE = 4.6;
// The globe sits right of the legend and above the time bar.
const SHIFT_RIGHT = 0.055;
const SHIFT_UP = 0.05;
const PICK_REACH = 12;

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
  let distance = DISTANCE;

  /** Fit a canvas of `width` x `height` CSS pixels, drawn at `sharpness` times its full resolution. */
  function resize(width, height, sharpness) {
    const pixels = sharpness * Math.min(window.devicePixelRatio, 2);
    renderer.setPixelRatio(pixels);
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    // Narrower than high: the width decides how much fits.
    const narrow = Math.min(camera.aspect / 0.92, 1);
    camera.fov = (2 * Math.atan(Math.tan((FIELD_OF_VIEW_DEG * Math.PI) / 360) / narrow) * 180) / Math.PI;
    camera.setViewOffset(width, height, -SHIFT_RIGHT * width, SHIFT_UP * height, width, height);
    camera.updateProjectionMatrix();
    tokens.trails.setSize(width * pixels, height * pixels, pixels);
    const size = (distance * height * pixels) / REFERENCE_HEIGHT;
    satellites.scale.value = size;
    tokens.scale.value = size;
  }

  return {
    canvas: renderer.domElement,
    resize,
    setTrace(next) {
      // Another strategy on the same constellation is seen from where the last one was.
      const elsewhere = trace?.meta.name !== next.meta.name;
      trace = next;
      positions = new Float32Array(3 * trace.count);
      distance = DISTANCE * trace.shellRadius;
      controls.minDistance = 1.3 * trace.shellRadius;
      controls.maxDistance = 4 * distance;
      for (const layer of [links, satellites, tokens]) layer.setTrace(trace);
      if (elsewhere) {
        camera.position.copy(firstViewpoint(trace, distance));
        controls.update();
      }
    },
    draw({ time, tokenTime, colourBy, show }) {
      const frame = Math.min(Math.floor(time), trace.frames - 1);
      positionsAt(trace, time, positions);
      sunDirection.fromArray(trace.sun, 3 * frame).normalize();
      earth.update({ sunDirection, earthRotation: earthRotationAt(trace, time) });
      const eye = camera.position;
      const counts = links.update({ frame, positions, show, eye });
      satellites.update({ frame, positions, colourBy, eye });
      tokens.update({ frame, positions, tokenTime, show });
      renderer.render(scene, camera);
      return counts;
    },
    /** The satellite within reach of a point in CSS pixels, or -1. */
    pick(x, y) {
      const { clientWidth: width, clientHeight: height } = renderer.domElement;
      const place = new Vector3();
      let nearest = { satellite: -1, squared: PICK_REACH ** 2 };
      for (let i = 0; i < trace.count; i += 1) {
        if (behindEarth(camera.position, positions, 3 * i)) continue;
        place.fromArray(positions, 3 * i).project(camera);
        const right = ((place.x + 1) / 2) * width - x;
        const down = ((1 - place.y) / 2) * height - y;
        const squared = right * right + down * down;
        if (squared < nearest.squared) nearest = { satellite: i, squared };
      }
      return nearest.satellite;
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
}

/** Opaque and without multisampling: every line and point has soft edges of its own. */
function openRenderer() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { alpha: false, antialias: false, stencil: false });
  return new WebGLRenderer({ canvas, context });
}
