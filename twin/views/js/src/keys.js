// Keys: whatever the mouse can do.

import { VIEW_NAMES } from "./data/view.js";

const TURNS = { a: [-0.12, 0], d: [0.12, 0], w: [0, 0.12], s: [0, -0.12] };
const OWN = "input:not([type=range]), textarea, select, [role=listbox], [contenteditable]";

/** @param {import("./types").App} app @returns {Record<string, () => void>} */
function bindings({ act, view }) {
  const keys = {
    " ": act.toggle,
    ArrowRight: () => act.step(1),
    ArrowLeft: () => act.step(-1),
    "shift ArrowRight": () => act.jump(1),
    "shift ArrowLeft": () => act.jump(-1),
    "[": () => act.faster(-1),
    "]": () => act.faster(1),
    c: act.nextColour,
    e: () => act.frame(!view.fixed),
    f: act.follow,
    j: () => act.neighbour({ slots: 1 }),
    k: () => act.neighbour({ slots: -1 }),
    J: () => act.neighbour({ planes: 1 }),
    K: () => act.neighbour({ planes: -1 }),
    l: () => act.show("labels"),
    n: act.now,
    p: act.picture,
    t: act.theme,
    z: act.zoomIn,
    Z: () => act.zoom(null),
    "+": () => act.closer(1.25),
    "=": () => act.closer(1.25),
    "-": () => act.closer(0.8),
    0: act.home,
    "?": act.keys,
    Escape: act.escape,
  };
  VIEW_NAMES.forEach((name, k) => (keys[k + 1] = () => act.view(name)));
  for (const [key, turn] of Object.entries(TURNS)) keys[key] = () => act.turn(...turn);
  return keys;
}

/** Whether what has the focus has a key first. */
function taken(key, target) {
  if (target.closest(OWN)) return true;
  if (key === " ") return target.closest("button, summary, a") !== null;
  return key.startsWith("Arrow") && target.closest("[role=tablist], .tw-scroll, .tw-events") !== null;
}

/** Close the form that is open over the page, unless a list is open over that. */
function closed() {
  const buttons = document.querySelectorAll(/** @type {"button"} */ (".tw-form .tw-plain-button"));
  if (!buttons.length || document.querySelector(".menuable__content__active")) return false;
  buttons[buttons.length - 1].click();
  return true;
}

/** @param {import("./types").App} app */
export function listenToKeys(app) {
  if (app.compact) return () => {};
  const keys = bindings(app);
  function keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !app.traces.length || event.defaultPrevented) return;
    const { key, shiftKey, target } = event;
    if (key === "Escape" && closed()) return;
    if (taken(key, target)) return;
    const act = keys[shiftKey && key.startsWith("Arrow") ? `shift ${key}` : key];
    if (!act) return;
    act();
    event.preventDefault();
  }
  document.addEventListener("keydown", keyed);
  return () => document.removeEventListener("keydown", keyed);
}
