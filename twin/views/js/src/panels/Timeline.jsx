// The run as one picture: light, hand-overs, plans, faults, times and losses above each other.

import { useMemo, useState } from "preact/hooks";

import { inWords } from "../data/eventlog.js";
import { count, figure } from "../data/numbers.js";
import { causesAt, eventsOf, hampered, hostsInShadow, lostShare, titleOf } from "../data/timeline.js";
import { column, timeOfDay } from "../data/trace.js";

const HEIGHT = 34;
const WIDE = 1000;
const LISTED = 30;

/** Lanes: name, what a value is, values, colour; bars are drawn from zero. */
function lanesOf(trace, palette) {
  const { lanes } = trace.meta.vocabulary;
  const number = (word) => lanes.findIndex((lane) => lane.word === word);
  const quantile = (k) => Array.from({ length: trace.ready }, (_, frame) => trace.quantiles_s[21 * frame + k]);
  const requests = trace.meta.requests !== null;
  const percent = (v) => `${(100 * v).toFixed(1)} %`;
  const seconds = (v) => `${figure(v)} s`;
  return [
    { name: "hosts in shadow", values: hostsInShadow(trace), hue: palette.shadow, bars: false, shown: percent },
    { name: "hand-overs", values: eventsOf(trace, number("ground")), hue: palette.lanes[number("ground")], bars: true, shown: count },
    { name: "plans and moves", values: eventsOf(trace, number("plan")), hue: palette.lanes[number("plan")], bars: true, shown: count },
    { name: "faults and limits", values: hampered(trace), hue: palette.lanes[number("satellite")], bars: true, shown: (v) => `${count(v)} satellites` },
    ...(requests ? [
      { name: "first token", values: Array.from(column(trace, "request_ttft_s")), hue: palette.series[0], bars: false, shown: seconds },
      { name: "further token", values: Array.from(column(trace, "request_tpot_s")), hue: palette.series[1], bars: false, shown: seconds },
    ] : [
      { name: "token, median", values: quantile(10), hue: palette.series[0], bars: false, shown: seconds },
      { name: "token, 95 %", values: quantile(19), hue: palette.series[1], bars: false, shown: seconds },
    ]),
    { name: "lost", values: lostShare(trace), hue: palette.causes[1] ?? palette.causes[0], bars: true, shown: percent },
  ];
}

export function Timeline({ app, trace }) {
  const { palette } = app.look;
  const lanes = useMemo(() => lanesOf(trace, palette), [trace, trace.ready, palette]);
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const frame = app.frameOf(trace);
  const shown = at ?? frame;
  const under = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(Math.floor(((event.clientX - left) / width) * trace.frames), trace.ready - 1));
  };
  const go = (event) => app.act.toSeconds(trace, under(event) * trace.meta.stride * trace.meta.step_s);
  return (
    <>
      <div class="tw-timeline" onPointerMove={(event) => setAt(under(event))} onPointerLeave={() => setAt(null)} onClick={go}>
        {lanes.map((lane) => <Lane key={lane.name} lane={lane} frames={trace.frames} frame={shown} />)}
        <i class="tw-timeline-now" style={{ left: `${(100 * (frame + 0.5)) / trace.frames}%` }} />
      </div>
      <p class="tw-hint">All of the run on one axis of time; a click goes there and says what it comes from.</p>
      <Causes app={app} trace={trace} frame={frame} />
    </>
  );
}

function Lane({ lane: { name, values, hue, bars, shown }, frames, frame }) {
  const path = useMemo(() => drawn(values, frames, bars), [values, frames, bars]);
  return (
    <div class="tw-lane">
      <span><b>{name}</b> {Number.isFinite(values[frame]) ? shown(values[frame]) : "–"}</span>
      <svg viewBox={`0 0 ${WIDE} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${name} over the run`}>
        <path d={path} fill={bars ? hue : "none"} stroke={bars ? "none" : hue} />
      </svg>
    </div>
  );
}

/** A line, or bars; from 0 to the most, with a gap where nothing is known. */
function drawn(values, frames, bars) {
  const most = values.reduce((a, b) => (b > a ? b : a), 0) || 1;
  const x = (k) => ((WIDE * k) / frames).toFixed(1);
  const y = (v) => (HEIGHT - 1 - ((HEIGHT - 3) * v) / most).toFixed(1);
  if (bars) return values.map((v, k) => (v > 0 ? `M${x(k)} ${HEIGHT - 1}V${y(v)}H${x(k + 1)}V${HEIGHT - 1}Z` : "")).join("");
  return values.map((v, k) => (Number.isFinite(v) ? `${k && Number.isFinite(values[k - 1]) ? "L" : "M"}${x(k + 0.5)} ${y(v)}` : "")).join("");
}

function Causes({ app, trace, frame }) {
  const lines = useMemo(() => causesAt(trace, frame), [trace, frame, trace.ready]);
  const quiet = trace.meta.vocabulary.kinds;
  const events = trace.events.filter((e) => e.frame === frame && !quiet[e.kind]?.quiet);
  return (
    <section class="tw-causes" aria-label="what this step comes from">
      <h2>{titleOf(trace, frame)}</h2>
      <ul>{lines.length ? lines.map((line) => <li key={line}>{line}</li>) : <li>Nothing out of the ordinary.</li>}</ul>
      {events.slice(0, LISTED).map((event, k) => (
        <button type="button" key={k} class="tw-event" onClick={() => app.act.event(event)}>
          <time>{timeOfDay(trace, event)}</time><b>{event.kind}</b><span>{inWords(trace, event)}</span>
        </button>
      ))}
      {events.length > LISTED && <p class="tw-hint">and {count(events.length - LISTED)} more; Events and Find list all.</p>}
    </section>
  );
}
