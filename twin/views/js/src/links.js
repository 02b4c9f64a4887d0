// Laser links: live ones as a faint mesh, those that are down in a colour of their own.

import {
  AdditiveBlending, BufferAttribute, BufferGeometry, DynamicDrawUsage, Group, LineBasicMaterial,
  LineSegments,
} from "three";

import { behindEarth } from "./horizon.js";
import { edgeUp } from "./trace.js";

/** Lines one pixel wide: thousands of wider ones are slow to draw without a graphics card. */
function createLines(opacity) {
  const material = new LineBasicMaterial({
    transparent: true,
    opacity,
    blending: AdditiveBlending,
    depthWrite: false,
  });
  const object = new LineSegments(new BufferGeometry(), material);
  object.frustumCulled = false;
  return {
    object,
    reserve(lines, colour) {
      material.color.set(colour);
      object.geometry.dispose();
      object.geometry = new BufferGeometry();
      const ends = new BufferAttribute(new Float32Array(6 * lines), 3).setUsage(DynamicDrawUsage);
      object.geometry.setAttribute("position", ends);
    },
    get ends() {
      return object.geometry.attributes.position.array;
    },
    commit(lines) {
      object.geometry.setDrawRange(0, 2 * lines);
      object.geometry.attributes.position.needsUpdate = true;
    },
  };
}

export function createLinks() {
  const live = createLines(0.3);
  const down = createLines(0.6);
  const object = new Group();
  object.add(live.object, down.object);
  let trace = null;

  return {
    object,
    setTrace(next) {
      trace = next;
      live.reserve(trace.edges.length / 2, trace.palette.link);
      down.reserve(trace.edges.length / 2, trace.palette.link_down);
    },
    /** Draw the links of a frame; how many are live and how many are down. */
    update({ frame, positions, show, eye }) {
      live.object.visible = show.live;
      down.object.visible = show.down;
      const counts = { live: 0, down: 0 };
      const drawn = { live: 0, down: 0 };
      const { edges } = trace;
      const ends = { live: live.ends, down: down.ends };
      for (let e = 0; e < edges.length / 2; e += 1) {
        const state = edgeUp(trace, frame, e) ? "live" : "down";
        counts[state] += 1;
        const a = 3 * edges[2 * e];
        const b = 3 * edges[2 * e + 1];
        if (behindEarth(eye, positions, a) && behindEarth(eye, positions, b)) continue;
        const at = 6 * drawn[state]++;
        for (let c = 0; c < 3; c += 1) {
          ends[state][at + c] = positions[a + c];
          ends[state][at + 3 + c] = positions[b + c];
        }
      }
      live.commit(drawn.live);
      down.commit(drawn.down);
      return counts;
    },
  };
}
