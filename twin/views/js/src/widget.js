// The widget: asks Python for traces piece by piece, runs its own clock, draws stage and side.

import "./widget.css";

import { createApp } from "./app.js";
import { createRuns } from "./runs.jsx";
import { createStudy } from "./study/Study.jsx";

// What Python calls the parts beside the stage.
const PARTS = { runs: createRuns, study: createStudy };

function render({ model, el }) {
  const create = PARTS[model.get("part")] ?? createApp;
  return create(model, el);
}

export { prepare } from "./stage/early.js";
export default { render };
