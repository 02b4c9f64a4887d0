// Alarms of a live run, grouped by cause: which satellite, since when, how far off; acknowledged and shelved.

import { useState } from "preact/hooks";

import { useAnswer } from "../ask.js";
import { span } from "../data/live.js";
import { count, figure } from "../data/numbers.js";
import { nameOf, stepOf, frameSeconds, timeOfDay } from "../data/trace.js";

export function Alarms({ app, trace }) {
  // What somebody else has done shows when there is something new, or this page does something.
  const [done, setDone] = useState(/** @type {any} */ (null));
  const [wrong, setWrong] = useState("");
  const asked = useAnswer(app, trace, "alarms", { known: trace.live?.alarms?.join(" ") ?? "" });
  const found = done ?? asked;
  if (asked && done && asked.key !== done.after) setDone(null);
  if (!found) return <p class="tw-hint" role="status">Looking …</p>;
  if (found.wrong) return <p class="tw-hint">{found.wrong}</p>;
  const change = async (more) => {
    const answer = await app.ask.ask(trace.meta.run_id, "alarm", more);
    setWrong(answer.wrong ?? "");
    if (!answer.wrong) setDone({ ...answer, after: asked?.key });
    app.changed();
  };
  return (
    <section class="tw-alarms" aria-label="alarms">
      <p class="tw-hint" role="status">{wrong || summary(found)}</p>
      {found.kinds.map((kind) => <Kind key={kind.kind} app={app} trace={trace} kind={kind} may={found.may} change={change} />)}
      {!found.may && found.kinds.length > 0 && <p class="tw-hint">Alarms are acknowledged and shelved from the server itself, or with its token.</p>}
    </section>
  );
}

function summary({ open, kinds }) {
  if (open) return `${count(open)} to be seen to`;
  return kinds.length ? "All have been seen to." : "No alarm up to now.";
}

function Kind({ app, trace, kind: { kind, sentence, count: all, open, rows }, may, change }) {
  const fresh = rows.filter(isOpen);
  const seen = rows.filter((row) => !isOpen(row));
  const lines = (some) => some.map((row) => <Row key={row.name} app={app} trace={trace} row={row} may={may} change={change} />);
  return (
    <section class="tw-alarm-kind" data-alarms={kind} aria-label={kind}>
      <div class="tw-alarm-head">
        <h2 class="tw-sub">{kind} <small>{count(open)} of {count(all)} open</small></h2>
        {may && fresh.length > 1 && <button type="button" class="tw-link" data-act="acknowledge-all" onClick={() => change({ acknowledge: fresh.map(({ name }) => name) })}>Acknowledge all</button>}
      </div>
      <p class="tw-hint">{sentence}</p>
      {lines(fresh)}
      {seen.length > 0 && <details open={!fresh.length}><summary>{count(seen.length)} acknowledged or shelved</summary>{lines(seen)}</details>}
      {rows.length < all && <p class="tw-hint">and {count(all - rows.length)} more; twin events RUN --kind alarm lists all.</p>}
    </section>
  );
}

const isOpen = (row) => row.acknowledged === null && row.shelved_s === null;

function Row({ app, trace, row, may, change }) {
  const { satellite, other, t_s } = row;
  const name = other < 0 ? nameOf(trace, satellite) : `${nameOf(trace, satellite)}-${nameOf(trace, other)}`;
  const since = timeOfDay(trace, { t_s });
  const go = () => {
    // It was raised at the end of a step.
    const frame = Math.max(0, Math.min(Math.ceil(t_s / frameSeconds(trace) - 1e-9) - 1, trace.ready - 1));
    app.act.toFrame(frame);
    app.act.pick(satellite, app.view.tab);
  };
  return (
    <div class="tw-alarm" data-alarm={row.name}>
      <button type="button" class="tw-event" data-act="see" title={`to ${name} at step ${stepOf(trace, 0) + Math.round(t_s / trace.meta.step_s) - 1}`} onClick={go}>
        <time>{since}</time><b>{name}</b><span>{measured(row)}{row.stands ? "; still so" : row.stands === false ? "; over" : ""}</span>
      </button>
      <div class="tw-alarm-acts">
        {row.acknowledged !== null && <small title={row.acknowledged}>acknowledged</small>}
        {row.shelved_s !== null && <small>shelved until {timeOfDay(trace, { t_s: row.shelved_s })}</small>}
        {may && row.acknowledged === null && <button type="button" class="tw-link" data-act="acknowledge" aria-label={`acknowledge ${name}`} onClick={() => change({ acknowledge: [row.name] })}>Acknowledge</button>}
        {may && row.shelved_s === null && <button type="button" class="tw-link" data-act="shelve" aria-label={`Shelve 6 h: ${name}`} title="out of sight for six hours of the fleet's time, however often it comes" onClick={() => change({ shelve: row.source })}>Shelve 6 h</button>}
        {may && row.shelved_s !== null && <button type="button" class="tw-link" data-act="back" aria-label={`put back ${name}`} onClick={() => change({ back: row.source })}>Put back</button>}
      </div>
    </div>
  );
}

/** How far off, and what is expected or let pass. */
function measured({ residual, spread, limit, unit }) {
  const shown = (value) => (unit === "s" ? span(value) : `${figure(value)} ${unit}`);
  if (residual === null) return "not measured";
  if (spread !== null) return `off by ${shown(residual)}, ± ${shown(spread)} expected`;
  return limit === null ? shown(residual) : `${shown(residual)}, alarm beyond ${shown(limit)}`;
}
