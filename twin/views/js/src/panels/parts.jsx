// Small parts of panels.

import { Component } from "preact";

/** A button that is on or off. */
export function Switch({ on, children, ...rest }) {
  return <button type="button" aria-pressed={on} {...rest}>{children}</button>;
}

/** An element that others draw on, where it belongs in the page. */
export class Island extends Component {
  shouldComponentUpdate() {
    return false;
  }

  render({ element }) {
    return <div class="tw-island" ref={(node) => node?.append(element)} />;
  }
}

/** Names and values. @param {{rows: any[][]}} props */
export function Facts({ rows }) {
  return (
    <dl class="tw-facts">
      {rows.flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}:`}>{value}</dd>])}
    </dl>
  );
}

/**
 * A text in which words of the field show what they mean when the pointer rests on them.
 *
 * @param {{app: import("../types").App, text: string}} props
 */
export function Explained({ app, text }) {
  const words = app.traces[0]?.meta.glossary ?? {};
  return (
    <>
      {text.split(wordsOf(words)).map((part, k) => (
        words[part] ? <abbr key={k} title={words[part]} tabIndex={0}>{part}</abbr> : part
      ))}
    </>
  );
}

/** @type {WeakMap<object, RegExp>} */
const patterns = new WeakMap();

/** @param {Record<string, string>} words */
function wordsOf(words) {
  const escaped = (/** @type {string} */ word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (!patterns.has(words)) patterns.set(words, new RegExp(`\\b(${Object.keys(words).map(escaped).join("|")})\\b`));
  return /** @type {RegExp} */ (patterns.get(words));
}

const PAGE = 50;

/** Which of many pages of rows. @param {{page: number, rows: number, onPage: (page: number) => void}} props */
export function Pager({ page, rows, onPage }) {
  const pages = Math.max(1, Math.ceil(rows / PAGE));
  return (
    <span class="tw-pager">
      <button type="button" disabled={page === 0} aria-label="page before" onClick={() => onPage(page - 1)}>‹</button>
      <span>{page + 1} / {pages}</span>
      <button type="button" disabled={page >= pages - 1} aria-label="next page" onClick={() => onPage(page + 1)}>›</button>
    </span>
  );
}

/**
 * One of several values, or any.
 *
 * @param {{label: string, value: any, onValue: (value: string | null) => void, options: any[][]}} props
 */
export function Choice({ label, value, onValue, options }) {
  return (
    <label>
      {label}{" "}
      <select value={value ?? ""} data-choice={label} onChange={(e) => onValue(e.currentTarget.value === "" ? null : e.currentTarget.value)}>
        <option value="">any</option>
        {options.map(([key, words]) => <option key={key} value={key}>{words}</option>)}
      </select>
    </label>
  );
}

/**
 * Rows of an answer, in an order that a click on a column's head changes; the first cell acts.
 *
 * @param {{label: string, columns: string[][], rows: any[], order: {by: string, down: boolean}, onOrder: (order: {by: string, down: boolean}) => void, late: boolean,
 *   cell: (name: string, row: any) => any, onRow: (row: any) => void, name: (row: any, k: number) => string, held?: (row: any) => boolean}} props
 */
export function Rows({ label, columns, rows, order, onOrder, late, cell, onRow, name, held = () => false }) {
  const [[first], ...others] = columns;
  return (
    <div class="tw-scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="tw-table" aria-busy={late}>
        <caption class="tw-unseen">{label}</caption>
        <thead>
          <tr>
            {columns.map(([by, words]) => (
              <th key={by} scope="col" aria-sort={order.by !== by ? undefined : order.down ? "descending" : "ascending"}>
                <button type="button" data-by={by} onClick={() => onOrder({ by, down: order.by === by ? !order.down : true })}>
                  {words}{order.by === by ? (order.down ? " ↓" : " ↑") : ""}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, k) => (
            <tr key={name(row, k)} class={held(row) ? "tw-row-held" : ""}>
              <th scope="row"><button type="button" data-row={name(row, k)} onClick={() => onRow(row)}>{cell(first, row)}</button></th>
              {others.map(([by]) => <td key={by}>{cell(by, row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A coloured sign and what it stands for. @param {{label: string, hue: string, value?: string}} props */
export function Key({ label, hue, value }) {
  return <span style={{ "--sign": hue }}>{label}{value === undefined ? null : <b> {value}</b>}</span>;
}
