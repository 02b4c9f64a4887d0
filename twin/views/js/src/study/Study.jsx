// The page of a study: each of its figures along an axis, and the runs that a point stands for.

import { useEffect, useRef, useState } from "preact/hooks";

import { count, figure as number } from "../data/numbers.js";
import { Pager } from "../panels/parts.jsx";
import { createSheet } from "../sheet.js";
import { Answer } from "./Front.jsx";
import { OnlyNear, useOpening } from "./opening.jsx";
import { Cases, Plot, useAsked } from "./Plot.jsx";

const NO_AXIS = { label: "", numeric: false, values: [""] };

/** Show a study in an element; gives what takes it away. */
export const createStudy = (model, el) => createSheet(model, el, StudyPage);

function StudyPage({ model, ask }) {
  const told = useAsked(ask, "study", {});
  if (!told) return <p role="status">Looking …</p>;
  if (told.wrong) return <><h1>A study</h1><p role="status">{told.wrong}</p></>;
  const hues = model.get("palette")[document.documentElement.dataset.theme === "light" ? "light" : "dark"].series;
  if (told.plots) return <Answer told={told} ask={ask} near={model.get("near")} series={hues} />;
  return <Study told={told} ask={ask} near={model.get("near")} source={model.get("study")} series={hues} />;
}

function Study({ told, ask, near, source, series }) {
  const { axes, cases, figures } = told;
  const [axis, setAxis] = useState(Math.max(0, axes.findIndex(({ values }) => values.length > 1)));
  const [at, setAt] = useState(/** @type {(number | null)[]} */ (axes.map(() => null)));
  const [mark, setMark] = useState(/** @type {any} */ (null));
  const others = axes.map((one, k) => ({ ...one, k })).filter(({ k, values }) => k !== axis && values.length > 1);
  const runs = `${count(told.points)} runs${told.failed ? `, ${count(told.failed)} failed` : ""}, ${told.replicates} of each point`;
  const choose = (change) => {
    setMark(null);
    change();
  };
  return (
    <>
      <h1>{told.title}</h1>
      {told.question && <p class="tw-question">{told.question}</p>}
      <p class="tw-hint">Scenario {told.scenario}; {runs}. Marks are means{told.replicates > 1 ? ", whiskers their 95 % intervals over the replicates; very long ones leave the plot" : ""}.</p>
      <div class="tw-filters">
        {axes.length > 1 && (
          <label>Along <select data-choice="axis" value={axis} onChange={(e) => { const next = Number(e.currentTarget.value); choose(() => setAxis(next)); }}>
            {axes.map(({ label }, k) => <option key={label} value={k}>{label}</option>)}
          </select></label>
        )}
        {others.map(({ label, values, k }) => (
          <label key={label}>{label} <select data-choice={label} value={at[k] ?? ""} onChange={(e) => { const { value } = e.currentTarget; choose(() => setAt(at.map((was, n) => (n !== k ? was : value === "" ? null : Number(value))))); }}>
            <option value="">mean over all</option>
            {values.map((value, n) => <option key={value} value={n}>{String(value)}</option>)}
          </select></label>
        ))}
      </div>
      <Cases cases={cases} series={series} />
      <div class="tw-plots">
        {figures.map((figure) => (
          <Figure key={figure.name} figure={figure} axis={axes[axis] ?? NO_AXIS} cases={cases} question={{ figure: figure.name, axis: axes.length ? axis : -1, at }} ask={ask} near={near} series={series} source={source} mark={mark?.figure === figure.name ? mark : null} setMark={setMark} />
        ))}
      </div>
    </>
  );
}

function Figure({ figure, axis, cases, question, ask, near, series, source, mark, setMark }) {
  const found = useAsked(ask, "along", question);
  if (!found) return <section class="tw-plot" />;
  if (found.wrong) return <section class="tw-plot"><p role="status">{found.wrong}</p></section>;
  // An answer to another question may still be on its way.
  if (found.lines[0].length !== axis.values.length) return <section class="tw-plot" />;
  return (
    <>
      <Plot figure={figure} axis={axis} cases={cases} lines={found.lines} series={series} source={source} held={mark} onMark={({ one, value }) => setMark({ figure: figure.name, one, value })} />
      {mark && <Runs key={`${mark.one} ${mark.value}`} ask={ask} near={near} question={{ ...question, case: mark.one, value: mark.value }} title={`${cases[mark.one]}${axis.label ? `, ${axis.label} ${axis.values[mark.value]}` : ""}`} figure={figure} onClose={() => setMark(null)} />}
    </>
  );
}

function Runs({ ask, near, question, title, figure, onClose }) {
  const [page, setPage] = useState(0);
  const found = useAsked(ask, "runs", { ...question, page });
  const [opening, setOpening] = useState(/** @type {any} */ (null));
  const here = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => here.current?.scrollIntoView({ block: "nearest" }), [found === null]);
  useOpening(ask, opening, setOpening);
  const rows = found?.rows ?? [];
  const may = (row) => row.error === null && (row.there || near);
  return (
    <section class="tw-plot-runs" aria-label="runs of the point" ref={here}>
      <div class="tw-find">
        <h2>Runs of {title}</h2>
        {(found?.matched ?? 0) > rows.length && <Pager page={page} rows={found.matched} onPage={setPage} />}
        <button type="button" data-act="close-runs" onClick={onClose}>Close</button>
      </div>
      <div class="tw-scroll" tabIndex={0} role="region" aria-label="runs of the point, as rows">
        <table class="tw-table">
          <thead><tr><th scope="col">replicate</th><th scope="col">at</th><th scope="col">{figure.label}{figure.unit && `, ${figure.unit}`}</th><th scope="col">run</th></tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.point} data-point={row.point}>
                <th scope="row">{row.replicate}</th>
                <td>{row.place || "everywhere"}</td>
                <td>{number(row.value)}</td>
                <td>
                  {row.error !== null && <span class="tw-failed">{row.error}</span>}
                  {may(row) && <button type="button" data-act="open-run" disabled={opening !== null && !opening.wrong} onClick={() => setOpening({ question: { point: row.point }, state: "Setting out" })}>{row.there ? "Open" : "Compute and open"}</button>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <OnlyNear near={near} opening={opening} />
    </section>
  );
}
