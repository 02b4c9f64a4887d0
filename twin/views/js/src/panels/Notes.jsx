// Notes at times of a run: marks on the bar of time, and a list to read, add and take away.

import { useState } from "preact/hooks";

import { noteAt, placeOf, takeNotes } from "../data/notes.js";
import { frameSeconds, seconds, stepOf } from "../data/trace.js";

const REACH_PX = 9;
const LONGEST = 500;

const spanOf = (trace) => trace.frames * frameSeconds(trace);
const stepAt = (trace, t_s) => stepOf(trace, Math.min(Math.floor(t_s / frameSeconds(trace) + 1e-9), trace.frames - 1));

/** Marks above the bar; the list has the same for whoever has no pointer. */
export function NoteMarks({ app, trace }) {
  const [tip, setTip] = useState(/** @type {any} */ (null));
  const notes = trace.notes?.notes ?? [];
  if (!notes.length) return null;
  const under = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return noteAt(notes, spanOf(trace), (event.clientX - left) / width, REACH_PX / width);
  };
  // Within the bar, wherever on it the note is.
  const place = tip ? 100 * placeOf(tip, spanOf(trace)) : 0;
  const click = (event) => {
    const note = under(event);
    if (note) app.act.toSeconds(trace, note.t_s);
  };
  return (
    <div
      class="tw-notes-row" role="img" aria-label={`${notes.length} ${notes.length === 1 ? "note" : "notes"} along the run; Events lists them`}
      onPointerMove={(event) => setTip(under(event))} onPointerLeave={() => setTip(null)} onClick={click}
    >
      {notes.map((note) => <i key={note.id} data-note-mark={note.id} style={{ left: `${100 * placeOf(note, spanOf(trace))}%` }} />)}
      {tip && <div class="tw-tip tw-note-tip" style={{ left: `${place}%`, transform: `translateX(-${place}%)` }}>step {stepAt(trace, tip.t_s)}: {tip.text}</div>}
    </div>
  );
}

export function Notes({ app, trace }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  if (!trace.done) return <p class="tw-hint">Notes can be left when the run is complete.</p>;
  if (!trace.notes) return null;
  const { notes, may } = trace.notes;
  const change = async (more) => {
    const refused = await takeNotes(app, trace, app.ask.ask(trace.meta.run_id, "note", more));
    setWrong(refused);
    if (!refused && more.text) setText("");
  };
  const leave = (event) => {
    event.preventDefault();
    if (text.trim()) change({ text, t_s: seconds(trace, app.timeOf(trace)) });
  };
  return (
    <section class="tw-notes" aria-label="notes">
      {notes.map((note) => (
        <div key={note.id} class="tw-note-line" data-note={note.id}>
          <button type="button" class="tw-event" title={`written ${note.written_utc}`} onClick={() => app.act.toSeconds(trace, note.t_s)}><b>step {stepAt(trace, note.t_s)}</b><span>{note.text}</span></button>
          {may && <button type="button" data-act="unnote" aria-label={`take away: ${note.text}`} onClick={() => change({ remove: note.id })}>×</button>}
        </div>
      ))}
      {may && (
        <form class="tw-find" onSubmit={leave}>
          <label>Note <input data-field="note" maxLength={LONGEST} value={text} placeholder={`at step ${stepAt(trace, seconds(trace, app.timeOf(trace)))}, kept in the run`} onInput={(e) => setText(e.currentTarget.value)} /></label>
          <button type="submit" data-act="note" disabled={!text.trim()}>Leave it</button>
        </form>
      )}
      {wrong && <p class="tw-hint" role="status">{wrong}</p>}
    </section>
  );
}
