// What comes from Python: heads and frames of the runs on stage, piece by piece.

import { readyOf } from "./data/align.js";
import { append, createTrace } from "./data/trace.js";

/**
 * @param {import("./types").App} app
 * @param {(traces: import("./types").Trace[]) => void} arrange takes runs on stage that have their first frames
 */
export function createFeed(app, arrange) {
  /** @type {Map<string, {trace: import("./types").Trace | null}>} */
  let loading = new Map();
  /** @type {[string, number][]} */
  let waiting = [];
  const ask = (key, number) => app.model.send({ want: key, number });

  function settle() {
    const next = [...loading.values()].map(({ trace }) => trace).filter((trace) => trace?.ready);
    const same = next.length === app.traces.length && next.every((trace, k) => trace === app.traces[k]);
    if (next.length && !same) arrange(/** @type {any} */ (next));
  }

  return {
    changed() {
      const next = new Map();
      for (const key of app.model.get("shown")) {
        next.set(key, loading.get(key) ?? { trace: null });
        if (!loading.has(key)) {
          ask(key, 0);
          ask(key, 1);
        }
      }
      loading = next;
      settle();
    },
    received(content, buffers) {
      if (app.ask.received(content)) return;
      const entry = loading.get(content.key);
      if (entry === undefined) return;
      const [view] = buffers;
      if (content.number === 0) entry.trace = createTrace(view);
      else if (entry.trace) append(entry.trace, view);
      // The next one when this one has been drawn: a page that only listens shows nothing.
      if (content.number > 0 && !entry.trace?.done) waiting.push([content.key, content.number + 1]);
      if (content.number === 1) settle();
      if (app.traces.length) {
        app.clock.ready = readyOf(app.traces);
        app.clock.frames = app.traces[0].frames;
      }
      if (entry.trace?.done) app.restyle();
      else app.changed();
    },
    /** Ask for what comes next. */
    goOn() {
      for (const [key, number] of waiting) ask(key, number);
      waiting = [];
    },
  };
}
