// Charts of a run, or of several, tied to the page's clock: a click goes to that time.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { h } from "./dom.js";
import { distribution, merged, sharesWithin, wholeDistribution } from "./figures.js";
import { meanLayers } from "./journey.js";
import { LINK_GROUPS, column, figure } from "./trace.js";

const HEIGHT = 112;

const clear = (hex, alpha) => `${hex}${Math.round(255 * alpha).toString(16).padStart(2, "0")}`;

/** What each chart shows of one run: columns over frames, or over something else at a frame. */
function single(trace, palette) {
  const { series } = palette;
  const steps = steps_(trace);
  const causes = trace.meta.vocabulary.causes.slice(1);
  const percent = (values) => gaps(Array.from(values, (v) => 100 * v));
  return [
    {
      title: "Latency by layer, this step",
      caption: "ms; propagation and compute apart. Line: mean of the run.",
      atFrame(frame) {
        const at = frame * trace.layers;
        const layers = Float64Array.from({ length: trace.layers }, (_, l) => l + 1);
        const flight = layers.map((_, l) => 1000 * trace.layer_propagation_s[at + l]);
        const total = layers.map((_, l) => flight[l] + 1000 * trace.layer_compute_s[at + l]);
        return [layers, total, flight, meanLayers(trace).map((v) => 1000 * v)];
      },
      series: [bars("compute", palette.compute), bars("propagation", palette.propagation), line("run", palette.ring, 1.2, [4, 3])],
      range: () => [0, 1.05 * largest(layerTotals(trace))],
    },
    {
      title: "Token latency (TPOT)",
      caption: "s over steps; median, 5 to 95 % and the slowest.",
      over: () => [steps(), quantile(trace, 1), quantile(trace, 10), quantile(trace, 19), quantile(trace, 20)],
      series: [line("5 %", series[0], 0), line("median", series[0], 1.6), line("95 %", series[0], 0), line("slowest", clear(series[0], 0.55), 1)],
      bands: [{ series: [3, 1], fill: clear(series[0], 0.22) }],
      range: zeroBased,
    },
    {
      title: "Distribution of token latency",
      caption: "Share of tokens that took at most a number of seconds: this frame, and the run.",
      atFrame(frame) {
        const [now, run] = [distribution(trace, frame, frame + 1), wholeDistribution(trace)];
        const x = run.values;
        return [x, sharesWithin(now, x), sharesWithin(run, x)];
      },
      series: [line("this step", series[1], 1.8), line("run", palette.ring, 1.2, [4, 3])],
      range: () => [0, 1],
    },
    {
      title: "Tokens lost, by cause",
      caption: "% of those asked or waiting, over steps.",
      over() {
        const parts = causes.map((cause) => percent(column(trace, `${cause.column}_share`)));
        // Stacked from the last to the first, the highest drawn first.
        const sums = [];
        let sum = steps().map(() => 0);
        for (const part of parts) sums.push((sum = part.map((v, k) => (v === null ? null : v + sum[k]))));
        return [steps(), ...sums.reverse()];
      },
      series: causes.map(({ label }, k) => area(label, palette.causes[k])).reverse(),
      range: (_, low, high) => [0, Math.max(high ?? 0, 1)],
    },
    {
      title: "Batteries and light",
      caption: "% over steps; charge: emptiest, 5 to 95 %, median. Satellites in sunlight.",
      over: () => [
        steps(), percent(column(trace, "soc_min")), ...[1, 2, 3].map((q) => percent(every(trace.soc_quantiles, 5, q, trace))),
        percent(column(trace, "sunlit_mean")),
      ],
      series: [
        line("emptiest", clear(series[0], 0.6), 1), line("5 %", series[0], 0), line("median", series[0], 1.6), line("95 %", series[0], 0),
        line("sunlit", series[1], 1.4),
      ],
      bands: [{ series: [4, 2], fill: clear(series[0], 0.22) }],
      range: () => [0, 101],
    },
    {
      title: "Laser links",
      caption: "% over steps: live, acquiring, down.",
      over() {
        const shares = linkShares(trace);
        return [steps(), ...shares.map(percent)];
      },
      series: ["live", "acquiring", "down"].map((name) => line(name, palette.links[name], 1.5)),
      range: () => [0, 101],
    },
    {
      title: "Migration",
      caption: "GB over steps, carried so far.",
      over() {
        return [steps(), carriedGb(trace)];
      },
      series: [area("weights and caches", palette.migration)],
      range: zeroBased,
    },
  ];
}

