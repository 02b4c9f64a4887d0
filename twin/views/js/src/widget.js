// The widget: asks Python for traces piece by piece, runs its own clock, draws stage and side.

import "./widget.css";

import { createApp } from "./app.js";
import { createRuns } from "./runs.jsx";

function render({ model, el }) {
  return model.get("part") === "runs" ? createRuns(model, el) : createApp(model, el);
}

export default { render };
