// Load of satellites and links, and where requests were sent, as Python packed it (twin/views/carried.py).

/** @typedef {import("../types").Trace} Trace */

/** @type {Record<string, any>} */
const TYPES = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** Numbers from base64. @param {string} text @param {"f4" | "i4" | "u1"} type @returns {any} */
export function numbers(text, type) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new TYPES[type](bytes.buffer);
}

/** The last of ascending steps that is no later than another; -1 if all are. @param {number[]} steps @param {number} step */
export function recordAt(steps, step) {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Load of links: of each record the number of each loaded link of the run, and its load, 0 to 255.
 *
 * @param {Trace} trace
 * @param {any} answer
 */
export function trafficOf(trace, answer) {
  const [source, target, share] = [numbers(answer.source, "i4"), numbers(answer.target, "i4"), numbers(answer.share, "u1")];
  /** @type {Map<number, number>} */
  const link = new Map();
  for (let e = 0; e < trace.links; e += 1) {
    const [a, b] = [trace.edges[2 * e], trace.edges[2 * e + 1]];
    link.set(a * trace.count + b, e).set(b * trace.count + a, e);
  }
  const records = answer.steps.map((/** @type {number} */ _, /** @type {number} */ k) => {
    /** @type {Map<number, number>} */
    const load = new Map();
    for (let i = answer.offset[k]; i < answer.offset[k + 1]; i += 1) {
      const e = link.get(source[i] * trace.count + target[i]);
      // Of the two directions the busier one.
      if (e !== undefined) load.set(e, Math.max(load.get(e) ?? 0, share[i]));
    }
    return load;
  });
  return { steps: answer.steps, most: answer.most, records };
}

/** Requests by the frame they came in: [site, copy, number] of each. @param {any} answer @returns {Map<number, number[][]>} */
export function dispatchOf(answer) {
  const rows = numbers(answer.rows, "i4");
  /** @type {Map<number, number[][]>} */
  const found = new Map();
  for (let k = 0; k < rows.length; k += 4) {
    const [frame, ...sent] = rows.subarray(k, k + 4);
    if (!found.has(frame)) found.set(frame, []);
    /** @type {number[][]} */ (found.get(frame)).push(sent);
  }
  return found;
}

/** How far up a ramp a value is, 0 to 1: load differs by orders of magnitude, its square root less. @param {number} share */
export const toned = (share) => Math.sqrt(Math.min(Math.max(share, 0), 1));

/** What could not be answered is asked once more when it is wanted once more. @param {Trace[]} traces */
export function forgetRefusals(traces) {
  for (const trace of traces) {
    for (const name of ["traffic", "dispatch"]) if (trace[name]?.wrong) trace[name] = undefined;
  }
}

/**
 * What is drawn of load, asked for when it is first wanted and the run complete.
 *
 * @param {import("../types").App} app
 * @param {Trace} trace
 */
export function askCarried(app, trace) {
  const { show } = app.view;
  if (!trace.meta.requests || !trace.done) return;
  const wants = /** @type {[string, boolean, object, (answer: any) => any][]} */ ([
    ["traffic", show.load, {}, (answer) => trafficOf(trace, answer)],
    ["dispatch", show.dispatch, { stride: trace.meta.stride }, dispatchOf],
  ]);
  for (const [name, wanted, question, read] of wants) {
    if (!wanted || trace[name] !== undefined) continue;
    trace[name] = null; // on its way
    app.ask.ask(trace.meta.run_id, name, question).then((/** @type {any} */ answer) => {
      trace[name] = answer.wrong ? { wrong: answer.wrong } : read(answer);
      app.stage.stale();
      app.restyle();
    });
  }
}
