// One request over its life: its passes through the model, and what its tokens waited for.

/** @typedef {{first: number, tokens: number, came: number, ended: number, waited: number, worked: number, services: number, satellite: number, prompt: boolean}} Pass */

/** Passes as Python packed them (twin/views/requests.py). @param {any} life @returns {Pass[]} */
export const passesOf = ({ passes, row }) => passes.map((/** @type {number[]} */ [first, tokens, came, ended, waited, worked, services, satellite]) => ({
  first, tokens, came, ended, waited, worked, services, satellite, prompt: first + tokens <= row.prompt_tokens,
}));

/**
 * Times between one token's end and the next one's, the longest first, each with what happened then.
 *
 * @param {Pass[]} passes
 * @param {{t_s: number}[]} events
 */
export function gapsOf(passes, events) {
  const further = passes.filter(({ prompt }) => !prompt).sort((a, b) => a.ended - b.ended);
  const prompt = passes.filter((pass) => pass.prompt);
  // The end of the prompt gives the first token.
  const ends = [...(prompt.length ? [Math.max(...prompt.map(({ ended }) => ended))] : []), ...further.map(({ ended }) => ended)];
  return ends.slice(1).map((to, k) => ({ number: k + 2, from: ends[k], to, took: to - ends[k], events: events.filter(({ t_s }) => t_s > ends[k] && t_s <= to) }))
    .sort((a, b) => b.took - a.took);
}

/** Stretches of a request's life that are known without its passes. @param {any} row @param {number} end */
export function stretchesOf(row, end) {
  const first = row.ttft_s === null ? end : row.asked_s + row.ttft_s;
  const admitted = row.admitted_s ?? end;
  return [
    { name: "waiting", from: row.asked_s, to: admitted },
    { name: "prompt", from: admitted, to: Math.max(first, admitted) },
    { name: "tokens", from: Math.max(first, admitted), to: end },
  ];
}
