// The copies of the model at the time on screen.

import { count, percent } from "../data/numbers.js";

export function Copies({ app, trace }) {
  const { palette } = app.look;
  const { instances } = trace.meta.requests;
  const at = app.frameOf(trace) * instances;
  return (
    <>
      <h2 class="tw-sub">Copies of the model, at the end of this step</h2>
      <table class="tw-table tw-copies">
        <thead><tr><th scope="col">copy</th><th scope="col">takes requests</th><th scope="col">running</th><th scope="col">waiting</th><th scope="col">cache</th></tr></thead>
        <tbody>
          {Array.from({ length: instances }, (_, k) => (
            <tr key={k} data-copy={k}>
              <th scope="row"><span class="tw-run-name" style={{ "--sign": palette.series[k % palette.series.length] }}>{k}</span></th>
              <td>{trace.instance_open[at + k] ? "yes" : "no"}</td>
              <td>{count(trace.instance_running[at + k])}</td>
              <td>{count(trace.instance_waiting[at + k])}</td>
              <td>{percent(trace.instance_cache[at + k], 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
