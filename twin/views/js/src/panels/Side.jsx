// Beside the stage: key figures, or what differs between runs, then one of five pages.

import { Charts } from "../charts/Charts.jsx";
import { HEADLINE, described, headline } from "../data/figures.js";
import { duration, percent } from "../data/numbers.js";
import { TABS, turned } from "../data/view.js";
import { Compared } from "./Compared.jsx";
import { Events } from "./Events.jsx";
import { Satellite } from "./Satellite.jsx";
import { Table } from "./Table.jsx";
import { Tokens } from "./Tokens.jsx";

const LABELS = { charts: "Charts", token: "Tokens", satellite: "Satellite", table: "Satellites", events: "Events" };
const BODIES = { charts: Charts, token: Tokens, satellite: Satellite, table: Table, events: Events };
// Short names of the headline's figures; what each is, in full, is its tooltip, from Python.
const SHORT = { latency: "token latency", p99: "p99", served: "served", lowest: "lowest charge", sunlit: "in sunlight", carried: "GB carried" };
const SHOWN_AS = { latency: duration, p99: duration, carried: (bytes) => (Number.isFinite(bytes) ? (bytes / 1e9).toPrecision(4) : "–") };

export function Side({ app }) {
  const { view, traces } = app;
  const trace = traces[view.of] ?? traces[0];
  const Body = BODIES[view.tab];
  return (
    <div class="tw-side">
      {traces.length > 1 ? <Compared app={app} /> : <Headline app={app} trace={trace} />}
      <Tabs app={app} />
      {traces.length > 1 && view.tab !== "charts" && <div class="tw-hint tw-of">Of {app.comparison.captions[trace.meta.run_id] ?? trace.meta.run_id}; click another picture for its run.</div>}
      <div class="tw-card-panel" role="tabpanel" id={`tw-panel-${view.tab}`} aria-labelledby={`tw-tab-${view.tab}`} tabIndex={0} key={view.tab}>
        <Body app={app} trace={trace} />
      </div>
    </div>
  );
}

function Tabs({ app }) {
  const { view, act } = app;
  const keyed = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.stopPropagation();
    event.preventDefault();
    act.tab(turned(TABS, view.tab, by));
    event.currentTarget.querySelector(`[data-tab=${view.tab}]`)?.focus();
  };
  return (
    <div class="tw-tabs tw-choices" role="tablist" aria-label="about the run" onKeyDown={keyed}>
      {TABS.map((name) => (
        <button
          type="button" key={name} role="tab" id={`tw-tab-${name}`} data-tab={name} aria-selected={view.tab === name}
          aria-controls={view.tab === name ? `tw-panel-${name}` : undefined} tabIndex={view.tab === name ? 0 : -1} onClick={() => act.tab(name)}
        >
          {LABELS[name]}
        </button>
      ))}
    </div>
  );
}

function Headline({ app, trace }) {
  const found = headline(trace, app.frameOf(trace));
  return (
    <div class="tw-figures">
      {Object.entries(SHORT).map(([key, label]) => {
        const shown = SHOWN_AS[key] ?? percent;
        const { label: name, sentence } = described(trace, HEADLINE[key]);
        return (
          <div key={key} class="tw-figure" data-figure={key} title={`${name}: ${sentence}`}>
            <div class="tw-label">{label}</div>
            <div class="tw-value">{shown(found[key][0])}</div>
            <div class="tw-now">now {shown(found[key][1])}</div>
          </div>
        );
      })}
    </div>
  );
}
