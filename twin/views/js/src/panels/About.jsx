// This run in words: all of its scenario that is not as by default; words of the field; a tour.

import { Explained } from "./parts.jsx";

/** A field's name that may be broken after each of its words. @param {string} name */
const breakable = (name) => name.split("_").map((word, k) => (k ? ["_", <wbr key={k} />, word] : word));

export function About({ app, trace }) {
  const { meta } = trace;
  const tables = new Set(meta.about.map(({ path }) => path.split(".")[0]));
  return (
    <>
      <p>{meta.description}</p>
      <p class="tw-hint">What of the scenario is not as by default; the field's sentence and its default beside it.</p>
      {[...tables].map((table) => (
        <section key={table} class="tw-about">
          <h2 class="tw-sub">{table}</h2>
          <dl>
            {meta.about.filter(({ path }) => path.startsWith(`${table}.`)).map(({ path, value, default: usual, sentence }) => (
              <div key={path} data-about={path}>
                <dt>{breakable(path.split(".")[1])}</dt>
                <dd><b>{value}</b> <small>{usual === "no default" ? "" : `default ${usual === "null" ? "none" : usual}`}</small>{sentence && <p><Explained app={app} text={sentence} /></p>}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <h2 class="tw-sub">Words</h2>
      <dl class="tw-glossary">
        {Object.entries(meta.glossary).map(([word, meaning]) => <div key={word}><dt>{word}</dt><dd>{meaning}</dd></div>)}
      </dl>
    </>
  );
}
