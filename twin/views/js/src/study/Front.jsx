// What `twin capacity` and `twin where` have found: points with intervals, joined by lines where they are loads.

import { useState } from "preact/hooks";

import { OnlyNear, useOpening } from "./opening.jsx";
import { Axes, EDGE, HEIGHT, REACH, TICK_PX, styleOf, useAsked, useWidth } from "./Plot.jsx";
import { inWords, isDecades, nearestMark, plain, scaleOf, valueScale } from "./scales.js";

/** @typedef {{told: string, run: number, plot: string}} Mark */
/** @typedef {{label: string, hue: number, shape: number, joined: boolean, points: [number, number, number | null, number | null, boolean][], runs?: number[]}} Series */

export function Answer({ told, ask, near, series: hues }) {
  const [mark, setMark] = useState(/** @type {Mark | null} */ (null));
  return (
    <>
      <h1>{told.title}</h1>
      <p class="tw-question">{told.question}</p>
      <p class="tw-hint">{told.rule.charAt(0).toUpperCase() + told.rule.slice(1)}. Hollow: not carried within the deadlines.</p>
      <div class="tw-plots">{told.plots.map((plot) => (
        <Front key={plot.title} plot={plot} hues={hues} onMark={(found) => setMark(found && { ...found, plot: plot.title })}>
          {mark && mark.plot === plot.title && <Run key={mark.told} ask={ask} near={near} mark={mark} onClose={() => setMark(null)} />}
        </Front>
      ))}</div>
    </>
  );
}

/** The run of a mark: opened, computed on demand, or why it cannot be. */
function Run({ ask, near, mark, onClose }) {
  const question = { scenario: mark.run };
  const found = useAsked(ask, "run", question);
  const [opening, setOpening] = useState(/** @type {any} */ (null));
  useOpening(ask, opening, setOpening);
  const may = found && !found.why && (found.there || near);
  return (
    <section class="tw-plot-runs" aria-label="run of the mark">
      <div class="tw-find"><h2>{mark.told}</h2><button type="button" data-act="close-runs" onClick={onClose}>Close</button></div>
      <p class="tw-hint">A mark is the mean of its runs, which differ in their random numbers; the first of them is opened.</p>
      {found?.why && <p class="tw-failed" role="status">{found.why}</p>}
      {may && <button type="button" data-act="open-run" disabled={opening !== null && !opening.wrong} onClick={() => setOpening({ question, state: "Setting out" })}>{found.there ? "Open" : "Compute and open"}</button>}
      <OnlyNear near={near} opening={opening} />
    </section>
  );
}

/** @param {{x: string, y: string}} plot @param {any} point */
const words = ({ x, y }, [vx, ...ends]) => `${x} ${plain(Number(vx.toPrecision(4)))}; ${y} ${inWords(/** @type {any} */ (ends), "")}`;

/** @param {{plot: {title: string, x: string, y: string, series: Series[]}, hues: string[], onMark: (mark: any) => void, children: any}} props */
function Front({ plot, hues, onMark, children }) {
  const [tip, setTip] = useState("");
  const [box, width] = useWidth();
  const all = plot.series.flatMap(({ points }) => points);
  return (
    <section class="tw-plot" aria-label={plot.title} data-plot={plot.title}>
      <h2>{plot.title}</h2>
      <p class="tw-hint">{plot.y}</p>
      <div ref={box}>{all.length === 0 ? <p class="tw-hint">No case has it.</p> : width > 0 && <Drawn plot={plot} all={all} width={width} hues={hues} onTip={setTip} onMark={onMark} />}</div>
      <p class="tw-hint tw-plot-tip">{tip || "A pointer on a mark shows its values; a click leads to its run."}</p>
      {children}
      <Keys series={plot.series} hues={hues} />
      <Numbers plot={plot} onMark={onMark} />
    </section>
  );
}

