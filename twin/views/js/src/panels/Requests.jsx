// Requests of a run as rows, chosen and in order; one over its life; load of satellites and copies.

import { useEffect } from "preact/hooks";

import { useAnswer } from "../ask.js";
import { count, duration } from "../data/numbers.js";
import { timeOfDay } from "../data/trace.js";
import { Copies } from "./Copies.jsx";
import { Heat } from "./Heat.jsx";
import { Life } from "./Life.jsx";
import { Choice, Pager, Rows, Switch } from "./parts.jsx";

const seconds = (v) => (v === null ? "–" : duration(v));
const COLUMNS = [
  ["request", "request"], ["site", "site"], ["instance", "copy"], ["asked_s", "asked"], ["waiting_s", "waited"], ["ttft_s", "first token"],
  ["tpot_s", "each further"], ["longest_gap_s", "longest gap"], ["e2e_s", "end to end"], ["prompt_tokens", "prompt"], ["made_tokens", "answer"],
  ["preemptions", "preempted"], ["retries", "retries"], ["energy_j", "J"], ["cause", "lost"],
];
const TIMES = ["waiting_s", "ttft_s", "tpot_s", "longest_gap_s", "e2e_s"];
const FIRST_LOOKS = [
  ["Slowest", { cause: null, by: "e2e_s", down: true }], ["Longest gap", { cause: null, by: "longest_gap_s", down: true }],
  ["Lost", { cause: "lost", by: "asked_s", down: false }], ["In order", { cause: null, by: "asked_s", down: false }],
];

export function Requests({ app, trace }) {
  const { requests } = app.view;
  const { request, ...question } = requests;
  const found = useAnswer(app, trace, "requests", question);
  useEffect(() => app.act.found(trace, found?.marks ?? null), [found?.marks]);
  useEffect(() => () => app.act.found(trace, null), []);
  if (!found || found.wrong) return <><p class="tw-hint" role="status">{found?.wrong ?? "Looking …"}</p><Now app={app} trace={trace} /></>;
  return (
    <>
      {request >= 0 && <Life app={app} trace={trace} request={request} />}
      <Filters app={app} trace={trace} found={found} />
      <Found app={app} trace={trace} found={found} />
      <Now app={app} trace={trace} />
    </>
  );
}

const Now = ({ app, trace }) => (
  <>
    {trace.meta.requests.instances > 1 && <Copies app={app} trace={trace} />}
    <Heat app={app} trace={trace} />
  </>
);

function Filters({ app, trace, found }) {
  const { requests } = app.view;
  const set = (change) => app.act.requests({ page: 0, ...change });
  const causes = found.causes.filter(([cause]) => cause !== null);
  const label = (word) => trace.meta.vocabulary.causes.find((cause) => cause.word === word)?.label ?? word;
  const site = (k) => trace.meta.sites[k]?.name ?? `site ${k}`;
  return (
    <>
      <div class="tw-filters" role="group" aria-label="which requests">
        {FIRST_LOOKS.map(([name, look]) => (
          <Switch key={name} on={Object.entries(look).every(([key, value]) => requests[key] === value)} data-look={name} onClick={() => set(look)}>{name}</Switch>
        ))}
      </div>
      <div class="tw-find">
        <Choice label="cause" value={requests.cause} onValue={(cause) => set({ cause })} options={[["served", "served"], ["lost", "all that are lost"], ...causes.map(([word, n]) => [word, `${label(word)} (${count(n)})`])]} />
        <Choice label="site" value={requests.site} onValue={(v) => set({ site: v === null ? null : Number(v) })} options={found.sites.map(([k, n]) => [k, `${site(k)} (${count(n)})`])} />
        {found.instances.length > 1 && (
          <Choice label="copy" value={requests.instance} onValue={(v) => set({ instance: v === null ? null : Number(v) })} options={found.instances.map(([k, n]) => [k, `copy ${k} (${count(n)})`])} />
        )}
      </div>
    </>
  );
}

function Found({ app, trace, found }) {
  const { requests } = app.view;
  const set = (change) => app.act.requests(change);
  return (
    <>
      <div class="tw-find">
        <span class="tw-hint" role="status">{count(found.matched)} of {count(found.total)} requests</span>
        <Pager page={requests.page} rows={found.matched} onPage={(page) => set({ page })} />
      </div>
      <Rows
        label="requests" columns={COLUMNS} rows={found.rows} order={requests} onOrder={(order) => set({ ...order, page: 0 })} late={found.late}
        cell={(name, row) => shown(trace, name, row)} held={(row) => row.request === requests.request} name={(row) => `${row.request}`}
        onRow={(row) => set({ request: row.request === requests.request ? -1 : row.request })}
      />
    </>
  );
}

/** Whether its chunks and tokens are kept. */
const recorded = ({ meta }, { request }) => meta.requests.record_every !== null && request % meta.requests.record_every === 0;

const SHOWN = {
  request: (value, row, trace) => (recorded(trace, row) ? `• ${value}` : value),
  site: (value, _, trace) => trace.meta.sites[value]?.name ?? value,
  asked_s: (value, _, trace) => timeOfDay(trace, { t_s: value }),
  energy_j: (value) => (value === null ? "–" : Number(value.toPrecision(3))),
  made_tokens: (value, row) => (value < row.output_tokens ? `${value} of ${row.output_tokens}` : value),
  cause: (value, _, trace) => trace.meta.vocabulary.causes.find(({ word }) => word === value)?.label ?? value ?? "",
  ...Object.fromEntries(TIMES.map((name) => [name, seconds])),
};

const shown = (trace, name, row) => (SHOWN[name] ? SHOWN[name](row[name], row, trace) : row[name]);
