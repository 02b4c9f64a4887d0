// What a mirror estimates of the satellite that is chosen: how far measurements were off, and its own factors.

import { useMemo } from "preact/hooks";

import { useAnswer } from "../ask.js";
import { Chart } from "../charts/Charts.jsx";
import { clear, line } from "../charts/drawn.js";
import { nameOf, stepOf } from "../data/trace.js";
import { Facts } from "./parts.jsx";

const WIDE = 1.96; // standard deviations that 95 % lie within
const FACTORS = ["capacity", "array", "load"];

export function Residuals({ app, trace }) {
  const { satellite } = app.view;
  const chosen = satellite >= 0 && satellite < trace.count;
  const found = useAnswer(app, trace, "estimates", chosen ? { satellite, known: trace.live?.step } : null);
  const specs = useMemo(() => (found?.steps?.length ? specsOf(found, app.look.palette) : []), [found?.key, app.look.palette]);
  if (!chosen) return <p class="tw-hint">Choose a satellite: what its messages were off by, and what is estimated of it, stands here.</p>;
  if (found?.wrong) return <p class="tw-hint">{found.wrong}</p>;
  if (!found || found.satellite !== satellite) return <p class="tw-hint" role="status">Looking …</p>;
  if (!found.steps.length) return <p class="tw-hint">Nothing is estimated yet.</p>;
  const at = Math.max(0, found.steps.findLastIndex((step) => step <= stepOf(trace, app.frameOf(trace))));
  return (
    <section class="tw-residuals" aria-label="residuals">
      <h2 class="tw-sub">{nameOf(trace, satellite)}, step {found.steps[at]}</h2>
      <Facts
        rows={[
          ...FACTORS.map((name) => [name, `${withSpread(found, name, at, 100, " %")} of the design's`]),
          ["charge", withSpread(found, "soc", at, 100, " %")],
          ["sensor's bias", shown(found.bias[at], 100, " %")],
          ["charge is off", pair(found.residual_soc[at], found.residual_soc_sd[at], 100, " %")],
          ["power is off", pair(found.residual_power_w[at], found.residual_power_sd_w[at], 1, " W")],
        ]}
      />
      <div class="tw-charts">{specs.map((spec) => <Chart key={spec.title} app={app} spec={spec} names={[]} />)}</div>
    </section>
  );
}

const shown = (value, scale, unit) => (value === null ? "–" : `${(scale * value).toFixed(1)}${unit}`);
const pair = (value, spread, scale, unit) => (value === null ? "not measured" : `${shown(value, scale, unit)}, ± ${shown(spread, scale, unit)} expected`);
const withSpread = (found, name, at, scale, unit) => `${shown(found[name][at], scale, unit)} ± ${shown(found[`${name}_sd`][at], scale, unit)}`;

/** @returns {import("../charts/specs.js").Spec[]} */
function specsOf(found, palette) {
  const [hue, second, third] = palette.series;
  const scaled = (name, scale, times = 0) => found[name].map((v, k) => {
    const spread = times ? found[`${name}_sd`][k] : 0;
    return v === null || spread === null ? null : scale * (v + times * spread);
  });
  const off = (title, y, name, spread, scale) => ({
    title,
    caption: `${y.split(", ")[1]} over steps; shaded: where 95 % are expected.`,
    x: "step",
    y,
    over: () => {
      const most = found[spread].map((v) => (v === null ? null : WIDE * scale * v));
      return [found.steps, most.map((v) => (v === null ? null : -v)), scaled(name, scale), most];
    },
    series: [line("-", hue, 0), line("residual", hue, 1.4), line("+", hue, 0)],
    bands: [{ series: /** @type {[number, number]} */ ([3, 1]), fill: clear(palette.ring, 0.16) }],
  });
  return [
    off("Charge, measured less expected", "charge, %", "residual_soc", "residual_soc_sd", 100),
    off("Battery power, measured less expected", "power, W", "residual_power_w", "residual_power_sd_w", 1),
    {
      title: "Its own factors",
      caption: "over the design's, over steps; shaded: one standard deviation.",
      x: "step",
      y: "over the design's",
      over: () => [found.steps, ...FACTORS.flatMap((name) => [scaled(name, 1, -1), scaled(name, 1), scaled(name, 1, 1)])],
      series: [hue, second, third].flatMap((each, k) => [line("-", each, 0), line(FACTORS[k], each, 1.6), line("+", each, 0)]),
      bands: [hue, second, third].map((each, k) => ({ series: /** @type {[number, number]} */ ([3 * k + 3, 3 * k + 1]), fill: clear(each, 0.18) })),
    },
  ];
}
