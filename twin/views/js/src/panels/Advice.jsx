// Advice of a live run: what was compared with doing nothing, what each would gain, and what came of it.

import { useAnswer } from "../ask.js";
import { amount, count } from "../data/numbers.js";

export function Advice({ app, trace }) {
  const found = useAnswer(app, trace, "advice", { known: trace.live?.advice ?? 0 });
  if (!found) return <p class="tw-hint" role="status">Looking …</p>;
  if (found.wrong) return <p class="tw-hint">{found.wrong}</p>;
  if (!found.advice.length) return <p class="tw-hint">No advice up to now; twin live --advise-every 20 makes one every twenty steps.</p>;
  return (
    <section class="tw-advice" aria-label="advice">
      {found.advice.map((one) => <One key={one.step} app={app} trace={trace} one={one} now={trace.live?.step ?? trace.meta.steps} />)}
    </section>
  );
}

function One({ app, trace, one, now }) {
  const age = now - one.step;
  return (
    <section data-advice={one.step} aria-label={`advice from step ${one.step}`}>
      <h2 class="tw-sub">
        <button type="button" class="tw-link" onClick={() => app.act.toSeconds(trace, (one.step - trace.meta.first_step) * trace.meta.step_s)}>Step {count(one.step)}</button>
        <small>{age > 0 ? ` ${count(age)} ${age === 1 ? "step" : "steps"} ago` : ""}</small>
      </h2>
      <p><b>{one.advice}</b>. {became(one, now)}</p>
      <p class="tw-hint">Against doing nothing, over {count(one.steps)} steps and {count(one.members)} futures, with 95 % intervals: points more of the tokens served, ms saved a token.</p>
      <div class="tw-scroll" tabIndex={0} role="region" aria-label={`what was compared at step ${one.step}`}>
        <table class="tw-table">
          <caption class="tw-unseen">what was compared at step {count(one.step)}</caption>
          <thead>
            <tr><th scope="col">strategy</th><th scope="col">served</th><th scope="col">saved</th><th scope="col">moves</th><th scope="col">pays until</th></tr>
          </thead>
          <tbody>
            {one.options.map((option) => (
              <tr key={option.strategy} class={option.strategy === one.strategy ? "tw-row-held" : ""} data-option={option.strategy}>
                <th scope="row">{option.strategy}</th>
                {option.impossible ? <td colSpan={4}>{option.impossible}</td> : <Cells option={option} />}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Cells({ option: { served, latency, moved_bytes, pays_until } }) {
  return (
    <>
      <td>{gain(served, 100, 2)}</td>
      <td>{gain(latency, 1000, 1)}</td>
      <td>{amount(Math.max(moved_bytes, 0))}</td>
      <td>{pays_until === null ? "the end" : `step ${count(pays_until)}`}</td>
    </>
  );
}

const gain = ({ mean, half }, scale, digits) => (mean === null ? "–" : `${(scale * mean).toFixed(digits)} ± ${half === null ? "∞" : (scale * half).toFixed(digits)}`);

/** What came of it, in a sentence. */
function became({ strategy, commanded, unsent, led, nothing, options }, now) {
  if (strategy === nothing) return "Nothing was sent.";
  if (unsent) return `It could not be sent: ${unsent}.`;
  const until = options.find((option) => option.strategy === strategy)?.pays_until;
  const late = until !== null && until !== undefined && until < now ? " It pays no longer." : "";
  if (!commanded) return `Not adopted: the twin was not asked to act.${late}`;
  return `Sent as command ${commanded}${led ? "; the plant's controller follows commands" : ""}.${late}`;
}
