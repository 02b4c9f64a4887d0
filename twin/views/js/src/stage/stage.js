// The stage: one canvas, on which every pane draws its patch, and names written over it.

import { Vector3 } from "three";

import { tokenTime } from "../data/clock.js";
import { hopOf, journeys } from "../data/journey.js";
import { layout } from "../data/layout.js";
import { clamp } from "../data/numbers.js";
import { Captions } from "./captions.js";
import { taken } from "./early.js";
import { Field } from "./field.js";
import { Pane } from "./pane.js";

const LEGEND_WIDTH = 232;

export class Stage {
  constructor(onMove) {
    this.onMove = onMove;
    this.element = document.createElement("div");
    this.element.className = "tw-stage-area";
    const { renderer, earth } = taken();
    this.renderer = renderer;
    this.renderer.autoClear = false;
    this.captions = new Captions();
    this.element.append(this.renderer.domElement, this.captions.canvas);
    this.earth = earth;
    this.fields = [];
    this.panes = [];
    this.size = { width: 1, height: 1, pixelRatio: 1 };
    this.narrow = false;
    this.look = null;
    this.moved = false; // by the viewer, away from where cameras begin
  }

  setTraces(traces) {
    const kept = this.fields.filter((field) => traces.includes(field.trace));
    for (const field of this.fields) if (!kept.includes(field)) field.dispose();
    this.fields = traces.map((trace) => kept.find((field) => field.trace === trace) ?? new Field(trace));
    if (this.look) for (const field of this.fields) field.paint(this.look);
  }

  setViews(names) {
    const old = this.panes;
    const known = (field, name) => old.find((pane) => pane.field === field && pane.name === name);
    this.panes = this.fields.flatMap((field) => names.map((name) => known(field, name) ?? this.newPane(field, name)));
    for (const pane of old) if (!this.panes.includes(pane)) pane.dispose();
    this.layout();
    for (const pane of this.panes) {
      if (old.includes(pane)) continue;
      pane.scrolls(this.narrow);
      pane.home();
      // Another run of the same scenario is seen from where the last one was.
      const like = [...old, ...this.panes].find((other) => other !== pane && other.view === pane.view && old.includes(other));
      if (like?.trace.meta.name === pane.trace.meta.name) pane.pose = like.pose;
    }
  }

  newPane(field, name) {
    const pane = new Pane(field, name, () => {
      if (this.fields.length > 1) this.synchronise(pane);
      this.onMove();
    });
    pane.controls.addEventListener("start", () => (this.moved = true));
    this.element.append(pane.area);
    return pane;
  }

  /** Panes of a kind move together where several runs are compared. */
  synchronise(moved) {
    if (this.moving) return;
    this.moving = true;
    for (const pane of this.panes) if (pane !== moved && pane.view === moved.view) pane.pose = moved.pose;
    this.moving = false;
  }

  /** Where the cameras are, by view. */
  get poses() {
    return Object.fromEntries(this.panes.map((pane) => [pane.name, pane.pose]));
  }

  set poses(wanted) {
    if (Object.keys(wanted).length) this.moved = true;
    for (const pane of this.panes) if (wanted[pane.name]) pane.pose = wanted[pane.name];
  }

  home() {
    this.moved = false;
    for (const pane of this.panes) pane.home();
  }

  /** Zoom and turn the first pane, by buttons and keys. */
  zoom(factor) {
    this.moved = true;
    this.panes[0]?.zoom(factor);
  }

  turn(right, up) {
    this.moved = true;
    this.panes[0]?.turn(right, up);
  }

  paint(look) {
    this.look = look;
    this.captions.look = look;
    this.renderer.setClearColor(look.dark ? 0x04070e : 0xf3f6fb);
    this.earth.paint(look);
    for (const field of this.fields) field.paint(look);
  }

  stale() {
    for (const field of this.fields) field.stale();
  }

