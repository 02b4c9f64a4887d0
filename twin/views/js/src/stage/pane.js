// A pane: one trace seen in one way, with a camera of its own on a patch of the stage.

import { OrthographicCamera, PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

import { behindEarth } from "../data/horizon.js";
import { clamp } from "../data/numbers.js";
import { earthRotationAt, positionOf } from "../data/motion.js";
import { ringPoint } from "./field.js";
import { GLOBE, MAP, RING } from "./glsl.js";
import { firstViewpoint } from "./viewpoint.js";

const FIELD_OF_VIEW_DEG = 32;
// Point sizes are given for a pane this high, seen from the default distance.
const REFERENCE_HEIGHT = 860;
// Of the camera at first, in radii of the constellation.
const DISTANCE = 4.35;
const PICK_REACH = 12;
// Half the height that a flat view shows at first.
const HALF_HEIGHT = { [MAP]: 1.12, [RING]: 1.16 };
// From here on a flat view shows so little that it must go along with what is followed.
const CLOSE = 1.2;
const STEEPEST_RAD = 1.5;

export const VIEWS = { globe: GLOBE, map: MAP, ring: RING };
const AXIS = new Vector3(0, 0, 1);
const scratch = new Vector3();
const place = new Vector3();
const held = [0, 0, 0];

export class Pane {
  constructor(field, name, onMove) {
    this.field = field;
    this.trace = field.trace;
    this.name = name;
    this.view = VIEWS[name];
    this.globe = this.view === GLOBE;
    this.rect = { x: 0, y: 0, width: 1, height: 1 };
    this.distance = DISTANCE;
    this.spin = 0;
    this.fixed = false;
    /** @type {any} */
    this.before = null; // where the followed thing was, to carry the camera along
    this.area = document.createElement("div");
    this.area.className = "tw-pane";
    this.area.dataset.pane = name;
    this.camera = this.globe ? new PerspectiveCamera(FIELD_OF_VIEW_DEG, 1, 0.05, 200) : new OrthographicCamera(-1, 1, 1, -1, -10, 10);
    if (this.globe) this.camera.up.set(0, 0, 1);
    else this.camera.position.z = 5;
    this.controls = this.control(onMove);
  }

  control(onMove) {
    const controls = new OrbitControls(this.camera, this.area);
    controls.rotateSpeed = 0.5;
    controls.enablePan = !this.globe;
    controls.enableRotate = this.globe;
    controls.zoomToCursor = !this.globe;
    // A flat view is moved with any button.
    if (!this.globe) controls.mouseButtons = { LEFT: 2, MIDDLE: 1, RIGHT: 2 };
    controls.addEventListener("change", onMove);
    return controls;
  }

  /** In a column that scrolls, wheel and finger scroll it; buttons and keys zoom. */
  scrolls(narrow) {
    this.area.style.touchAction = narrow ? "pan-y" : "none";
    this.controls.enableZoom = !narrow;
  }

  home() {
    const { controls, camera, trace } = this;
    this.distance = DISTANCE * trace.shellRadius;
    if (this.globe) {
      controls.minDistance = 1.06 * trace.shellRadius;
      controls.maxDistance = 4 * this.distance;
      camera.position.copy(firstViewpoint(trace, this.distance)).applyAxisAngle(AXIS, this.spin);
    } else {
      camera.position.set(0, 0, 5);
      camera.zoom = 1;
      controls.minZoom = 0.6;
      controls.maxZoom = 30;
    }
    controls.target.set(0, 0, 0);
    controls.update();
    this.frame();
  }

  /** Where the camera is: of the globe its place in radii of the constellation, else centre and zoom. */
  get pose() {
    const { position, zoom } = this.camera;
    if (!this.globe) return [position.x, position.y, zoom];
    return position.clone().applyAxisAngle(AXIS, -this.spin).divideScalar(this.trace.shellRadius).toArray();
  }

  set pose([a, b, c]) {
    const { camera, controls } = this;
    if (this.globe) {
      camera.position.set(a, b, c).multiplyScalar(this.trace.shellRadius).applyAxisAngle(AXIS, this.spin);
      camera.position.clampLength(controls.minDistance, controls.maxDistance);
    } else {
      camera.position.set(a, b, 5);
      controls.target.set(a, b, 0);
      camera.zoom = clamp(c, controls.minZoom, controls.maxZoom);
    }
    camera.updateProjectionMatrix();
    controls.update();
  }

  frame() {
    const { camera, rect } = this;
    const aspect = rect.width / rect.height;
    if (this.globe) {
      camera.aspect = aspect;
      // Narrower than high: the width decides how much fits.
      const narrow = Math.min(aspect / 0.96, 1);
      // A wide pane has the legend on its left.
      const shift = aspect > 0.75 ? 0.06 * rect.width : 0;
      camera.setViewOffset(rect.width, rect.height, -shift, 0, rect.width, rect.height);
      camera.fov = (2 * Math.atan(Math.tan((FIELD_OF_VIEW_DEG * Math.PI) / 360) / narrow) * 180) / Math.PI;
    } else {
      const wide = this.view === MAP ? 2.06 : HALF_HEIGHT[this.view];
      const half = Math.max(HALF_HEIGHT[this.view], wide / aspect);
      Object.assign(camera, { left: -half * aspect, right: half * aspect, top: half, bottom: -half });
    }
    camera.updateProjectionMatrix();
  }

  resize(rect) {
    this.rect = rect;
    const { x, y, width, height } = rect;
    Object.assign(this.area.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    this.frame();
  }

  zoom(factor) {
    const { camera, controls } = this;
    if (this.globe) camera.position.multiplyScalar(1 / factor);
    else camera.zoom = clamp(camera.zoom * factor, controls.minZoom, controls.maxZoom);
    camera.updateProjectionMatrix();
    controls.update();
  }

  turn(right, up) {
    const { camera, controls } = this;
    if (this.globe) {
      this.swing(-right, up);
    } else {
      controls.target.x += right / camera.zoom;
      controls.target.y += up / camera.zoom;
      camera.position.x = controls.target.x;
      camera.position.y = controls.target.y;
    }
    controls.update();
  }

  /** Go round the globe by an angle, and up or down by another, as far as the poles allow. */
  swing(angle, up) {
    const { position } = this.camera;
    position.applyAxisAngle(AXIS, angle);
    const flat = Math.hypot(position.x, position.y);
    const radius = position.length();
    const height = clamp(Math.atan2(position.z, flat) + up, -STEEPEST_RAD, STEEPEST_RAD);
    position.multiplyScalar((Math.cos(height) * radius) / flat).setZ(radius * Math.sin(height));
  }

  /** Turn with Earth or with the stars, and go along with what is followed: a point, or null. */
  follow(time, fixed, target) {
    const wanted = this.globe && fixed ? -earthRotationAt(this.trace, time) : 0;
    if (this.globe && fixed !== this.fixed) {
      // What is in view stays in view when the viewer changes the frame.
      this.camera.position.applyAxisAngle(AXIS, wanted - this.spin);
      this.fixed = fixed;
      this.controls.update();
    }
    this.spin = wanted;
    if (target === null) {
      if (this.before?.pose) this.pose = this.before.pose;
      this.before = null;
      return;
    }
    const point = target(scratch);
    if (this.globe) this.followOnGlobe(point);
    else this.followOnPlane(point);
    this.controls.update();
  }

  followOnGlobe(point) {
    const { position } = this.camera;
    const now = { angle: Math.atan2(point.y, point.x), height: Math.asin(point.z / point.length()) };
    const radius = position.length();
    if (this.before === null) position.copy(point).setLength(radius);
    else this.swing(now.angle - this.before.angle, now.height - this.before.height);
    this.before = now;
  }

  /** All is in view from afar, and stays where it is; after a close look the view goes back. */
  followOnPlane(point) {
    if (this.camera.zoom < CLOSE) return;
    const [x, y, zoom] = this.pose;
    this.before ??= { pose: [x, y, zoom] };
    this.before.pose[2] = zoom;
    this.controls.target.set(point.x, point.y, 0);
    this.camera.position.set(point.x, point.y, 5);
  }

  /** Where a satellite is drawn, in the space of the camera. */
  scenePoint(satellite, time, out) {
    if (this.view === RING) return out.set(...ringPoint(this.trace, satellite), 0);
    positionOf(this.trace, time, satellite, held);
    return this.settle(out.fromArray(held), time);
  }

  settle(point, time) {
    if (this.globe) return point.applyAxisAngle(AXIS, this.spin);
    let longitude = Math.atan2(point.y, point.x) - earthRotationAt(this.trace, time);
    longitude -= 2 * Math.PI * Math.floor((longitude + Math.PI) / (2 * Math.PI));
    return point.set((2 * longitude) / Math.PI, (2 * Math.asin(point.z / point.length())) / Math.PI, 0);
  }

  /** Pixels of a point in the pane, or null where it cannot be seen. */
  project(point) {
    if (this.globe && behindEarth(this.camera.position, [point.x, point.y, point.z], 0)) return null;
    place.copy(point).project(this.camera);
    if (Math.abs(place.x) > 1.1 || Math.abs(place.y) > 1.1) return null;
    const { x, y, width, height } = this.rect;
    return { x: x + ((place.x + 1) / 2) * width, y: y + ((1 - place.y) / 2) * height };
  }

  pointScale(pixelRatio) {
    const { width, height } = this.rect;
    if (this.globe) return (this.distance * height * pixelRatio) / REFERENCE_HEIGHT / Math.max(1, (0.96 * height) / width);
    const dense = Math.min(height, width) / REFERENCE_HEIGHT;
    return pixelRatio * clamp(1.15 * dense * Math.sqrt(this.camera.zoom), 0.45, 3);
  }

  holds(x, y) {
    const { rect } = this;
    return x >= rect.x && y >= rect.y && x <= rect.x + rect.width && y <= rect.y + rect.height;
  }

  /** The satellite within reach of a point in pixels of the stage, or -1. */
  pick(x, y, time) {
    let nearest = { satellite: -1, squared: PICK_REACH ** 2 };
    for (let i = 0; i < this.trace.count; i += 1) {
      const at = this.project(this.scenePoint(i, time, scratch));
      if (at === null) continue;
      const squared = (at.x - x) ** 2 + (at.y - y) ** 2;
      if (squared < nearest.squared) nearest = { satellite: i, squared };
    }
    return nearest.satellite;
  }

  dispose() {
    this.controls.dispose();
    this.area.remove();
  }
}
