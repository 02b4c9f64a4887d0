// What the viewer picked: a satellite's card, a token's way and why it was slow.

import { duration, h, percent, say } from "./dom.js";
import { journeys, layerOf, meanLayers } from "./journey.js";
import { layerColour } from "./colours.js";
import { nameOf, placementAt, utc } from "./trace.js";

const SPEED_OF_LIGHT_KM_S = 299_792.458;

function facts(rows) {
  return h("dl", { className: "tw-facts" }, ...rows.flatMap(([name, value]) => [h("dt", { textContent: name }), h("dd", { textContent: value })]));
}

export function createSatelliteCard(actions) {
  const element = h("div", { className: "tw-card-panel tw-satellite" });
  let shown = "";

  function links(trace, frame, satellite) {
    const rows = [];
    for (let e = 0; e < trace.links; e += 1) {
      const [a, b] = [trace.edges[2 * e], trace.edges[2 * e + 1]];
      if (a !== satellite && b !== satellite) continue;
      const state = trace.meta.vocabulary.link_states[trace.link_state[frame * trace.links + e]];
      if (state.group === "none") continue;
      const other = a === satellite ? b : a;
      const told = state.group === "down" ? `down: ${state.label}` : state.label;
      const button = h("button", { textContent: nameOf(trace, other), onclick: () => actions.satellite(other) });
      rows.push(h("li", {}, button, h("span", { textContent: told, className: state.group === "live" ? "" : "tw-bad" })));
    }
    return h("ul", { className: "tw-plain" }, ...rows);
  }

  function spark(trace, satellite, look, frame) {
    const canvas = h("canvas", { className: "tw-spark", width: 680, height: 96 });
    const ink = canvas.getContext("2d");
    const { palette } = look;
    const x = (k) => (680 * k) / Math.max(trace.frames - 1, 1);
    // Grey where it flies in shadow, the line is its charge.
    ink.fillStyle = look.dark ? "rgba(138, 156, 255, 0.20)" : "rgba(39, 51, 107, 0.16)";
    for (let k = 0; k < trace.ready; k += 1) {
      const dark = 1 - trace.sunlit[k * trace.count + satellite] / 255;
      if (dark > 0) ink.fillRect(x(k) - 0.5, 96 * (1 - dark), x(1) + 1, 96 * dark);
    }
    ink.strokeStyle = palette.series[1];
    ink.lineWidth = 3;
    ink.beginPath();
    for (let k = 0; k < trace.ready; k += 1) ink.lineTo(x(k), 92 - (88 * trace.soc[k * trace.count + satellite]) / 255);
    ink.stroke();
    ink.fillStyle = palette.ring;
    ink.fillRect(x(frame) - 1, 0, 2, 96);
    return canvas;
  }

  function hosted(trace, frame, satellite) {
    const mine = placementAt(trace, frame).experts.get(satellite) ?? [];
    if (!mine.length) return "nothing";
    const layers = new Map();
    for (const { layer, expert, copy } of mine) {
      if (!layers.has(layer)) layers.set(layer, []);
      const name = expert < 0 ? "gateway" : `expert ${expert + 1}`;
      layers.get(layer).push(copy ? `${name} (copy ${copy + 1})` : name);
    }
    return [...layers].map(([layer, things]) => `layer ${layer + 1}: ${things.join(", ")}`).join("; ");
  }

  return {
    element,
    reset: () => (shown = ""),
    update(trace, frame, satellite, look) {
      const key = `${trace.meta.run_id} ${satellite} ${frame} ${trace.ready} ${look.dark}`;
      if (key === shown) return;
      shown = key;
      if (satellite < 0 || satellite >= trace.count) {
        element.replaceChildren(h("p", { className: "tw-hint", textContent: "Click a satellite on the globe, the map or the ring." }));
        return;
      }
      const at = frame * trace.count + satellite;
      const [low, high] = trace.meta.temperature_range_c;
      const lit = trace.sunlit[at] / 255;
      const name = nameOf(trace, satellite);
      const events = trace.events.filter((e) => e.satellite === satellite || e.other === satellite);
      const near = events.filter((e) => e.frame <= frame).slice(-4);
      element.replaceChildren(
        h("h3", { textContent: name }),
        facts([
          ["place", `plane ${trace.plane[satellite] + 1} of ${trace.meta.n_planes}, slot ${trace.slot[satellite] + 1}`],
          ["hosts", hosted(trace, frame, satellite)],
          ["state", trace.meta.vocabulary.states[trace.state[at]].label],
          ["light", lit < 0.005 ? "in shadow" : lit > 0.995 ? "in sunlight" : `sunlit ${percent(lit, 0)} of the step`],
          ["battery", percent(trace.soc[at] / 255, 0)],
          ["temperature", `${Math.round(low + ((high - low) * trace.temperature[at]) / 255)} °C`],
          ["compute", trace.utilisation[at] === 255 ? "busy all the time" : `busy ${percent(trace.utilisation[at] / 255)} of the time`],
        ]),
        h("h4", { textContent: "Battery over the run; shaded: in shadow" }),
        spark(trace, satellite, look, frame),
        h("h4", { textContent: "Laser links" }),
        links(trace, frame, satellite),
        h("h4", { textContent: `Events: ${events.length}${near.length ? ", the last" : ""}` }),
        h("ul", { className: "tw-plain" }, ...near.reverse().map((e) => {
          const button = h("button", { textContent: e.kind, onclick: () => actions.seek(e.frame) });
          return h("li", {}, button, h("span", { textContent: utc(trace, e.t_s / trace.meta.step_s / trace.meta.stride).slice(11, 19) }));
        })),
      );
    },
  };
}

