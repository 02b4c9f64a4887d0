// What lies over the globe: title and time, legend with choices, tokens in flight, time bar.

import { SPEEDS, paces } from "./clock.js";
import { tokenStates } from "./tokens.js";
import { placementRow } from "./trace.js";

const COLOUR_MODES = {
  layer: { label: "Layer", ends: (trace) => ["layer 1", `layer ${trace.meta.n_layers}`] },
  sunlit: { label: "Sunlight", ends: () => ["in shadow", "in sunlight"] },
  soc: { label: "Battery", ends: () => ["empty", "full"] },
};

function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { data = {}, ...rest } = properties;
  Object.assign(element, rest);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

/**
 * The overlay. `state` is what the viewer chose ({colourBy, show}); `actions` are
 * {toggle, seek, setSpeed, changed}, called when the viewer touches something.
 */
export function createHud(state, actions) {
  const title = h("div", { className: "tg-title" });
  const subtitle = h("div", { className: "tg-subtitle" });
  const when = h("div", { className: "tg-when" });
  const tokens = h("div", { className: "tg-tokens tg-panel" });
  const card = h("div", { className: "tg-card tg-panel", hidden: true });
  const legend = createLegend(state, actions);
  const bar = createTimeBar(actions);
  const element = h(
    "div",
    { className: "tg-hud" },
    h("div", { className: "tg-head" }, title, subtitle, when),
    tokens,
    card,
    legend.element,
    bar.element,
  );

  return {
    element,
    setTrace(trace) {
      const { name, strategy, model, n_layers, n_satellites, n_planes, stride } = trace.meta;
      const lines = [
        `${n_satellites.toLocaleString("en")} satellites in ${n_planes} planes`,
        `${model}, ${n_layers} layers`,
        `placed by ${strategy}`,
      ];
      if (stride > 1) lines.push(`one step in ${stride} shown`);
      title.textContent = name;
      subtitle.replaceChildren(...lines.map((line) => h("div", { textContent: line })));
      legend.setTrace(trace);
      bar.setTrace(trace);
    },
    /** Describe a satellite next to a point on screen; none if `satellite` is -1. */
    describe(trace, satellite, frame, x, y) {
      card.hidden = satellite < 0;
      if (card.hidden) return;
      card.replaceChildren(...cardLines(trace, satellite, frame));
      card.style.translate = `${x + 14}px ${y + 14}px`;
    },
    update(trace, clock, frame, tokenTime, counts) {
      const seconds = (clock.time * trace.meta.stride) * trace.meta.step_s;
      when.textContent = utc(Date.parse(trace.meta.start_utc) + 1000 * seconds);
      tokens.replaceChildren(...tokenLines(trace, frame, tokenTime));
      tokens.hidden = !state.show.tokens || tokens.childElementCount === 0;
      legend.update(counts);
      bar.update(trace, clock, frame);
    },
  };
}

function utc(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", "  ")} UTC`;
}

function tokenLines(trace, frame, tokenTime) {
  return tokenStates(trace, frame, tokenTime).map(({ token, layer, end }) => {
    const dot = h("i", { className: "tg-dot" });
    dot.style.background = trace.palette.tokens[token % trace.palette.tokens.length];
    const done = tokenTime >= end;
    const place = done ? "arrived" : `layer ${layer + 1} of ${trace.meta.n_layers}`;
    const time = h("b", { textContent: `${Math.min(tokenTime, end).toFixed(2)} s` });
    return h("div", {}, dot, h("span", { textContent: `token ${token + 1}` }), h("em", { textContent: place }), time);
  });
}

function cardLines(trace, satellite, frame) {
  const placed = placementRow(trace, frame) * trace.count + satellite;
  const layer = trace.placement_layer[placed] + 1;
  const roles = ["hosts nothing", `expert of layer ${layer}`, `gateway of layer ${layer}`];
  const percent = (values) => Math.round((values[frame * trace.count + satellite] / 255) * 100);
  const lit = percent(trace.sunlit);
  return [
    h("b", { textContent: `plane ${trace.plane[satellite] + 1}, slot ${trace.slot[satellite] + 1}` }),
    h("div", { textContent: roles[trace.placement_role[placed]] }),
    h("div", { textContent: `battery ${percent(trace.soc)} %` }),
    h("div", { textContent: lit === 0 ? "in shadow" : lit === 100 ? "in sunlight" : `sunlit ${lit} % of the step` }),
  ];
}

