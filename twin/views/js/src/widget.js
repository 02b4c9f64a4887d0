// The widget: asks Python for traces piece by piece, runs its own clock, draws stage and side.

import "./widget.css";

import { createApp } from "./app.js";

function render({ model, el }) {
  return createApp(model, el);
}

export default { render };
