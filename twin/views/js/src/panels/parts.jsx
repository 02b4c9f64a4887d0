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

/** A coloured sign and what it stands for. @param {{label: string, hue: string, value?: string}} props */
export function Key({ label, hue, value }) {
  return <span style={{ "--sign": hue }}>{label}{value === undefined ? null : <b> {value}</b>}</span>;
}
