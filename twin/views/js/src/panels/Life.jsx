// One request over its life: it waits, its prompt goes in by chunks, then token after token.

import { useAnswer } from "../ask.js";
import { inWords } from "../data/eventlog.js";
import { count, duration } from "../data/numbers.js";
import { gapsOf, passesOf, stretchesOf } from "../data/request.js";
import { nameOf, timeOfDay } from "../data/trace.js";
import { Facts, Key } from "./parts.jsx";

const GAPS = 6;
const WIDE = 1000;
const LANES = { waiting: [0, 12], prompt: [16, 44], tokens: [64, 24], happened: [92, 8] };

export function Life({ app, trace, request }) {
  const life = useAnswer(app, trace, "request", { request });
  const head = (
    <div class="tw-life-head">
      <h2>Request {request}</h2>
      <button type="button" aria-label="close the request" data-act="close-request" onClick={() => app.act.requests({ request: -1 })}>×</button>
    </div>
  );
  if (!life || life.wrong || life.row?.request !== request) return <section class="tw-life" aria-label="request">{head}<p class="tw-hint">{life?.wrong ?? "Looking …"}</p></section>;
  const passes = passesOf(life);
  const gaps = gapsOf(passes, life.events);
  return (
    <section class="tw-life" aria-label={`request ${request}`} data-life={request}>
      {head}
      <p class="tw-verdict">{told(trace, life, gaps)}</p>
      <Waterfall app={app} trace={trace} life={life} passes={passes} gap={gaps[0]} />
      <Ways app={app} trace={trace} life={life} passes={passes} gap={gaps[0]} />
      <Gaps app={app} trace={trace} gaps={gaps} />
      <Facts rows={facts(trace, life, passes)} />
      {!life.recorded && <p class="tw-hint">{unrecorded(life)}</p>}
    </section>
  );
}

const unrecorded = ({ record_every: every }) => (every
  ? `Chunks and tokens are kept of one request in ${every} (requests.record_every), marked • in the rows; of this one only the times above.`
  : "Chunks and tokens of single requests are kept where the scenario says requests.record_every; here only the times above.");

/** What became of it, and where most of its time went. */
function told(trace, { row, end_s: end }, gaps) {
  const site = trace.meta.sites[row.site]?.name ?? `site ${row.site}`;
  const cause = trace.meta.vocabulary.causes.find(({ word }) => word === row.cause);
  const begun = `From ${site}, ${count(row.prompt_tokens)} tokens of prompt; ${count(row.made_tokens)} of ${count(row.output_tokens)} tokens of answer`;
  const became = cause ? `${begun}, then lost: ${cause.sentence || cause.label}` : `${begun} in ${duration(end - row.asked_s)}`;
  const parts = [["waiting", row.waiting_s], ["computing", row.computing_s], ["on links", row.way_s]].filter(([, s]) => s !== null);
  const why = parts.length ? ` Of that ${parts.map(([name, s]) => `${duration(s)} ${name}`).join(", ")}.` : "";
  return `${became.replace(/\.$/, "")}.${why}${gaps[0]?.events.length ? " Its longest gap lies where something changed; see below." : ""}`;
}

