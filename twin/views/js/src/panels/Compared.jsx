// Runs side by side: what each is, what does not agree, and how their figures differ.

import { download } from "../charts/export.js";

export function Compared({ app }) {
  const { traces, comparison, act } = app;
  const { palette } = app.look;
  return (
    <div class="tw-compared">
      <ul class="tw-plain">
        {traces.map(({ meta }, k) => (
          <li key={meta.run_id}>
            <span class="tw-run-name" style={{ "--sign": palette.series[k % palette.series.length] }}>{comparison.captions[meta.run_id] ?? meta.run_id}</span>
            <button type="button" aria-label={`take away ${comparison.captions[meta.run_id] ?? meta.run_id}`} data-act="away" onClick={() => act.away(meta.run_id)}>×</button>
          </li>
        ))}
      </ul>
      {comparison.warnings.map((words) => <p key={words} class="tw-warning" role="note">{words}</p>)}
      {comparison.rows.length > 0 && <Figures app={app} />}
    </div>
  );
}

function Figures({ app }) {
  const { header, rows, note } = app.comparison;
  const csv = () => {
    const cell = (words) => `"${String(words).replaceAll('"', '""')}"`;
    const lines = [["figure", ...header, ...header.slice(1).map((name) => `${name}, difference to the first`)], ...rows.map((r) => [r.label, ...r.values, ...r.differences.slice(1)])];
    download("comparison.csv", new Blob([lines.map((line) => line.map(cell).join(",")).join("\n")], { type: "text/csv" }));
  };
  return (
    <>
      <div class="tw-scroll" tabIndex={0} role="region" aria-label="figures of the runs">
        <table class="tw-table tw-figures-table">
          <thead><tr><th scope="col">figure</th>{header.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>
            {rows.map(({ label, title, values, differences }) => (
              <tr key={label} title={title}>
                <th scope="row">{label}</th>
                {values.map((value, k) => <td key={header[k]}>{value}<small>{differences[k]}</small></td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="tw-hint">{note} <button type="button" class="tw-link" onClick={csv}>CSV</button></p>
    </>
  );
}
