// Charts of a run, or of several, tied to the page's clock: a click goes to that time, a drag zooms.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { growing } from "../data/live.js";
import { figure, gaps } from "../data/numbers.js";
import { stepOf } from "../data/trace.js";
import { Explained, Key } from "../panels/parts.jsx";
import { csvOf, download, fileName, svgOf } from "./export.js";
import { several, single } from "./specs.js";

const HEIGHT = 112;
const CLICK_PX = 4;

export function Charts({ app }) {
  const { traces, look, comparison, view, act } = app;
  const names = traces.map(({ meta }) => comparison.captions[meta.run_id] ?? meta.run_id);
  const specs = useMemo(
    () => (traces.length > 1 ? several(traces, look.palette, names, joined) : single(traces[0], look.palette)),
    [traces, look.palette, names.join(), traces[0].live?.outlook?.step],
  );
  return (
    <div class="tw-charts">
      {growing(traces[0]) && !traces[0].live?.outlook && <p class="tw-hint">Nothing has looked ahead yet; twin live --outlook-every 10 does so every ten steps.</p>}
      {view.zoom && (
        <p class="tw-hint">
          Steps {Math.round(view.zoom[0])} to {Math.round(view.zoom[1])} <button type="button" class="tw-link" data-act="whole" onClick={() => act.zoom(null)}>the whole run</button>
        </p>
      )}
      {specs.map((spec) => <Chart key={spec.title} app={app} spec={spec} names={names} />)}
    </div>
  );
}

/** Tables with an x of their own as one: undefined where one has nothing at another's x. @returns {any} */
const joined = (tables) => uPlot.join(tables);

