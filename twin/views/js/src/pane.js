// A pane: one trace seen in one way, with a camera of its own on a patch of the stage.

import { OrthographicCamera, PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

import { ringPoint } from "./field.js";
import { GLOBE, MAP, RING } from "./glsl.js";
import { behindEarth } from "./horizon.js";
import { earthRotationAt, positionOf } from "./trace.js";
import { firstViewpoint } from "./viewpoint.js";

const FIELD_OF_VIEW_DEG = 32;
// Point sizes are given for a pane this high, seen from the default distance.
const REFERENCE_HEIGHT = 860;
// Of the camera at first, in radii of the constellation.
const DISTANCE = 4.35;
const PICK_REACH = 12;
// Half the height that a flat view shows at first.
const HALF_HEIGHT = { [MAP]: 1.12, [RING]: 1.16 };

export const VIEWS = { globe: GLOBE, map: MAP, ring: RING };
const AXIS = new Vector3(0, 0, 1);

export function createPane(field, name, onMove) {
  const view = VIEWS[name];
  const { trace } = field;
  const area = document.createElement("div");
  area.className = "tw-pane";
  area.dataset.pane = name;
  area.tabIndex = -1;
  const globe = view === GLOBE;
  const camera = globe ? new PerspectiveCamera(FIELD_OF_VIEW_DEG, 1, 0.05, 200) : new OrthographicCamera(-1, 1, 1, -1, -10, 10);
  if (globe) camera.up.set(0, 0, 1);
  else camera.position.z = 5;
  const controls = new OrbitControls(camera, area);
  controls.rotateSpeed = 0.5;
  controls.enablePan = !globe;
  controls.enableRotate = globe;
  controls.zoomToCursor = !globe;
  // A flat view is moved with any button.
  if (!globe) controls.mouseButtons = { LEFT: 2, MIDDLE: 1, RIGHT: 2 };
  controls.addEventListener("change", onMove);

  let rect = { x: 0, y: 0, width: 1, height: 1 };
  let distance = DISTANCE;
  let spin = 0;
  let wasFixed = false;
  let before = null; // where the followed thing was, to carry the camera along
  const place = new Vector3();
  const held = [0, 0, 0];

  function home() {
    distance = DISTANCE * trace.shellRadius;
    if (globe) {
      controls.minDistance = 1.06 * trace.shellRadius;
      controls.maxDistance = 4 * distance;
      camera.position.copy(firstViewpoint(trace, distance)).applyAxisAngle(AXIS, spin);
    } else {
      camera.position.set(0, 0, 5);
      camera.zoom = 1;
      controls.minZoom = 0.6;
      controls.maxZoom = 30;
    }
    controls.target.set(0, 0, 0);
    controls.update();
    frame();
  }

  function frame() {
    const aspect = rect.width / rect.height;
    if (globe) {
      camera.aspect = aspect;
      // Narrower than high: the width decides how much fits.
      const narrow = Math.min(aspect / 0.96, 1);
      // A wide pane has the legend on its left.
      const shift = aspect > 0.75 ? 0.06 * rect.width : 0;
      camera.setViewOffset(rect.width, rect.height, -shift, 0, rect.width, rect.height);
      camera.fov = (2 * Math.atan(Math.tan((FIELD_OF_VIEW_DEG * Math.PI) / 360) / narrow) * 180) / Math.PI;
    } else {
      const wide = view === MAP ? 2.06 : HALF_HEIGHT[view];
      const half = Math.max(HALF_HEIGHT[view], wide / aspect);
      Object.assign(camera, { left: -half * aspect, right: half * aspect, top: half, bottom: -half });
    }
    camera.updateProjectionMatrix();
  }

  /** Where a satellite is drawn, in the space of the camera. */
  function scenePoint(satellite, time, out) {
    if (view === RING) return out.set(...ringPoint(trace, satellite), 0);
    positionOf(trace, time, satellite, held);
    out.fromArray(held);
    return settle(out, time);
  }

  function settle(point, time) {
    if (view === GLOBE) return point.applyAxisAngle(AXIS, spin);
    let longitude = Math.atan2(point.y, point.x) - earthRotationAt(trace, time);
    longitude -= 2 * Math.PI * Math.floor((longitude + Math.PI) / (2 * Math.PI));
    return point.set((2 * longitude) / Math.PI, (2 * Math.asin(point.z / point.length())) / Math.PI, 0);
  }

  function hidden(point) {
    return globe && behindEarth(camera.position, [point.x, point.y, point.z], 0);
  }

  /** Pixels of a point in the pane, or null where it cannot be seen. */
  function project(point) {
    if (hidden(point)) return null;
    place.copy(point).project(camera);
    if (Math.abs(place.x) > 1.1 || Math.abs(place.y) > 1.1) return null;
    return { x: rect.x + ((place.x + 1) / 2) * rect.width, y: rect.y + ((1 - place.y) / 2) * rect.height };
  }

  const scratch = new Vector3();
  return {
    name,
    view,
    field,
    area,
    camera,
    get rect() {
      return rect;
    },
    home,
    resize(next) {
      rect = next;
      Object.assign(area.style, {
        left: `${rect.x}px`, top: `${rect.y}px`, width: `${rect.width}px`, height: `${rect.height}px`,
      });
      frame();
    },
    zoom(factor) {
      if (globe) camera.position.multiplyScalar(1 / factor);
      else camera.zoom = Math.min(Math.max(camera.zoom * factor, controls.minZoom), controls.maxZoom);
      camera.updateProjectionMatrix();
      controls.update();
    },
    turn(right, up) {
      if (globe) {
        camera.position.applyAxisAngle(AXIS, -right);
        const flat = Math.hypot(camera.position.x, camera.position.y);
        const radius = camera.position.length();
        const height = Math.min(Math.max(Math.atan2(camera.position.z, flat) + up, -1.5), 1.5);
        camera.position.multiplyScalar(Math.cos(height) / flat * radius).setZ(radius * Math.sin(height));
      } else {
        controls.target.x += right / camera.zoom;
        controls.target.y += up / camera.zoom;
        camera.position.x = controls.target.x;
        camera.position.y = controls.target.y;
      }
      controls.update();
    },
    /** Turn with Earth or with the stars, and go along with what is followed (a point, or null). */
    follow(time, { fixed }, target) {
      const wanted = globe && fixed ? -earthRotationAt(trace, time) : 0;
      if (globe && fixed !== wasFixed) {
        // What is in view stays in view when the viewer changes the frame.
        camera.position.applyAxisAngle(AXIS, wanted - spin);
        wasFixed = fixed;
        controls.update();
      }
      spin = wanted;
      if (target === null) {
        before = null;
        return;
      }
      const point = target(scratch);
      if (globe) {
        const angle = Math.atan2(point.y, point.x);
        const height = Math.asin(point.z / point.length());
        if (before !== null) {
          const lift = height - before.height;
          const radius = camera.position.length();
          camera.position.applyAxisAngle(AXIS, angle - before.angle);
          const flat = Math.hypot(camera.position.x, camera.position.y);
          const next = Math.min(Math.max(Math.atan2(camera.position.z, flat) + lift, -1.5), 1.5);
          camera.position.multiplyScalar((Math.cos(next) * radius) / flat).setZ(radius * Math.sin(next));
        } else {
          const radius = camera.position.length();
          camera.position.copy(point).setLength(radius);
        }
        before = { angle, height };
      } else {
        controls.target.set(point.x, point.y, 0);
        camera.position.set(point.x, point.y, 5);
      }
      controls.update();
    },
    get spin() {
      return spin;
    },
    scenePoint,
    settle,
    project,
    pointScale(pixelRatio) {
      if (globe) return (distance * rect.height * pixelRatio) / REFERENCE_HEIGHT / Math.max(1, 0.96 * rect.height / rect.width);
      const dense = Math.min(rect.height, rect.width) / REFERENCE_HEIGHT;
      return pixelRatio * Math.min(Math.max(1.15 * dense * Math.sqrt(camera.zoom), 0.45), 3);
    },
    /** The satellite within reach of a point in pixels of the stage, or -1. */
    pick(x, y, time) {
      let nearest = { satellite: -1, squared: PICK_REACH ** 2 };
      for (let i = 0; i < trace.count; i += 1) {
        const at = project(scenePoint(i, time, scratch));
        if (at === null) continue;
        const squared = (at.x - x) ** 2 + (at.y - y) ** 2;
        if (squared < nearest.squared) nearest = { satellite: i, squared };
      }
      return nearest.satellite;
    },
    dispose() {
      controls.dispose();
      area.remove();
    },
  };
}