function createLegend(state, actions) {
  const modes = h("div", { className: "tg-modes" });
  const bar = h("div", { className: "tg-ramp" });
  const ends = h("div", { className: "tg-ends" });
  const rows = h("div", { className: "tg-rows" });
  const element = h("div", { className: "tg-legend tg-panel" }, modes, bar, ends, rows);
  let trace = null;
  let shown = {};

  function paint() {
    const stops = trace.palette.ramps[state.colourBy];
    bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    const [low, high] = COLOUR_MODES[state.colourBy].ends(trace);
    ends.replaceChildren(h("span", { textContent: low }), h("span", { textContent: high }));
    for (const button of modes.children) {
      button.setAttribute("aria-pressed", String(button.dataset.colour === state.colourBy));
    }
  }

  for (const [name, { label }] of Object.entries(COLOUR_MODES)) {
    const choose = () => {
      state.colourBy = name;
      paint();
      actions.changed();
    };
    modes.append(h("button", { textContent: label, onclick: choose, data: { colour: name } }));
  }

  function row(key, sign, label) {
    const count = h("b");
    const button = h("button", { data: { show: key } }, sign, h("span", { textContent: label }), count);
    button.onclick = () => {
      state.show[key] = !state.show[key];
      button.setAttribute("aria-pressed", String(state.show[key]));
      actions.changed();
    };
    button.setAttribute("aria-pressed", String(state.show[key]));
    rows.append(button);
    shown[key] = count;
  }

  return {
    element,
    setTrace(next) {
      trace = next;
      rows.replaceChildren();
      shown = {};
      const { palette, meta } = trace;
      rows.append(
        h("div", {}, sign("tg-gateway"), h("span", { textContent: "gateway of a layer" })),
        h("div", {}, sign("tg-expert"), h("span", { textContent: "hosts experts" })),
        h("div", {}, sign("tg-idle", palette.idle), h("span", { textContent: "hosts nothing" })),
      );
      row("tokens", sign("tg-token", palette.tokens[0]), "tokens");
      row("live", sign("tg-line", palette.link), "laser links, live");
      row("down", sign("tg-line", palette.link_down), "laser links, down");
      shown.tokens.textContent = `${meta.tokens_drawn} of ${meta.tokens_per_step} a step`;
      paint();
    },
    update(counts) {
      shown.live.textContent = counts.live.toLocaleString("en");
      shown.down.textContent = counts.down.toLocaleString("en");
    },
  };
}

function sign(className, colour) {
  const element = h("i", { className: `tg-sign ${className}` });
  if (colour) element.style.setProperty("--sign", colour);
  return element;
}

function createTimeBar(actions) {
  const play = h("button", { className: "tg-play", onclick: actions.toggle });
  const scrub = h("input", { type: "range", min: 0, step: "any", className: "tg-scrub" });
  scrub.setAttribute("aria-label", "time");
  scrub.oninput = () => actions.seek(Number(scrub.value));
  const step = h("div", { className: "tg-step" });
  const pace = h("div", { className: "tg-pace" });
  const speeds = h("div", { className: "tg-speeds" });
  for (const speed of SPEEDS) {
    const label = speed < 1 ? `1/${1 / speed}×` : `${speed}×`;
    speeds.append(h("button", { textContent: label, onclick: () => actions.setSpeed(speed), data: { speed } }));
  }
  const element = h("div", { className: "tg-bar tg-panel" }, play, scrub, step, speeds, pace);

  return {
    element,
    setTrace(trace) {
      scrub.max = trace.frames;
    },
    update(trace, clock, frame) {
      play.textContent = clock.playing ? "❚❚" : "▶";
      play.setAttribute("aria-label", clock.playing ? "pause" : "play");
      scrub.value = clock.time;
      scrub.style.setProperty("--done", `${(100 * clock.time) / trace.frames}%`);
      step.textContent = `step ${frame * trace.meta.stride + 1} of ${trace.meta.n_steps}`;
      for (const button of speeds.children) {
        button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === clock.speed));
      }
      const { satellites, tokens } = paces(clock, trace);
      pace.textContent = `satellites ${spoken(satellites)} · tokens ${spoken(tokens)}`;
    },
  };
}

function spoken(pace) {
  const factor = pace < 1 ? 1 / pace : pace;
  const shown = factor < 10 ? factor.toFixed(1) : Math.round(factor).toLocaleString("en");
  return `${shown}× ${pace < 1 ? "slower" : "faster"} than real`;
}
