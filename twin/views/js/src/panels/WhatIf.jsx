// What if: from the step on screen on, something is changed; the branch is computed beside its parent.

import { useState } from "preact/hooks";

import { growing } from "../data/live.js";
import { nameOf, stepOf } from "../data/trace.js";

export function WhatIf({ app, trace }) {
  const { satellite } = app.view;
  const [changed, setChanged] = useState(/** @type {Record<string, string>} */ ({}));
  const offered = trace.meta.what_if;
  const fields = Object.fromEntries(offered.filter(({ path, value }) => path in changed && changed[path] !== String(value)).map((field) => [field.path, typed(field, changed[field.path])]));
  const mirrored = growing(trace);
  const some = Object.keys(fields).length > 0;
  return (
    <>
      <p class="tw-hint">
        {mirrored
          ? "From now on, with the satellites as they are estimated; what is to come is drawn. The branch stands beside this run, and charts show where it goes."
          : "From the step on screen on, with the same random numbers: what differs is what was changed. The branch stands beside this run, and charts show the difference."}
      </p>
      <h2 class="tw-sub">From {mirrored ? "now" : `step ${stepOf(trace, app.frameOf(trace))}`} on</h2>
      <div class="tw-whatif">
        {offered.map(({ path, label, value, choices }) => (
          <label key={path}>
            <span>{label}</span>
            {choices ? (
              <select data-field={path} value={changed[path] ?? value} onChange={(e) => setChanged({ ...changed, [path]: e.currentTarget.value })}>
                {choices.map((choice) => <option key={choice} value={choice}>{choice}</option>)}
              </select>
            ) : (
              <input data-field={path} type="number" step="any" value={changed[path] ?? value} onInput={(e) => setChanged({ ...changed, [path]: e.currentTarget.value })} />
            )}
          </label>
        ))}
      </div>
      <div class="tw-filters">
        <button type="button" data-act="branch" disabled={!some} onClick={() => app.act.branch(trace, { set: fields })}>Compute the branch</button>
        <Lose app={app} trace={trace} />
      </div>
      {satellite < 0 && <p class="tw-hint">Choose a satellite to lose it, or to cut one of its links.</p>}
    </>
  );
}

const typed = ({ choices }, text) => (choices || text.trim() === "" ? text : Number(text));

/** Lose the satellite that is chosen. */
export function Lose({ app, trace }) {
  const { satellite } = app.view;
  if (satellite < 0 || satellite >= trace.count) return null;
  const name = nameOf(trace, satellite);
  return (
    <button type="button" data-act="lose" title="a branch beside this run, with the same random numbers" onClick={() => app.act.branch(trace, { fail: [satellite] })}>
      What if {name} were lost {growing(trace) ? "now" : `at step ${stepOf(trace, app.frameOf(trace))}`}?
    </button>
  );
}
