// How busy each satellite was that hosts a part of the model: satellites by time.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { ramp } from "../data/colours.js";
import { everHosting } from "../data/hosting.js";
import { percent } from "../data/numbers.js";
import { nameOf, stepOf } from "../data/trace.js";

const MOST_ROWS = 240;
const ROW_PX = 3;

export function Heat({ app, trace }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [tip, setTip] = useState("");
  const rows = useMemo(() => everHosting(trace).slice(0, MOST_ROWS), [trace, trace.placements.length]);
  useLayoutEffect(() => {
    if (canvas.current && app.look) paint(canvas.current, trace, rows, ramp(app.look.palette.ramps.utilisation));
  }, [trace, trace.ready, rows, app.look]);
  const under = (event) => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const row = Math.min(Math.floor(((event.clientY - top) / height) * rows.length), rows.length - 1);
    const frame = Math.min(Math.floor(((event.clientX - left) / width) * trace.frames), trace.ready - 1);
    return { satellite: rows[Math.max(row, 0)], frame: Math.max(frame, 0) };
  };
  const moved = (event) => {
    const { satellite, frame } = under(event);
    setTip(`${nameOf(trace, satellite)}, step ${stepOf(trace, frame)}: busy ${percent(trace.utilisation[frame * trace.count + satellite] / 255)}`);
  };
  const click = (event) => {
    const { satellite, frame } = under(event);
    app.act.toSeconds(trace, frame * trace.meta.stride * trace.meta.step_s);
    app.act.pick(satellite, "requests");
  };
  if (!rows.length) return null;
  return (
    <>
      <h3>Busy satellites: those that host the model, by layer, over the run</h3>
      <canvas
        class="tw-heat" ref={canvas} style={{ height: `${Math.max(60, Math.min(rows.length * ROW_PX, 280))}px` }} role="img"
        aria-label="how busy each host was over the run; the table of satellites has the numbers" onPointerMove={moved} onPointerLeave={() => setTip("")} onClick={click}
      />
      <p class="tw-hint">{tip || "A click goes to satellite and time. Runs keep how busy a satellite was, and queues and caches by copy, not by satellite."}</p>
    </>
  );
}

function paint(canvas, trace, rows, colours) {
  canvas.width = trace.frames;
  canvas.height = rows.length;
  const ink = canvas.getContext("2d");
  const image = ink.createImageData(trace.frames, rows.length);
  rows.forEach((satellite, k) => {
    for (let frame = 0; frame < trace.ready; frame += 1) {
      const value = 4 * trace.utilisation[frame * trace.count + satellite];
      image.data.set(colours.subarray(value, value + 4), 4 * (k * trace.frames + frame));
    }
  });
  ink.putImageData(image, 0, 0);
}