function Drawn({ plot, all, width, hues, onTip, onMark }) {
  const [inner, high] = [width - EDGE.left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom];
  const x = acrossScale(all.map(([v]) => v), Math.max(2, Math.floor(inner / TICK_PX)));
  // Where values need a logarithmic scale, what is nothing stands on its floor.
  const some = all.filter(([, y]) => y > 0);
  const y = /** @type {import("./scales.js").Scale} */ (valueScale([(isDecades(some.map(([, v]) => v)) ? some : all).map(([, ...ends]) => /** @type {any} */ (ends.slice(0, 3)))], false));
  const px = (v) => EDGE.left + 8 + x.at(v) * (inner - 16);
  const py = (v) => EDGE.top + (1 - Math.min(Math.max(y.at(v), 0), 1)) * high;
  const lines = plot.series.map((series) => ({ series, style: { ...styleOf(series.hue, hues), shape: styleOf(series.shape, hues).shape }, points: series.points.map((p, k) => ({ run: series.runs?.[k] ?? 0, x: px(p[0]), y: py(p[1]), low: p[2] === null ? null : py(p[2]), high: p[3] === null ? null : py(p[3]), solid: p[4], told: `${series.label}: ${words(plot, p)}` })) }));
  const under = (event) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return /** @type {any} */ (nearestMark(lines.flatMap(({ points }) => points), event.clientX - left, event.clientY - top, REACH));
  };
  return (
    <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={`${plot.y} against ${plot.x}; the numbers are below`} onPointerMove={(event) => onTip(under(event)?.told ?? "")} onPointerLeave={() => onTip("")} onClick={(event) => onMark(under(event) ?? null)}>
      <Axes axis={{ label: plot.x, numeric: true, values: [] }} along={x} y={y} width={width} px={(share) => EDGE.left + 8 + share * (inner - 16)} />
      {lines.map(({ series, style, points }) => <Line key={series.label} joined={series.joined} style={style} points={points} />)}
    </svg>
  );
}

/** @param {number[]} values @param {number} wanted how many ticks */
function acrossScale(values, wanted) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (isDecades(values)) return scaleOf(low / 1.2, high * 1.2, true, wanted);
  const margin = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1;
  return scaleOf(low - margin, high + margin, false, wanted);
}

function Line({ joined, style: { hue, dash, shape }, points }) {
  return (
    <g stroke={hue} fill={hue}>
      {joined && <path class="tw-plot-line" d={points.map(({ x, y }, k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")} stroke-dasharray={dash || undefined} />}
      {points.map(({ x, y, low, high, solid }, k) => (
        <g key={k} transform={`translate(${x.toFixed(1)} 0)`}>
          {low !== null && <path class="tw-plot-ends" d={`M0 ${low.toFixed(1)}V${high.toFixed(1)}`} />}
          <path d={shape} class={solid ? "" : "tw-hollow"} vector-effect="non-scaling-stroke" stroke={solid ? "none" : undefined} transform={`translate(0 ${y.toFixed(1)}) scale(4.5)`} />
        </g>
      ))}
    </g>
  );
}

function Keys({ series, hues }) {
  return (
    <ul class="tw-plot-cases" aria-label="cases">
      {series.filter(({ points }) => points.length).map(({ label, hue, shape }) => (
        <li key={label}><svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><path d={styleOf(shape, hues).shape} fill={styleOf(hue, hues).hue} transform="scale(4.5)" /></svg>{label}</li>
      ))}
    </ul>
  );
}

function Numbers({ plot, onMark }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {open && (
        <div class="tw-scroll" tabIndex={0} role="region" aria-label={`${plot.title}, numbers`}>
          <table class="tw-table">
            <thead><tr><th scope="col">case</th><th scope="col">{plot.x}</th><th scope="col">{plot.y}</th><th scope="col">carried</th></tr></thead>
            <tbody>
              {plot.series.flatMap(({ label, points, runs }) => points.map(([x, ...ends], k) => (
                <tr key={`${label} ${k}`}><th scope="row">{label}</th><td>{plain(Number(x.toPrecision(4)))}</td><td><button type="button" class="tw-link" onClick={() => onMark({ told: `${label}: ${words(plot, points[k])}`, run: runs?.[k] ?? 0 })}>{inWords(/** @type {any} */ (ends), "")}</button></td><td>{ends[3] ? "yes" : "no"}</td></tr>
              )))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
