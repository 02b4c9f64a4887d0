// The tokens of a step, and the way of the one chosen: layer by layer, and why it was slow.

import { layerColour } from "../data/colours.js";
import { tokenTime } from "../data/clock.js";
import { journeys, layerOf, meanLayers } from "../data/journey.js";
import { duration } from "../data/numbers.js";
import { verdict } from "../data/verdict.js";
import { Key, Switch } from "./parts.jsx";

export function Tokens({ app, trace }) {
  const frame = app.frameOf(trace);
  const age = tokenTime(app.timeOf(trace), trace.tokenSpan);
  const tokens = journeys(trace, frame);
  const served = (j) => (Number.isFinite(j.latency_s) ? j.latency_s : 0);
  const most = Math.max(...tokens.map(served), 1e-3);
  const order = [...tokens].sort((a, b) => (b.latency_s || Infinity) - (a.latency_s || Infinity));
  const chosen = tokens.find((j) => j.token === app.view.token);
  return (
    <>
      <div class="tw-token-list">
        <h2 class="tw-sub">{tokens.length ? "Tokens drawn in this step, slowest first" : "No tokens are recorded in this run."}</h2>
        {order.map((journey) => <Token key={journey.token} app={app} trace={trace} journey={journey} age={age} most={most} />)}
      </div>
      <div class="tw-token-detail">
        {chosen
          ? <Way app={app} trace={trace} journey={chosen} />
          : <p class="tw-hint">Choose a token to see its way alone, layer by layer, and why it was slow.</p>}
      </div>
    </>
  );
}

function Token({ app, trace, journey, age, most }) {
  const { palette } = app.look;
  const held = journey.token === app.view.token;
  const layer = layerOf(journey, age);
  const served = Number.isFinite(journey.latency_s);
  const now = !served ? journey.cause.label : layer < 0 ? "arrived" : `layer ${layer} of 0-${trace.layers - 1}`;
  const bar = { "--full": `${(100 * (journey.latency_s || 0)) / most}%`, "--part": Math.min(1, age / (journey.latency_s || 1)) };
  return (
    <Switch
      on={held} data-token={journey.token} style={{ "--sign": palette.tokens[journey.token % palette.tokens.length] }}
      onClick={() => app.act.token(held ? -1 : journey.token)}
    >
      <span>token {journey.token}</span><em>{now}</em><i class="tw-token-bar" style={bar} /><b>{served ? duration(journey.latency_s) : "lost"}</b>
    </Switch>
  );
}

function Way({ app, trace, journey }) {
  const { palette } = app.look;
  const mean = meanLayers(trace);
  const most = Math.max(...journey.layers.map((l) => l.end_s - l.start_s), ...mean);
  const part = (seconds) => `${(100 * seconds) / most}%`;
  return (
    <>
      <h2>Token {journey.token}</h2>
      <p class="tw-verdict">{verdict(trace, journey)}</p>
      <div class="tw-way-keys">
        <Key label="on the way" hue={palette.propagation} />
        <Key label="compute and waiting" hue={palette.compute} />
        <Key label="run's mean" hue={palette.ring} />
      </div>
      <div class="tw-way">
        {journey.layers.map((layer, l) => {
          const took = layer.end_s - layer.start_s;
          return (
            <button type="button" key={l} class="tw-way-row" data-layer={l} title={`layer ${l}: ${duration(took)}, ${layer.hops} hops`} onClick={() => app.act.hold(app.view.held === l ? -1 : l)}>
              <span><i class="tw-dot" style={{ background: layerColour(palette.ramps.layer, l, trace.layers) }} />{l}</span>
              <div>
                <i style={{ width: part(layer.flight_s), background: palette.propagation }} />
                <i style={{ width: part(took - layer.flight_s), background: palette.compute }} />
                <i class="tw-usual" style={{ left: part(mean[l]) }} />
              </div>
              <b>{duration(took)}</b><em>{layer.hops} hops</em>
            </button>
          );
        })}
      </div>
    </>
  );
}