/** Several runs on the same axes, and what each differs from the first. */
function several(traces, palette) {
  const shortest = () => traces.reduce((a, b) => (a.ready < b.ready ? a : b));
  const names = traces.map(({ meta }) => (meta.policy === "static" ? meta.strategy : `${meta.strategy}, ${meta.policy}`));
  const each = (width) => names.map((name, k) => line(name, palette.series[k % palette.series.length], width));
  const cut = (values) => values.slice(0, shortest().ready);
  const steps = () => steps_(shortest())();
  return [
    {
      title: "Token latency (TPOT), mean",
      caption: "s over steps.",
      over: () => [steps(), ...traces.map((t) => gaps(cut(column(t, "latency_mean_s"))))],
      series: each(1.6),
      range: zeroBased,
    },
    {
      title: `Difference to ${names[0]}`,
      caption: "s over steps; below zero is faster. Same seed, same step.",
      over() {
        const first = column(traces[0], "latency_mean_s");
        return [steps(), ...traces.map((t) => gaps(cut(column(t, "latency_mean_s").map((v, k) => v - first[k]))))];
      },
      series: each(1.6),
    },
    {
      title: "Latency by layer, this step",
      caption: "ms.",
      atFrame(frame) {
        const deepest = Math.max(...traces.map((t) => t.layers));
        const layers = Float64Array.from({ length: deepest }, (_, l) => l + 1);
        const of = (t) => {
          const at = Math.min(frame, t.ready - 1) * t.layers;
          return Array.from(layers, (_, l) => (l < t.layers ? 1000 * (t.layer_propagation_s[at + l] + t.layer_compute_s[at + l]) : null));
        };
        return [layers, ...traces.map(of)];
      },
      series: each(1.6),
      range: () => [0, 1.05 * Math.max(...traces.map((t) => largest(layerTotals(t))))],
    },
    {
      title: "Tokens served",
      caption: "% of those asked, over steps.",
      over: () => [steps(), ...traces.map((t) => gaps(cut(column(t, "tokens_served_share").map((v) => 100 * v))))],
      series: each(1.6),
      range: () => [0, 105],
    },
    {
      title: "Emptiest battery",
      caption: "% over steps.",
      over: () => [steps(), ...traces.map((t) => gaps(cut(column(t, "soc_min")).map((v) => 100 * v)))],
      series: each(1.6),
      range: () => [0, 101],
    },
    {
      title: "Migration",
      caption: "GB over steps, carried so far.",
      over: () => [
        steps(),
        ...traces.map((t) => cut(carriedGb(t))),
      ],
      series: each(1.6),
      range: zeroBased,
    },
  ];
}

export function createCharts(seek) {
  const element = h("div", { className: "tw-charts" });
  let charts = [];
  let traces = [];
  let drawnAt = { ready: "", frame: -1 };

  function build(look) {
    for (const { plot } of charts) plot.destroy();
    element.replaceChildren();
    const wanted = traces.length > 1 ? several(traces, look.palette) : single(traces[0], look.palette);
    charts = wanted.map((chart) => {
      const mark = h("div", { className: "tw-mark" });
      const keys = h("span", { className: "tw-chart-keys" });
      for (const { label, hue, width } of chart.series) {
        if (width === 0) continue;
        const key = h("span", { textContent: label });
        key.style.setProperty("--sign", hue);
        keys.append(key);
      }
      const box = h(
        "div",
        { className: "tw-chart" },
        h("div", { className: "tw-chart-title" }, h("b", { textContent: chart.title }), keys),
        h("div", { className: "tw-chart-caption", textContent: chart.caption }),
      );
      element.append(box);
      const plot = new uPlot(options(chart, look, element.clientWidth - 4, seek, traces[0]), [[0], ...chart.series.map(() => [null])], box);
      if (chart.over) {
        plot.over.append(mark);
        plot.over.onclick = (event) => {
          const step = plot.posToVal(event.offsetX, "x");
          seek((step - 1) / traces[0].meta.stride);
        };
      }
      return { ...chart, plot, mark };
    });
    drawnAt = { ready: "", frame: -1 };
  }

  return {
    element,
    build(next, look) {
      traces = next;
      if (traces.length) build(look);
    },
    resize() {
      for (const { plot } of charts) plot.setSize({ width: element.clientWidth - 4, height: HEIGHT });
    },
    update(time) {
      if (!charts.length || element.hidden) return;
      const ready = traces.map((t) => t.ready).join(" ");
      const frame = Math.min(Math.floor(time), traces[0].ready - 1);
      for (const chart of charts) {
        if (chart.over) {
          if (ready !== drawnAt.ready) chart.plot.setData(chart.over());
          const x = chart.plot.valToPos(frame * traces[0].meta.stride + 1, "x");
          chart.mark.style.transform = `translateX(${x}px)`;
        } else if (frame !== drawnAt.frame || ready !== drawnAt.ready) {
          chart.plot.setData(chart.atFrame(frame));
        }
      }
      drawnAt = { ready, frame };
    },
    dispose() {
      for (const { plot } of charts) plot.destroy();
    },
  };
}

