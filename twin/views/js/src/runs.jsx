// The page of runs and studies: rows, what each is and how far, its key figures; open, go on, delete.

import { useEffect, useState } from "preact/hooks";

import { count, figure } from "./data/numbers.js";
import { Pager } from "./panels/parts.jsx";
import { createSheet, runsAddress, studyAddress } from "./sheet.js";

const COLUMNS = [["written", "written, UTC"], ["what", "run"], ["kind", "kind"], ["steps", "steps"], ["seed", "seed"], ["status", "status"]];
const AGAIN_MS = 1500;

/** Show the table in an element; gives what takes it away. */
export const createRuns = (model, el) => createSheet(model, el, RunsPage);

const RunsPage = ({ model, ask }) => <Runs ask={(more) => ask("runs", more)} figures={model.get("figures")} near={model.get("near")} />;

function Runs({ ask, figures, near }) {
  const [asked, setAsked] = useState({ text: "", by: "written", down: true, page: 0 });
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [sure, setSure] = useState("");
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const key = JSON.stringify(asked);
  const look = (more = {}) => ask({ ...asked, ...more }).then(setFound);
  useEffect(() => {
    let wanted = true;
    ask(asked).then((answer) => wanted && setFound(answer));
    return () => {
      wanted = false;
    };
  }, [key]);
  // What is computed elsewhere goes on, and figures come later.
  useEffect(() => {
    const timer = setTimeout(look, found?.busy ? AGAIN_MS : 6 * AGAIN_MS);
    return () => clearTimeout(timer);
  }, [found]);
  const set = (change) => setAsked({ ...asked, ...change });
  if (!found) return <p role="status">Looking …</p>;
  const act = { sure, setSure, near, look, chosen, choose: (id) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-4)) };
  return (
    <>
      <div class="tw-find">
        <label>Find <input type="search" value={asked.text} placeholder="name, strategy, interrupted" onInput={(e) => set({ text: e.currentTarget.value, page: 0 })} /></label>
        <span class="tw-hint" role="status">{found.wrong ?? `${count(found.matched)} of ${count(found.total)}`}</span>
        {chosen.length > 1 && <a href={runsAddress(chosen)} data-act="together">Open {chosen.length} side by side</a>}
        <Pager page={asked.page} rows={found.matched ?? 0} onPage={(page) => set({ page })} />
      </div>
      <div class="tw-scroll" tabIndex={0} role="region" aria-label="runs and studies">
        <table class="tw-table tw-runs-rows">
          <thead>
            <tr>
              <th scope="col"><span class="tw-unseen">side by side</span></th>
              {COLUMNS.map(([by, words]) => (
                <th key={by} scope="col" aria-sort={asked.by !== by ? undefined : asked.down ? "descending" : "ascending"}>
                  <button type="button" data-by={by} onClick={() => set({ by, down: asked.by === by ? !asked.down : true, page: 0 })}>{words}{asked.by === by ? (asked.down ? " ↓" : " ↑") : ""}</button>
                </th>
              ))}
              <th scope="col"><span class="tw-unseen">what can be done</span></th>
              {figures.map(({ label, title }) => <th key={label} class="tw-figure-head" scope="col" title={title}>{label}</th>)}
            </tr>
          </thead>
          <tbody>{(found.rows ?? []).map((row) => <Row key={row.id} row={row} figures={figures} act={act} />)}</tbody>
        </table>
      </div>
      {!near && <p class="tw-hint">From the server itself, or with its token, one can also start runs, branch and delete them, and go on with interrupted ones.</p>}
    </>
  );
}

function Row({ row, figures, act }) {
  const whole = row.status === "complete" && row.kind !== "study";
  const mirrored = row.kind === "live" && row.status !== "complete";
  const way = whole || mirrored ? runsAddress([row.id]) : row.status === "complete" ? studyAddress(row.id) : "";
  const status = row.status === "complete" ? "complete" : `${row.status}${row.done ? `, ${count(row.done)} of ${count(row.steps)}` : ""}`;
  return (
    <tr data-run={row.id}>
      <td>{whole && <input type="checkbox" aria-label={`${row.id} side by side`} checked={act.chosen.includes(row.id)} onChange={() => act.choose(row.id)} />}</td>
      <td>{row.written.slice(0, 16).replace("T", " ")}</td>
      <th scope="row" title={row.id}>{way ? <a href={way}>{row.what}</a> : row.what}</th>
      <td>{row.kind}</td>
      <td data-label={row.kind === "study" ? "points" : "steps"}>{row.steps ? count(row.steps) : ""}</td>
      <td data-label="seed">{row.kind === "study" ? "" : row.seed}</td>
      <td data-status={row.status}>{status}</td>
      <td><Acts row={row} act={act} /></td>
      {figures.map(({ label }, k) => <td key={label} data-label={label}>{row.figures ? figure(row.figures[k]) : whole ? "…" : ""}</td>)}
    </tr>
  );
}

function Acts({ row, act: { near, sure, setSure, look } }) {
  if (!near || row.status === "running") return null;
  if (sure === row.id) {
    return (
      <span class="tw-sure">
        Delete it for good?{" "}
        <button type="button" data-act="yes" onClick={() => { setSure(""); look({ delete: row.id }); }}>Delete</button>
        <button type="button" data-act="no" onClick={() => setSure("")}>Keep</button>
      </span>
    );
  }
  return (
    <>
      {row.status === "interrupted" && row.kind !== "study" && <button type="button" data-act="resume" onClick={() => look({ resume: row.id })}>Go on</button>}
      <button type="button" data-act="delete" aria-label={`delete ${row.id}`} onClick={() => setSure(row.id)}>Delete</button>
    </>
  );
}
