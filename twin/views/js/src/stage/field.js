// One trace on the graphics card: what every pane that shows it draws.

import { Group, Scene, Vector3 } from "three";

import { createArcs, dispatchPairs, migrationPairs, ringPairs } from "./arcs.js";
import { tokenTime } from "../data/clock.js";
import { GLOBE, MAP, table } from "./glsl.js";
import { createGround } from "./ground.js";
import { createLinks } from "./links.js";
import { createSatellites } from "./satellites.js";
import { Tokens } from "./tokens.js";
import { earthRotationAt, framesAt } from "../data/motion.js";
import { EARTH_RADIUS_KM } from "../data/trace.js";

// The ring view's circles: the first plane inside, the last outside.
const INNER = 0.3;
const OUTER = 0.94;

export function ringPoint(trace, satellite) {
  const share = trace.meta.n_planes > 1 ? trace.plane[satellite] / (trace.meta.n_planes - 1) : 1;
  const radius = INNER + (OUTER - INNER) * share;
  const angle = ringAngle(trace, satellite);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Clockwise from the top, once round the orbit. */
export function ringAngle(trace, satellite) {
  return Math.PI / 2 - 2 * Math.PI * trace.ring[satellite];
}

export class Field {
  constructor(trace) {
    this.trace = trace;
    const [placeNow, placeNext, ringPlace] = (this.textures = [table(trace.count), table(trace.count), table(trace.count)]);
    for (let i = 0; i < trace.count; i += 1) ringPlace.image.data.set(ringPoint(trace, i), 4 * i);
    this.shared = {
      placeNow: { value: placeNow },
      placeNext: { value: placeNext },
      ringPlace: { value: ringPlace },
      blend: { value: 0 },
      spin: { value: 0 },
      earthTurn: { value: 0 },
      view: { value: GLOBE },
      scale: { value: 1 },
    };
    this.satellites = createSatellites(this.shared, trace);
    this.links = createLinks(this.shared, trace);
    this.tokens = new Tokens(this.shared, trace);
    this.ground = createGround(this.shared, trace);
    this.ring = createArcs(this.shared, { lift: 0.03, width: 1.6, alpha: 0.4, dashes: 0 });
    this.moves = createArcs(this.shared, { lift: 0.16, width: 3.2, alpha: 0.95, dashes: 22 });
    // One for each colour of copies.
    this.sent = trace.meta.palette.dark.series.map(() => createArcs(this.shared, { lift: 0.1, width: 2.2, alpha: 0.85, dashes: 14 }));
    this.earth = new Group();
    this.scene = new Scene();
    const { earth, links, ground, satellites, ring, tokens, moves } = this;
    this.scene.add(earth, ...[links, ground, satellites, ring, tokens, moves, ...this.sent].map(({ object }) => object));
    this.sun = new Vector3();
    this.stale();
  }

  /** What is drawn of the present frame is no longer what is known of it. */
  stale() {
    this.drawn = { frame: -1, next: -1, looks: "" };
  }

  load(texture, frame) {
    const { data } = texture.image;
    const { positions, count } = this.trace;
    for (let i = 0, at = 3 * count * frame; i < count; i += 1, at += 3) {
      data[4 * i] = positions[at] / EARTH_RADIUS_KM;
      data[4 * i + 1] = positions[at + 1] / EARTH_RADIUS_KM;
      data[4 * i + 2] = positions[at + 2] / EARTH_RADIUS_KM;
    }
    texture.needsUpdate = true;
  }

  paint(look) {
    for (const layer of [this.satellites, this.links, this.tokens, this.ground]) layer.paint(look);
    this.ring.paint(look.palette.ring);
    this.moves.paint(look.palette.migration);
    this.sent.forEach((arcs, k) => arcs.paint(look.palette.series[k]));
    this.drawn.looks = "";
  }

  /** Go to a fractional frame. */
  update(time, view) {
    const { trace, drawn, shared } = this;
    const { now, next, blend } = framesAt(trace, time);
    if (now !== drawn.frame || next !== drawn.next) {
      this.load(shared.placeNow.value, now);
      this.load(shared.placeNext.value, next);
    }
    if (now !== drawn.frame) {
      this.links.update(now);
      this.ground.update(now);
    }
    const looks = `${now} ${view.colourBy} ${view.sizeByLoad} ${view.layer} ${view.satellite} ${view.token}`;
    if (drawn.looks !== looks) this.restyle(now, view);
    this.drawn = { frame: now, next, looks };
    shared.blend.value = blend;
    shared.earthTurn.value = earthRotationAt(trace, time);
    this.sun.fromArray(trace.sun, 3 * now).normalize();
    this.tokens.at(tokenTime(time, trace.tokenSpan), view.token);
    for (const arcs of [this.moves, ...this.sent]) arcs.uniforms.march.value = (time * 12) % 1;
  }

  restyle(frame, view) {
    this.tokens.update(frame, view.token);
    this.satellites.update(frame, view);
    this.ring.set(view.show.ring ? ringPairs(this.trace, frame) : []);
    this.moves.set(view.show.migrations ? migrationPairs(this.trace, frame) : []);
    this.sent.forEach((arcs, k) => arcs.set(view.show.dispatch ? dispatchPairs(this.trace, frame, (copy) => copy % this.sent.length === k) : []));
  }

  /** Set up for one pane: its view, its size in pixels, the size of a point. */
  aim(view, { spin, columns, rows, pixelRatio, scale }) {
    this.shared.view.value = view;
    this.shared.spin.value = spin;
    this.shared.scale.value = scale;
    for (const layer of [this.tokens, this.ring, this.moves, ...this.sent]) layer.setSize(columns, rows, pixelRatio);
  }

  /** Put the Earth of the stage behind this trace. */
  wear(stageEarth, view) {
    this.earth.clear();
    if (view === GLOBE) this.earth.add(stageEarth.globe);
    if (view === MAP) this.earth.add(stageEarth.map);
  }

  dispose() {
    for (const texture of this.textures) texture.dispose();
    for (const layer of [this.satellites, this.links]) layer.dispose();
    this.earth.clear();
    this.scene.traverse(({ geometry, material }) => {
      geometry?.dispose();
      material?.dispose();
    });
  }
}
