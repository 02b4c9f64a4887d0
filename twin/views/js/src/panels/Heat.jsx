// Satellites that host a part of the model, by time: how busy each was, its queue, batches and caches.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { useAnswer } from "../ask.js";
import { ramp } from "../data/colours.js";
import { KINDS, busyMap, recordedMap, toneOf } from "../data/heat.js";
import { everHosting } from "../data/hosting.js";
import { nameOf, stepOf } from "../data/trace.js";
import { Switch } from "./parts.jsx";

const MOST_ROWS = 240;
const ROW_PX = 3;
const REFRESHES = 40; // of a run while it is computed

export function Heat({ app, trace }) {
  const { heat } = app.view;
  const rows = useMemo(() => everHosting(trace).slice(0, MOST_ROWS), [trace, trace.placements.length]);
  // A run that is being computed is asked again as it goes on; what is known is drawn until then.
  const upto = trace.done ? null : Math.floor((REFRESHES * trace.ready) / trace.frames);
  const found = useAnswer(app, trace, "heat", heat === "busy" ? null : { kind: heat, satellites: rows, upto });
  const known = found?.values && found.asked.kind === heat ? found : null;
  const map = useMemo(() => (heat === "busy" ? busyMap(trace, rows) : known && recordedMap(trace, known)), [heat, trace, trace.ready, rows, known?.values]);
  const drawn = heat === "busy" || !known ? rows : known.asked.satellites;
  if (!rows.length) return null;
  return (
    <section class="tw-heat-map">
      <h2 class="tw-sub">Hosts of the model, by layer, over the run</h2>
      <div class="tw-filters" role="group" aria-label="what is drawn of hosts">
        {Object.entries(KINDS).map(([name, { label }]) => <Switch key={name} on={heat === name} data-heat={name} onClick={() => app.act.heat(name)}>{label}</Switch>)}
      </div>
      {map ? <Picture app={app} trace={trace} rows={drawn} map={map} kind={KINDS[heat]} /> : <p class="tw-hint" role="status">{found?.wrong ?? "Looking …"}</p>}
    </section>
  );
}

function Picture({ app, trace, rows, map, kind }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [tip, setTip] = useState("");
  useLayoutEffect(() => {
    if (canvas.current && app.look) paint(canvas.current, map, rows.length, ramp(app.look.palette.ramps.utilisation));
  }, [map, rows, app.look]);
  const under = (event) => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const within = (share, all) => Math.max(0, Math.min(Math.floor(share * all), all - 1));
    return { row: within((event.clientY - top) / height, rows.length), column: within((event.clientX - left) / width, map.columns) };
  };
  const moved = (event) => {
    const { row, column } = under(event);
    const value = map.value(row, column);
    setTip(`${nameOf(trace, rows[row])}, step ${stepOf(trace, map.frameOf(column))}: ${Number.isFinite(value) ? kind.words(value) : "not known"}`);
  };
  const click = (event) => {
    const { row, column } = under(event);
    app.act.toSeconds(trace, map.frameOf(column) * trace.meta.stride * trace.meta.step_s);
    app.act.pick(rows[row], "requests");
  };
  const now = map.columnOf(app.frameOf(trace));
  return (
    <>
      <div class="tw-heat-frame">
        <canvas
          class="tw-heat" ref={canvas} style={{ height: `${Math.max(60, Math.min(rows.length * ROW_PX, 280))}px` }} role="img"
          aria-label={`${kind.label} of each host over the run; the table of satellites has them one by one`} onPointerMove={moved} onPointerLeave={() => setTip("")} onClick={click}
        />
        <i style={{ left: `${(100 * now) / map.columns}%`, width: `max(2px, ${100 / map.columns}%)` }} />
      </div>
      <p class="tw-hint">{tip || `Dark is none, light the most: ${kind.words(map.most)}. A click goes to satellite and time.`}</p>
    </>
  );
}

function paint(canvas, map, rows, colours) {
  canvas.width = map.columns;
  canvas.height = rows;
  const ink = canvas.getContext("2d");
  const image = ink.createImageData(map.columns, rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < map.columns; column += 1) {
      image.data.set(toneOf(colours, map.value(row, column), map.most), 4 * (row * map.columns + column));
    }
  }
  ink.putImageData(image, 0, 0);
}
