// The page's address: which runs, at what time, and what of the view is not as it was at first.

import { COLOURS, TABS, VIEW_NAMES } from "./view.js";

/**
 * What an address holds; what is missing or makes no sense is left out.
 *
 * @param {string} search
 */
export function fromAddress(search) {
  const at = new URLSearchParams(search);
  const views = VIEW_NAMES.filter((name) => list(at, "view").includes(name));
  const colour = at.get("colour") ?? "";
  const tab = at.get("tab") ?? "";
  const zoom = (at.get("steps") ?? "").split("-").map(Number);
  return {
    runs: list(at, "run"),
    views: views.length ? views : null,
    colourBy: COLOURS.includes(colour) ? colour : "layer",
    tab: TABS.includes(tab) ? tab : "charts",
    fixed: at.get("frame") === "earth",
    satellite: at.get("sat") ?? "",
    zoom: zoom.length === 2 && zoom.every(Number.isFinite) && zoom[1] > zoom[0] ? /** @type {[number, number]} */ (zoom) : null,
    cameras: cameras(at.get("cam") ?? ""),
    t_s: at.get("t") === "inf" ? Infinity : Number(at.get("t") || NaN),
  };
}

/** @param {URLSearchParams} at @param {string} name */
const list = (at, name) => (at.get(name) ?? "").split(",").filter(Boolean);

/** "globe:1,2,3;ring:0,0,2" as {globe: [1, 2, 3], ring: [0, 0, 2]}. @param {string} text */
function cameras(text) {
  /** @type {Record<string, number[]>} */
  const found = {};
  for (const part of text.split(";")) {
    const [name, numbers = ""] = part.split(":");
    const values = numbers.split(",").map(Number);
    if (VIEW_NAMES.includes(name) && values.length === 3 && values.every(Number.isFinite)) found[name] = values;
  }
  return found;
}

/**
 * The address of a view; what is as at first needs no saying, nor does the time (NaN) where it is always now. Other parts of the address stay.
 *
 * @param {string} search
 * @param {{runs: string[], t_s: number, views: string[], colourBy: string, tab: string, fixed: boolean, satellite: string, zoom: [number, number] | null, cameras: Record<string, number[]>}} told
 */
export function toAddress(search, told) {
  const at = new URLSearchParams(search);
  const cam = Object.entries(told.cameras).map(([name, at3]) => `${name}:${at3.map((v) => Number(v.toFixed(3))).join(",")}`).join(";");
  const parts = {
    run: told.runs.join(","),
    t: Number.isNaN(told.t_s) ? "" : told.t_s.toFixed(1),
    view: told.views.join(",") === "globe,ring" ? "" : told.views.join(","),
    colour: told.colourBy === "layer" ? "" : told.colourBy,
    tab: told.tab === "charts" ? "" : told.tab,
    frame: told.fixed ? "earth" : "",
    sat: told.satellite,
    steps: told.zoom ? told.zoom.map((v) => Math.round(v)).join("-") : "",
    cam,
  };
  for (const [name, value] of Object.entries(parts)) {
    if (value) at.set(name, value);
    else at.delete(name);
  }
  return `?${at.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3B", ";")}`;
}