  resize(width, height, pixelRatio, narrow) {
    const moved = width !== this.size.width || height !== this.size.height || narrow !== this.narrow;
    this.size = { width, height, pixelRatio };
    this.narrow = narrow;
    this.renderer.setPixelRatio(pixelRatio);
    this.renderer.setSize(width, height, false);
    this.captions.resize(width, height);
    if (!moved) return;
    this.layout();
    for (const pane of this.panes) pane.scrolls(narrow);
  }

  layout() {
    const { width, height } = this.size;
    const views = [...new Set(this.panes.map((pane) => pane.name))];
    // The legend has a column of its own beside several pictures, where it does not lie below them.
    const rects = layout({ width, height, left: this.narrow ? 0 : LEGEND_WIDTH }, this.fields.length, views.length);
    for (const pane of this.panes) pane.resize(rects[this.fields.indexOf(pane.field)][views.indexOf(pane.name)]);
  }

  /** Draw every run where `timeOf` says it is. */
  draw(view, timeOf, captions) {
    this.renderer.setScissorTest(false);
    this.renderer.clear();
    this.renderer.setScissorTest(true);
    for (const field of this.fields) {
      const time = timeOf(field.trace);
      field.update(time, view);
      for (const pane of this.panes) {
        if (pane.field !== field) continue;
        pane.follow(time, view.fixed, target(pane, time, view));
        this.drawPane(pane, field);
      }
    }
    this.captions.write(this.panes, view, timeOf, captions);
  }

  drawPane(pane, field) {
    const { x, y, width, height } = pane.rect;
    const { pixelRatio } = this.size;
    this.renderer.setViewport(x, this.size.height - y - height, width, height);
    this.renderer.setScissor(x, this.size.height - y - height, width, height);
    field.wear(this.earth, pane.view);
    this.earth.update({ sun: field.sun, earthTurn: field.shared.earthTurn.value, spin: pane.spin, shell: field.trace.shellRadius });
    field.aim(pane.view, {
      spin: pane.spin, columns: width * pixelRatio, rows: height * pixelRatio, pixelRatio, scale: pane.pointScale(pixelRatio),
    });
    this.renderer.render(field.scene, pane.camera);
  }

  /** The pane at a point and the satellite near it; null and -1 if there is none. */
  pick(x, y, timeOf) {
    const pane = this.panes.find((each) => each.holds(x, y)) ?? null;
    return { pane, satellite: pane ? pane.pick(x, y, timeOf(pane.trace)) : -1 };
  }

  /** What was drawn last, with its names, as a canvas of its own. */
  picture() {
    const copy = document.createElement("canvas");
    copy.width = this.renderer.domElement.width;
    copy.height = this.renderer.domElement.height;
    const context = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
    context.drawImage(this.renderer.domElement, 0, 0);
    context.drawImage(this.captions.canvas, 0, 0, copy.width, copy.height);
    return copy;
  }

  dispose() {
    for (const pane of this.panes) pane.dispose();
    for (const field of this.fields) field.dispose();
    this.earth.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}

/** What the camera goes along with: a way to find the point, or null. */
function target(pane, time, { follow, satellite, token }) {
  const { trace } = pane;
  if (follow === "satellite" && satellite >= 0 && satellite < trace.count) return (out) => pane.scenePoint(satellite, time, out);
  if (follow !== "token" || token < 0) return null;
  const journey = journeys(trace, Math.floor(time)).find((j) => j.token === token);
  const age = tokenTime(time, trace.tokenSpan);
  const hop = journey ? hopOf(trace, journey, age) : -1;
  if (hop < 0) return null;
  return (out) => {
    const [start, end] = [trace.hop_start_s[hop], trace.hop_end_s[hop]];
    const done = clamp((age - start) / Math.max(end - start, 1e-9), 0, 1);
    const to = pane.scenePoint(trace.hop_target[hop], time, new Vector3());
    return pane.scenePoint(trace.hop_source[hop], time, out).lerp(to, done);
  };
}
