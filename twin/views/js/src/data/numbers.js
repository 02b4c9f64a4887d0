// Numbers as people write them.

/** @param {number} share @param {number} [digits] */
export function percent(share, digits = 1) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–";
}

/** Seconds as people write them: ms below one. @param {number} seconds */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0.9995) return `${(1000 * seconds).toFixed(seconds < 0.01 ? 2 : 0)} ms`;
  return `${seconds.toFixed(2)} s`;
}

/** @param {number} bytes */
export function amount(bytes) {
  if (!Number.isFinite(bytes)) return "–";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let k = 0;
  while (value >= 1000 && k < units.length - 1) {
    value /= 1000;
    k += 1;
  }
  return `${value >= 100 || k === 0 ? value.toFixed(0) : value.toPrecision(3)} ${units[k]}`;
}

/** @param {number} value */
export const count = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "–");

/** Four digits at most; a dash for what is not known. @param {number | null | undefined} value */
export const figure = (value) => (Number.isFinite(value) ? String(Number(Number(value).toPrecision(4))) : "–");

/** What is not known is a gap. @param {ArrayLike<number | null | undefined>} values */
export const gaps = (values) => Array.from(values, (v) => (v === undefined || Number.isFinite(v) ? v : null));

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
