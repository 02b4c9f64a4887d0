// Small helpers for elements and numbers.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { data = {}, aria = {}, ...rest } = properties;
  Object.assign(element, rest);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children);
  return element;
}

export function pressed(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

/** Set a text only when it changed: laying out text costs more than drawing the globe. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function percent(share, digits = 1) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–";
}

/** Seconds as people write them: ms below one. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0.9995) return `${(1000 * seconds).toFixed(seconds < 0.01 ? 2 : 0)} ms`;
  return `${seconds.toFixed(2)} s`;
}

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

export const count = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "–");

export function download(name, url) {
  const link = h("a", { href: url, download: name });
  link.click();
}
