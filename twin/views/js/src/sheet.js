// Pages beside the stage: tables and plots that ask Python piece by piece.

import { h, render } from "preact";

import { createAsk } from "./ask.js";
import { keptTheme } from "./theme.js";

/**
 * Show a component in an element; gives what takes it away.
 *
 * @param {any} model
 * @param {HTMLElement} el
 * @param {any} component its property `ask` takes what is asked, and more of the question
 */
export function createSheet(model, el, component) {
  const root = document.createElement("div");
  root.className = "tw-runs-page";
  el.append(root);
  document.documentElement.dataset.theme = keptTheme() ? "dark" : "light";
  const ask = createAsk(/** @type {any} */ ({ model }));
  const received = (/** @type {any} */ content) => ask.received(content);
  model.on("msg:custom", received);
  render(h(component, { model, ask: (/** @type {string} */ what, /** @type {object} */ more = {}) => ask.ask("", what, more) }), root);
  return () => {
    model.off("msg:custom", received);
    render(null, root);
  };
}

/** An address on this server, for the same visitor. @param {string} path @param {string} query */
export function address(path, query) {
  const token = new URLSearchParams(location.search).get("token");
  return `${path}?${query}${token ? `&token=${encodeURIComponent(token)}` : ""}`;
}

/** Where runs are looked at. @param {string[]} runs */
export const runsAddress = (runs) => address("./", `run=${runs.map(encodeURIComponent).join(",")}`);

/** Where a study is looked at. @param {string} name */
export const studyAddress = (name) => address("./study", `name=${encodeURIComponent(name)}`);
