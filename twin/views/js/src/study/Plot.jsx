// A figure along an axis: a line a case, with intervals; a click on a mark shows its runs.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { csvText, download, fileName } from "../charts/export.js";
import { axisScale, inWords, nearestMark, valueScale } from "./scales.js";

export const HEIGHT = 260;
export const EDGE = { left: 56, right: 14, top: 10, bottom: 40 };
export const REACH = 18;
export const TICK_PX = 70;
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
/** Of half a size of 1, round the middle. */
// Of a number that has no part in common with that of colours: the first 28 cases look different.
const SHAPES = [
  "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0 -1 0Z",
  "M-.9 -.9H.9V.9H-.9Z",
  "M0 -1.2L1.1 .9H-1.1Z",
  "M0 -1.3L1.3 0L0 1.3L-1.3 0Z",
  "M-1.1 -.8H1.1L0 1.2Z",
  "M-.4 -1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
  "M-1.1 -.7L-.7 -1.1L0 -.4L.7 -1.1L1.1 -.7L.4 0L1.1 .7L.7 1.1L0 .4L-.7 1.1L-1.1 .7L-.4 0Z",
];

/** How a case is drawn; cases of the same colour differ in dash and mark. @param {number} k @param {string[]} series */
export const styleOf = (k, series) => ({ hue: series[k % series.length], dash: DASHES[Math.floor(k / series.length) % DASHES.length], shape: SHAPES[k % SHAPES.length] });

export function Plot({ figure, axis, cases, lines, series, held, onMark, source }) {
  const [tip, setTip] = useState("");
  const [box, width] = useWidth();
  const y = valueScale(lines, figure.share);
  const title = figure.unit ? `${figure.label}, ${figure.unit}` : figure.label;
  const told = (mark) => `${cases[mark.one]}${axis.values.length > 1 || axis.label ? `, ${axis.label} ${axis.values[mark.value]}` : ""}: ${inWords(lines[mark.one][mark.value], figure.unit)}`;
  return (
    <section class="tw-plot" aria-label={title} data-plot={figure.name}>
      <h2 title={figure.sentence}>{title}</h2>
      <div ref={box}>
        {y === null ? <p class="tw-hint">No point has it.</p> : width > 0 && (
          <Drawn title={title} axis={axis} lines={lines} y={y} width={width} series={series} held={held} onTip={(mark) => setTip(mark ? told(mark) : "")} onMark={onMark} />
        )}
      </div>
      <p class="tw-hint tw-plot-tip">{tip || "A click on a point shows its runs."}</p>
      <Numbers title={title} axis={axis} cases={cases} lines={lines} onMark={onMark} held={held} source={source} />
    </section>
  );
}

/** @returns {[import("preact").Ref<any>, number]} */
export function useWidth() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}

function Drawn({ title, axis, lines, y, width, series, held, onTip, onMark }) {
  const [inner, high] = [width - EDGE.left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom];
  const along = axisScale(axis, lines.length, Math.max(2, Math.floor(inner / TICK_PX)));
  const px = (share) => EDGE.left + 8 + share * (inner - 16);
  const py = (value) => EDGE.top + (1 - y.at(value)) * high;
  const drawn = lines.map((line, one) => line.flatMap(([mean, low, top], value) => (mean === null ? [] : [{ one, value, x: px(along.at(value, one)), y: py(mean), low: low === null ? null : py(low), high: top === null ? null : py(top) }])));
  const marks = drawn.flat();
  const under = (event) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return nearestMark(marks, event.clientX - left, event.clientY - top, REACH);
  };
  const click = (event) => {
    const mark = under(event);
    if (mark) onMark(mark);
  };
  return (
    <svg
      width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={`${title} along ${axis.label || "cases"}; the numbers are below`}
      onPointerMove={(event) => onTip(under(event))} onPointerLeave={() => onTip(null)} onClick={click}
    >
      <Axes axis={axis} along={along} y={y} width={width} px={px} />
      <clipPath id={`clip-${title}`}><rect x={EDGE.left} y={EDGE.top - 6} width={inner} height={high + 12} /></clipPath>
      <g clip-path={`url("#clip-${title}")`}>{drawn.map((line, one) => <Line key={one} line={line} joined={axis.numeric} style={styleOf(one, series)} held={held} />)}</g>
    </svg>
  );
}

