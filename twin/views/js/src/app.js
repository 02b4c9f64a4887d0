// What the parts of the page share, put together: view, clock, runs, stage, and what may be done.

import { h, render } from "preact";

import { createActions } from "./actions.js";
import { readyOf, shownAt } from "./data/align.js";
import { createAsk } from "./ask.js";
import { askCarried } from "./data/carried.js";
import { fromAddress } from "./data/address.js";
import { createClock } from "./data/clock.js";
import { newView } from "./data/view.js";
import { createFeed } from "./feed.js";
import { createHistory } from "./history.js";
import { listenToKeys } from "./keys.js";
import { Loop } from "./loop.js";
import { Page } from "./panels/Page.jsx";
import { watchPointer } from "./pointer.js";
import { Stage } from "./stage/stage.js";
import { mendVuetify } from "./vuetify.js";
import { keptTheme, wear } from "./theme.js";

/** @typedef {import("./types").App} App */

/** Show the page in an element; gives what takes it away. */
export function createApp(model, el) {
  const compact = model.get("compact");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const root = document.createElement("div");
  el.classList.add("tw-host");
  el.append(root);
  const app = /** @type {App} */ (/** @type {unknown} */ ({
    model,
    root,
    compact,
    calm,
    view: newView({ alone: compact || isNarrow(), dark: keptTheme() }),
    clock: createClock(!calm),
    traces: [],
    look: null,
    comparison: model.get("comparison"),
    wanted: null,
    get narrow() {
      return !compact && isNarrow();
    },
    timeOf: (trace) => shownAt(app.traces[0], trace, app.clock.time),
    frameOf: (trace) => Math.floor(app.timeOf(trace)),
  }));
  app.stage = new Stage(() => app.loop.moved());
  app.loop = new Loop(app);
  app.changed = () => app.loop.touch();
  app.restyle = () => restyle(app);
  const history = createHistory(app);
  app.address = history.tell;
  app.act = createActions(app);
  app.ask = createAsk(app);
  app.feed = createFeed(app, (traces) => arrange(app, traces));
  const ends = [history.listen(), listenToKeys(app), watchPointer(app), watchModel(app), watchSize(app), mendVuetify()];
  if (!compact) Object.assign(app.view, { ...asked(), views: fromAddress(location.search).views ?? app.view.views });
  root.tabIndex = -1;
  root.className = compact ? "tw-stage tw-compact" : "tw-stage";
  wear(app);
  app.feed.changed();
  return () => {
    app.loop.stop();
    for (const end of ends) end();
    render(null, root);
    app.stage.dispose();
  };
}

const isNarrow = () => matchMedia("(max-width: 900px)").matches;

/** Of the address what holds before there is a run. */
function asked() {
  const { colourBy, tab, fixed, zoom } = fromAddress(location.search);
  return { colourBy, tab, fixed, zoom };
}

/** After a change of what is shown or how. @param {App} app */
function restyle(app) {
  if (app.look !== null) {
    Object.assign(app.look, { colourBy: app.view.colourBy, show: app.view.show });
    for (const trace of app.traces) askCarried(app, trace);
    app.stage.paint(app.look);
    app.root.classList.toggle("tw-wide", app.view.wide);
    write(app);
  }
  app.changed();
}

/** Take runs on stage; another run of the same scenario keeps the time. @param {App} app @param {App["traces"]} next */
function arrange(app, next) {
  const { view, clock, stage } = app;
  const fresh = !app.traces.length;
  const elsewhere = !app.traces.some((t) => t.meta.name === next[0].meta.name);
  if (next.length > 1 && app.traces.length <= 1 && !fresh) view.views = view.views.slice(0, 1);
  app.traces = next;
  view.of = Math.min(view.of, next.length - 1);
  if (elsewhere && !fresh) app.act.choose({});
  stage.setTraces(next);
  stage.setViews(view.views);
  clock.ready = readyOf(next);
  clock.frames = next[0].frames;
  if (elsewhere && !fresh) clock.time = 0;
  if (fresh && !app.compact) app.act.asked(fromAddress(location.search), app.model.get("start_s"));
  wear(app);
  app.loop.refit();
  app.root.dataset.runs = next.map((t) => t.meta.run_id).join(",");
  app.address(!fresh);
}

/** Draw the panels. @param {App} app */
export function write(app) {
  render(h(Page, { app }), app.root);
}

/** @param {App} app */
function watchModel(app) {
  const { model } = app;
  const compared = () => {
    app.comparison = model.get("comparison");
    app.changed();
  };
  model.on("change:shown", app.feed.changed);
  model.on("change:comparison", compared);
  model.on("msg:custom", app.feed.received);
  return () => {
    model.off("change:shown", app.feed.changed);
    model.off("change:comparison", compared);
    model.off("msg:custom", app.feed.received);
  };
}

/** @param {App} app */
function watchSize(app) {
  const observer = new ResizeObserver(() => app.changed());
  observer.observe(app.stage.element);
  return () => observer.disconnect();
}
