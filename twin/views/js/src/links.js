// Laser links: live ones as a faint mesh, those that are down in a colour of their own.

import { Group } from "three";

import { behindEarth } from "./horizon.js";
import { rgb } from "./palette.js";
import { createRibbons } from "./ribbons.js";
import { edgeUp } from "./trace.js";

export function createLinks() {
  const live = createRibbons(1.1);
  const down = createRibbons(1.3);
  const object = new Group();
  object.add(live.object, down.object);
  let trace = null;

  return {
    object,
    ribbons: [live, down],
    setTrace(next) {
      trace = next;
      live.reserve(trace.edges.length / 2);
      down.reserve(trace.edges.length / 2);
      paint(live, rgb(trace.palette.link), 0.3);
      paint(down, rgb(trace.palette.link_down), 0.55);
    },
    /** Draw the links of a frame; how many are live and how many are down. */
    update({ frame, positions, show, eye }) {
      live.object.visible = show.live;
      down.object.visible = show.down;
      const counts = { live: 0, down: 0 };
      const drawn = { live: 0, down: 0 };
      const { edges } = trace;
      for (let e = 0; e < edges.length / 2; e += 1) {
        const up = edgeUp(trace, frame, e);
        counts[up ? "live" : "down"] += 1;
        const a = 3 * edges[2 * e];
        const b = 3 * edges[2 * e + 1];
        if (behindEarth(eye, positions, a) && behindEarth(eye, positions, b)) continue;
        const target = up ? live : down;
        const at = 3 * (up ? drawn.live++ : drawn.down++);
        for (let c = 0; c < 3; c += 1) {
          target.from[at + c] = positions[a + c];
          target.to[at + c] = positions[b + c];
        }
      }
      live.commit(drawn.live);
      down.commit(drawn.down);
      return counts;
    },
  };
}

function paint(ribbons, colour, alpha) {
  for (let i = 0; i < ribbons.tint.length; i += 4) ribbons.tint.set([...colour, alpha], i);
  ribbons.fade.fill(1);
}
