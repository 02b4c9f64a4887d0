// Notes at times of a run: kept in the run's folder (twin/runs/notes.py), shown on the bar of time.

/** @typedef {{id: string, t_s: number, text: string, written_utc: string}} Note */

/** Where along the bar a note is, 0 to 1. @param {Note} note @param {number} span_s of the run */
export const placeOf = (note, span_s) => Math.min(Math.max(note.t_s / span_s, 0), 1);

/** The note nearest to a place along the bar, or null where none is near. @param {Note[]} notes @param {number} span_s @param {number} place 0 to 1 @param {number} reach the same */
export function noteAt(notes, span_s, place, reach) {
  const away = (/** @type {Note} */ note) => Math.abs(placeOf(note, span_s) - place);
  const [nearest] = [...notes].sort((a, b) => away(a) - away(b));
  return nearest && away(nearest) <= reach ? nearest : null;
}

const AGAIN_MS = 3000;

/** Ask for the notes of the runs on stage that are complete, once. @param {import("../types").App} app */
export function askNotes(app) {
  for (const trace of app.compact ? [] : app.traces) {
    if (!trace.done || trace.notes !== undefined) continue;
    trace.notes = null; // on their way
    takeNotes(app, trace, app.ask.ask(trace.meta.run_id, "notes", {})).then((wrong) => {
      // All frames may be here shortly before the run is.
      if (wrong) setTimeout(() => (trace.notes = undefined), AGAIN_MS);
    });
  }
}

/** Take in what was answered; where that is a refusal, notes stay as they are. @param {import("../types").App} app @param {import("../types").Trace} trace @param {Promise<any>} answer @returns {Promise<string>} what is wrong */
export async function takeNotes(app, trace, answer) {
  const { notes, may, wrong = "" } = await answer;
  if (notes) trace.notes = { notes, may };
  app.changed();
  return wrong;
}
