// The stage: one canvas, on which every pane draws its patch, and names written over it.

import { Vector3, WebGLRenderer } from "three";

import { createEarth } from "./earth.js";
import { createField, ringAngle } from "./field.js";
import { GLOBE, RING } from "./glsl.js";
import { hopOf, journeys } from "./journey.js";
import { VIEWS, createPane } from "./pane.js";
import { tokenTime } from "./clock.js";
import { layerColour } from "./colours.js";
import { nameOf, placementAt } from "./trace.js";

const GAP = 10;
const LEGEND_WIDTH = 232;
// Of the first view's width, where two or three share the stage.
const SIDE_SHARE = 0.68;

export function createStage(onMove) {
  const element = document.createElement("div");
  element.className = "tw-stage-area";
  const renderer = openRenderer();
  renderer.autoClear = false;
  const labels = document.createElement("canvas");
  labels.className = "tw-labels";
  element.append(renderer.domElement, labels);
  const ink = labels.getContext("2d");
  const earth = createEarth();
  let fields = [];
  let panes = [];
  let size = { width: 1, height: 1, pixelRatio: 1 };
  let look = null;
  const scratch = new Vector3();

  /** Panes in a grid: a column for each trace, or for each view where there is one trace. */
  function layout() {
    const { height } = size;
    const views = [...new Set(panes.map((pane) => pane.name))];
    if (fields.length === 1) {
      const shares = views.map((_, k) => (k === 0 ? 1 : SIDE_SHARE));
      const total = shares.reduce((a, b) => a + b, 0);
      let x = 0;
      panes.forEach((pane, k) => {
        const wide = ((size.width - GAP * (views.length - 1)) * shares[k]) / total;
        pane.resize({ x, y: 0, width: wide, height });
        x += wide + GAP;
      });
      return;
    }
    // The legend has a column of its own beside several pictures.
    const width = size.width - LEGEND_WIDTH;
    const columns = fields.length <= 3 || width < 2 * height ? Math.min(fields.length, 2 + (fields.length === 3)) : fields.length;
    const rows = Math.ceil(fields.length / columns);
    const wide = (width - GAP * (columns - 1)) / columns;
    const high = (height - GAP * (rows - 1)) / rows;
    const each = high / views.length;
    panes.forEach((pane) => {
      const at = fields.indexOf(pane.field);
      const row = views.indexOf(pane.name);
      pane.resize({
        x: LEGEND_WIDTH + (at % columns) * (wide + GAP),
        y: Math.floor(at / columns) * (high + GAP) + row * each,
        width: wide,
        height: each - (row < views.length - 1 ? GAP : 0),
      });
    });
  }

  return {
    element,
    get panes() {
      return panes;
    },
    get fields() {
      return fields;
    },
    setTraces(traces) {
      const kept = fields.filter((field) => traces.includes(field.trace));
      for (const field of fields) if (!kept.includes(field)) field.dispose();
      fields = traces.map((trace) => kept.find((field) => field.trace === trace) ?? createField(trace));
      if (look) for (const field of fields) field.paint(look);
    },
    setViews(names) {
      const old = panes;
      panes = fields.flatMap((field) =>
        names.map((name) => {
          const known = old.find((pane) => pane.field === field && pane.name === name);
          if (known) return known;
          const pane = createPane(field, name, () => {
            if (fields.length > 1) synchronise(pane);
            onMove();
          });
          element.append(pane.area);
          return pane;
        }),
      );
      for (const pane of old) if (!panes.includes(pane)) pane.dispose();
      layout();
      for (const pane of panes) {
        if (old.includes(pane)) continue;
        // Another run of the same constellation is seen from where the last one was.
        const like = [...old, ...panes].find((other) => other !== pane && other.view === pane.view && old.includes(other));
        pane.home();
        if (like?.view === GLOBE && like.field.trace.meta.name === pane.field.trace.meta.name) {
          pane.camera.position.copy(like.camera.position);
        }
      }
    },
    paint(next) {
      look = next;
      renderer.setClearColor(next.dark ? 0x04070e : 0xf3f6fb);
      earth.paint(next);
      for (const field of fields) field.paint(next);
    },
    resize(width, height, pixelRatio) {
      const moved = width !== size.width || height !== size.height;
      size = { width, height, pixelRatio };
      renderer.setPixelRatio(pixelRatio);
      renderer.setSize(width, height, false);
      const sharp = Math.min(window.devicePixelRatio, 2);
      labels.width = width * sharp;
      labels.height = height * sharp;
      ink.setTransform(sharp, 0, 0, sharp, 0, 0);
      if (moved) layout();
    },
    draw(clock, state) {
      renderer.setScissorTest(false);
      renderer.clear();
      renderer.setScissorTest(true);
      for (const field of fields) {
        const time = Math.min(clock.time, field.trace.ready - 1e-6);
        field.update(time, state);
        for (const pane of panes) {
          if (pane.field !== field) continue;
          pane.follow(time, state, target(pane, time, state));
          const { x, y, width, height } = pane.rect;
          renderer.setViewport(x, size.height - y - height, width, height);
          renderer.setScissor(x, size.height - y - height, width, height);
          field.wear(earth, pane.view);
          earth.update({
            sun: field.sun, earthTurn: field.shared.earthTurn.value, spin: pane.spin, shell: field.trace.shellRadius,
          });
          field.aim(pane.view, {
            spin: pane.spin,
            columns: width * size.pixelRatio,
            rows: height * size.pixelRatio,
            pixelRatio: size.pixelRatio,
            scale: pane.pointScale(size.pixelRatio),
          });
          renderer.render(field.scene, pane.camera);
        }
      }
      write(clock, state);
    },
    pick(x, y, clock) {
      for (const pane of panes) {
        const { rect } = pane;
        if (x < rect.x || y < rect.y || x > rect.x + rect.width || y > rect.y + rect.height) continue;
        return { pane, satellite: pane.pick(x, y, Math.min(clock.time, pane.field.trace.ready - 1e-6)) };
      }
      return { pane: null, satellite: -1 };
    },
    /** The picture with its names, as a canvas of its own. */
    picture(clock, state) {
      this.draw(clock, state);
      const copy = document.createElement("canvas");
      copy.width = renderer.domElement.width;
      copy.height = renderer.domElement.height;
      const context = copy.getContext("2d");
      context.drawImage(renderer.domElement, 0, 0);
      context.drawImage(labels, 0, 0, copy.width, copy.height);
      return copy;
    },
    dispose() {
      for (const pane of panes) pane.dispose();
      for (const field of fields) field.dispose();
      earth.dispose();
      renderer.dispose();
      renderer.forceContextLoss();
    },
  };

  /** Panes of a kind move together where several runs are compared. */
  function synchronise(moved) {
    for (const pane of panes) {
      if (pane === moved || pane.view !== moved.view) continue;
      pane.camera.position.copy(moved.camera.position);
      pane.camera.quaternion.copy(moved.camera.quaternion);
      pane.camera.zoom = moved.camera.zoom;
      pane.camera.updateProjectionMatrix();
    }
  }

  /** What the camera goes along with: a way to find the point, or null. */
  function target(pane, time, { follow, satellite, token }) {
    const { trace } = pane.field;
    if (follow === "satellite" && satellite >= 0) return (out) => pane.scenePoint(satellite, time, out);
    if (follow !== "token" || token < 0) return null;
    const frame = Math.floor(time);
    const journey = journeys(trace, frame).find((j) => j.token === token);
    const age = tokenTime(time, trace.tokenSpan);
    const hop = journey ? hopOf(trace, journey, age) : -1;
    if (hop < 0) return null;
    return (out) => {
      const done = Math.min(1, Math.max(0, (age - trace.hop_start_s[hop]) / Math.max(trace.hop_end_s[hop] - trace.hop_start_s[hop], 1e-9)));
      const to = pane.scenePoint(trace.hop_target[hop], time, new Vector3());
      return pane.scenePoint(trace.hop_source[hop], time, out).lerp(to, done);
    };
  }

  /** Names over the picture: layers at their gateways, the chosen satellite, what the panes show. */
  function write(clock, state) {
    ink.clearRect(0, 0, size.width, size.height);
    ink.textBaseline = "middle";
    for (const pane of panes) {
      const { trace } = pane.field;
      const time = Math.min(clock.time, trace.ready - 1e-6);
      const { gateways } = placementAt(trace, Math.floor(time));
      if (pane.view === RING) sectors(pane, trace, gateways, state);
      if (state.show.labels && pane.view !== RING) {
        gateways.forEach((satellite, layer) => {
          if (satellite < 0 || (state.layer >= 0 && state.layer !== layer)) return;
          const at = pane.project(pane.scenePoint(satellite, time, scratch));
          if (at) text(String(layer + 1), at.x + 11, at.y - 10, state.layer === layer ? 15 : 12, layerInk(layer, trace));
        });
      }
      if (state.satellite >= 0 && state.satellite < trace.count) {
        const at = pane.project(pane.scenePoint(state.satellite, time, scratch));
        if (at) text(nameOf(trace, state.satellite), at.x + 16, at.y + 14, 13, look.ink);
      }
      if (fields.length > 1) caption(pane, trace);
    }
  }

  function caption(pane, trace) {
    const { strategy, policy } = trace.meta;
    const { x, y, width, height } = pane.rect;
    const words = policy === "static" ? strategy : `${strategy}, ${policy}`;
    text(words, x + width / 2, y + height - 26, 15, look.ink, "center");
    ink.fillStyle = look.palette.series[fields.indexOf(pane.field) % look.palette.series.length];
    ink.fillRect(x + width / 2 - 24, y + height - 14, 48, 4);
  }

  /** Round the ring: the stretch of the orbit where each layer sits, and its number. */
  function sectors(pane, trace, gateways, state) {
    const centre = pane.project(scratch.set(0, 0, 0));
    const edge = pane.project(scratch.set(1, 0, 0));
    if (!centre || !edge) return;
    const radius = edge.x - centre.x;
    gateways.forEach((satellite, layer) => {
      if (satellite < 0) return;
      const focused = state.layer === layer;
      if (state.layer >= 0 && !focused) return;
      const angle = ringAngle(trace, satellite);
      const far = radius * 1.02;
      const font = focused ? 16 : Math.min(12, Math.max(8, radius / 22));
      if (state.show.labels || focused) {
        text(String(layer + 1), centre.x + far * Math.cos(angle), centre.y - far * Math.sin(angle), font, layerInk(layer, trace), "center");
      }
    });
  }

  /** A layer's colour as ink: light enough, or dark enough, to be read. */
  function layerInk(layer, trace) {
    const colour = layerColour(look.palette.ramps.layer, layer, trace.layers);
    return `color-mix(in srgb, ${colour} 62%, ${look.dark ? "white" : "black"})`;
  }

  function text(words, x, y, px, colour, align = "left") {
    ink.font = `500 ${px}px Roboto, "Helvetica Neue", Arial, sans-serif`;
    ink.textAlign = align;
    ink.lineWidth = 3;
    ink.lineJoin = "round";
    ink.strokeStyle = look.dark ? "rgba(4, 7, 14, 0.85)" : "rgba(255, 255, 255, 0.85)";
    ink.strokeText(words, x, y);
    ink.fillStyle = colour;
    ink.fillText(words, x, y);
  }
}

/** Opaque and without multisampling: every line and point has soft edges of its own. */
function openRenderer() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { alpha: false, antialias: false, stencil: false });
  return new WebGLRenderer({ canvas, context });
}

export { VIEWS };
