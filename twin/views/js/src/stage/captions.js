// Names over the picture: layers at their gateways, the chosen satellite, what each run is.

import { Vector3 } from "three";

import { layerColour } from "../data/colours.js";
import { nameOf, placementAt } from "../data/trace.js";
import { ringAngle } from "./field.js";
import { RING } from "./glsl.js";

const scratch = new Vector3();

export class Captions {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "tw-labels";
    this.ink = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** @type {any} */
    this.look = null;
    this.width = this.height = 0;
  }

  resize(width, height) {
    const sharp = Math.min(window.devicePixelRatio, 2);
    this.width = width;
    this.height = height;
    this.canvas.width = width * sharp;
    this.canvas.height = height * sharp;
    this.ink.setTransform(sharp, 0, 0, sharp, 0, 0);
  }

  /** `captions`: of each run on stage its name and colour; none where there is one. */
  write(panes, view, timeOf, captions) {
    this.ink.clearRect(0, 0, this.width, this.height);
    this.ink.textBaseline = "middle";
    for (const pane of panes) {
      const { trace } = pane;
      const time = timeOf(trace);
      const { gateways } = placementAt(trace, Math.floor(time));
      if (pane.view === RING) this.sectors(pane, gateways, view);
      else if (view.show.labels) this.layers(pane, gateways, view, time);
      if (view.satellite >= 0 && view.satellite < trace.count) {
        const at = pane.project(pane.scenePoint(view.satellite, time, scratch));
        if (at) this.text(nameOf(trace, view.satellite), at.x + 16, at.y + 14, 13, this.look.ink);
      }
      if (captions.has(trace)) this.caption(pane, captions.get(trace));
    }
  }

  layers(pane, gateways, { layer: focus }, time) {
    gateways.forEach((satellite, layer) => {
      if (satellite < 0 || (focus >= 0 && focus !== layer)) return;
      const at = pane.project(pane.scenePoint(satellite, time, scratch));
      if (at) this.text(String(layer), at.x + 11, at.y - 10, focus === layer ? 15 : 12, this.layerInk(layer, pane.trace));
    });
  }

  /** Round the ring: the stretch of the orbit where each layer sits, and its number. */
  sectors(pane, gateways, { layer: focus, show }) {
    const centre = pane.project(scratch.set(0, 0, 0));
    const edge = pane.project(scratch.set(1, 0, 0));
    if (!centre || !edge) return;
    const radius = edge.x - centre.x;
    gateways.forEach((satellite, layer) => {
      const focused = focus === layer;
      if (satellite < 0 || (focus >= 0 && !focused) || !(show.labels || focused)) return;
      const angle = ringAngle(pane.trace, satellite);
      const [x, y] = [centre.x + 1.02 * radius * Math.cos(angle), centre.y - 1.02 * radius * Math.sin(angle)];
      const font = focused ? 16 : Math.min(12, Math.max(8, radius / 22));
      this.text(String(layer), x, y, font, this.layerInk(layer, pane.trace), "center");
    });
  }

  caption(pane, { words, colour }) {
    const { x, y, width, height } = pane.rect;
    const lines = words.length > width / 7 ? [words.slice(0, words.lastIndexOf(",", width / 7) + 1 || undefined), words.slice(words.lastIndexOf(",", width / 7) + 1)] : [words];
    lines.filter(Boolean).forEach((line, k, all) => {
      this.text(line.trim(), x + width / 2, y + height - 26 - 18 * (all.length - 1 - k), 15, this.look.ink, "center");
    });
    this.ink.fillStyle = colour;
    this.ink.fillRect(x + width / 2 - 24, y + height - 14, 48, 4);
  }

  /** A layer's colour as ink: light enough, or dark enough, to be read. */
  layerInk(layer, trace) {
    const colour = layerColour(this.look.palette.ramps.layer, layer, trace.layers);
    return `color-mix(in srgb, ${colour} 62%, ${this.look.dark ? "white" : "black"})`;
  }

  text(words, x, y, px, colour, align = "left") {
    const { ink } = this;
    ink.font = `500 ${px}px Roboto, "Helvetica Neue", Arial, sans-serif`;
    ink.textAlign = /** @type {CanvasTextAlign} */ (align);
    ink.lineWidth = 3;
    ink.lineJoin = "round";
    ink.strokeStyle = this.look.dark ? "rgba(4, 7, 14, 0.85)" : "rgba(255, 255, 255, 0.85)";
    ink.strokeText(words, x, y);
    ink.fillStyle = colour;
    ink.fillText(words, x, y);
  }
}
