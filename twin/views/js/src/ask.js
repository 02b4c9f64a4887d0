// Questions to Python about a run on stage, and its answers (twin/views/questions.py).

import { useEffect, useState } from "preact/hooks";

/** @param {import("./types").App} app */
export function createAsk(app) {
  /** @type {Map<number, (answer: any) => void>} */
  const waiting = new Map();
  let last = 0;
  return {
    /** Ask about a run; gives the answer. @param {string} run @param {string} what @param {object} more @returns {Promise<any>} */
    ask(run, what, more) {
      last += 1;
      app.model.send({ ...more, ask: last, run, what });
      const mine = last;
      return new Promise((resolve) => waiting.set(mine, resolve));
    },
    /** Whether a message was an answer, which is taken. @param {any} content */
    received(content) {
      waiting.get(content.answer)?.(content);
      waiting.delete(content.answer);
      return content.answer !== undefined;
    },
  };
}

/**
 * The answer to a question, asked again when it changes; the last one, with what was `asked`, stays until the next is here.
 *
 * @param {import("./types").App} app
 * @param {import("./types").Trace} trace
 * @param {string} what
 * @param {object | null} question null asks nothing
 */
export function useAnswer(app, trace, what, question) {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const key = question && JSON.stringify([trace.meta.run_id, what, question, trace.done]);
  useEffect(() => {
    let wanted = true;
    if (question) app.ask.ask(trace.meta.run_id, what, question).then((found) => wanted && setAnswer({ ...found, what, key, asked: question }));
    return () => {
      wanted = false;
    };
  }, [key]);
  return answer && question ? { ...answer, late: answer.key !== key } : null;
}
