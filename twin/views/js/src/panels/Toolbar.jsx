// Above the stage: which views, which camera, and what to take away.

import { VIEW_NAMES } from "../data/view.js";
import { Switch } from "./parts.jsx";

const KEYS = [
  ["space", "play or pause"], ["← →", "one step"], ["shift ← →", "event before, next event"], ["[ ]", "slower, faster"], ["n", "now, where a run is being mirrored"],
  ["1 2 3", "globe, map, ring on or off"], ["c", "next colouring"], ["e", "turn with Earth or with the stars"],
  ["j k", "choose the satellite ahead, behind"], ["shift j k", "the one in the next plane, in the one before"],
  ["f", "follow the satellite or token chosen"], ["w a s d", "turn or move the view"], ["+ −", "zoom"], ["0", "camera back home"],
  ["z", "charts: closer round the time on screen"], ["shift z", "charts: the whole run"],
  ["l", "layer numbers"], ["t", "dark or light"], ["p", "save a picture"], ["esc", "choose nothing; close what is open"], ["?", "this list"],
];
const FRAMES = [
  [false, "Stars", "stand still among the stars (inertial frame)"],
  [true, "Earth", "turn with Earth (Earth-fixed frame)"],
];

export function Toolbar({ app }) {
  const { view, act } = app;
  const nothing = view.satellite < 0 && view.token < 0;
  return (
    <div class="tw-toolbar" role="toolbar" aria-label="view">
      <div class="tw-choices" role="group" aria-label="views">
        {VIEW_NAMES.map((name) => (
          <Switch key={name} on={view.views.includes(name)} data-view={name} onClick={() => act.view(name)}>
            {name[0].toUpperCase() + name.slice(1)}
          </Switch>
        ))}
      </div>
      <div class="tw-choices" role="group" aria-label="frame">
        {FRAMES.map(([fixed, label, title]) => (
          <Switch key={label} on={view.fixed === fixed} data-fixed={String(fixed)} title={title} onClick={() => act.frame(fixed)}>{label}</Switch>
        ))}
      </div>
      <div class="tw-choices" role="group" aria-label="camera">
        <Switch on={view.follow !== ""} disabled={nothing} data-act="follow" title="go along with the satellite or token chosen" onClick={act.follow}>
          Follow
        </Switch>
        <button type="button" data-act="closer" aria-label="closer" onClick={() => act.closer(1.25)}>+</button>
        <button type="button" data-act="farther" aria-label="farther" onClick={() => act.closer(0.8)}>−</button>
        <button type="button" data-act="home" title="camera back to where it began" onClick={act.home}>Home</button>
      </div>
      <div class="tw-choices">
        <button type="button" data-act="png" title="save the picture" onClick={act.picture}>PNG</button>
        <button type="button" data-act="theme" title="dark or light" onClick={act.theme}>{view.dark ? "Light" : "Dark"}</button>
        <button type="button" data-act="tour" title="a tour of one minute" onClick={() => act.tour(0)}>Tour</button>
        <Switch on={view.keys} data-act="help" aria-label="keys" onClick={act.keys}>?</Switch>
      </div>
    </div>
  );
}

export function Keys({ app }) {
  if (!app.view.keys) return null;
  return (
    <div class="tw-keys tw-panel" role="region" aria-label="keys">
      {KEYS.flatMap(([key, what]) => [<kbd key={key}>{key}</kbd>, <span key={what}>{what}</span>])}
    </div>
  );
}
