// Dark or light: as the viewer chose, else as the system says.

const KEY = "orbital-twin-theme";

export function keptTheme() {
  const kept = localStorage.getItem(KEY);
  return kept ? kept === "dark" : !matchMedia("(prefers-color-scheme: light)").matches;
}

/** @param {boolean} dark */
export const keepTheme = (dark) => localStorage.setItem(KEY, dark ? "dark" : "light");

/** After a change of theme, or of what there is to show. @param {import("./types").App} app */
export function wear(app) {
  const { view, model, traces } = app;
  document.documentElement.dataset.theme = view.dark ? "dark" : "light";
  if (model.get("dark") !== view.dark) {
    model.set("dark", view.dark);
    model.save_changes();
  }
  if (!traces.length) return;
  const palette = traces[0].meta.palette[view.dark ? "dark" : "light"];
  app.look = { dark: view.dark, palette, ink: view.dark ? "#dbe6ff" : "#141a2b", colourBy: view.colourBy, show: view.show };
  app.restyle();
}
