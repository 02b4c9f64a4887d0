// Title, colours and signs, always on screen: what is seen, and switches for what should be.

import { count, h, pressed, say } from "./dom.js";
import { EXPERT, GATEWAY, nameOf, placementAt } from "./trace.js";

const COLOUR_MODES = {
  layer: { label: "Layer", ends: (trace) => ["layer 1", `layer ${trace.layers}`] },
  sunlit: { label: "Sunlight", ends: () => ["in shadow", "in sunlight"] },
  soc: { label: "Battery", ends: () => ["empty", "full"] },
  temperature: {
    label: "Heat",
    ends: ({ meta }) => meta.temperature_range_c.map((t) => `${t} °C`),
  },
  utilisation: { label: "Load", ends: () => ["idle", "all it can do"] },
  state: { label: "State", ends: () => ["", ""] },
};

const ROWS = [
  ["tokens", "tw-token", "tokens"],
  ["ring", "tw-line", "ring of gateways"],
  ["live", "tw-line", "laser links, live"],
  ["acquiring", "tw-line", "acquiring"],
  ["down", "tw-line", "down"],
  ["ground", "tw-site", "cities, serving links"],
  ["migrations", "tw-dashed", "weights moving"],
  ["shadow", "tw-shade", "Earth's shadow"],
  ["labels", "tw-number", "layer numbers"],
  ["sizeByLoad", "tw-sizes", "size by load"],
];

