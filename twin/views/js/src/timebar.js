// The bar of time: play, step, speed, scrub; ticks tell when things happened, a click goes there.

import { SPEEDS, paces } from "./clock.js";
import { count, h, pressed, say } from "./dom.js";
import { utc } from "./trace.js";

const LANE_HEIGHT = 8;
const REACH = 7;

export function createTimeBar(actions) {
  const button = (label, text, act, data) =>
    h("button", { textContent: text, title: label, onclick: act, aria: { label }, data });
  const play = h("button", { className: "tw-play", onclick: actions.toggle });
  const back = button("one step back", "‹", () => actions.step(-1), { act: "back" });
  const ahead = button("one step on", "›", () => actions.step(1), { act: "ahead" });
  const earlier = button("event before", "«", () => actions.jump(-1), { act: "earlier" });
  const later = button("next event", "»", () => actions.jump(1), { act: "later" });
  const scrub = h("input", { type: "range", min: 0, step: "any", className: "tw-scrub", aria: { label: "time" } });
  scrub.oninput = () => actions.seek(Number(scrub.value));
  const ticks = h("canvas", { className: "tw-ticks", title: "" });
  const lanes = h("div", { className: "tw-lanes" });
  const tip = h("div", { className: "tw-tip", hidden: true });
  const step = h("div", { className: "tw-step" });
  const pace = h("div", { className: "tw-pace" });
  const speeds = h("div", { className: "tw-speeds tw-choices" });
  for (const speed of SPEEDS) {
    const label = speed < 1 ? `1/${1 / speed}×` : `${speed}×`;
    speeds.append(h("button", { textContent: label, onclick: () => actions.setSpeed(speed), data: { speed } }));
  }
  const element = h(
    "div",
    { className: "tw-bar" },
    h("div", { className: "tw-buttons" }, earlier, back, play, ahead, later),
    h("div", { className: "tw-line-of-time" }, scrub, h("div", { className: "tw-tick-row" }, lanes, ticks, tip)),
    h("div", { className: "tw-time-side" }, h("div", { className: "tw-time-row" }, step, speeds), pace),
  );
  let trace = null;
  let shown = []; // lanes: {label, kinds}
  let lit = null;
  let painted = "";

  /** How many events of each lane each frame has. */
  function tally() {
    lit = shown.map(({ kinds }) => {
      const sum = new Float32Array(trace.frames);
      for (const kind of kinds) trace.kinds[kind]?.byFrame.forEach((n, frame) => (sum[frame] += n));
      return sum;
    });
  }

  function paintTicks(look) {
    const width = ticks.clientWidth;
    const sharp = Math.min(window.devicePixelRatio, 2);
    const key = `${width} ${trace.ready} ${trace.events.length} ${look.dark}`;
    if (key === painted || width === 0) return;
    painted = key;
    tally();
    ticks.width = width * sharp;
    ticks.height = shown.length * LANE_HEIGHT * sharp;
    const ink = ticks.getContext("2d");
    ink.scale(sharp, sharp);
    const { palette } = look;
lit.forEach((counts, k) => {
      const most = counts.reduce((a, b) => Math.max(a, b), 0);
      ink.fillStyle = palette.lanes[shown[k].number];
      counts.forEach((n, frame) => {
        if (!n) return;
        ink.globalAlpha = 0.25 + 0.75 * (n / most);
        ink.fillRect((width * frame) / trace.frames, k * LANE_HEIGHT + 1, Math.max(1.5, width / trace.frames - 0.5), LANE_HEIGHT - 2);
      });
    });
    [...lanes.children].forEach((label, k) => {
      label.style.opacity = lit[k].some((n) => n) ? 1 : 0.4;
    });
  }

  /** The lane under the pointer and its nearest frame with an event, or null. */
  function under(event) {
    if (lit === null) return null;
    const { left, top, width } = ticks.getBoundingClientRect();
    const k = Math.floor((event.clientY - top) / LANE_HEIGHT);
    const x = event.clientX - left;
    if (!(k in lit)) return null;
    let best = null;
    lit[k].forEach((n, frame) => {
      const away = Math.abs(((frame + 0.5) * width) / trace.frames - x);
      if (n && away < REACH && (best === null || away < best.away)) best = { lane: k, frame, n, away };
    });
    return best;
  }
  ticks.onpointermove = (event) => {
    const found = under(event);
    tip.hidden = found === null;
    ticks.style.cursor = found ? "pointer" : "default";
    if (!found) return;
    tip.textContent = `${count(found.n)} ${shown[found.lane].label} ${found.n === 1 ? "event" : "events"}, step ${found.frame * trace.meta.stride + 1}`;
    tip.style.left = `${event.offsetX}px`;
  };
  ticks.onpointerleave = () => (tip.hidden = true);
  ticks.onclick = (event) => {
    const found = under(event);
    if (found) actions.visit(found.frame, shown[found.lane].kinds);
  };

  return {
    element,
    setTrace(next) {
      trace = next;
      shown = lanesOf(next.meta.vocabulary);
      lanes.replaceChildren(...shown.map(({ label }) => h("span", { textContent: label })));
      painted = "";
    },
    update(clock, look) {
      paintTicks(look);
      const frame = Math.min(Math.floor(clock.time), trace.ready - 1);
      scrub.max = trace.frames;
      play.textContent = clock.playing ? "❚❚" : "▶";
      play.setAttribute("aria-label", clock.playing ? "pause" : "play");
      scrub.value = clock.time;
      const part = (value) => `${(100 * value) / trace.frames}%`;
      scrub.style.setProperty("--done", part(clock.time));
      scrub.style.setProperty("--ready", part(trace.done ? trace.frames : trace.ready));
      say(step, `step ${(frame * trace.meta.stride + 1).toLocaleString("en")} of ${trace.meta.steps.toLocaleString("en")}`);
      for (const each of speeds.children) pressed(each, Number(each.dataset.speed) === clock.speed);
      const { satellites, tokens } = paces(clock, trace);
      say(pace, `${utc(trace, clock.time)} · satellites ${spoken(satellites)} · tokens ${spoken(tokens)}`);
    },
  };
}

/** Lanes that have events which are not too many by far to be ticks; each is a row. */
function lanesOf({ lanes, kinds }) {
  return lanes
    .map(({ label, ticks }, number) => ({
      label, number, ticks, kinds: Object.keys(kinds).filter((kind) => kinds[kind].lane === number),
    }))
    .filter(({ ticks }) => ticks);
}

function spoken(pace) {
  const factor = pace < 1 ? 1 / pace : pace;
  const shown = factor < 10 ? factor.toFixed(1) : Math.round(factor).toLocaleString("en");
  return `${shown}× ${pace < 1 ? "slower" : "faster"}`;
}
