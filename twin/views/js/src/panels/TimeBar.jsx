// The bar of time: play, step, speed, scrub; ticks mark when things happened, a click goes there.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { SPEEDS, paces } from "../data/clock.js";
import { growing, outlookWords, standing } from "../data/live.js";
import { count } from "../data/numbers.js";
import { stepOf, utc } from "../data/trace.js";
import { NoteMarks } from "./Notes.jsx";
import { Switch } from "./parts.jsx";

const LANE_HEIGHT = 8;
const REACH = 7;
// As Python counts them (twin/views/rows.py).
const PLACES = 400;

export function TimeBar({ app }) {
  const { act, clock } = app;
  const [trace] = app.traces;
  const { satellites, tokens } = paces(clock, trace);
  const step = (n) => stepOf(trace, n).toLocaleString("en");
  return (
    <div class="tw-bar" role="group" aria-label="time">
      <div class="tw-buttons">
        <button type="button" aria-label="event before" title="event before" data-act="earlier" onClick={() => act.jump(-1)}>«</button>
        <button type="button" aria-label="one step back" title="one step back" data-act="back" onClick={() => act.step(-1)}>‹</button>
        <button type="button" class="tw-play" aria-label={clock.playing ? "pause" : "play"} onClick={act.toggle}>{clock.playing ? "❚❚" : "▶"}</button>
        <button type="button" aria-label="one step on" title="one step on" data-act="ahead" onClick={() => act.step(1)}>›</button>
        <button type="button" aria-label="next event" title="next event" data-act="later" onClick={() => act.jump(1)}>»</button>
      </div>
      <div class="tw-line-of-time">
        <Scrub app={app} trace={trace} />
        <Found app={app} />
        <NoteMarks app={app} trace={trace} />
        <Ticks app={app} trace={trace} />
      </div>
      <div class="tw-time-side">
        <div class="tw-time-row">
          {growing(trace) && (
            <div class="tw-choices"><Switch on={app.view.now} data-act="now" title="go along with the newest step that is mirrored" onClick={act.now}>Now</Switch></div>
          )}
          <div class="tw-step" title="of the steps in the run's tables">
            step {step(app.frameOf(trace))} of {step(0)}-{(trace.meta.first_step + trace.meta.steps - 1).toLocaleString("en")}
          </div>
          <div class="tw-speeds tw-choices" role="group" aria-label="speed">
            {SPEEDS.map((speed) => (
              <Switch key={speed} on={clock.speed === speed} data-speed={speed} onClick={() => act.speed(speed)}>
                {speed < 1 ? `1/${1 / speed}×` : `${speed}×`}
              </Switch>
            ))}
          </div>
        </div>
        <div class="tw-pace">{utc(trace, clock.time)} · satellites {spoken(satellites)} · tokens {spoken(tokens)}</div>
      </div>
      {trace.meta.live && <Standing trace={trace} />}
    </div>
  );
}

function Standing({ trace }) {
  const { words, amiss } = standing(trace);
  const { outlook } = trace.live ?? {};
  const ahead = outlook?.steps && !trace.done ? `; outlook to step ${count(outlook.step + outlook.steps - 1)}, ${outlookWords(trace)}` : "";
  return <div class={amiss ? "tw-standing tw-bad" : "tw-standing"}>{words}{ahead}</div>;
}

function Scrub({ app, trace }) {
  const part = (value) => `${(100 * value) / trace.frames}%`;
  const { time } = app.clock;
  return (
    <input
      type="range" class="tw-scrub" min={0} max={trace.frames} step="any" value={time} aria-label="time"
      aria-valuetext={`step ${stepOf(trace, app.frameOf(trace))}, ${utc(trace, time)}`}
      style={{ "--done": part(time), "--ready": part(trace.done ? trace.frames : trace.ready), ...aheadOf(trace, part) }}
      onInput={(event) => app.act.seek(Number(event.currentTarget.value))}
    />
  );
}

/** How far beyond now there is an outlook. */
function aheadOf(trace, part) {
  const { step, steps } = trace.live?.outlook ?? {};
  const end = (step + steps - trace.meta.first_step) / trace.meta.stride;
  return end > trace.ready && !trace.done ? { "--ahead": part(end) } : {};
}

