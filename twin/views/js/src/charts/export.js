// A chart as a file: its numbers as CSV, its picture as SVG with all its labels.

const SIZE = { width: 720, height: 360, left: 72, right: 16, top: 56, bottom: 92 };
const INK = "#1b2233";

/** Hand a file to the viewer. @param {string} name @param {Blob | string} content a blob, or an address */
export function download(name, content) {
  const link = document.createElement("a");
  link.href = typeof content === "string" ? content : URL.createObjectURL(content);
  link.download = name;
  link.click();
  if (typeof content !== "string") setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {string} title */
export const fileName = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

/** @param {unknown} words */
const cell = (words) => (/[",\n]/.test(String(words)) ? `"${String(words).replaceAll('"', '""')}"` : String(words));

/**
 * Columns as CSV, what is not known left empty.
 *
 * @param {{x: string, y: string, series: {label: string}[]}} spec
 * @param {any[][]} data
 */
export function csvOf({ x, y, series }, data) {
  const head = [x, ...series.map(({ label }) => `${label} (${y})`)];
  const rows = Array.from(data[0], (_, k) => data.map((values) => values[k] ?? ""));
  return csvText([head, ...rows]);
}

/** @param {unknown[][]} rows */
export const csvText = (rows) => rows.map((row) => row.map(cell).join(",")).join("\n");

/** Round values between two ends, about `wanted` of them. @param {number} low @param {number} high @param {number} wanted */
export function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  const found = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) found.push(Number(v.toPrecision(12)));
  return found;
}

/** @param {string} words */
const safe = (words) => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * A chart as SVG, on white.
 *
 * @param {import("./specs.js").Spec} spec
 * @param {any[][]} data
 * @param {{x: [number, number], y: [number, number]}} ends of the axes
 * @param {string} source what run it is of
 */
export function svgOf(spec, data, ends, source) {
  const { width, height, left, right, top, bottom } = SIZE;
  const x = (/** @type {number} */ v) => left + ((v - ends.x[0]) / (ends.x[1] - ends.x[0] || 1)) * (width - left - right);
  const y = (/** @type {number} */ v) => height - bottom - ((v - ends.y[0]) / (ends.y[1] - ends.y[0] || 1)) * (height - top - bottom);
  const words = (/** @type {number} */ px, /** @type {number} */ py, /** @type {string} */ text, more = "") => `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" ${more}>${safe(text)}</text>`;
  const floor = height - bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Arial, sans-serif" font-size="12" fill="${INK}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/><clipPath id="plot"><rect x="${left}" y="${top}" width="${width - left - right}" height="${floor - top}"/></clipPath>`,
    words(left, 22, spec.title, 'font-size="16" font-weight="bold"'),
    words(left, 40, spec.caption),
    ...ticks(...ends.y, 5).map((v) => `<path d="M${left} ${y(v).toFixed(1)}H${width - right}" stroke="#d5dae4"/>${words(left - 6, y(v) + 4, String(v), 'text-anchor="end"')}`),
    ...ticks(...ends.x, 8).map((v) => `<path d="M${x(v).toFixed(1)} ${floor}v4" stroke="${INK}"/>${words(x(v), floor + 17, String(v), 'text-anchor="middle"')}`),
    `<path d="M${left} ${top}V${floor}H${width - right}" fill="none" stroke="${INK}"/>`,
    `<g clip-path="url(#plot)">`,
    ...(spec.bands ?? []).map(({ series: [a, b], fill }) => `<path d="${outline(data[0], data[a], data[b], x, y)}" ${painted("fill", fill)}/>`),
    ...spec.series.map((series, k) => drawn(series, data[0], data[k + 1], x, y)),
    "</g>",
    words((left + width - right) / 2, floor + 36, spec.x, 'text-anchor="middle"'),
    words(0, 0, spec.y, `transform="translate(16 ${(top + floor) / 2}) rotate(-90)" text-anchor="middle"`),
    ...keys(spec, left, floor + 58, words),
    words(left, height - 8, source, 'font-size="10" fill="#5d6985"'),
    "</svg>",
  ].join("\n");
}

/** @param {import("./specs.js").Spec} spec @param {number} left @param {number} top @param {(x: number, y: number, text: string) => string} words */
function keys({ series }, left, top, words) {
  let at = left;
  return series.filter(({ width }) => width).map(({ label, hue, dash, fill }) => {
    const made = `<path d="M${at} ${top - 4}h22" ${painted("stroke", fill ?? hue)} stroke-width="${fill ? 8 : 2}" ${dashed(dash)}/>${words(at + 28, top, label)}`;
    at += 46 + 6.4 * label.length;
    return made;
  });
}

/** SVG knows no #rrggbbaa everywhere. @param {"fill" | "stroke"} what @param {string} colour */
function painted(what, colour) {
  return colour.length === 9 ? `${what}="${colour.slice(0, 7)}" ${what}-opacity="${(parseInt(colour.slice(7), 16) / 255).toFixed(2)}"` : `${what}="${colour}"`;
}

/** @param {number[] | undefined} dash */
const dashed = (dash) => (dash ? `stroke-dasharray="${dash.join(" ")}"` : "");
/** @param {unknown} v */
const known = (v) => v !== null && v !== undefined && Number.isFinite(v);

/** Stretches of an index without a gap. @param {any[]} values */
export function stretches(values) {
  /** @type {number[][]} */
  const found = [];
  let open = false;
  Array.from(values).forEach((v, k) => {
    if (known(v)) {
      if (!open) found.push([]);
      found[found.length - 1].push(k);
    }
    // What is only missing at this x, in a table put together of several, is no gap.
    open = known(v) || (v === undefined && open);
  });
  return found;
}

/** @param {import("./specs.js").Series} series @param {any[]} xs @param {any[]} ys @param {(v: number) => number} x @param {(v: number) => number} y */
function drawn({ hue, width, dash, fill, bars }, xs, ys, x, y) {
  if (!width) return "";
  const point = (/** @type {number} */ k) => `${x(xs[k]).toFixed(1)} ${y(ys[k]).toFixed(1)}`;
  const parts = stretches(ys);
  if (bars) {
    const half = 0.36 * Math.abs(x(xs[1] ?? xs[0] + 1) - x(xs[0]));
    return parts.flat().map((k) => `<path d="M${(x(xs[k]) - half).toFixed(1)} ${y(0).toFixed(1)}V${y(ys[k]).toFixed(1)}h${(2 * half).toFixed(1)}V${y(0).toFixed(1)}z" ${painted("fill", hue)}/>`).join("");
  }
  const filled = fill ? parts.map((part) => `<path d="M${x(xs[part[0]]).toFixed(1)} ${y(0).toFixed(1)}L${part.map(point).join("L")}V${y(0).toFixed(1)}z" ${painted("fill", fill)}/>`) : [];
  return [...filled, ...parts.map((part) => `<path d="M${part.map(point).join("L")}" fill="none" ${painted("stroke", hue)} stroke-width="${width}" ${dashed(dash)}/>`)].join("");
}

/** Between two lines, wherever both are known. @param {any[]} xs @param {any[]} high @param {any[]} low @param {(v: number) => number} x @param {(v: number) => number} y */
function outline(xs, high, low, x, y) {
  return stretches(Array.from(high, (v, k) => (known(v) && known(low[k]) ? v : null)))
    .map((part) => `M${part.map((k) => `${x(xs[k]).toFixed(1)} ${y(high[k]).toFixed(1)}`).join("L")}L${[...part].reverse().map((k) => `${x(xs[k]).toFixed(1)} ${y(low[k]).toFixed(1)}`).join("L")}z`)
    .join("");
}
