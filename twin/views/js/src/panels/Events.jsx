// The event log: what happened, chosen by kind, round the time on screen.

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";

import { chosenEvents, inWords, quietKinds } from "../data/eventlog.js";
import { count } from "../data/numbers.js";
import { seconds, timeOfDay } from "../data/trace.js";
import { Notes } from "./Notes.jsx";
import { Switch } from "./parts.jsx";

const BEFORE = 60;
const AFTER = 60;

export function Events({ app, trace }) {
  const { view, act } = app;
  const off = (view.kindsOff ??= quietKinds(trace));
  const only = view.chosenOnly ? view.satellite : -1;
  const now = seconds(trace, app.timeOf(trace));
  const wanted = useMemo(() => chosenEvents(trace, off, only), [trace, trace.events.length, [...off].join(), only]);
  const cut = Object.entries(trace.kinds).filter(([kind, tally]) => !off.has(kind) && tally.kept < tally.count);
  const kinds = Object.entries(trace.kinds).sort((a, b) => b[1].count - a[1].count);
  return (
    <>
      <Notes app={app} trace={trace} />
      <div class="tw-filters" role="group" aria-label="kinds of events">
        {kinds.map(([kind, tally]) => (
          <Switch key={kind} on={!off.has(kind)} data-kind={kind} title={trace.meta.vocabulary.kinds[kind]?.sentence} onClick={() => act.kind(kind)}>
            {kind} {count(tally.count)}
          </Switch>
        ))}
        <Switch on={view.chosenOnly} data-act="only" onClick={act.only}>chosen satellite only</Switch>
      </div>
      <div class="tw-hint">
        {cut.length
          ? `Of ${cut.map(([kind]) => kind).join(", ")} only the first ${count(cut[0][1].kept)} are here; twin events lists all.`
          : `${count(wanted.length)} events chosen`}
      </div>
      <Rows app={app} trace={trace} wanted={wanted} now={now} />
    </>
  );
}

function Rows({ app, trace, wanted, now }) {
  const rows = useRef(/** @type {HTMLDivElement | null} */ (null));
  const found = wanted.findIndex((e) => e.t_s > now);
  const at = found < 0 ? wanted.length : found;
  const from = Math.max(0, at - BEFORE);
  useLayoutEffect(() => {
    const next = /** @type {HTMLElement | null} */ (rows.current?.querySelector(".tw-next"));
    // Not under the hands of someone who goes through the list by keys.
    if (next && rows.current && !rows.current.contains(document.activeElement)) {
      rows.current.scrollTop = next.offsetTop - rows.current.offsetTop - rows.current.clientHeight / 2;
    }
  }, [at, wanted]);
  const name = (k) => `tw-event${from + k >= at ? " tw-later" : ""}${from + k === at ? " tw-next" : ""}`;
  const made = useMemo(() => wanted.slice(from, at + AFTER).map((event, k) => (
    <button type="button" key={from + k} class={name(k)} onClick={() => app.act.event(event)}>
      <time>{timeOfDay(trace, event)}</time><b>{event.kind}</b><span>{inWords(trace, event)}</span>
    </button>
  )), [wanted, from, at]);
  return <div class="tw-events" ref={rows} tabIndex={0} role="group" aria-label="events">{made}</div>;
}