/** Where along the run is what the viewer asked for. */
function Found({ app }) {
  const { found } = app.view;
  if (!found) return null;
  const most = Math.max(...found.map(([, n]) => n), 1);
  return (
    <div class="tw-found" role="img" aria-label={`what was asked for, at ${found.length} places along the run`}>
      {found.map(([place, n]) => <i key={place} style={{ left: `${(100 * place) / PLACES}%`, opacity: 0.35 + (0.65 * n) / most }} />)}
    </div>
  );
}

function Ticks({ app, trace }) {
  const [tip, setTip] = useState(/** @type {any} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const painted = useRef({ key: "", counts: /** @type {Float32Array[]} */ ([]) });
  const lanes = lanesOf(trace.meta.vocabulary);
  useLayoutEffect(() => {
    const width = canvas.current?.clientWidth ?? 0;
    const key = `${trace.meta.run_id} ${width} ${trace.ready} ${trace.events.length} ${app.look?.dark}`;
    if (key === painted.current.key || !width || !canvas.current || !app.look) return;
    painted.current = { key, counts: lanes.map(({ kinds }) => tally(trace, kinds)) };
    paint(canvas.current, painted.current.counts, lanes.map(({ number }) => app.look?.palette.lanes[number]), trace.frames);
  });
  const under = (event) => nearest(event, painted.current.counts, trace.frames);
  const moved = (event) => {
    const found = under(event);
    event.currentTarget.style.cursor = found ? "pointer" : "default";
    setTip(found && { ...found, x: event.offsetX });
  };
  const click = (event) => {
    const found = under(event);
    if (found) app.act.visit(found.frame, lanes[found.lane].kinds);
  };
  return (
    <div class="tw-tick-row">
      <div class="tw-lanes">
        {lanes.map(({ label }, k) => <span key={label} class={painted.current.counts[k]?.some(Boolean) ? "" : "tw-none"}>{label}</span>)}
      </div>
      <canvas class="tw-ticks" ref={canvas} aria-hidden="true" onPointerMove={moved} onPointerLeave={() => setTip(null)} onClick={click} />
      {tip && (
        <div class="tw-tip" style={{ left: `${tip.x}px` }}>
          {count(tip.n)} {lanes[tip.lane].label} {tip.n === 1 ? "event" : "events"}, step {stepOf(trace, tip.frame)}
        </div>
      )}
    </div>
  );
}

/** Lanes of events that are not too many by far to be ticks; each is a row. */
function lanesOf({ lanes, kinds }) {
  return lanes
    .map(({ label, ticks }, number) => ({ label, number, ticks, kinds: Object.keys(kinds).filter((kind) => kinds[kind].lane === number) }))
    .filter(({ ticks }) => ticks);
}

/** How many events of these kinds each frame has. */
function tally(trace, kinds) {
  const sum = new Float32Array(trace.frames);
  for (const kind of kinds) trace.kinds[kind]?.byFrame.forEach((n, frame) => (sum[frame] += n));
  return sum;
}

function paint(canvas, lanes, colours, frames) {
  const width = canvas.clientWidth;
  const sharp = Math.min(window.devicePixelRatio, 2);
  canvas.width = width * sharp;
  canvas.height = lanes.length * LANE_HEIGHT * sharp;
  const ink = canvas.getContext("2d");
  ink.scale(sharp, sharp);
  lanes.forEach((counts, k) => {
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    ink.fillStyle = colours[k];
    counts.forEach((n, frame) => {
      if (!n) return;
      ink.globalAlpha = 0.25 + 0.75 * (n / most);
      ink.fillRect((width * frame) / frames, k * LANE_HEIGHT + 1, Math.max(1.5, width / frames - 0.5), LANE_HEIGHT - 2);
    });
  });
}

/** The lane under the pointer and its nearest frame with an event, or null. @returns {any} */
function nearest(event, lanes, frames) {
  const { left, top, width } = event.currentTarget.getBoundingClientRect();
  const lane = Math.floor((event.clientY - top) / LANE_HEIGHT);
  const x = event.clientX - left;
  let best = /** @type {any} */ (null);
  for (let frame = 0; frame < (lanes[lane]?.length ?? 0); frame += 1) {
    const [n, away] = [lanes[lane][frame], Math.abs(((frame + 0.5) * width) / frames - x)];
    if (n && away < REACH && (best === null || away < best.away)) best = { lane, frame, n, away };
  }
  return best;
}

function spoken(pace) {
  const factor = pace < 1 ? 1 / pace : pace;
  const shown = factor < 10 ? factor.toFixed(1) : Math.round(factor).toLocaleString("en");
  return `${shown}× ${pace < 1 ? "slower" : "faster"}`;
}