export function Axes({ axis, along, y, width, px }) {
  const floor = HEIGHT - EDGE.bottom;
  const slanted = !axis.numeric && axis.values.join("").length * 7 > width - EDGE.left;
  return (
    <g class="tw-plot-axes">
      {y.ticks.map(({ at, words }) => {
        const py = EDGE.top + (1 - at) * (floor - EDGE.top);
        return <g key={words}><path d={`M${EDGE.left} ${py}H${width - EDGE.right}`} /><text x={EDGE.left - 6} y={py + 4} text-anchor="end">{words}</text></g>;
      })}
      {along.ticks.map(({ at, words }) => (
        <g key={words} transform={`translate(${px(at)} ${floor})`}>
          <path d="M0 0v4" /><text y={17} text-anchor={slanted ? "end" : "middle"} transform={slanted ? "rotate(-20)" : undefined}>{words}</text>
        </g>
      ))}
      <path class="tw-plot-floor" d={`M${EDGE.left} ${floor}H${width - EDGE.right}`} />
      {axis.label && <text x={width - EDGE.right} y={HEIGHT - 5} text-anchor="end">{axis.label}</text>}
    </g>
  );
}

function Line({ line, joined, style: { hue, dash, shape }, held }) {
  const sorted = [...line].sort((a, b) => a.x - b.x);
  return (
    <g stroke={hue} fill={hue}>
      {joined && <path class="tw-plot-line" d={sorted.map(({ x, y }, k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")} stroke-dasharray={dash || undefined} />}
      {sorted.map(({ x, y, low, high, value, one }) => {
        const mine = held && held.value === value && held.one === one;
        return (
          <g key={value} transform={`translate(${x.toFixed(1)} 0)`}>
            {low !== null && <path class="tw-plot-ends" d={`M0 ${low.toFixed(1)}V${high.toFixed(1)}M-3 ${low.toFixed(1)}h6M-3 ${high.toFixed(1)}h6`} />}
            <path d={shape} stroke="none" transform={`translate(0 ${y.toFixed(1)}) scale(${mine ? 7 : 4.5})`} />
          </g>
        );
      })}
    </g>
  );
}

/** The same as numbers, for whoever has no pointer; each leads to its runs as well. */
function Numbers({ title, axis, cases, lines, onMark, held, source }) {
  const [open, setOpen] = useState(false);
  const words = (ends) => inWords(ends, "");
  const csv = () => {
    const head = [axis.label || "case", ...cases.flatMap((name) => [name, `${name}, low`, `${name}, high`])];
    const rows = axis.values.map((value, k) => [value, ...lines.flatMap((line) => line[k].map((v) => v ?? ""))]);
    download(`${source}-${fileName(title)}.csv`, new Blob([csvText([head, ...rows])], { type: "text/csv" }));
  };
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {open && (
        <div class="tw-scroll" tabIndex={0} role="region" aria-label={`${title}, numbers`}>
          <table class="tw-table">
            <thead><tr><th scope="col">{axis.label || "case"}</th>{cases.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
            <tbody>
              {axis.values.map((value, k) => (
                <tr key={value}>
                  <th scope="row">{String(value)}</th>
                  {lines.map((line, one) => (
                    <td key={one}><button type="button" data-mark={`${one}-${k}`} aria-pressed={Boolean(held && held.one === one && held.value === k)} onClick={() => onMark({ one, value: k })}>{words(line[k])}</button></td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <button type="button" data-act="csv" onClick={csv}>CSV</button>
        </div>
      )}
    </details>
  );
}

/** What each case looks like. */
export function Cases({ cases, series }) {
  return (
    <ul class="tw-plot-cases" aria-label="cases">
      {cases.map((name, k) => {
        const { hue, dash, shape } = styleOf(k, series);
        return (
          <li key={name}>
            <svg width="34" height="14" viewBox="-17 -7 34 14" aria-hidden="true"><path d="M-17 0H17" stroke={hue} stroke-width="1.6" stroke-dasharray={dash || undefined} /><path d={shape} fill={hue} transform="scale(4.5)" /></svg>
            {name}
          </li>
        );
      })}
    </ul>
  );
}

/** What is asked again when the question changes; the last answer stays until the next is here. @param {(what: string, more: object) => Promise<any>} ask @param {string} what @param {object} question */
export function useAsked(ask, what, question) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const key = JSON.stringify([what, question]);
  useEffect(() => {
    let wanted = true;
    ask(what, question).then((answer) => wanted && setFound(answer));
    return () => {
      wanted = false;
    };
  }, [key]);
  return found;
}
