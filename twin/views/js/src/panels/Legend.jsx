// Title, colours and signs, always on screen: what is seen, and switches for what should be.

import { recordAt } from "../data/carried.js";
import { clamp, count, figure } from "../data/numbers.js";
import { EXPERT, GATEWAY, linkCounts, nameOf, placementAt, utc } from "../data/trace.js";
import { coloursOf } from "../data/view.js";
import { Explained, Switch } from "./parts.jsx";

const COLOURINGS = {
  layer: { label: "Layer", ends: (trace) => ["layer 0", `layer ${trace.layers - 1}`] },
  sunlit: { label: "Sunlight", ends: () => ["in shadow", "in sunlight"] },
  soc: { label: "Battery", ends: () => ["empty", "full"] },
  temperature: { label: "Heat", ends: ({ meta }) => meta.temperature_range_c.map((t) => `${t} °C`) },
  utilisation: { label: "Load", ends: () => ["idle", "all it can do"] },
  state: { label: "State", ends: ({ meta }) => meta.vocabulary.states.map(({ label }) => label) },
  instance: { label: "Copy", ends: ({ meta }) => Array.from({ length: Math.min(meta.requests?.instances ?? 1, 4) }, (_, k) => `${k}`) },
};

/** What can be drawn or not: its sign, its name, its colour, how many there are. */
const SWITCHES = [
  { key: "tokens", sign: "tw-token", label: "tokens", hue: ({ tokens }) => tokens[0] },
  { key: "ring", sign: "tw-line", label: "ring of gateways", hue: ({ ring }) => ring },
  { key: "live", sign: "tw-line", label: "laser links, live", hue: ({ links }) => links.live },
  { key: "acquiring", sign: "tw-line", label: "acquiring", hue: ({ links }) => links.acquiring },
  { key: "down", sign: "tw-line", label: "down", hue: ({ links }) => links.down },
  { key: "ground", sign: "tw-site", label: "cities, serving links", hue: ({ ground }) => ground, needs: ({ meta }) => meta.sites.length },
  { key: "migrations", sign: "tw-dashed", label: "weights moving", hue: ({ migration }) => migration },
  { key: "load", sign: "tw-line", label: "links by load", hue: ({ ramps }) => ramps.utilisation.at(-2), needs: ({ meta }) => meta.requests },
  { key: "dispatch", sign: "tw-dashed", label: "requests to copies", hue: ({ series }) => series[0], needs: ({ meta }) => meta.requests && meta.sites.length },
  { key: "shadow", sign: "tw-shade", label: "Earth's shadow", hue: ({ shadow }) => shadow },
  { key: "labels", sign: "tw-number", label: "layer numbers", hue: () => undefined },
  { key: "sizeByLoad", sign: "tw-sizes", label: "size by load", hue: () => undefined },
];

export function Head({ app }) {
  const [trace] = app.traces;
  const { meta } = trace;
  const lines = [
    `${count(meta.n_satellites)} satellites in ${meta.n_planes} planes`,
    `${meta.model}, ${trace.layers} layers`,
    app.traces.length > 1 ? `${app.traces.length} runs side by side` : `placed by ${meta.strategy}, ${meta.policy}`,
    ...(meta.stride > 1 ? [`a frame stands for ${meta.stride} steps`] : []),
  ];
  return (
    <div class="tw-head">
      <h1 class="tw-title">{meta.name}</h1>
      <div class="tw-subtitle">{lines.map((line) => <div key={line}><Explained app={app} text={line} /></div>)}</div>
      <div class="tw-when">{utc(trace, app.clock.time)}</div>
    </div>
  );
}

export function Legend({ app }) {
  const { view, act, look } = app;
  const [trace] = app.traces;
  const found = tally(app);
  return (
    <div class="tw-legend tw-panel" role="group" aria-label="colours and signs">
      {/* Above all else, so that nothing moves under the pointer. */}
      {view.layer >= 0 && <div class="tw-focus">{focused(trace, view.layer, found)}</div>}
      <div class="tw-modes tw-choices" role="group" aria-label="colour of satellites">
        {coloursOf(trace).map((name) => (
          <Switch key={name} on={view.colourBy === name} data-colour={name} onClick={() => act.colour(name)}>{COLOURINGS[name].label}</Switch>
        ))}
      </div>
      <Ramp app={app} />
      <div class={view.colourBy === "state" ? "tw-ends tw-five" : "tw-ends"}>
        {COLOURINGS[view.colourBy].ends(trace).map((end) => <span key={end}>{end}</span>)}
      </div>
      <div class="tw-rows">
        <Sign sign="tw-gateway" label={<Explained app={app} text="gateway of a layer" />} />
        <Sign sign="tw-expert" label="hosts experts" />
        <Sign sign="tw-idle" label="hosts nothing" value={count(found.idle)} hue={look.palette.idle} />
        <Sign sign="tw-shaded" label="in Earth's shadow" value={count(found.shaded)} />
        {SWITCHES.filter(({ needs }) => !needs || needs(trace)).map(({ key, sign, label, hue }) => (
          <Switch key={key} on={key === "sizeByLoad" ? view.sizeByLoad : view.show[key]} data-show={key} title={carriedNote(view, trace, key)} onClick={() => act.show(key)}>
            <i class={`tw-sign ${sign}`} style={{ "--sign": hue(look.palette) }} /><span>{label}</span><b>{found[key]}</b>
          </Switch>
        ))}
      </div>
    </div>
  );
}