/** Why a token took as long as it did, in words. */
export function verdict(trace, frame, journey) {
  if (!Number.isFinite(journey.latency_s)) {
    return `Not served: ${journey.cause.sentence}.`;
  }
  const mean = meanLayers(trace);
  const usual = mean.reduce((a, b) => a + b, 0);
  const took = journey.layers.map((l) => l.end_s - l.start_s);
  const late = took.map((s, l) => s - mean[l]);
  const worst = late.indexOf(Math.max(...late));
  const { hops, flight_s } = journey.layers[worst];
  const ratio = journey.latency_s / usual;
  const against = Math.abs(ratio - 1) < 0.005 ? "as the run's mean" : `${percent(Math.abs(ratio - 1), 0)} ${ratio > 1 ? "slower" : "faster"} than the run's mean`;
  const far = Math.round(flight_s * SPEED_OF_LIGHT_KM_S).toLocaleString("en");
  const flown = journey.layers.reduce((sum, l) => sum + l.flight_s, 0);
  return (
    `${duration(journey.latency_s)}, ${against}; ${percent(flown / journey.latency_s, 0)} of it on the way. ` +
    `Most was lost in layer ${worst + 1}: ${duration(took[worst])} instead of ${duration(mean[worst])}, ` +
    `for ${hops} hops and ${far} km to its slower expert and on to the next gateway.`
  );
}

export function createTokenCard(actions) {
  const list = h("div", { className: "tw-token-list" });
  const detail = h("div", { className: "tw-token-detail" });
  const element = h("div", { className: "tw-card-panel" }, list, detail);
  let shown = "";
  let rows = [];

  function build(trace, frame, chosen, look) {
    const tokens = journeys(trace, frame);
    const most = Math.max(...tokens.map((j) => (Number.isFinite(j.latency_s) ? j.latency_s : 0)), 1e-3);
    rows = tokens.map((journey) => {
      const hue = look.palette.tokens[journey.token % look.palette.tokens.length];
      const bar = h("i", { className: "tw-token-bar" });
      const now = h("em");
      const button = h(
        "button",
        { data: { token: journey.token }, onclick: () => actions.token(journey.token === chosen ? -1 : journey.token) },
        h("span", { textContent: `token ${journey.token + 1}` }), now, bar,
        h("b", { textContent: Number.isFinite(journey.latency_s) ? duration(journey.latency_s) : "lost" }),
      );
      button.setAttribute("aria-pressed", String(journey.token === chosen));
      button.style.setProperty("--sign", hue);
      bar.style.setProperty("--full", `${(100 * (journey.latency_s || 0)) / most}%`);
      return { journey, button, now, bar, most };
    });
    const order = [...rows].sort((a, b) => (b.journey.latency_s || Infinity) - (a.journey.latency_s || Infinity));
    list.replaceChildren(
      h("h4", { textContent: rows.length ? `Tokens drawn in this step, slowest first` : "No tokens are recorded in this run." }),
      ...order.map((r) => r.button),
    );
    const journey = tokens.find((j) => j.token === chosen);
    detail.replaceChildren(...(journey ? way(trace, frame, journey, look) : [
      h("p", { className: "tw-hint", textContent: "Choose a token to see its way alone, layer by layer, and why it was slow." }),
    ]));
  }

  function way(trace, frame, journey, look) {
    const mean = meanLayers(trace);
    const most = Math.max(...journey.layers.map((l) => l.end_s - l.start_s), ...mean);
    const bars = journey.layers.map((layer, l) => {
      const took = layer.end_s - layer.start_s;
      const flight = h("i", { className: "tw-flight" });
      const rest = h("i", { className: "tw-rest" });
      const usual = h("i", { className: "tw-usual" });
      flight.style.width = `${(100 * layer.flight_s) / most}%`;
      flight.style.background = look.palette.propagation;
      rest.style.width = `${(100 * (took - layer.flight_s)) / most}%`;
      rest.style.background = look.palette.compute;
      usual.style.left = `${(100 * mean[l]) / most}%`;
      const number = h("span", { textContent: l + 1 });
      number.style.color = layerColour(look.palette.ramps.layer, l, trace.layers);
      return h(
        "button",
        { className: "tw-way-row", title: `layer ${l + 1}: ${duration(took)}, ${layer.hops} hops`, onclick: () => actions.layer(l), data: { layer: l } },
        number, h("div", {}, flight, rest, usual), h("b", { textContent: duration(took) }), h("em", { textContent: `${layer.hops} hops` }),
      );
    });
    return [
      h("h3", { textContent: `Token ${journey.token + 1}` }),
      h("p", { className: "tw-verdict", textContent: verdict(trace, frame, journey) }),
      h("div", { className: "tw-way-keys" },
        key("on the way", look.palette.propagation), key("compute and waiting", look.palette.compute), key("run's mean", look.palette.ring)),
      h("div", { className: "tw-way" }, ...bars),
    ];
  }

  function key(label, hue) {
    const element = h("span", { textContent: label });
    element.style.setProperty("--sign", hue);
    return element;
  }

  return {
    element,
    update(trace, frame, age_s, chosen, look) {
      const key = `${trace.meta.run_id} ${frame} ${chosen} ${look.dark}`;
      if (key !== shown) build(trace, frame, chosen, look);
      shown = key;
      for (const { journey, now, bar } of rows) {
        const layer = layerOf(journey, age_s);
        say(now, !Number.isFinite(journey.latency_s) ? journey.cause.label : layer < 0 ? "arrived" : `layer ${layer + 1} of ${trace.layers}`);
        bar.style.setProperty("--part", Math.min(1, age_s / (journey.latency_s || 1)));
      }
    },
  };
}