/** One plot. @param {{app: import("../types").App, spec: import("./specs.js").Spec, names: string[]}} props */
export function Chart({ app, spec, names }) {
  const [first] = app.traces;
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  useLayoutEffect(() => {
    const made = new uPlot(options(app, spec, box.current?.clientWidth, setAt), [[0], ...spec.series.map(() => [null])], box.current ?? undefined);
    plot.current = { plot: made, key: "", mark: mark(made) };
    if (spec.over) clicks(made.over, (x) => app.act.toFrame((made.posToVal(x, "x") - first.meta.first_step) / first.meta.stride));
    const observer = new ResizeObserver(() => made.setSize({ width: box.current?.clientWidth ?? 1, height: HEIGHT }));
    observer.observe(/** @type {HTMLDivElement} */ (box.current));
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [spec]);
  useLayoutEffect(() => update(app, spec, plot.current));
  const data = plot.current?.plot.data;
  const value = (k) => (at === null || !data ? undefined : figure(data[k + 1]?.[at]));
  return (
    <section class="tw-chart" aria-label={spec.title}>
      <div class="tw-chart-title">
        <b><Explained app={app} text={spec.title} /></b>
        <span class="tw-chart-keys">
          {spec.series.map(({ label, hue, width }, k) => (width || at !== null) && <Key key={label} label={label} hue={hue} value={value(k)} />)}
        </span>
      </div>
      <div class="tw-chart-caption">
        <span>{at === null || !data ? spec.caption : `${spec.x} ${figure(data[0][at])}`}</span>
        <button type="button" class="tw-link" data-file="svg" aria-label={`${spec.title} as SVG`} onClick={() => take(app, spec, plot.current.plot, names, "svg")}>SVG</button>
        <button type="button" class="tw-link" data-file="csv" aria-label={`${spec.title} as CSV`} onClick={() => take(app, spec, plot.current.plot, names, "csv")}>CSV</button>
      </div>
      <div ref={box} role="img" aria-label={`${spec.title}: ${spec.caption}`} />
    </section>
  );
}

/** Bring a plot to what is here now, and its mark to the time on screen. */
function update(app, spec, drawn) {
  const { plot, mark: line } = drawn;
  const [first] = app.traces;
  const frame = app.frameOf(first);
  const ready = app.traces.map((t) => t.ready).join(" ");
  const key = spec.over ? `${ready} ${app.view.zoom}` : `${ready} ${frame}`;
  if (key !== drawn.key) {
    const columns = spec.over ? spec.over() : spec.atFrame(frame);
    plot.setData([columns[0], ...columns.slice(1).map(gaps)]);
    drawn.key = key;
  }
  if (!spec.over) return;
  const x = plot.valToPos(stepOf(first, frame), "x");
  line.style.transform = `translateX(${x}px)`;
  line.hidden = !(x >= 0 && x <= plot.over.clientWidth);
}

function mark(plot) {
  const line = document.createElement("div");
  line.className = "tw-mark";
  plot.over.append(line);
  return line;
}

/** A click is no drag: the pointer has hardly moved. */
function clicks(over, act) {
  let down = 0;
  over.addEventListener("pointerdown", (event) => (down = event.clientX));
  over.addEventListener("click", (event) => Math.abs(event.clientX - down) < CLICK_PX && act(event.offsetX));
}

function take(app, spec, plot, names, kind) {
  const name = `${app.traces.map((t) => t.meta.run_id).join("+")}-${fileName(spec.title)}.${kind}`;
  if (kind === "csv") {
    download(name, new Blob([csvOf(spec, plot.data)], { type: "text/csv" }));
    return;
  }
  const { x, y } = plot.scales;
  const { meta } = app.traces[0];
  const source = `${meta.name}: ${app.traces.length > 1 ? names.join("; ") : `${meta.strategy}, ${meta.policy}`}; seed ${meta.seed}; run ${app.traces.map((t) => t.meta.run_id).join(", ")}`;
  // On white paper: the colours of the light page.
  download(name, new Blob([svgOf(printed(app, spec, names), plot.data, { x: [x.min, x.max], y: [y.min, y.max] }, source)], { type: "image/svg+xml" }));
}

function printed({ traces }, spec, names) {
  const { light } = traces[0].meta.palette;
  const specs = traces.length > 1 ? several(traces, light, names, joined) : single(traces[0], light);
  return specs.find(({ title }) => title === spec.title) ?? spec;
}

/** @returns {any} */
function options(app, spec, width, setAt) {
  const { look, traces: [first] } = app;
  const soft = look.dark ? "#9fb2d8" : "#45526e";
  const rule = look.dark ? "rgba(150, 180, 255, 0.10)" : "rgba(30, 50, 90, 0.12)";
  const axis = { stroke: soft, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font: "11px Roboto, Arial, sans-serif", gap: 2 };
  const last = stepOf(first, first.frames - 1);
  // Over steps the whole run is on the axis from the start: lines grow into it.
  const whole = [first.meta.first_step, Math.max(first.meta.first_step + 1, last)];
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: spec.over !== undefined, y: false, setScale: false, dist: CLICK_PX }, points: { show: false }, y: false },
    hooks: { setCursor: [(u) => setAt(u.cursor.left >= 0 ? u.cursor.idx ?? null : null)], setSelect: [(u) => zoomed(app, u)] },
    padding: [6, 6, 0, 0],
    scales: {
      x: { time: false, ...(spec.over ? { range: () => app.view.zoom ?? whole } : {}), ...(spec.xRange ? { range: spec.xRange } : {}) },
      y: spec.range ? { range: (_, low, high) => spec.range(low, high) } : {},
    },
    axes: [
      { ...axis, size: 20, grid: { show: false } },
      { ...axis, size: 40, values: (_, ticks) => ticks.map((v) => String(Number(v.toPrecision(4)))) },
    ],
    series: [{}, ...spec.series.map(drawing)],
    bands: spec.bands ?? [],
  };
}

function zoomed(app, plot) {
  const { left, width } = plot.select;
  if (width < CLICK_PX) return;
  const ends = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  app.act.zoom(ends);
}

function drawing({ hue, bars, ...rest }) {
  const more = bars ? { paths: uPlot.paths.bars?.({ size: [0.72, 24] }) } : {};
  return { ...rest, ...more, stroke: hue, points: { show: false }, spanGaps: false };
}