/** Why load or dispatch is not drawn; nothing where it is. */
function carriedNote({ show }, trace, key) {
  const found = { load: trace.traffic, dispatch: trace.dispatch }[key];
  if (!show[key] || !["load", "dispatch"].includes(key)) return undefined;
  return trace.done ? found?.wrong : "known when the run is complete";
}

function Sign({ sign, label, value = "", hue = undefined }) {
  return <div><i class={`tw-sign ${sign}`} style={{ "--sign": hue }} /><span>{label}</span><b>{value}</b></div>;
}

/** The colours; where they are layers', a slider that brings one into focus. */
function Ramp({ app }) {
  const { view, act, look } = app;
  const [trace] = app.traces;
  if (view.colourBy !== "layer") return <div class="tw-ramp" style={{ background: gradient(view, look, trace) }} />;
  const at = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return clamp(Math.floor(((event.clientX - left) / width) * trace.layers), 0, trace.layers - 1);
  };
  const keyed = (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.stopPropagation();
    event.preventDefault();
    act.hold((Math.max(view.held, by > 0 ? -1 : 0) + by + trace.layers) % trace.layers);
  };
  return (
    <div
      class="tw-ramp" style={{ background: gradient(view, look, trace) }} tabIndex={0} role="slider" aria-label="layer in focus"
      aria-valuemin={-1} aria-valuemax={trace.layers - 1} aria-valuenow={view.layer}
      aria-valuetext={view.layer < 0 ? "all layers" : `layer ${view.layer}`}
      onClick={(event) => act.hold(view.held === at(event) ? -1 : at(event))}
      onPointerMove={(event) => act.focus(at(event))} onPointerLeave={() => act.focus(view.held)} onKeyDown={keyed}
    />
  );
}

function gradient({ colourBy }, { palette }, { meta }) {
  const signs = { state: palette.states, instance: palette.series.slice(0, meta.requests?.instances) }[colourBy];
  if (!signs) return `linear-gradient(90deg, ${palette.ramps[colourBy].join(", ")})`;
  const part = 100 / signs.length;
  return `linear-gradient(90deg, ${signs.map((c, k) => `${c} ${part * k}% ${part * (k + 1)}%`).join(", ")})`;
}

function focused(trace, layer, { gateway, hosts }) {
  return `layer ${layer}: gateway ${nameOf(trace, gateway)}, experts on ${hosts} other ${hosts === 1 ? "satellite" : "satellites"}`;
}

let known = { key: "", found: /** @type {any} */ (null) };

/** How many of each sign there are at the frame on screen. */
function tally(app) {
  const [trace] = app.traces;
  const frame = app.frameOf(trace);
  const key = `${trace.meta.run_id} ${frame} ${app.view.layer} ${Boolean(trace.traffic)} ${Boolean(trace.dispatch)}`;
  if (known.key !== key) known = { key, found: tallied(app, trace, frame) };
  return known.found;
}

function tallied({ view }, trace, frame) {
  const { layer, role, gateways } = placementAt(trace, frame);
  const found = { shaded: 0, idle: 0, hosts: 0, gateway: view.layer >= 0 ? gateways[view.layer] : -1 };
  for (let i = 0; i < trace.count; i += 1) {
    if (trace.sunlit[frame * trace.count + i] < 128) found.shaded += 1;
    if (role[i] === 0) found.idle += 1;
    if (role[i] >= EXPERT && role[i] !== GATEWAY && layer[i] === view.layer) found.hosts += 1;
  }
  const [live, acquiring, down] = linkCounts(trace, frame).map(count);
  const drawn = trace.tokenRange[frame + 1] - trace.tokenRange[frame];
  return { ...found, ...carried(trace, frame), live, acquiring, down, tokens: `${drawn} of ${count(trace.meta.tokens_per_step)}`, ground: count(trace.meta.sites.length) };
}

/** How many links carry something, to how much of their time; how many requests are sent. */
function carried({ traffic, dispatch, meta: { first_step: first, stride } }, frame) {
  const record = traffic?.records?.[recordAt(traffic.steps, first + frame * stride)];
  const most = record?.size ? Number(((Math.max(...record.values()) / 2.55) * traffic.most).toPrecision(2)) : 0;
  return {
    load: record ? (record.size ? `${count(record.size)}, to ${figure(most)} %` : "none") : "",
    dispatch: dispatch?.get ? count((dispatch.get(frame) ?? []).reduce((sum, [, , n]) => sum + n, 0)) : "",
  };
}
