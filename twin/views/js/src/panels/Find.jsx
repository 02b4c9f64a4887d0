// All recorded tokens and events of the run: chosen, in order, as rows and as marks on the bar of time.

import { useEffect } from "preact/hooks";

import { useAnswer } from "../ask.js";
import { csvText, download } from "../charts/export.js";
import { inWords } from "../data/eventlog.js";
import { count, duration } from "../data/numbers.js";
import { frameSeconds, nameOf, satelliteNamed, timeOfDay } from "../data/trace.js";
import { Choice, Pager, Rows, Switch } from "./parts.jsx";

const TOKEN = [["step", "step"], ["token", "token"], ["latency_s", "took"], ["slowest_layer", "slowest layer"], ["slowest_layer_s", "it took"], ["slowest_satellite", "last there"], ["cause", "lost"]];
const EVENT = [["t_s", "when"], ["kind", "kind"], ["satellite", "satellite"], ["other", "other"], ["cause", "cause"], ["value", "in words"]];
const LOOKS = {
  tokens: [["Slowest", { cause: null, by: "latency_s", down: true }], ["Lost", { cause: "lost", by: "step", down: false }], ["Slowest layer", { cause: null, by: "slowest_layer_s", down: true }]],
  events: [["In order", { by: "t_s", down: false }], ["Largest", { by: "value", down: true }]],
};

export function Find({ app, trace }) {
  const { find } = app.view;
  const question = questionOf(trace, find);
  const found = useAnswer(app, trace, find.what, question);
  const right = found?.rows && found.what === find.what ? found : null;
  useEffect(() => app.act.found(trace, right?.marks ?? null), [right?.marks]);
  useEffect(() => () => app.act.found(trace, null), []);
  return (
    <>
      <div class="tw-choices" role="group" aria-label="what to find">
        {["tokens", "events"].map((what) => (
          <Switch key={what} on={find.what === what} data-what={what} onClick={() => app.act.find({ ...LOOKS[what][0][1], what, kind: null, cause: null, page: 0 })}>{what}</Switch>
        ))}
      </div>
      <Filters app={app} trace={trace} found={right} />
      {found?.wrong && <p class="tw-hint" role="status">{found.wrong}</p>}
      {right && <Found app={app} trace={trace} found={right} />}
    </>
  );
}

/** What is asked: a satellite by its number; one that does not exist asks for nothing. */
function questionOf(trace, { what, text, layer, ...rest }) {
  const satellite = text.trim() ? satelliteNamed(trace, text) : null;
  const { kind, ...ofTokens } = rest;
  return what === "tokens" ? { ...ofTokens, satellite, layer } : { ...ofTokens, kind, satellite };
}

function Filters({ app, trace, found }) {
  const { find } = app.view;
  const set = (change) => app.act.find({ page: 0, ...change });
  const cause = (word) => trace.meta.vocabulary.causes.find((one) => one.word === word)?.label ?? word;
  const some = (found?.causes ?? []).filter(([word]) => word !== null).map(([word, n]) => [word, `${cause(word)} (${count(n)})`]);
  const tokens = find.what === "tokens";
  return (
    <>
      <div class="tw-filters" role="group" aria-label="which">
        {LOOKS[find.what].map(([name, look]) => (
          <Switch key={name} on={Object.entries(look).every(([key, value]) => find[key] === value)} data-look={name} onClick={() => set(look)}>{name}</Switch>
        ))}
      </div>
      <div class="tw-find">
        {!tokens && <Choice label="kind" value={find.kind} onValue={(kind) => set({ kind, cause: null })} options={(found?.kinds ?? []).map(([kind, n]) => [kind, `${kind} (${count(n)})`])} />}
        <Choice label="cause" value={find.cause} onValue={(word) => set({ cause: word })} options={tokens ? [["served", "served"], ["lost", "all that are lost"], ...some] : some} />
        {tokens && <Choice label="layer" value={find.layer} onValue={(v) => set({ layer: v === null ? null : Number(v) })} options={Array.from({ length: trace.layers }, (_, l) => [l, `${l}`])} />}
        <label>satellite <input type="search" value={find.text} placeholder={trace.meta.names[0]} data-choice="satellite" onChange={(e) => set({ text: e.currentTarget.value })} /></label>
      </div>
    </>
  );
}

function Found({ app, trace, found }) {
  const { find } = app.view;
  const tokens = find.what === "tokens";
  const columns = tokens ? TOKEN.filter(([name]) => found.layered || !name.startsWith("slowest")) : EVENT;
  const go = (row) => (tokens ? toToken(app, trace, row) : toEvent(app, trace, row));
  return (
    <>
      <div class="tw-find">
        <span class="tw-hint" role="status">{count(found.matched)} of {count(found.total)} {find.what}</span>
        <button type="button" class="tw-link" data-file="csv" onClick={() => take(trace, find.what, columns, found.rows)}>CSV of this page</button>
        <Pager page={find.page} rows={found.matched} onPage={(page) => app.act.find({ page })} />
      </div>
      {tokens && !found.total && <p class="tw-hint">This run records no tokens; simulation.record_tokens_per_step says how many a step.</p>}
      <Rows
        label={find.what} columns={columns} rows={found.rows} order={find} onOrder={(order) => app.act.find({ ...order, page: 0 })} late={found.late}
        cell={(name, row) => shown(trace, name, row)} onRow={go} name={(row, k) => (tokens ? `${row.step} ${row.token}` : `${k}`)}
      />
    </>
  );
}

function shown(trace, name, row) {
  const value = row[name];
  if (name === "value") return inWords(trace, { ...row, satellite: row.satellite ?? -1, other: row.other ?? -1, value: row.value ?? NaN });
  if (value === null) return name === "latency_s" ? "–" : "";
  if (name === "latency_s" || name === "slowest_layer_s") return duration(value);
  if (name === "t_s") return timeOfDay(trace, { t_s: value });
  if (["slowest_satellite", "satellite", "other"].includes(name)) return nameOf(trace, value);
  return name === "cause" ? trace.meta.vocabulary.causes.find((cause) => cause.word === value)?.label ?? value : value;
}

/** To the step of a token; the token itself if it is drawn. */
function toToken(app, trace, { step, token, slowest_layer: layer }) {
  app.act.toSeconds(trace, (step - trace.meta.first_step) * trace.meta.step_s);
  app.act.choose({ token, ...(layer === null || layer === undefined ? {} : { layer, held: layer }) });
}

function toEvent(app, trace, { t_s: at, satellite }) {
  // Within its frame, of which the event may be the first moment.
  app.act.toSeconds(trace, Math.min(at + 1e-6, trace.frames * frameSeconds(trace) - 1e-6));
  if (satellite !== null) app.act.pick(satellite, "find");
}

function take(trace, what, columns, rows) {
  const names = columns.map(([name]) => name);
  download(`${trace.meta.run_id}-${what}.csv`, new Blob([csvText([names, ...rows.map((row) => names.map((name) => row[name] ?? ""))])], { type: "text/csv" }));
}