export function createLegend(state, changed) {
  const title = h("div", { className: "tw-title" });
  const subtitle = h("div", { className: "tw-subtitle" });
  const when = h("div", { className: "tw-when" });
  const modes = h("div", { className: "tw-modes tw-choices" });
  const bar = h("div", { className: "tw-ramp", tabIndex: 0, role: "slider", aria: { label: "layer" } });
  const ends = h("div", { className: "tw-ends" });
  const focus = h("div", { className: "tw-focus" });
  const rows = h("div", { className: "tw-rows" });
  const element = h("div", { className: "tw-legend tw-panel" }, modes, bar, ends, focus, rows);
  const head = h("div", { className: "tw-head" }, title, subtitle, when);
  const counts = {};
  let trace = null;
  let look = null;
  let told = "";

  for (const [name, { label }] of Object.entries(COLOUR_MODES)) {
    const choose = () => {
      state.colourBy = name;
      changed();
    };
    modes.append(h("button", { textContent: label, onclick: choose, data: { colour: name } }));
  }
  for (const [key, sign, label] of ROWS) {
    counts[key] = h("b");
    const button = h("button", { data: { show: key } }, h("i", { className: `tw-sign ${sign}` }), h("span", { textContent: label }), counts[key]);
    button.onclick = () => {
      if (key === "sizeByLoad") state.sizeByLoad = !state.sizeByLoad;
      else state.show[key] = !state.show[key];
      changed();
    };
    rows.append(button);
  }
  rows.prepend(
    h("div", {}, h("i", { className: "tw-sign tw-gateway" }), h("span", { textContent: "gateway of a layer" })),
    h("div", {}, h("i", { className: "tw-sign tw-expert" }), h("span", { textContent: "hosts experts" })),
    h("div", {}, h("i", { className: "tw-sign tw-idle" }), h("span", { textContent: "hosts nothing" }), (counts.idle = h("b"))),
    h("div", {}, h("i", { className: "tw-sign tw-shaded" }), h("span", { textContent: "in Earth's shadow" }), (counts.shaded = h("b"))),
  );

  const layerAt = (event) => {
    const { left, width } = bar.getBoundingClientRect();
    return Math.min(Math.max(Math.floor(((event.clientX - left) / width) * trace.layers), 0), trace.layers - 1);
  };
  const focusOn = (layer) => {
    if (state.layer === layer) return;
    state.layer = layer;
    changed();
  };
  bar.onclick = (event) => {
    if (state.colourBy !== "layer" || !trace) return;
    const layer = layerAt(event);
    state.held = state.held === layer ? -1 : layer;
    focusOn(state.held);
  };
  bar.onpointermove = (event) => state.colourBy === "layer" && trace && focusOn(layerAt(event));
  bar.onpointerleave = () => focusOn(state.held);
  bar.onkeydown = (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move || !trace) return;
    event.stopPropagation();
    event.preventDefault();
    state.held = (Math.max(state.held, move > 0 ? -1 : 0) + move + trace.layers) % trace.layers;
    focusOn(state.held);
  };

  return {
    element,
    head,
    setTrace(next, many) {
      trace = next;
      const { meta } = trace;
      say(title, meta.name);
      const lines = [
        `${count(meta.n_satellites)} satellites in ${meta.n_planes} planes`,
        `${meta.model}, ${trace.layers} layers`,
        many > 1 ? `${many} runs side by side, seed ${meta.seed}` : `placed by ${meta.strategy}, ${meta.policy}`,
      ];
      if (meta.stride > 1) lines.push(`a frame stands for ${meta.stride} steps`);
      subtitle.replaceChildren(...lines.map((line) => h("div", { textContent: line })));
      rows.querySelector("[data-show=ground]").hidden = meta.sites.length === 0;
    },
    paint(next) {
      look = next;
      const { palette } = look;
      const stops = state.colourBy === "state" ? null : palette.ramps[state.colourBy];
      bar.style.background = stops
        ? `linear-gradient(90deg, ${stops.join(", ")})`
        : `linear-gradient(90deg, ${palette.states.map((c, k) => `${c} ${(100 * k) / palette.states.length}% ${(100 * (k + 1)) / palette.states.length}%`).join(", ")})`;
      for (const button of modes.children) pressed(button, button.dataset.colour === state.colourBy);
      for (const [key] of ROWS) {
        pressed(rows.querySelector(`[data-show=${key}]`), key === "sizeByLoad" ? state.sizeByLoad : state.show[key]);
      }
      const signs = {
        "tw-idle": palette.idle, "tw-token": palette.tokens[0], "tw-site": palette.ground, "tw-dashed": palette.migration,
        "tw-shade": palette.shadow,
      };
      for (const [name, colour] of Object.entries(signs)) rows.querySelector(`.${name}`).style.setProperty("--sign", colour);
      const lines = { ring: palette.ring, ...palette.links };
      for (const [key, colour] of Object.entries(lines)) {
        rows.querySelector(`[data-show=${key}] .tw-sign`).style.setProperty("--sign", colour);
      }
      if (!trace) return;
      if (state.colourBy === "state") {
        ends.replaceChildren(...trace.meta.vocabulary.states.map(({ label }) => h("span", { textContent: label })));
        ends.classList.add("tw-five");
      } else {
        const [low, high] = COLOUR_MODES[state.colourBy].ends(trace);
        ends.replaceChildren(h("span", { textContent: low }), h("span", { textContent: high }));
        ends.classList.remove("tw-five");
      }
    },
    update(frame, links, time) {
      say(when, time);
      const key = `${trace.meta.run_id} ${frame} ${state.layer}`;
      if (key === told) return;
      told = key;
      const { layer, role, gateways } = placementAt(trace, frame);
      let shaded = 0;
      let idle = 0;
      let hosts = 0;
      for (let i = 0; i < trace.count; i += 1) {
        if (trace.sunlit[frame * trace.count + i] < 128) shaded += 1;
        if (role[i] === 0) idle += 1;
        if (role[i] >= EXPERT && role[i] !== GATEWAY && layer[i] === state.layer) hosts += 1;
      }
      say(counts.shaded, count(shaded));
      say(counts.idle, count(idle));
      say(counts.live, count(links[0]));
      say(counts.acquiring, count(links[1]));
      say(counts.down, count(links[2]));
      const drawn = trace.tokenRange[frame + 1] - trace.tokenRange[frame];
      say(counts.tokens, `${drawn} of ${count(trace.meta.tokens_per_step)}`);
      say(counts.ground, trace.meta.sites.length ? count(trace.meta.sites.length) : "");
      focus.hidden = state.layer < 0;
      if (state.layer >= 0) {
        const gateway = gateways[state.layer];
        say(focus, `layer ${state.layer + 1}: gateway ${nameOf(trace, gateway)}, experts on ${hosts} ${hosts === 1 ? "other satellite" : "other satellites"}`);
      }
    },
  };
}
