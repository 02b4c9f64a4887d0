// Live runs: what a mirror follows at this moment, how old that is, and what is said of it (twin/views/telemetry.py).

import { count } from "./numbers.js";

/** @typedef {import("../types").App} App */
/** @typedef {import("../types").Trace} Trace */

const AGAIN_MS = 1000;
// Without a message for so long, messages have stopped.
const SILENT_S = 60;

const asked = new WeakSet();

/** Whether the stage goes along with the newest step of a run that is being mirrored. @param {App} app */
export const followsNow = ({ view, traces: [first] }) => view.now && growing(first);

/** Whether a run is being mirrored, as far as the page knows. @param {Trace} trace */
export const growing = (trace) => trace?.meta.live && !trace.done;

/** Ask again and again how it stands with the live runs on stage. @param {App} app */
export function askLive(app) {
  for (const trace of app.compact ? [] : app.traces) {
    if (!trace.meta.live || asked.has(trace)) continue;
    asked.add(trace);
    poll(app, trace);
  }
}

/** @param {App} app @param {Trace} trace */
async function poll(app, trace) {
  const known = trace.live?.outlook;
  const found = await app.ask.ask(trace.meta.run_id, "live", { known: known?.step });
  if (!found.wrong) trace.live = { ...found, outlook: found.outlook ?? known };
  app.changed();
  if (trace.done && found.complete) return;
  if (app.traces.includes(trace)) setTimeout(() => poll(app, trace), AGAIN_MS);
  else asked.delete(trace);
}

/** How it stands with a live run, in words, and whether something is amiss. @param {Trace} trace @returns {{words: string, amiss: boolean}} */
export function standing({ live, done }) {
  if (!live) return { words: "mirrored from telemetry", amiss: false };
  if (live.complete || done) return { words: "mirrored from telemetry; the mirror has ended", amiss: false };
  if (live.step === undefined) return { words: "mirrored from telemetry; no step is over yet", amiss: false };
  const to = `mirrored to step ${count(live.step - 1)}`;
  if (!live.mirroring) return { words: `${to}; the mirror has stopped`, amiss: true };
  if (live.heard_s > SILENT_S) return { words: `${to}; no message for ${span(live.heard_s)}`, amiss: true };
  return { words: `${to}, ${span(live.age_s)} ago; ${span(live.behind_s)} behind the fleet's clock; last message ${span(live.heard_s)} ago`, amiss: false };
}

/** Where the newest outlook begins and how old it is, in words. @param {Trace} trace */
export function outlookWords({ live }) {
  const { step } = live.outlook;
  const age = live.step === undefined ? 0 : live.step - step;
  return `from step ${count(step)}${age > 0 ? `, ${count(age)} ${age === 1 ? "step" : "steps"} ago` : ""}`;
}

/** A span of time in words. @param {number | null | undefined} seconds */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 5970) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
