// All satellites as a table: what the stage shows, for who cannot see it, or looks for one.

import { useMemo } from "preact/hooks";

import { count, percent } from "../data/numbers.js";
import { chosenRows, rowsAt } from "../data/satellite.js";
import { Pager } from "./parts.jsx";

const PAGE = 50;
const COLUMNS = [
  ["name", "satellite"], ["layer", "layer"], ["role", "hosts"], ["state", "state"], ["light", "sunlit"], ["charge", "battery"], ["heat", "°C"],
  ["busy", "busy"], ["live", "links live"], ["acquiring", "acquiring"], ["down", "down"], ["latitude", "latitude, °"],
  ["longitude", "longitude, °"], ["height", "height, km"], ["sites", "serves"],
];
const SHOWN = {
  layer: (v) => (v < 0 ? "" : v), light: (v) => percent(v, 0), charge: (v) => percent(v, 0), busy: (v) => percent(v),
  latitude: (v) => v.toFixed(1), longitude: (v) => v.toFixed(1), height: (v) => v.toFixed(0),
};

export function Table({ app, trace }) {
  const { table, satellite } = app.view;
  const frame = app.frameOf(trace);
  const rows = useMemo(() => rowsAt(trace, frame), [trace, frame]);
  const chosen = useMemo(() => chosenRows(rows, table), [rows, table.by, table.down, table.text]);
  const pages = Math.max(1, Math.ceil(chosen.length / PAGE));
  const page = Math.min(table.page, pages - 1);
  const set = (change) => app.act.table(change);
  return (
    <>
      <div class="tw-find">
        <label>Find <input type="search" value={table.text} placeholder="P02S08, gateway, layer 3" onInput={(e) => set({ text: e.currentTarget.value, page: 0 })} /></label>
        <span class="tw-hint" role="status">{count(chosen.length)} of {count(rows.length)}</span>
        <Pager page={page} rows={chosen.length} onPage={(next) => set({ page: next })} />
      </div>
      <div class="tw-scroll" tabIndex={0} role="region" aria-label="satellites">
        <table class="tw-table">
          <caption class="tw-unseen">All satellites at the time on screen</caption>
          <thead>
            <tr>
              {COLUMNS.map(([name, label]) => (
                <th key={name} scope="col" aria-sort={table.by !== name ? undefined : table.down ? "descending" : "ascending"}>
                  <button type="button" onClick={() => set({ by: name, down: table.by === name && !table.down })}>
                    {label}{table.by === name ? (table.down ? " ↓" : " ↑") : ""}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {chosen.slice(page * PAGE, (page + 1) * PAGE).map((row) => (
              <tr key={row.satellite} class={row.satellite === satellite ? "tw-row-held" : ""}>
                <th scope="row">
                  <button type="button" data-satellite={row.satellite} onClick={() => app.act.pick(row.satellite, "table")}>{row.name}</button>
                </th>
                {COLUMNS.slice(1).map(([name]) => <td key={name}>{SHOWN[name]?.(row[name]) ?? row[name]}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
