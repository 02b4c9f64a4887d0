// A run that is opened from a plot: asked for until it can be looked at.

import { useEffect } from "preact/hooks";

import { runsAddress } from "../sheet.js";

const AGAIN_MS = 700;

/** How far a run is, or why there is none; and who may have one computed. */
export const OnlyNear = ({ near, opening }) => (
  <>
    {opening && <p role="status" class={opening.wrong ? "tw-failed" : "tw-hint"}>{opening.wrong ?? `${opening.state} …`}</p>}
    {!near && <p class="tw-hint">Runs that are not here are computed for visitors from the server itself, or with its token.</p>}
  </>
);

/** Ask for a run until it can be looked at, then go there. */
export function useOpening(ask, opening, setOpening) {
  useEffect(() => {
    if (!opening || opening.wrong) return undefined;
    let timer = 0;
    let wanted = true;
    const look = async () => {
      const answer = await ask("open", opening.question);
      if (!wanted) return;
      if (answer.state === "ready") location.assign(runsAddress([answer.run]));
      else setOpening({ question: opening.question, ...answer });
    };
    timer = setTimeout(look, opening.run ? AGAIN_MS : 0);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [opening]);
}
