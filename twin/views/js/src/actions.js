// What a viewer can do, by buttons, keys and clicks alike.

import { captions } from "./loop.js";
import { SPEEDS } from "./data/clock.js";
import { clamp } from "./data/numbers.js";
import { timeOfFirst } from "./data/align.js";
import { forgetRefusals } from "./data/carried.js";
import { followsNow, growing } from "./data/live.js";
import { neighbour } from "./data/satellite.js";
import { frameSeconds, satelliteNamed, stepOf } from "./data/trace.js";
import { NOTHING_CHOSEN, coloursOf, newView, switched, turned } from "./data/view.js";
import { download } from "./charts/export.js";
import { keepTheme, wear } from "./theme.js";

/** Just after the start of a frame, so that rounding does not show the one before. */
const JUST_AFTER = 0.02;

/** @param {import("./types").App} app */
export function createActions(app) {
  const act = { ...timeActions(app), ...cameraActions(app), ...choiceActions(app), ...panelActions(app) };
  return act;
}

/** @param {import("./types").App} app */
function timeActions(app) {
  const { clock, view } = app;
  /** Go to a time and stop there; to one that is not here yet, as soon as it is. */
  function seek(time) {
    clock.time = clamp(time, 0, clock.ready - 1e-6);
    clock.playing = view.now = false;
    app.wanted = time >= clock.ready && clock.ready < clock.frames ? time : null;
    app.address();
    app.changed();
  }
  return {
    seek,
    /** To a time of a run on stage, in seconds since its start. */
    toSeconds: (trace, t_s) => seek(timeOfFirst(app.traces[0], trace, t_s) + 1e-6),
    toFrame: (frame) => seek(Math.round(frame) + JUST_AFTER),
    step: (by) => seek(Math.floor(clock.time) + by + JUST_AFTER),
    /** To the next event that is worth a look, or the one before. */
    jump(direction) {
      const frame = Math.floor(clock.time);
      const notable = (e) => !e.kind.startsWith("isl") && !e.kind.includes("umbra");
      const frames = app.traces[0].events.filter(notable).map((e) => e.frame).sort((a, b) => a - b);
      const next = direction > 0 ? frames.find((f) => f > frame) : frames.findLast((f) => f < frame);
      if (next !== undefined) seek(next + JUST_AFTER);
    },
    toggle() {
      // Who goes along with a mirror stops where it is.
      clock.playing = followsNow(app) ? false : !clock.playing;
      view.now = false;
      app.wanted = null;
      app.address();
      app.changed();
    },
    /** Go along with a run that is being mirrored. */
    now() {
      if (!growing(app.traces[0])) return;
      view.now = true;
      app.wanted = null;
      app.address();
      app.changed();
    },
    speed(speed) {
      clock.speed = speed;
      app.changed();
    },
    faster(by) {
      clock.speed = SPEEDS[clamp(SPEEDS.indexOf(clock.speed) + by, 0, SPEEDS.length - 1)];
      app.changed();
    },
  };
}

/** @param {import("./types").App} app */
function cameraActions(app) {
  const { view, stage } = app;
  const restyled = () => {
    app.address(true);
    app.restyle();
  };
  return {
    view(name) {
      view.views = switched(view.views, name);
      stage.setViews(view.views);
      restyled();
    },
    frame(fixed) {
      view.fixed = fixed;
      restyled();
    },
    home() {
      view.follow = "";
      stage.home();
      app.address();
      app.restyle();
    },
    closer: (factor) => stage.zoom(factor),
    turn: (right, up) => stage.turn(right, up),
    follow() {
      if (view.follow !== "") view.follow = "";
      else if (view.satellite >= 0) view.follow = "satellite";
      else if (view.token >= 0) view.follow = "token";
      app.restyle();
    },
    picture() {
      if (!app.traces.length) return;
      stage.draw(view, app.timeOf, captions(app));
      download(`${app.traces[0].meta.run_id}.png`, stage.picture().toDataURL("image/png"));
      app.changed();
    },
    theme() {
      view.dark = !view.dark;
      keepTheme(view.dark);
      wear(app);
    },
    colour(name) {
      view.colourBy = name;
      restyled();
    },
    nextColour() {
      view.colourBy = turned(coloursOf(app.traces[0]), view.colourBy, 1);
      restyled();
    },
    show(name) {
      if (name === "sizeByLoad") view.sizeByLoad = !view.sizeByLoad;
      else view.show[name] = !view.show[name];
      if (view.show[name]) forgetRefusals(app.traces);
      app.restyle();
    },
  };
}

