// The widget: asks Python for traces piece by piece, runs its own clock, draws stage and side.

import "./widget.css";

import { HEADLINE, createCharts, headline } from "./charts.js";
import { createSatelliteCard, createTokenCard } from "./cards.js";
import { SPEEDS, advance, createClock, tokenTime } from "./clock.js";
import { download, duration, h, percent, say } from "./dom.js";
import { createEvents } from "./events.js";
import { described } from "./figures.js";
import { createLegend } from "./legend.js";
import { createPace } from "./pace.js";
import { COLOUR_BY } from "./satellites.js";
import { VIEWS, createStage } from "./stage.js";
import { createTimeBar } from "./timebar.js";
import { createToolbar } from "./toolbar.js";
import { append, createTrace, nameOf, seconds, utc } from "./trace.js";

// Text changes this often while playing: faster cannot be read and costs drawing time.
const TEXT_INTERVAL_MS = 150;
const STILL_AFTER_MS = 250;
const SYNC_INTERVAL_MS = 1000;
const THEME_KEY = "orbital-twin-theme";
// Short names of the headline's figures; what each is, in full, is its tooltip, from Python.
const HEADLINES = {
  latency: "token latency", p99: "p99", served: "served", lowest: "lowest charge", sunlit: "in sunlight", carried: "GB carried",
};
const SHOWN_AS = { latency: duration, p99: duration, carried: (bytes) => (Number.isFinite(bytes) ? (bytes / 1e9).toPrecision(4) : "–") };
const TABS = { charts: "Charts", token: "Tokens", satellite: "Satellite", events: "Events" };

