// The card of the satellite that the viewer chose.

import { percent } from "../data/numbers.js";
import { nameOf, timeOfDay } from "../data/trace.js";
import { hosted, lightOf, linksOf, temperatureOf } from "../data/satellite.js";
import { Facts } from "./parts.jsx";
import { Lose } from "./WhatIf.jsx";

export function Satellite({ app, trace }) {
  const { satellite } = app.view;
  const frame = app.frameOf(trace);
  if (satellite < 0 || satellite >= trace.count) {
    return (
      <p class="tw-hint">
        Click a satellite on the globe, the map or the ring, choose it with j and k, or find it in the table of satellites.
      </p>
    );
  }
  const at = frame * trace.count + satellite;
  const busy = trace.utilisation[at] === 255 ? "busy all the time" : `busy ${percent(trace.utilisation[at] / 255)} of the time`;
  return (
    <div class="tw-satellite">
      <h2>{nameOf(trace, satellite)}</h2>
      <Facts
        rows={[
          ["place", `plane ${trace.plane[satellite]} of 0-${trace.meta.n_planes - 1}, slot ${trace.slot[satellite]}`],
          ["hosts", hosted(trace, frame, satellite)],
          ["state", trace.meta.vocabulary.states[trace.state[at]].label],
          ["light", lightOf(trace, at)],
          ["battery", percent(trace.soc[at] / 255, 0)],
          ["temperature", `${temperatureOf(trace, at)} °C`],
          ["compute", busy],
        ]}
      />
      <div class="tw-filters"><Lose app={app} trace={trace} /></div>
      <h3>Battery over the run; shaded: in shadow</h3>
      <Spark trace={trace} satellite={satellite} look={app.look} frame={frame} />
      <h3>Laser links</h3>
      <ul class="tw-plain">
        {linksOf(trace, frame, satellite).map(({ other, state }) => (
          <li key={other}>
            <button type="button" onClick={() => app.act.pick(other)}>{nameOf(trace, other)}</button>
            <span class={state.group === "live" ? "" : "tw-bad"}>{state.group === "down" ? `down: ${state.label}` : state.label}</span>
            <button type="button" data-cut={other} title={`what if the link to ${nameOf(trace, other)} were cut at the step on screen?`} onClick={() => app.act.branch(trace, { cut: [[satellite, other]] })}>cut</button>
          </li>
        ))}
      </ul>
      <Lately app={app} trace={trace} frame={frame} satellite={satellite} />
    </div>
  );
}

function Lately({ app, trace, frame, satellite }) {
  const events = trace.events.filter((e) => e.satellite === satellite || e.other === satellite);
  const near = events.filter((e) => e.frame <= frame).slice(-4).reverse();
  return (
    <>
      <h3>Events: {events.length}{near.length ? ", the last" : ""}</h3>
      <ul class="tw-plain">
        {near.map((e) => (
          <li key={`${e.t_s} ${e.kind} ${e.other}`}>
            <button type="button" onClick={() => app.act.seek(e.frame + 0.02)}>{e.kind}</button><span>{timeOfDay(trace, e)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Spark({ trace, satellite, look, frame }) {
  const x = (k) => (340 * k) / Math.max(trace.frames - 1, 1);
  const at = (k) => k * trace.count + satellite;
  const frames = Array.from({ length: trace.ready }, (_, k) => k);
  // Grey where it flies in shadow, the line is its charge.
  const dark = frames.map((k) => `M${x(k).toFixed(1)} 48v${(-48 * (1 - trace.sunlit[at(k)] / 255)).toFixed(1)}`).join("");
  const charge = frames.map((k) => `${x(k).toFixed(1)},${(46 - (44 * trace.soc[at(k)]) / 255).toFixed(1)}`).join(" ");
  return (
    <svg class="tw-spark" viewBox="0 0 340 48" preserveAspectRatio="none" role="img" aria-label="charge over the run">
      <path d={dark} stroke={look.palette.shadow} stroke-opacity="0.25" stroke-width={x(1) + 0.6} />
      <polyline points={charge} fill="none" stroke={look.palette.series[1]} stroke-width="1.6" vector-effect="non-scaling-stroke" />
      <line x1={x(frame)} x2={x(frame)} y1="0" y2="48" stroke={look.palette.ring} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