function options(chart, look, width, seek, trace) {
  const soft = look.dark ? "#8b9dc3" : "#55627d";
  const rule = look.dark ? "rgba(150, 180, 255, 0.10)" : "rgba(30, 50, 90, 0.12)";
  const axis = { stroke: soft, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font: "11px Roboto, Arial, sans-serif", gap: 2 };
  const over = chart.over !== undefined;
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    padding: [6, 6, 0, 0],
    scales: {
      // Over steps the whole run is on the axis from the start: bars and lines grow into it.
      x: { time: false, ...(over ? { range: () => [1, Math.max(2, 1 + (trace.frames - 1) * trace.meta.stride)] } : {}) },
      y: chart.range ? { range: chart.range } : {},
    },
    axes: [
      { ...axis, size: 20, grid: { show: false } },
      { ...axis, size: 40, values: (_, ticks) => ticks.map((v) => String(Number(v.toPrecision(4)))) },
    ],
    series: [{}, ...chart.series.map(({ hue, ...rest }) => ({ ...rest, stroke: hue }))],
    bands: chart.bands ?? [],
  };
}

function line(label, hue, width, dash) {
  return { label, hue, width, dash, points: { show: false }, spanGaps: false };
}

function area(label, hue) {
  return { label, hue, width: 1, fill: clear(hue, 0.85), points: { show: false } };
}

function bars(label, hue) {
  return { label, hue, width: 0.01, fill: hue, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 24] }) };
}

function zeroBased(_, low, high) {
  return [0, 1.08 * (high || 1)];
}

const steps_ = (trace) => () => Float64Array.from({ length: trace.ready }, (_, k) => k * trace.meta.stride + 1);

function every(values, width, at, trace) {
  return Float64Array.from({ length: trace.ready }, (_, k) => values[width * k + at]);
}

/** What is not known is a gap. */
const gaps = (values) => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
const quantile = (trace, k) => gaps(every(trace.quantiles_s, 21, k, trace));

function carriedGb(trace) {
  let sum = 0;
  return column(trace, "migrated_bytes").map((v) => (sum += (v || 0) / 1e9));
}

function layerTotals(trace) {
  return trace.layer_compute_s
    .subarray(0, trace.ready * trace.layers)
    .map((v, i) => 1000 * (v + trace.layer_propagation_s[i]));
}

function largest(values) {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most || 1;
}

/** Shares of links live, acquiring and down, of those that both ends want, frame by frame. */
function linkShares(trace) {
  const sums = LINK_GROUPS.slice(0, 3).map(() => new Float64Array(trace.ready));
  for (const { group, column: name } of trace.meta.vocabulary.link_states) {
    const into = sums[LINK_GROUPS.indexOf(group)];
    if (into) column(trace, name).forEach((v, k) => (into[k] += v));
  }
  return sums.map((sum) => sum.map((v, k) => v / (sums[0][k] + sums[1][k] + sums[2][k])));
}

/** The headline: {field: [the run so far, now]}, of all steps that the frames stand for. */
export function headline(trace, frame) {
  const found = {};
  for (const [key, name] of Object.entries(HEADLINE)) found[key] = [merged(trace, name), figure(trace, name, frame)];
  return found;
}

/** Figures of the headline, by the names of their fields. */
export const HEADLINE = {
  latency: "latency_mean_s", p99: "latency_p99_s", served: "tokens_served_share", lowest: "soc_min", sunlit: "sunlit_mean",
  carried: "migrated_bytes",
};