function render({ model, el }) {
  const state = {
    colourBy: "layer",
    sizeByLoad: false,
    show: {
      tokens: true, ring: true, live: true, acquiring: true, down: false, ground: true, migrations: true, shadow: true,
      labels: true,
    },
    views: ["globe", "ring"],
    fixed: false,
    follow: "",
    satellite: -1,
    token: -1,
    layer: -1, // in focus now
    held: -1, // in focus until told otherwise
    tab: "charts",
    of: 0, // which of several runs the cards tell of
  };
  const clock = createClock();
  const pace = createPace();
  let dark = (localStorage.getItem(THEME_KEY) ?? "dark") === "dark";
  let loading = new Map(); // key: {trace}
  let traces = [];
  let look = null;
  let dirty = true;
  let moved = -Infinity;
  let request = 0;
  let before = null;
  let wrote = 0;
  let coarse = false;
  let busyMs = 0;
  let draws = 0;

  const stage = createStage(() => {
    moved = performance.now();
    touch();
  });
  const legend = createLegend(state, restyle);
  const toolbar = createToolbar(state, {
    view(name) {
      const on = state.views.includes(name);
      if (on && state.views.length === 1) return;
      state.views = on ? state.views.filter((v) => v !== name) : Object.keys(VIEWS).filter((v) => v === name || state.views.includes(v));
      stage.setViews(state.views);
      restyle();
    },
    frame(fixed) {
      state.fixed = fixed;
      restyle();
    },
    follow: toggleFollow,
    home() {
      state.follow = "";
      for (const pane of stage.panes) pane.home();
      restyle();
    },
    zoom: (factor) => stage.panes[0]?.zoom(factor),
    picture() {
      if (traces.length) download(`${traces[0].meta.run_id}.png`, stage.picture(clock, state).toDataURL("image/png"));
      touch();
    },
    theme() {
      dark = !dark;
      localStorage.setItem(THEME_KEY, dark ? "dark" : "light");
      wear();
    },
  });
  const timebar = createTimeBar({
    toggle,
    step: (by) => seek(Math.floor(clock.time) + by + 0.02),
    jump,
    seek,
    setSpeed(speed) {
      clock.speed = speed;
      touch();
    },
    visit(frame, kinds) {
      seek(frame + 0.02);
      const event = traces[0].events.find((e) => e.frame === frame && kinds.includes(e.kind) && e.satellite >= 0);
      if (event) pickSatellite(event.satellite, state.tab);
    },
  });
  const charts = createCharts((frame) => seek(frame));
  const satelliteCard = createSatelliteCard({ satellite: (s) => pickSatellite(s), seek: (frame) => seek(frame + 0.02) });
  const tokenCard = createTokenCard({
    token(token) {
      state.token = token;
      if (token < 0 && state.follow === "token") state.follow = "";
      restyle();
    },
    layer(layer) {
      state.held = state.held === layer ? -1 : layer;
      state.layer = state.held;
      restyle();
    },
  });
  const events = createEvents({
    changed: touch,
    visit(event) {
      seek(event.frame + 0.02);
      if (event.satellite >= 0) pickSatellite(event.satellite, "events");
    },
  });
  const figures = {};
  const headlines = h("div", { className: "tw-figures" });
  for (const [key, label] of Object.entries(HEADLINES)) {
    figures[key] = { mean: h("div", { className: "tw-value" }), now: h("div", { className: "tw-now" }) };
    headlines.append(h("div", { className: "tw-figure", data: { figure: key } }, h("div", { className: "tw-label", textContent: label }), figures[key].mean, figures[key].now));
  }
  const tabs = h("div", { className: "tw-tabs tw-choices", role: "tablist" });
  for (const [name, label] of Object.entries(TABS)) {
    tabs.append(h("button", { textContent: label, role: "tab", onclick: () => openTab(name), data: { tab: name } }));
  }
  const bodies = { charts: charts.element, token: tokenCard.element, satellite: satelliteCard.element, events: events.element };
  const of = h("div", { className: "tw-hint tw-of", hidden: true });
  const side = h("div", { className: "tw-side" }, headlines, tabs, of, ...Object.values(bodies));
  const hover = h("div", { className: "tw-hover tw-panel", hidden: true });
  stage.element.append(legend.head, legend.element, toolbar.element, toolbar.keys, hover);
  const compact = model.get("compact");
  if (compact) state.views = ["globe"];
  const root = h("div", { className: compact ? "tw-stage tw-compact" : "tw-stage", tabIndex: -1 }, stage.element, side, timebar.element);
  el.classList.add("tw-host");
  el.append(root);

  function touch() {
    dirty = true;
    wake();
  }

  function wake() {
    if (request === 0) {
      before = null;
      request = requestAnimationFrame(tick);
    }
  }

  /** After a change of what is shown or how. */
  function restyle() {
    if (look !== null) {
      Object.assign(look, { colourBy: state.colourBy, show: state.show });
      stage.paint(look);
      legend.paint(look);
    }
    toolbar.paint(dark);
    for (const tab of tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.tab === state.tab));
    for (const [name, body] of Object.entries(bodies)) body.hidden = name !== state.tab;
    touch();
  }

  /** After a change of theme, or of what there is to show. */
  function wear() {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    if (model.get("dark") !== dark) {
      model.set("dark", dark);
      model.save_changes();
    }
    if (!traces.length) return;
    const palette = traces[0].meta.palette[dark ? "dark" : "light"];
    look = { dark, palette, ink: dark ? "#dbe6ff" : "#141a2b", colourBy: state.colourBy, show: state.show };
    charts.build(traces, look);
    restyle();
  }

  function openTab(name) {
    state.tab = name;
    restyle();
    // What was hidden had no size to draw on.
    if (name === "charts") charts.resize();
  }

  function toggle() {
    clock.playing = !clock.playing;
    wanted = null;
    tellAddress();
    touch();
  }

  /** Go to a time and stop there; to one that is not here yet, as soon as it is. */
  function seek(time) {
    clock.time = Math.min(Math.max(time, 0), clock.ready - 1e-6);
    clock.playing = false;
    wanted = time >= clock.ready && clock.ready < clock.frames ? time : null;
    tellAddress();
    touch();
  }

  function jump(direction) {
    const frame = Math.floor(clock.time);
    const notable = (e) => !e.kind.startsWith("isl") && !e.kind.includes("umbra");
    const frames = traces[0].events.filter(notable).map((e) => e.frame).sort((a, b) => a - b);
    const next = direction > 0 ? frames.find((f) => f > frame) : frames.findLast((f) => f < frame);
    if (next !== undefined) seek(next + 0.02);
  }

  function pickSatellite(satellite, tab = "satellite") {
    state.satellite = satellite;
    if (satellite < 0 && state.follow === "satellite") state.follow = "";
    openTab(tab);
  }

  function toggleFollow() {
    if (state.follow !== "") state.follow = "";
    else if (state.satellite >= 0) state.follow = "satellite";
    else if (state.token >= 0) state.follow = "token";
    restyle();
  }

  function tellAddress() {
    if (!traces.length) return;
    const at = new URLSearchParams(location.search);
    at.set("run", traces.map((t) => t.meta.run_id).join(","));
    at.set("t", seconds(traces[0], wanted ?? clock.time).toFixed(1));
    history.replaceState(history.state, "", `?${at.toString().replaceAll("%2C", ",")}`);
  }

  // What comes from Python.

  function ask(key, number) {
    model.send({ want: key, number });
  }

  let asking = [];
  function askOn() {
    for (const [key, number] of asking) ask(key, number);
    asking = [];
  }

  function shownChanged() {
    const keys = model.get("shown");
    const next = new Map();
    for (const key of keys) {
      if (loading.has(key)) next.set(key, loading.get(key));
      else {
        next.set(key, { trace: null });
        ask(key, 0);
      }
    }
    loading = next;
    arrange();
  }

  function received(content, buffers) {
    const entry = loading.get(content.key);
    if (entry === undefined) return;
    const [view] = buffers;
    if (content.number === 0) entry.trace = createTrace(view);
    else append(entry.trace, view);
    // The next one when this one has been drawn: a page that only listens shows nothing.
    if (content.number === 0) ask(content.key, 1);
    else if (!entry.trace.done) asking.push([content.key, content.number + 1]);
    if (content.number === 1) arrange();
    clock.ready = Math.min(...traces.map((t) => t.ready));
    clock.frames = Math.min(...traces.map((t) => t.frames));
    touch();
  }

  /** Take on stage what has its first frames; another run of the same scenario keeps the time. */
  function arrange() {
    const next = [...loading.values()].map((entry) => entry.trace).filter((trace) => trace?.ready);
    if (next.length === traces.length && next.every((trace, k) => trace === traces[k])) return;
    if (!next.length) return;
    const fresh = !traces.length;
    const elsewhere = !traces.some((t) => t.meta.name === next[0].meta.name);
    if (next.length > 1 && traces.length <= 1) state.views = state.views.slice(0, 1);
    traces = next;
    state.of = Math.min(state.of, traces.length - 1);
    stage.setTraces(traces);
    stage.setViews(state.views);
    if (elsewhere) Object.assign(state, { satellite: -1, token: -1, layer: -1, held: -1, follow: "" });
    clock.ready = Math.min(...traces.map((t) => t.ready));
    clock.frames = Math.min(...traces.map((t) => t.frames));
    const startS = model.get("start_s");
    if (fresh && startS > 0) {
      wanted = startS / (traces[0].meta.step_s * traces[0].meta.stride);
      clock.playing = false;
    } else if (elsewhere) clock.time = 0;
    legend.setTrace(traces[0], traces.length);
    timebar.setTrace(traces[0]);
    wear();
    fitted = "";
    root.dataset.runs = traces.map((t) => t.meta.run_id).join(",");
    if (!fresh) tellAddress();
  }
  let wanted = null; // a time to go to as soon as it is here

  // Drawing.

  let fitted = "";
  function fit(sharpness) {
    const [width, height] = [Math.max(stage.element.clientWidth, 1), Math.max(stage.element.clientHeight, 1)];
    const pixelRatio = sharpness * Math.min(window.devicePixelRatio, 2);
    const key = `${width} ${height} ${pixelRatio}`;
    if (key !== fitted) stage.resize(width, height, pixelRatio);
    fitted = key;
  }

  function tick(now) {
    request = 0;
    const interval = before === null ? 0 : now - before;
    before = now;
    if (!traces.length) return;
    // A time after the end is the end, as soon as that is here.
    if (wanted !== null && (clock.ready > wanted || clock.ready >= clock.frames)) {
      clock.time = Math.min(wanted, clock.ready - 1e-6);
      wanted = null;
      dirty = true;
    }
    // A tab that was in the background must not leap.
    if (clock.playing) advance(clock, Math.min(interval / 1000, 0.25));
    clock.time = Math.min(clock.time, clock.ready - 1e-6);
    const moving = clock.playing || now - moved < STILL_AFTER_MS;
    if (moving || dirty || coarse) {
      const began = performance.now();
      const sharpness = moving ? pace.moving(interval) : 1;
      coarse = sharpness < 1;
      fit(sharpness);
      stage.draw(clock, state);
      if (dirty || now - wrote > TEXT_INTERVAL_MS) {
        write();
        wrote = now;
      }
      dirty = false;
      draws += 1;
      busyMs += performance.now() - began;
      root.dataset.draws = draws;
      askOn();
      root.dataset.busyMs = busyMs.toFixed(1);
    }
    if (clock.playing || moving || coarse || dirty) request ||= requestAnimationFrame(tick);
  }

  let synced = 0;
  function sync(step) {
    const now = performance.now();
    if (now - synced < SYNC_INTERVAL_MS || model.get("step") === step) return;
    synced = now;
    model.set("step", step);
    model.save_changes();
  }

  function write() {
    const [trace] = traces;
    const frame = Math.min(Math.floor(clock.time), trace.ready - 1);
    sync(frame * trace.meta.stride);
    root.dataset.frame = frame;
    legend.update(frame, stage.fields[0].links.counts, utc(trace, clock.time));
    timebar.update(clock, look);
    if (state.tab === "charts") charts.update(clock.time);
    const told = traces[state.of] ?? trace;
    if (state.tab === "token") tokenCard.update(told, frame, tokenTime(clock.time, told.tokenSpan), state.token, look);
    if (state.tab === "satellite") satelliteCard.update(told, frame, state.satellite, look);
    if (state.tab === "events") events.update(told, clock.time, state.satellite);
    headlines.hidden = traces.length > 1;
    of.hidden = traces.length < 2 || state.tab === "charts";
    say(of, `Of ${told.meta.strategy}, ${told.meta.policy}; click another picture for its run.`);
    if (traces.length === 1) writeFigures(trace, frame);
  }

  let figured = "";
  function writeFigures(trace, frame) {
    const key = `${trace.ready} ${frame}`;
    if (figured === key) return;
    figured = key;
    for (const [name, [mean, now]] of Object.entries(headline(trace, frame))) {
      const shown = SHOWN_AS[name] ?? percent;
      say(figures[name].mean, shown(mean));
      say(figures[name].now, `now ${shown(now)}`);
      const { label, sentence } = described(trace, HEADLINE[name]);
      figures[name].mean.parentElement.title = `${label}: ${sentence}`;
    }
  }

  // Pointer and keys.

  let pressedAt = null;
  stage.element.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".tw-pane")) pressedAt = { x: event.clientX, y: event.clientY };
  });
  stage.element.addEventListener("pointerup", (event) => {
    if (!pressedAt || Math.hypot(event.clientX - pressedAt.x, event.clientY - pressedAt.y) > 4 || !traces.length) return;
    const { x, y } = offset(event);
    const { pane, satellite } = stage.pick(x, y, clock);
    if (pane) state.of = traces.indexOf(pane.field.trace);
    if (satellite >= 0) pickSatellite(satellite);
    else if (state.satellite >= 0) pickSatellite(-1, state.tab);
  });
  let hovered = 0;
  stage.element.addEventListener("pointermove", (event) => {
    if (!traces.length || event.buttons || !event.target.closest(".tw-pane")) {
      hover.hidden = true;
      return;
    }
    if (event.timeStamp - hovered < 60) return;
    hovered = event.timeStamp;
    const { x, y } = offset(event);
    const { pane, satellite } = stage.pick(x, y, clock);
    hover.hidden = satellite < 0;
    if (satellite < 0) return;
    hover.replaceChildren(...describe(pane.field.trace, satellite));
    hover.style.translate = `${Math.min(x + 14, stage.element.clientWidth - 190)}px ${Math.min(y + 14, stage.element.clientHeight - 80)}px`;
  });
  stage.element.addEventListener("pointerleave", () => (hover.hidden = true));
  stage.element.addEventListener("pointerover", (event) => {
    if (!event.target.closest(".tw-pane")) hover.hidden = true;
  });

  function offset(event) {
    const { left, top } = stage.element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  function describe(trace, satellite) {
    const frame = Math.min(Math.floor(clock.time), trace.ready - 1);
    const at = frame * trace.count + satellite;
    const lit = trace.sunlit[at] < 128 ? "in shadow" : "in sunlight";
    return [
      h("b", { textContent: nameOf(trace, satellite) }),
      h("div", { textContent: `${lit}, battery ${percent(trace.soc[at] / 255, 0)}` }),
      h("div", { textContent: trace.state[at] === 0 ? "click for more" : trace.meta.vocabulary.states[trace.state[at]].label }),
    ];
  }

  const turns = { a: [-0.12, 0], d: [0.12, 0], w: [0, 0.12], s: [0, -0.12] };
  function keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=range]), textarea, select, [role=listbox], [contenteditable]")) return;
    const { key } = event;
    const buttons = {
      t: "theme", p: "png", f: "follow", 0: "home", "+": "closer", "=": "closer", "-": "farther", "?": "help",
    };
    if (key === " ") {
      if (event.target.closest("button")) return;
      toggle();
    } else if (key === "ArrowRight" || key === "ArrowLeft") {
      const by = key === "ArrowRight" ? 1 : -1;
      if (event.shiftKey) jump(by);
      else seek(Math.floor(clock.time) + by + 0.02);
    } else if (key === "[" || key === "]") {
      const at = SPEEDS.indexOf(clock.speed) + (key === "]" ? 1 : -1);
      clock.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
      touch();
    } else if (["1", "2", "3"].includes(key)) toolbar.element.querySelector(`[data-view=${Object.keys(VIEWS)[Number(key) - 1]}]`).click();
    else if (key === "c") {
      state.colourBy = COLOUR_BY[(COLOUR_BY.indexOf(state.colourBy) + 1) % COLOUR_BY.length];
      restyle();
    } else if (key === "e") {
      state.fixed = !state.fixed;
      restyle();
    } else if (key === "l") {
      state.show.labels = !state.show.labels;
      restyle();
    } else if (key in turns) {
      stage.panes[0]?.turn(...turns[key]);
    } else if (key === "Escape") {
      Object.assign(state, { satellite: -1, token: -1, layer: -1, held: -1, follow: "" });
      toolbar.keys.hidden = true;
      restyle();
    } else if (key in buttons) toolbar.element.querySelector(`[data-act=${buttons[key]}]`).click();
    else return;
    event.preventDefault();
  }
  document.addEventListener("keydown", keyed);

  model.on("change:shown", shownChanged);
  model.on("msg:custom", received);
  const observer = new ResizeObserver(() => {
    charts.resize();
    touch();
  });
  observer.observe(stage.element);
  wear();
  restyle();
  shownChanged();

  return () => {
    cancelAnimationFrame(request);
    document.removeEventListener("keydown", keyed);
    observer.disconnect();
    model.off("change:shown", shownChanged);
    model.off("msg:custom", received);
    charts.dispose();
    stage.dispose();
  };
}

export default { render };
