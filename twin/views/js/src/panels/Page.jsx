// The page round the stage.

import { Head, Legend } from "./Legend.jsx";
import { Island } from "./parts.jsx";
import { Side } from "./Side.jsx";
import { TimeBar } from "./TimeBar.jsx";
import { Keys, Toolbar } from "./Toolbar.jsx";
import { Tour } from "./Tour.jsx";

export function Page({ app }) {
  const ready = app.traces.length > 0 && app.look !== null;
  return (
    <>
      <Island element={app.stage.element} />
      {ready && <Head app={app} />}
      {ready && !app.compact && (
        <>
          <Toolbar app={app} />
          <Keys app={app} />
          <Legend app={app} />
          <TimeBar app={app} />
          <Side app={app} />
          <Tour app={app} />
        </>
      )}
    </>
  );
}
