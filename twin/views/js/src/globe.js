// The widget: reads a packed trace, runs its own clock, tells Python which frame is on screen.

import "./globe.css";

import { advance, createClock, tokenTime } from "./clock.js";
import { createHud } from "./hud.js";
import { createPace } from "./pace.js";
import { createScene } from "./scene.js";
import { unpack } from "./trace.js";

const SYNC_INTERVAL_MS = 250;
// Text changes this often while playing: faster cannot be read and costs drawing time.
const TEXT_INTERVAL_MS = 120;
const STILL_AFTER_MS = 250;

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "twin-globe";
  el.classList.add("twin-globe-host");
  el.append(root);

  const clock = createClock();
  const pace = createPace();
  const state = { colourBy: "layer", show: { tokens: true, live: true, down: false } };
  let trace = null;
  let dirty = true;
  let moved = -Infinity;
  const touch = () => {
    dirty = true;
  };

  const scene = createScene(() => {
    moved = performance.now();
    touch();
  });
  const hud = createHud(state, {
    changed: touch,
    toggle() {
      clock.playing = !clock.playing;
      touch();
    },
    seek(time) {
      clock.time = Math.min(time, clock.frames - 1e-6);
      clock.playing = false;
      touch();
    },
    setSpeed(speed) {
      clock.speed = speed;
      touch();
    },
  });
  root.append(scene.canvas, hud.element);

  let pointer = null;
  scene.canvas.addEventListener("pointermove", ({ offsetX, offsetY, buttons }) => {
    pointer = buttons ? null : { x: offsetX, y: offsetY };
    touch();
  });
  scene.canvas.addEventListener("pointerleave", () => {
    pointer = null;
    touch();
  });
  function describe(frame) {
    const satellite = pointer ? scene.pick(pointer.x, pointer.y) : -1;
    hud.describe(trace, satellite, frame, pointer?.x, pointer?.y);
  }

  function load() {
    const packed = model.get("trace");
    if (!packed || packed.byteLength === 0) return;
    trace = unpack(packed);
    clock.frames = trace.frames;
    clock.time = 0;
    scene.setTrace(trace);
    hud.setTrace(trace);
    fitted = "";
    touch();
  }

  let fitted = "";
  function fit(sharpness) {
    const [width, height] = [Math.max(root.clientWidth, 1), Math.max(root.clientHeight, 1)];
    const wanted = `${width} ${height} ${sharpness}`;
    if (wanted !== fitted) scene.resize(width, height, sharpness);
    fitted = wanted;
  }

  let synced = 0;
  function sync(now, frame) {
    if (now - synced < SYNC_INTERVAL_MS || model.get("frame") === frame) return;
    synced = now;
    model.set("frame", frame);
    model.save_changes();
  }

  let before = null;
  let wrote = 0;
  let coarse = false;
  let request = 0;
  function tick(now) {
    request = requestAnimationFrame(tick);
    const interval = now - (before ?? now);
    before = now;
    if (trace === null) return;
    // A tab that was in the background must not leap.
    if (clock.playing) advance(clock, Math.min(interval / 1000, 0.25));
    const frame = Math.min(Math.floor(clock.time), trace.frames - 1);
    sync(now, frame);
    const moving = clock.playing || now - moved < STILL_AFTER_MS;
    if (!moving && !dirty && !coarse) return;
    const sharpness = moving ? pace.moving(interval) : 1;
    coarse = sharpness < 1;
    fit(sharpness);
    const age = tokenTime(clock, trace);
    const counts = scene.draw({ time: clock.time, tokenTime: age, ...state });
    if (dirty || now - wrote > TEXT_INTERVAL_MS) {
      hud.update(trace, clock, frame, age, counts);
      describe(frame);
      wrote = now;
    }
    dirty = false;
    root.dataset.frame = frame;
    root.dataset.draws = Number(root.dataset.draws ?? 0) + 1;
  }

  model.on("change:trace", load);
  const observer = new ResizeObserver(touch);
  observer.observe(root);
  load();
  request = requestAnimationFrame(tick);

  return () => {
    cancelAnimationFrame(request);
    observer.disconnect();
    model.off("change:trace", load);
    scene.dispose();
  };
}

export default { render };
