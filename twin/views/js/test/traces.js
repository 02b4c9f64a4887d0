// Small traces for tests: only what the functions under test read.

const VOCABULARY = {
  causes: [{ label: "", sentence: "" }, { label: "no path", sentence: "no path was there", column: "lost_no_path" }],
  states: [{ label: "well" }],
  link_states: [{ label: "up", group: "live", column: "links_up" }, { label: "far", group: "down", column: "links_far" }, { label: "unpaired", group: "none" }],
  kinds: { fault: { sentence: "it broke", shown: "{satellite} to {other}: {bytes}", quiet: false, lane: 0 }, "umbra-in": { sentence: "", shown: "", quiet: true, lane: 0 } },
  lanes: [],
  migration: ["migration-start", "migration-end"],
};

/** A run of two planes of two satellites and `frames` frames, all here. */
export function trace({ frames = 4, start = "2026-03-20T00:00:00.000Z", step_s = 15, stride = 1, first_step = 0, figures = {}, ...more } = {}) {
  const names = Object.keys(figures);
  const ready = more.ready ?? frames;
  return {
    meta: {
      run_id: "r", name: "small", n_planes: 2, first_step, step_s, stride, steps: frames * stride, start_utc: start, names: ["P0S0", "P0S1", "P1S0", "P1S1"],
      figures: names.map((name) => ({ name, merge: "mean" })), sites: [], temperature_range_c: [-40, 100], vocabulary: VOCABULARY, tokens_per_step: 8,
    },
    frames, ready, count: 4, links: 2, layers: 2, done: ready === frames, smooth: true, tokenSpan: 1,
    plane: [0, 0, 1, 1], slot: [0, 1, 0, 1], edges: [0, 1, 2, 3],
    figures: Array.from({ length: frames }, (_, k) => names.map((name) => figures[name][k])).flat(),
    steps: new Int32Array(frames).fill(stride), events: [], kinds: {}, binRange: [0], ...more,
  };
}
