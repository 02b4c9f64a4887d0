// Drawing: while something moves or has changed, and never else.

import { write } from "./app.js";
import { advance } from "./data/clock.js";
import { askLive, followsNow } from "./data/live.js";
import { askNotes } from "./data/notes.js";
import { createPace } from "./stage/pace.js";

// Text changes this often while playing: faster cannot be read and costs drawing time.
const TEXT_INTERVAL_MS = 150;
const STILL_AFTER_MS = 250;
const SYNC_INTERVAL_MS = 1000;
const SHARP_AFTER_MS = 600;
// A tab that was in the background must not leap.
const LONGEST_S = 0.25;

export class Loop {
  /** @param {import("./types").App} app */
  constructor(app) {
    this.app = app;
    this.pace = createPace();
    this.request = 0;
    /** @type {number | null} */
    this.before = null;
    this.movedAt = -Infinity;
    this.wroteAt = 0;
    this.syncedAt = 0;
    this.busyMs = 0;
    this.draws = 0;
    this.dirty = true;
    this.coarse = false;
    this.fitted = "";
    this.ended = false;
  }

  touch() {
    this.dirty = true;
    if (this.request !== 0) return;
    this.before = null;
    this.ask();
  }

  ask() {
    this.request ||= requestAnimationFrame((now) => this.tick(now));
  }

  /** A camera moved. */
  moved() {
    const now = performance.now();
    if (now - this.movedAt > STILL_AFTER_MS) setTimeout(() => this.ended || this.app.address(), 4 * STILL_AFTER_MS);
    this.movedAt = now;
    this.touch();
  }

  refit() {
    this.fitted = "";
  }

  stop() {
    this.ended = true;
    cancelAnimationFrame(this.request);
  }

  tick(now) {
    this.request = 0;
    const interval = this.before === null ? 0 : now - this.before;
    this.before = now;
    const { clock, traces } = this.app;
    if (!traces.length) return;
    this.run(interval);
    const moving = clock.playing || now - this.movedAt < STILL_AFTER_MS;
    if (moving || this.dirty || this.coarse) this.draw(now, moving, interval);
    if (clock.playing || moving || this.coarse || this.dirty) this.ask();
  }

  run(interval) {
    const { app } = this;
    const { clock } = app;
    // A time after the end is the end, as soon as that is here.
    if (app.wanted !== null && (clock.ready > app.wanted || clock.ready >= clock.frames)) {
      clock.time = Math.min(app.wanted, clock.ready - 1e-6);
      app.wanted = null;
      this.dirty = true;
    }
    const elapsed = Math.min(interval / 1000, LONGEST_S);
    if (app.compact || followsNow(app)) showNewest(clock, elapsed, app.calm);
    else if (clock.playing) advance(clock, elapsed);
    clock.time = Math.min(clock.time, clock.ready - 1e-6);
  }

  draw(now, moving, interval) {
    const { app } = this;
    const began = performance.now();
    const sharpness = moving ? this.pace.moving(interval) : 1;
    this.coarse = sharpness < 1;
    if (this.dirty || now - this.wroteAt > TEXT_INTERVAL_MS) {
      write(app);
      this.wroteAt = now;
    }
    this.fit(sharpness);
    app.stage.draw(app.view, app.timeOf, captions(app));
    this.dirty = false;
    this.busyMs += performance.now() - began;
    this.draws += 1;
    if (this.draws === 1) this.begun();
    Object.assign(app.root.dataset, { draws: this.draws, busyMs: this.busyMs.toFixed(1), frame: app.frameOf(app.traces[0]), ready: app.traces[0].ready });
    app.feed.goOn();
    askNotes(app);
    askLive(app);
    this.sync(now);
  }

  /** After the first picture comes what it did not wait for: the panels, and coasts in all detail. */
  begun() {
    this.touch();
    setTimeout(() => {
      if (this.ended) return;
      this.app.stage.earth.sharpen();
      this.touch();
    }, SHARP_AFTER_MS);
  }

  fit(sharpness) {
    const { stage, narrow } = this.app;
    const [width, height] = [Math.max(stage.element.clientWidth, 1), Math.max(stage.element.clientHeight, 1)];
    const pixelRatio = sharpness * Math.min(window.devicePixelRatio, 2);
    const key = `${width} ${height} ${pixelRatio} ${narrow}`;
    if (key !== this.fitted) stage.resize(width, height, pixelRatio, narrow);
    this.fitted = key;
  }

  /** Let Python know the step on screen. */
  sync(now) {
    const { model, traces: [first], frameOf } = this.app;
    const step = frameOf(first) * first.meta.stride;
    if (now - this.syncedAt < SYNC_INTERVAL_MS || model.get("step") === step) return;
    this.syncedAt = now;
    model.set("step", step);
    model.save_changes();
  }
}

/** Where someone else's clock makes the frames: the newest, and its tokens once, unless all shall stand still. */
function showNewest(clock, elapsed, calm) {
  clock.time = Math.max(clock.time, clock.ready - 1);
  clock.playing = !calm && clock.time < clock.ready - 1e-3;
  if (clock.playing) advance(clock, elapsed);
}

/** What stands below the picture of each run, where there are several. @param {import("./types").App} app */
export function captions({ traces, comparison, look }) {
  if (traces.length < 2 || !look) return new Map();
  const { series } = look.palette;
  return new Map(traces.map((trace, k) => [
    trace, { words: comparison.captions[trace.meta.run_id] ?? trace.meta.run_id, colour: series[k % series.length] },
  ]));
}
