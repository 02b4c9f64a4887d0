// Runs side by side: what each is, what does not agree, and how their figures differ.

import { csvText, download } from "../charts/export.js";

export function Compared({ app }) {
  const { comparison } = app;
  return (
    <div class="tw-compared">
      {comparison.warnings.map((words) => <p key={words} class="tw-warning" role="note">{words}</p>)}
      <div class="tw-scroll" tabIndex={0} role="region" aria-label="figures of the runs">
        <table class="tw-table tw-figures-table">
          <thead><tr>{comparison.columns.map(({ label, title }) => <th key={label} scope="col" title={title}>{label}</th>)}</tr></thead>
          {app.traces.map(({ meta }, k) => <Run key={meta.run_id} app={app} run={meta.run_id} number={k} />)}
        </table>
      </div>
      {comparison.note && <p class="tw-hint">{comparison.note} <button type="button" class="tw-link" onClick={() => take(comparison)}>CSV</button></p>}
    </div>
  );
}

function Run({ app, run, number }) {
  const { columns, captions, cells } = app.comparison;
  const { series } = app.look.palette;
  const name = captions[run] ?? run;
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={Math.max(columns.length, 1)}>
          <span class="tw-run-name" style={{ "--sign": series[number % series.length] }}>{name}</span>
          <button type="button" aria-label={`take away ${name}`} title="take this run away" data-act="away" onClick={() => app.act.away(run)}>×</button>
        </th>
      </tr>
      {cells[run] && (
        <tr>{cells[run].map(({ value, difference }, k) => <td key={columns[k].label}>{value}<small>{difference}</small></td>)}</tr>
      )}
    </tbody>
  );
}

function take({ columns, captions, cells }) {
  const head = ["run", ...columns.flatMap(({ label }) => [label, `${label}, difference to the first`])];
  const rows = Object.entries(cells).map(([run, mine]) => [captions[run], ...mine.flatMap(({ value, difference }) => [value, difference])]);
  download("comparison.csv", new Blob([csvText([head, ...rows])], { type: "text/csv" }));
}
