"""What a report is made of, and its HTML: one file that asks nothing of anybody else."""

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from twin.runs.cells import Cell, text
from twin.runs.statistics import Estimate

_WHOLE = 36
"""Letters of a cell that is not broken into lines."""

_LONG = 60
"""Rows of a table that is not folded away."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures in rows; `name` is that of its CSV file."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure to draw; `name` is that of its PNG file, `caption` says what is seen."""

    name: str
    title: str
    caption: str
    size_in: tuple[float, float]
    draw: Callable[[Any], None]


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Text as it is typed; folded away under `folded` if that is given."""

    text: str
    folded: str = ""


type Part = str | Items | Code | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; plain text is a paragraph."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]

    def tables(self) -> list[Table]:
        """All tables, in their order."""
        return [part for part in self._parts() if isinstance(part, Table)]

    def pictures(self) -> list[Picture]:
        """All figures, in their order."""
        return [part for part in self._parts() if isinstance(part, Picture)]

    def _parts(self) -> Iterator[Part]:
        for section in self.sections:
            yield from section.parts


def html(document: Document, svg: Callable[[Picture], str]) -> str:
    """The document as HTML; `svg` draws a picture as an element to stand in the page."""
    style = (resources.files("twin.report") / "report.css").read_text(encoding="utf-8")
    contents = "\n".join(
        f'<li><a href="#{_anchor(s.title)}">{escape(s.title)}</a></li>' for s in document.sections
    )
    sections = "\n".join(_section(section, svg) for section in document.sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(document.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(document.title)}</h1>\n<p>{escape(document.subtitle)}</p>\n"
        f"<nav>\n<ol>\n{contents}\n</ol>\n</nav>\n</header>\n"
        f"<main>\n{sections}\n</main>\n</body>\n</html>\n"
    )


def csv_text(table: Table) -> str:
    """The table as CSV, figures in full; a mean with its interval takes two columns."""
    columns = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.header)
    paired = [any(isinstance(cell, Estimate) for cell in column) for column in columns]
    header = [
        title
        for name, pair in zip(table.header, paired, strict=True)
        for title in ([name, f"{name} ci95"] if pair else [name])
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in table.rows:
        written: list[object] = []
        for cell, pair in zip(row, paired, strict=True):
            mean, half = cell if isinstance(cell, Estimate) else (cell, None)
            written += [_plain(mean), _plain(half)] if pair else [_plain(mean)]
        writer.writerow(written)
    return out.getvalue()


def _plain(value: Cell) -> object:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return repr(value) if isinstance(value, float) else value


def _section(section: Section, svg: Callable[[Picture], str]) -> str:
    parts = "\n".join(_part(part, svg) for part in section.parts)
    return (
        f'<section id="{_anchor(section.title)}">\n<h2>{escape(section.title)}</h2>\n'
        f"{parts}\n</section>"
    )


def _part(part: Part, svg: Callable[[Picture], str]) -> str:
    match part:
        case Items(lines):
            return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"
        case Code(content, ""):
            return f"<pre>{escape(content)}</pre>"
        case Code(content, folded):
            summary = f"<summary>{escape(folded)}</summary>"
            return f"<details>\n{summary}\n<pre>{escape(content)}</pre>\n</details>"
        case Table():
            return _table(part)
        case Picture():
            return (
                f'<figure id="{escape(part.name)}">\n{svg(part)}\n'
                f"<figcaption><b>{escape(part.title)}.</b> {escape(part.caption)}</figcaption>\n"
                "</figure>"
            )
        case _:
            return f"<p>{escape(part)}</p>"


def _table(table: Table) -> str:
    numbers = [
        any(not isinstance(cell, str | None) for cell in column)
        for column in zip(*table.rows, strict=True)
    ] or [False] * len(table.header)
    head = "".join(
        f"<th{' class="n"' if number else ''}>{escape(name)}</th>"
        for name, number in zip(table.header, numbers, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(_cell(cell, first=i == 0) for i, cell in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    note = f'\n<p class="note">{escape(table.note)}</p>' if table.note else ""
    written = (
        f'<div class="scroll">\n<table id="table-{escape(table.name)}">\n'
        f"<caption>{escape(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>{note}"
    )
    if len(table.rows) <= _LONG:
        return written
    summary = f"<summary>{escape(table.title)}, {len(table.rows)} rows</summary>"
    return f"<details>\n{summary}\n{written}\n</details>"


def _cell(cell: Cell, *, first: bool) -> str:
    tag = "th" if first else "td"
    if isinstance(cell, str):
        whole = ' class="w"' if len(cell) <= _WHOLE else ""
        return f"<{tag}{whole}>{escape(cell)}</{tag}>"
    return f'<td class="n">{escape(text(cell))}</td>'


def _anchor(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.lower())
