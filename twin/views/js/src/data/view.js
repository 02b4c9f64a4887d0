// What the viewer chose: as it is at first, and the changes that need a rule.

/** @typedef {import("../types").View} View */

export const VIEW_NAMES = ["globe", "map", "ring"];
export const COLOURS = ["layer", "sunlit", "soc", "temperature", "utilisation", "state", "instance"];

/** Colourings that there are for a run. @param {import("../types").Trace} trace */
export const coloursOf = ({ meta }) => COLOURS.filter((name) => name !== "instance" || (meta.requests?.instances ?? 1) > 1);
export const TABS = ["charts", "timeline", "requests", "token", "satellite", "table", "alarms", "residuals", "advice", "events", "find", "whatif", "about"];
const LIVE_TABS = ["alarms", "residuals", "advice"];

/** Pages that there are for a run. @param {import("../types").Trace} trace */
export const tabsOf = ({ meta }) => TABS.filter((name) => (name !== "requests" || meta.requests) && (!LIVE_TABS.includes(name) || meta.live));
const SHOWN = ["tokens", "ring", "live", "acquiring", "ground", "migrations", "shadow", "labels"];

export const NOTHING_CHOSEN = { satellite: -1, token: -1, layer: -1, held: -1, follow: /** @type {""} */ ("") };

/** @param {{alone: boolean, dark: boolean}} how @returns {View} */
export function newView({ alone, dark }) {
  return {
    views: alone ? ["globe"] : ["globe", "ring"],
    colourBy: "layer",
    sizeByLoad: false,
    show: { ...Object.fromEntries(SHOWN.map((name) => [name, true])), down: false, load: false, dispatch: false },
    fixed: false,
    ...NOTHING_CHOSEN, // layer: in focus now; held: in focus until told otherwise
    tab: "charts",
    of: 0, // which of several runs the cards are of
    dark,
    keys: false,
    zoom: null, // of the charts, in steps
    kindsOff: null, // kinds of events left out; not known before the first run
    chosenOnly: false,
    table: { by: "name", down: false, text: "", page: 0 },
    requests: { site: null, instance: null, cause: null, by: "e2e_s", down: true, page: 0, request: -1 },
    heat: "busy", // what is drawn of the model's hosts
    find: { what: "tokens", kind: null, cause: null, layer: null, text: "", by: "latency_s", down: true, page: 0 },
    found: null, // where along the run what was asked for is
    wide: false,
    now: true, // of a run that is being mirrored: go along with it
    tour: -1, // at which stop of the tour
  };
}

/** The views after one was switched: in their order, and never none. @param {string[]} views @param {string} name */
export function switched(views, name) {
  if (!views.includes(name)) return VIEW_NAMES.filter((v) => v === name || views.includes(v));
  return views.length > 1 ? views.filter((v) => v !== name) : views;
}

/** Of two views of the same list, the next or the one before, round. @template T @param {T[]} all @param {T} now @param {number} by */
export const turned = (all, now, by) => all[(all.indexOf(now) + by + all.length) % all.length];
