// The event log: what happened, chosen by kind, round the time on screen.

import { amount, count, h, pressed } from "./dom.js";
import { nameOf, utc } from "./trace.js";

const BEFORE = 60;
const AFTER = 60;
export function createEvents(actions) {
  const filters = h("div", { className: "tw-filters" });
  const note = h("div", { className: "tw-hint" });
  const rows = h("div", { className: "tw-events" });
  const element = h("div", { className: "tw-card-panel" }, filters, note, rows);
  const off = new Set();
  let vocabulary = null;
  let chosenOnly = false;
  let shown = "";

  const only = h("button", { textContent: "chosen satellite only", data: { act: "only" } });
  only.onclick = () => {
    chosenOnly = !chosenOnly;
    shown = "";
    actions.changed();
  };

  /** Leave out what happens too often, until it is asked for. */
  function learn(next) {
    if (vocabulary) return;
    vocabulary = next;
    for (const [kind, { quiet }] of Object.entries(next.kinds)) if (quiet) off.add(kind);
  }

  function paintFilters(trace) {
    const kinds = Object.entries(trace.kinds).sort((a, b) => b[1].count - a[1].count);
    filters.replaceChildren(
      ...kinds.map(([kind, tally]) => {
        const button = h("button", { textContent: `${kind} ${count(tally.count)}`, title: vocabulary.kinds[kind]?.sentence ?? "", data: { kind } });
        pressed(button, !off.has(kind));
        button.onclick = () => {
          if (!off.delete(kind)) off.add(kind);
          shown = "";
          actions.changed();
        };
        return button;
      }),
      only,
    );
    pressed(only, chosenOnly);
  }

  function told(trace, event) {
    const { kind, cause, satellite, other, value } = event;
    const names = [satellite, other].map((s) => (s >= 0 ? nameOf(trace, s) : ""));
    const words = {
      satellite: names[0] || "ground",
      other: names[1],
      cause,
      site: trace.meta.sites[value]?.name,
      bytes: amount(value),
      count: count(value),
      seconds: Number.isFinite(value) ? `${value.toPrecision(3)} s` : "–",
    };
    const form = vocabulary.kinds[kind]?.shown ?? "{satellite} {cause}";
    return form.replace(/\{(\w+)\}/g, (_, word) => words[word] ?? "");
  }

  return {
    element,
    update(trace, time, satellite) {
      learn(trace.meta.vocabulary);
      const now_s = time * trace.meta.stride * trace.meta.step_s;
      const frame = Math.floor(time);
      const key = `${trace.meta.run_id} ${frame} ${trace.events.length} ${chosenOnly && satellite}`;
      if (key === shown) return;
      shown = key;
      paintFilters(trace);
      const wanted = trace.events.filter(
        (e) => !off.has(e.kind) && (!chosenOnly || e.satellite === satellite || e.other === satellite),
      );
      let at = wanted.findIndex((e) => e.t_s > now_s);
      if (at < 0) at = wanted.length;
      const from = Math.max(0, at - BEFORE);
      const cut = Object.entries(trace.kinds).filter(([kind, tally]) => !off.has(kind) && tally.kept < tally.count);
      note.textContent = cut.length
        ? `Of ${cut.map(([kind]) => kind).join(", ")} only the first ${count(cut[0][1].kept)} are here; twin events lists all.`
        : `${count(wanted.length)} events chosen`;
      rows.replaceChildren(
        ...wanted.slice(from, at + AFTER).map((event, k) => {
          const future = from + k >= at;
          const row = h(
            "button",
            { className: future ? "tw-event tw-later" : "tw-event", onclick: () => actions.visit(event) },
            h("time", { textContent: utc(trace, event.t_s / trace.meta.step_s / trace.meta.stride).slice(11, 19) }),
            h("b", { textContent: event.kind }),
            h("span", { textContent: told(trace, event) }),
          );
          if (k === at - from) row.classList.add("tw-next");
          return row;
        }),
      );
      const next = rows.querySelector(".tw-next");
      if (next) rows.scrollTop = next.offsetTop - rows.offsetTop - rows.clientHeight / 2;
    },
  };
}
