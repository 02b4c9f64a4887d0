// A tour of one minute: a few places of the page, each with what it is for.

import { useLayoutEffect, useState } from "preact/hooks";

const STOPS = [
  { at: ".tw-stage-area", words: "Satellites that run a language model, as they fly. Colours say which layer sits where; comets are tokens on their way through the layers." },
  { at: ".tw-legend", words: "What colours and signs mean. Colour by sunlight, battery, heat or load; point at the ramp to see where a layer lives." },
  { at: ".tw-bar", words: "Time: play, step, drag. Marks below show when things happened; a click goes there." },
  { at: ".tw-figures, .tw-compared", words: "Key figures of the run, and of the step on screen. Point at one to read what it is." },
  { at: "[data-tab=timeline]", tab: "timeline", words: "The whole run on one axis: shadow, hand-overs, plans, faults, times and losses. A click says what a step comes from." },
  { at: "[data-tab=find]", tab: "find", words: "All recorded tokens and events: the slowest, the lost, by layer, cause or satellite." },
  { at: "[data-tab=whatif]", tab: "whatif", words: "What if a satellite were lost, or the load doubled? A branch is computed beside this run, with the same random numbers." },
  { at: ".tw-header", words: "Start another run, open one, put one beside it; take scenario, tables and pictures away. Runs lists all of them." },
];

export function Tour({ app }) {
  const { tour } = app.view;
  const [box, setBox] = useState(/** @type {DOMRect | null} */ (null));
  const stop = STOPS[tour];
  useLayoutEffect(() => {
    setBox(stop ? document.querySelector(stop.at)?.getBoundingClientRect() ?? null : null);
  }, [tour]);
  if (!stop) return null;
  const last = tour === STOPS.length - 1;
  const go = (k) => {
    app.view.tour = k;
    app.act.tab(STOPS[k]?.tab ?? app.view.tab);
  };
  return (
    <>
      {box && <div class="tw-spot" style={{ left: `${box.left - 4}px`, top: `${box.top - 4}px`, width: `${box.width + 8}px`, height: `${box.height + 8}px` }} />}
      <div class="tw-tour tw-panel" role="dialog" aria-label="tour" data-stop={tour}>
        <p>{stop.words}</p>
        <div>
          <span class="tw-hint">{tour + 1} of {STOPS.length}</span>
          <button type="button" data-act="tour-end" onClick={() => go(-1)}>End</button>
          {tour > 0 && <button type="button" data-act="tour-back" onClick={() => go(tour - 1)}>Back</button>}
          <button type="button" data-act="tour-next" onClick={() => go(last ? -1 : tour + 1)}>{last ? "Done" : "Next"}</button>
        </div>
      </div>
    </>
  );
}
