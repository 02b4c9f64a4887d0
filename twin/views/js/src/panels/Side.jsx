// Beside the stage: key figures, or what differs between runs, then one of several pages.

import { Charts } from "../charts/Charts.jsx";
import { HEADLINE, described, headline } from "../data/figures.js";
import { count, duration, percent } from "../data/numbers.js";
import { tabsOf, turned } from "../data/view.js";
import { Alarms } from "./Alarms.jsx";
import { Advice } from "./Advice.jsx";
import { About } from "./About.jsx";
import { Compared } from "./Compared.jsx";
import { Events } from "./Events.jsx";
import { Find } from "./Find.jsx";
import { Residuals } from "./Residuals.jsx";
import { Requests } from "./Requests.jsx";
import { Switch } from "./parts.jsx";
import { Satellite } from "./Satellite.jsx";
import { Table } from "./Table.jsx";
import { Timeline } from "./Timeline.jsx";
import { Tokens } from "./Tokens.jsx";
import { WhatIf } from "./WhatIf.jsx";

const LABELS = { charts: "Charts", timeline: "Timeline", requests: "Requests", token: "Tokens", satellite: "Satellite", table: "Satellites", alarms: "Alarms", residuals: "Residuals", advice: "Advice", events: "Events", find: "Find", whatif: "What if", about: "This run" };
const BODIES = { charts: Charts, timeline: Timeline, requests: Requests, token: Tokens, satellite: Satellite, table: Table, alarms: Alarms, residuals: Residuals, advice: Advice, events: Events, find: Find, whatif: WhatIf, about: About };
// Short names of the headline's figures; what each is, in full, is its tooltip, from Python.
const SHORT = { latency: "token latency", p99: "p99", served: "served", lowest: "lowest charge", sunlit: "in sunlight", carried: "GB carried" };
const SHOWN_AS = { latency: duration, p99: duration, carried: (bytes) => (Number.isFinite(bytes) ? (bytes / 1e9).toPrecision(4) : "–") };

export function Side({ app }) {
  const { view, traces } = app;
  const trace = traces[view.of] ?? traces[0];
  const tabs = tabsOf(trace);
  const tab = tabs.includes(view.tab) ? view.tab : "charts";
  const Body = BODIES[tab];
  return (
    <div class="tw-side">
      {traces.length > 1 ? <Compared app={app} /> : <Headline app={app} trace={trace} />}
      <div class="tw-tab-row">
        <Tabs app={app} tabs={tabs} tab={tab} open={trace.live?.alarms?.[1]} />
        {!app.narrow && <Switch on={view.wide} data-act="wide" title="more room for tables" aria-label="wide" onClick={app.act.wide}>⇔</Switch>}
      </div>
      {traces.length > 1 && tab !== "charts" && <div class="tw-hint tw-of">Of {app.comparison.captions[trace.meta.run_id] ?? trace.meta.run_id}; click another picture for its run.</div>}
      <div class="tw-card-panel" role="tabpanel" id={`tw-panel-${tab}`} aria-labelledby={`tw-tab-${tab}`} tabIndex={0} key={tab}>
        <Body app={app} trace={trace} />
      </div>
    </div>
  );
}

function Tabs({ app, tabs, tab, open }) {
  const { view, act } = app;
  const keyed = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.stopPropagation();
    event.preventDefault();
    act.tab(turned(tabs, tab, by));
    event.currentTarget.querySelector(`[data-tab=${view.tab}]`)?.focus();
  };
  return (
    <div class="tw-tabs tw-choices" role="tablist" aria-label="about the run" onKeyDown={keyed}>
      {tabs.map((name) => (
        <button
          type="button" key={name} role="tab" id={`tw-tab-${name}`} data-tab={name} aria-selected={tab === name}
          aria-controls={tab === name ? `tw-panel-${name}` : undefined} tabIndex={tab === name ? 0 : -1} onClick={() => act.tab(name)}
        >
          {LABELS[name]}{name === "alarms" && open > 0 && <> <b class="tw-count">{count(open)}</b></>}
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