function Waterfall({ app, trace, life, passes, gap }) {
  const { palette } = app.look;
  const { row, end_s: end } = life;
  const span = Math.max(end - row.asked_s, 1e-9);
  const x = (t) => (WIDE * (t - row.asked_s)) / span;
  const wide = (from, to) => Math.max(x(to) - x(from), 1.2);
  const hue = { waiting: palette.ring, prompt: palette.compute, tokens: palette.propagation };
  const chunks = passes.filter(({ prompt }) => prompt);
  const click = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    app.act.toSeconds(trace, row.asked_s + (span * (event.clientX - left)) / width);
  };
  const bar = (key, lane, from, to, fill, title, k = 0, of = 1) => (
    <rect key={key} x={x(from)} y={LANES[lane][0] + (k * LANES[lane][1]) / of} width={wide(from, to)} height={Math.max(LANES[lane][1] / of - 0.3, 0.6)} fill={fill}><title>{title}</title></rect>
  );
  const known = new Set(passes.length ? ["waiting"] : ["waiting", "prompt", "tokens"]);
  return (
    <>
      <div class="tw-way-keys">
        <Key label="until let in" hue={hue.waiting} /><Key label="prompt" hue={hue.prompt} /><Key label="further tokens" hue={hue.tokens} />
        <Key label="longest gap" hue="var(--bad)" /><Key label="hand-overs, plans" hue={palette.ground} />
      </div>
      <svg class="tw-waterfall" viewBox={`0 0 ${WIDE} 100`} preserveAspectRatio="none" role="img" aria-label="the request over time; a click goes there" onClick={click}>
        {stretchesOf(row, end).filter(({ name }) => known.has(name)).map(({ name, from, to }) => bar(name, name, from, to, hue[name], `${name}: ${duration(to - from)}`))}
        {chunks.map((c, k) => bar(`c${k}`, "prompt", c.came, c.ended, hue.prompt, `tokens ${c.first} to ${c.first + c.tokens - 1} of the prompt: ${duration(c.ended - c.came)}`, k, chunks.length))}
        {gap && bar("gap", "tokens", gap.from, gap.to, "var(--bad)", `longest gap, before token ${gap.number}: ${duration(gap.took)}`)}
        {passes.filter(({ prompt }) => !prompt).map((p, k) => bar(`t${k}`, "tokens", p.came, p.ended, hue.tokens, `token ${p.first - row.prompt_tokens + 2}: ${duration(p.ended - p.came)}`, k % 3, 3))}
        {life.events.map((e, k) => bar(`e${k}`, "happened", e.t_s, e.t_s, palette.ground, `${e.kind}: ${inWords(trace, whole(e))}`))}
        <line class="tw-waterfall-now" x1={x(now(app, trace))} x2={x(now(app, trace))} y1={0} y2={100} />
      </svg>
      <div class="tw-ends"><span>{timeOfDay(trace, { t_s: row.asked_s })}</span><span>{duration(span)}</span><span>{timeOfDay(trace, { t_s: end })}</span></div>
    </>
  );
}

const whole = (e) => ({ ...e, satellite: e.satellite ?? -1, other: e.other ?? -1, value: e.value ?? NaN });
const now = (app, trace) => app.timeOf(trace) * trace.meta.stride * trace.meta.step_s;

/** Where to go on globe and clock. */
function Ways({ app, trace, life, passes, gap }) {
  const { row, end_s: end } = life;
  const ways = [
    ["asked", row.asked_s], ["admitted", row.admitted_s], ["first token", row.ttft_s === null ? null : row.asked_s + row.ttft_s],
    ["longest gap", gap?.from ?? null], ["end", end],
  ].filter(([, t]) => t !== null);
  return (
    <div class="tw-filters" role="group" aria-label="go to">
      {ways.map(([name, t]) => (
        <button type="button" key={name} data-go={name} title={`${timeOfDay(trace, { t_s: t })}: clock and globe`} onClick={() => go(app, trace, passes, t)}>{name}</button>
      ))}
    </div>
  );
}

/** The clock to a time, and the globe to the satellite of the pass that is under way then. */
function go(app, trace, passes, t_s) {
  app.act.toSeconds(trace, t_s);
  const pass = passes.find(({ came, ended }) => came <= t_s && ended > t_s) ?? passes.find(({ ended }) => ended >= t_s);
  if (pass) app.act.pick(pass.satellite, "requests");
}

function Gaps({ app, trace, gaps }) {
  if (!gaps.length) return null;
  return (
    <>
      <h3>Longest gaps between tokens</h3>
      <ul class="tw-plain">
        {gaps.slice(0, GAPS).map((gap) => (
          <li key={gap.number}>
            <button type="button" onClick={() => app.act.toSeconds(trace, gap.from)}>token {gap.number}</button>
            <span>{gap.events.map((e) => `${e.kind} ${inWords(trace, whole(e))}`).join("; ").slice(0, 90)}</span>
            <b>{duration(gap.took)}</b>
          </li>
        ))}
      </ul>
    </>
  );
}

function facts(trace, { row }, passes) {
  const s = (v) => (v === null ? "–" : duration(v));
  return [
    ["first token", s(row.ttft_s)], ["each further", s(row.tpot_s)], ["longest gap", s(row.longest_gap_s)],
    ["waiting", s(row.waiting_s)], ["computing", s(row.computing_s)], ["on the way", s(row.way_s)],
    ...(trace.meta.requests.instances > 1 ? [["copy", row.instance]] : []),
    ["energy", row.energy_j === null ? "–" : `${Number(row.energy_j.toPrecision(3))} J`],
    ["preempted", row.preemptions], ["tried again", row.retries], ["from the cache", `${count(row.reused_tokens)} tokens`],
    ...(passes.length ? [["began at", nameOf(trace, passes[0].satellite)]] : []),
  ];
}
