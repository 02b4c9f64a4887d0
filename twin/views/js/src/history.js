// The page's address: written when the view changes, read when the viewer goes back.

import { fromAddress, toAddress } from "./data/address.js";
import { followsNow } from "./data/live.js";
import { nameOf, seconds } from "./data/trace.js";

/** @param {import("./types").App} app */
export function createHistory(app) {
  let restoring = false;

  function now() {
    const { traces, view, clock, stage } = app;
    const [first] = traces;
    const { views, colourBy, tab, fixed, zoom, satellite } = view;
    return toAddress(location.search, {
      runs: traces.map((t) => t.meta.run_id),
      t_s: followsNow(app) ? NaN : seconds(first, Math.min(app.wanted ?? clock.time, first.frames)),
      views, colourBy, tab, fixed, zoom,
      satellite: satellite >= 0 ? nameOf(first, satellite) : "",
      cameras: stage.moved ? stage.poses : {},
    });
  }

  /** Write the address; as an entry of its own if the viewer may want to come back to what was. */
  function tell(entry = false) {
    if (app.compact || !app.traces.length || restoring) return;
    const next = now();
    if (next === location.search) return;
    const without = (search) => search.replace(/[?&](t|cam)=[^&]*/g, "");
    if (entry && without(next) !== without(location.search)) window.history.pushState({ top: 0 }, "", next);
    else window.history.replaceState(window.history.state, "", next);
  }

  function back() {
    if (!app.traces.length) return;
    const at = fromAddress(location.search);
    const runs = app.traces.map((t) => t.meta.run_id);
    if (at.runs.join() !== runs.join() && at.runs.length) app.model.send({ open: at.runs });
    restoring = true;
    app.act.asked(at, at.t_s);
    restoring = false;
    app.restyle();
  }

  return {
    tell,
    listen() {
      window.addEventListener("popstate", back);
      return () => window.removeEventListener("popstate", back);
    },
  };
}
