// The pointer over the stage: a click chooses a satellite, a rest describes one.

import { percent } from "./data/numbers.js";
import { nameOf } from "./data/trace.js";

const CLICK_PX = 4;
const REST_MS = 60;

/** @param {import("./types").App} app */
export function watchPointer(app) {
  const { element } = app.stage;
  const hover = document.createElement("div");
  hover.className = "tw-hover tw-panel";
  hover.hidden = true;
  element.append(hover);
  /** @type {PointerEvent | null} */
  let pressed = null;
  let rested = 0;
  const at = (event) => {
    const { left, top } = element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  element.addEventListener("pointerdown", (event) => (pressed = event.target.closest(".tw-pane") ? event : null));
  element.addEventListener("pointerup", (event) => {
    if (!pressed || Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > CLICK_PX || !app.traces.length) return;
    const { pane, satellite } = app.stage.pick(...at(event), app.timeOf);
    if (pane) app.view.of = app.traces.indexOf(pane.trace);
    if (satellite >= 0) app.act.pick(satellite, app.view.tab === "table" ? "table" : undefined);
    else if (app.view.satellite >= 0) app.act.pick(-1, app.view.tab);
    else app.changed();
  });
  element.addEventListener("pointermove", (event) => {
    if (!app.traces.length || event.buttons || !event.target.closest(".tw-pane")) hover.hidden = true;
    else if (event.timeStamp - rested >= REST_MS) {
      rested = event.timeStamp;
      describe(app, hover, ...at(event));
    }
  });
  element.addEventListener("pointerleave", () => (hover.hidden = true));
  return () => hover.remove();
}

function describe({ stage, timeOf, frameOf }, hover, x, y) {
  const { pane, satellite } = stage.pick(x, y, timeOf);
  hover.hidden = satellite < 0;
  if (satellite < 0) return;
  const { trace } = pane;
  const at = frameOf(trace) * trace.count + satellite;
  const lit = trace.sunlit[at] < 128 ? "in shadow" : "in sunlight";
  const state = trace.state[at] === 0 ? "click for more" : trace.meta.vocabulary.states[trace.state[at]].label;
  const name = document.createElement("b");
  name.textContent = nameOf(trace, satellite);
  const lines = [`${lit}, battery ${percent(trace.soc[at] / 255, 0)}`, state].map((words) => {
    const line = document.createElement("div");
    line.textContent = words;
    return line;
  });
  hover.replaceChildren(name, ...lines);
  hover.style.translate = `${Math.min(x + 14, stage.element.clientWidth - 190)}px ${Math.min(y + 14, stage.element.clientHeight - 80)}px`;
}