/** @param {import("./types").App} app */
function choiceActions(app) {
  const { view } = app;
  function pick(satellite, tab = "satellite") {
    view.satellite = satellite;
    if (satellite < 0 && view.follow === "satellite") view.follow = "";
    view.tab = tab;
    app.address(true);
    app.restyle();
  }
  function focus(layer) {
    if (view.layer === layer) return;
    view.layer = layer;
    app.restyle();
  }
  return {
    pick,
    focus,
    /** Choose nothing but what is given. */
    choose(what) {
      Object.assign(view, NOTHING_CHOSEN, what);
      app.restyle();
    },
    escape() {
      Object.assign(view, NOTHING_CHOSEN, { keys: false, tour: -1 });
      app.address(true);
      app.restyle();
    },
    neighbour: (by) => pick(neighbour(app.traces[view.of], view.satellite, by), view.tab === "table" ? "table" : "satellite"),
    token(token) {
      view.token = token;
      if (token < 0 && view.follow === "token") view.follow = "";
      app.restyle();
    },
    hold(layer) {
      view.held = layer;
      focus(layer);
    },
    event(event) {
      app.act.seek(event.frame + JUST_AFTER);
      if (event.satellite >= 0) pick(event.satellite, view.tab);
    },
    visit(frame, kinds) {
      app.act.seek(frame + JUST_AFTER);
      const event = app.traces[0].events.find((e) => e.frame === frame && kinds.includes(e.kind) && e.satellite >= 0);
      if (event) pick(event.satellite, view.tab);
    },
    /** What an address asks for. */
    asked(at, startS) {
      const [first] = app.traces;
      Object.assign(view, { colourBy: at.colourBy, tab: at.tab, fixed: at.fixed, zoom: at.zoom });
      view.views = at.views ?? (app.narrow || app.traces.length > 1 ? ["globe"] : newView({ alone: false, dark: view.dark }).views);
      app.stage.setViews(view.views);
      app.stage.poses = at.cameras;
      view.satellite = satelliteNamed(first, at.satellite);
      const t_s = at.t_s === Infinity ? at.t_s : startS;
      view.now = Number.isNaN(at.t_s);
      if (t_s > 0) {
        app.wanted = Math.min(t_s / frameSeconds(first), first.frames);
        app.clock.playing = false;
      }
    },
  };
}

/** @param {import("./types").App} app */
function panelActions(app) {
  const { view } = app;
  return {
    tab(name) {
      view.tab = name;
      app.address(true);
      app.restyle();
    },
    keys() {
      view.keys = !view.keys;
      app.changed();
    },
    zoom(steps) {
      view.zoom = steps;
      app.address(true);
      app.changed();
    },
    /** Charts: a third of what they show, round the time on screen. */
    zoomIn() {
      const [first] = app.traces;
      const [from, to] = view.zoom ?? [stepOf(first, 0), stepOf(first, first.frames - 1)];
      const [now, half] = [stepOf(first, app.frameOf(first)), Math.max((to - from) / 6, 1)];
      app.act.zoom([now - half, now + half]);
    },
    kind(kind) {
      const off = new Set(view.kindsOff);
      if (!off.delete(kind)) off.add(kind);
      view.kindsOff = off;
      app.changed();
    },
    only() {
      view.chosenOnly = !view.chosenOnly;
      app.changed();
    },
    table(change) {
      Object.assign(view.table, change);
      app.changed();
    },
    away: (run) => app.model.send({ away: run }),
    /** Ask for a branch from the step on screen on. */
    branch(trace, change) {
      app.model.send({ branch: { run: trace.meta.run_id, step: stepOf(trace, app.frameOf(trace)), ...change } });
    },
    requests(change) {
      Object.assign(view.requests, change);
      app.changed();
    },
    heat(kind) {
      view.heat = kind;
      app.changed();
    },
    find(change) {
      Object.assign(view.find, change);
      app.changed();
    },
    /** Marks on the bar of time: where along a run is what was asked for. */
    found(trace, marks) {
      view.found = marks && trace === app.traces[0] ? marks : null;
      app.changed();
    },
    tour(stop) {
      view.tour = stop;
      app.changed();
    },
    wide() {
      view.wide = !view.wide;
      app.restyle();
    },
  };
}
