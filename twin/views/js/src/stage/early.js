// What the first picture needs whatever its run is. The page's HTML has it made while Solara starts.

import { PerspectiveCamera, WebGLRenderer } from "three";

import { createEarth } from "./earth.js";
import { Field } from "./field.js";
import { GLOBE } from "./glsl.js";

/** A run of one satellite and one site: what draws it has all shaders. */
const NOBODY = /** @type {any} */ ({
  count: 1, links: 1, edges: [0, 0], plane: [0], ring: [0],
  meta: { n_planes: 1, sites: [{ latitude_deg: 0, longitude_deg: 0 }], palette: { dark: { series: [""] } }, vocabulary: { link_states: [] } },
});

/** @type {{renderer: WebGLRenderer, earth: ReturnType<typeof createEarth>} | null} */
let made = null;

function make() {
  const renderer = openRenderer();
  const earth = createEarth();
  return { renderer, earth };
}

/** Make it now, and give the graphics card its shaders and its picture of Earth. */
export function prepare() {
  if (made) return;
  made = make();
  const { renderer, earth } = made;
  const camera = new PerspectiveCamera();
  camera.position.z = 5;
  const field = new Field(NOBODY);
  field.wear(earth, GLOBE);
  // Neither waits for the graphics card; to draw would.
  renderer.compile(field.scene, camera);
  renderer.initTexture(earth.texture);
}

/** Renderer and Earth for a stage, which disposes of them. */
export function taken() {
  const given = made ?? make();
  made = null;
  return given;
}

/** Opaque and without multisampling: every line and point has soft edges of its own. */
function openRenderer() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true"); // the table of satellites says what it shows
  const context = canvas.getContext("webgl2", { alpha: false, antialias: false, stencil: false });
  return new WebGLRenderer({ canvas, context });
}
