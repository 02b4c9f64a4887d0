// One trace on the graphics card: what every pane that shows it draws.

import { Group, Scene, Vector3 } from "three";

import { createArcs, migrationPairs, ringPairs } from "./arcs.js";
import { tokenTime } from "./clock.js";
import { GLOBE, MAP, table } from "./glsl.js";
import { createGround } from "./ground.js";
import { createLinks } from "./links.js";
import { createSatellites } from "./satellites.js";
import { createTokens } from "./tokens.js";
import { EARTH_RADIUS_KM, earthRotationAt, framesAt } from "./trace.js";

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

export function createField(trace) {
  const textures = { placeNow: table(trace.count), placeNext: table(trace.count), ringPlace: table(trace.count) };
  for (let i = 0; i < trace.count; i += 1) textures.ringPlace.image.data.set(ringPoint(trace, i), 4 * i);
  const shared = {
    placeNow: { value: textures.placeNow },
    placeNext: { value: textures.placeNext },
    ringPlace: { value: textures.ringPlace },
    blend: { value: 0 },
    spin: { value: 0 },
    earthTurn: { value: 0 },
    view: { value: GLOBE },
    scale: { value: 1 },
  };
  const satellites = createSatellites(shared, trace);
  const links = createLinks(shared, trace);
  const tokens = createTokens(shared, trace);
  const ground = createGround(shared, trace);
  const ring = createArcs(shared, { lift: 0.03, width: 1.6, alpha: 0.4, dashes: 0 });
  const moves = createArcs(shared, { lift: 0.16, width: 3.2, alpha: 0.95, dashes: 22 });
  const scene = new Scene();
  const earth = new Group();
  scene.add(earth, links.object, ground.object, satellites.object, ring.object, tokens.object, moves.object);
  const sun = new Vector3();
  let drawn = { frame: -1, next: -1, looks: "" };

  function load(texture, frame) {
    const { data } = texture.image;
    const p = trace.positions;
    for (let i = 0, at = 3 * trace.count * frame; i < trace.count; i += 1, at += 3) {
      data[4 * i] = p[at] / EARTH_RADIUS_KM;
      data[4 * i + 1] = p[at + 1] / EARTH_RADIUS_KM;
      data[4 * i + 2] = p[at + 2] / EARTH_RADIUS_KM;
    }
    texture.needsUpdate = true;
  }

  return {
    trace,
    scene,
    shared,
    links,
    sun,
    paint(look) {
      for (const layer of [satellites, links, tokens, ground]) layer.paint(look);
      ring.paint(look.palette.ring);
      moves.paint(look.palette.migration);
      drawn.looks = "";
    },
    /** Go to a fractional frame. */
    update(time, state) {
      const { now, next, blend } = framesAt(trace, time);
      if (now !== drawn.frame || next !== drawn.next) {
        load(textures.placeNow, now);
        load(textures.placeNext, next);
      }
      if (now !== drawn.frame) {
        links.update(now);
        tokens.update(now, state.token);
        ground.update(now);
        ring.set(state.show.ring ? ringPairs(trace, now) : []);
        moves.set(state.show.migrations ? migrationPairs(trace, now) : []);
        drawn.looks = "";
      }
      const looks = `${state.colourBy} ${state.sizeByLoad} ${state.layer} ${state.satellite} ${state.token}`;
      if (drawn.looks !== looks) {
        if (now === drawn.frame) tokens.update(now, state.token);
        satellites.update(now, state);
        ring.set(state.show.ring ? ringPairs(trace, now) : []);
        moves.set(state.show.migrations ? migrationPairs(trace, now) : []);
      }
      drawn = { frame: now, next, looks };
      shared.blend.value = blend;
      shared.earthTurn.value = earthRotationAt(trace, time);
      sun.fromArray(trace.sun, 3 * now).normalize();
      tokens.at(tokenTime(time, trace.tokenSpan), state.token);
      moves.uniforms.march.value = (time * 12) % 1;
    },
    /** Set up for one pane: its view, its size in pixels, the size of a point. */
    aim(view, { spin, columns, rows, pixelRatio, scale }) {
      shared.view.value = view;
      shared.spin.value = spin;
      shared.scale.value = scale;
      for (const layer of [tokens, ring, moves]) layer.setSize(columns, rows, pixelRatio);
    },
    /** Put the Earth of the stage behind this trace. */
    wear(stageEarth, view) {
      earth.clear();
      if (view === GLOBE) earth.add(stageEarth.globe);
      if (view === MAP) earth.add(stageEarth.map);
    },
    dispose() {
      for (const texture of Object.values(textures)) texture.dispose();
      for (const layer of [satellites, links]) layer.dispose();
      earth.clear();
      scene.traverse(({ geometry, material }) => {
        geometry?.dispose();
        material?.dispose();
      });
    },
  };
}
