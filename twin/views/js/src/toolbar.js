// Above the stage: which views, which camera, and what to take away.

import { h, pressed } from "./dom.js";
import { VIEWS } from "./pane.js";

const KEYS = [
  ["space", "play or pause"], ["← →", "one step"], ["shift ← →", "event before, next event"], ["[ ]", "slower, faster"],
  ["1 2 3", "globe, map, ring on or off"], ["c", "next colouring"], ["e", "turn with Earth or with the stars"],
  ["f", "follow the satellite or token chosen"], ["w a s d", "turn or move the view"], ["+ −", "zoom"], ["0", "camera back home"],
  ["l", "layer numbers"], ["t", "dark or light"], ["p", "save a picture"], ["esc", "choose nothing"], ["?", "this list"],
];

export function createToolbar(state, actions) {
  const views = h("div", { className: "tw-choices", role: "group", aria: { label: "views" } });
  for (const name of Object.keys(VIEWS)) {
    const label = name[0].toUpperCase() + name.slice(1);
    views.append(h("button", { textContent: label, onclick: () => actions.view(name), data: { view: name } }));
  }
  const camera = h("div", { className: "tw-choices", role: "group", aria: { label: "frame" } });
  for (const [fixed, label] of [[false, "Stars"], [true, "Earth"]]) {
    camera.append(
      h("button", {
        textContent: label,
        title: fixed ? "turn with Earth (Earth-fixed frame)" : "stand still among the stars (inertial frame)",
        onclick: () => actions.frame(fixed),
        data: { fixed },
      }),
    );
  }
  const follow = h("button", { textContent: "Follow", title: "go along with the satellite or token chosen", onclick: actions.follow, data: { act: "follow" } });
  const home = h("button", { textContent: "Home", title: "camera back to where it began", onclick: actions.home, data: { act: "home" } });
  const zoomIn = h("button", { textContent: "+", title: "closer", onclick: () => actions.zoom(1.25), aria: { label: "closer" }, data: { act: "closer" } });
  const zoomOut = h("button", { textContent: "−", title: "farther", onclick: () => actions.zoom(0.8), aria: { label: "farther" }, data: { act: "farther" } });
  const picture = h("button", { textContent: "PNG", title: "save the picture", onclick: actions.picture, data: { act: "png" } });
  const theme = h("button", { title: "dark or light", onclick: actions.theme, data: { act: "theme" } });
  const help = h("button", { textContent: "?", title: "keys", onclick: () => (keys.hidden = !keys.hidden), data: { act: "help" } });
  const keys = h("div", { className: "tw-keys tw-panel", hidden: true });
  keys.append(...KEYS.flatMap(([key, what]) => [h("kbd", { textContent: key }), h("span", { textContent: what })]));
  const tools = h("div", { className: "tw-choices" }, follow, zoomIn, zoomOut, home);
  const element = h("div", { className: "tw-toolbar" }, views, camera, tools, h("div", { className: "tw-choices" }, picture, theme, help));

  return {
    element,
    keys,
    paint(dark) {
      for (const button of views.children) pressed(button, state.views.includes(button.dataset.view));
      for (const button of camera.children) pressed(button, String(state.fixed) === button.dataset.fixed);
      pressed(follow, state.follow !== "");
      follow.disabled = state.satellite < 0 && state.token < 0;
      theme.textContent = dark ? "Light" : "Dark";
    },
  };
}
