// The page round the stage.

import { Head, Legend } from "./Legend.jsx";
import { Island } from "./parts.jsx";
import { Side } from "./Side.jsx";
import { TimeBar } from "./TimeBar.jsx";
import { Keys, Toolbar } from "./Toolbar.jsx";
import { Tour } from "./Tour.jsx";

export function Page({ app }) {
  const ready = app.traces.length > 0 && app.look !== null;
  // The first picture does not wait for what stands round it; where it is drawn is settled.
  const bar = ready && !app.compact;
  const drawn = bar && app.loop.draws > 0;
  return (
    <>
      <Island element={app.stage.element} />
      {ready && <Head app={app} />}
      {drawn && (
        <>
          <Toolbar app={app} />
          <Keys app={app} />
          <Legend app={app} />
        </>
      )}
      {bar && <TimeBar app={app} />}
      {drawn && (
        <>
          <Side app={app} />
          <Tour app={app} />
        </>
      )}
    </>
  );
}
