"""What a report is made of, and its HTML: one self-contained file."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from twin.runs.cells import Cell, amount, doubt, text
from twin.runs.figures import FIGURES
from twin.runs.statistics import Estimate

_WHOLE = 36
"""A cell of at most this number of letters is not broken into lines."""

_LONG = 60
"""A table of at most this number of rows is not folded away."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures in rows; `name` is that of its CSV file."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A plot to draw; `name` is that of its PNG file, `caption` says what it shows."""

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
    """A heading and what stands below it, folded away or not; plain text is a paragraph."""

    title: str
    parts: tuple[Part, ...]
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """A report: a question, what was found, what shows it first of all, and all else."""

    title: str
    subtitle: str
    question: str
    finding: str
    lead: tuple[Part, ...]
    sections: tuple[Section, ...]

    def tables(self) -> list[Table]:
        """All tables, in their order."""
        return [part for part in self.parts() if isinstance(part, Table)]

    def pictures(self) -> list[Picture]:
        """All plots, in their order."""
        return [part for part in self.parts() if isinstance(part, Picture)]

    def parts(self) -> Iterator[Part]:
        """All that the document has, in its order."""
        yield from self.lead
        for section in self.sections:
            yield from section.parts

    def unfolded(self) -> Iterator[Part]:
        """What stands below the lead and is not folded away."""
        for section in self.sections:
            yield from () if section.folded else section.parts


def by_case[T](
    name: str,
    title: str,
    cases: Mapping[str, T],
    columns: Mapping[str, Callable[[T], Cell]],
    *,
    refused: Callable[[T], str | None],
    note: str = "",
    first: str = "case",
    label: Callable[[T], str] | None = None,
) -> Table:
    """Return a table with a row a case, which says why behind the name of one that is refused.

    `cases` are by their names, `columns`, which show a figure of a case, by their headings; `first`
    is that of the names, `label` a shorter name of a case.
    """
    rows: list[list[Cell]] = []
    for called, case in cases.items():
        why = refused(case)
        nothing = [why, *[""] * (len(columns) - 1)]
        cells = nothing if why else [show(case) for show in columns.values()]
        rows.append([label(case) if label else called, *cells])
    return Table(name=name, title=title, header=(first, *columns), rows=rows, note=note)


def html(document: Document, svg: Callable[[Picture], str]) -> str:
    """The document as HTML; `svg` draws a picture as an element to stand in the page."""
    style = _templates().get_template("style.css").render()
    return (
        _templates()
        .get_template("page.html.j2")
        .render(document=document, style=Markup(style), svg=lambda picture: Markup(svg(picture)))
    )


def words(template: str, **known: Any) -> str:
    """Sentences by a template, as plain text; spaces and lines in it do not count."""
    written = _templates().get_template(f"{template}.txt.j2").render(known)
    return re.sub(r"[ \n]+", " ", written).strip()


def csv_text(table: Table) -> str:
    """The table as CSV, figures in full; a mean with its interval takes two columns."""
    columns = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.header)
    paired = [any(isinstance(cell, Estimate) for cell in column) for column in columns]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    titles = zip(table.header, paired, strict=True)
    writer.writerow([t for name, pair in titles for t in (name, f"{name} ci95")[: 1 + pair]])
    for row in table.rows:
        both = [cell if isinstance(cell, Estimate) else (cell, None) for cell in row]
        parts = [one for cell, pair in zip(both, paired, strict=True) for one in cell[: 1 + pair]]
        writer.writerow(map(_plain, parts))
    return out.getvalue()


def _plain(value: Cell) -> object:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return repr(value) if isinstance(value, float) else value


@cache
def _templates() -> Environment:
    """The folder of templates; those of pages escape all text."""
    environment = Environment(
        loader=PackageLoader("twin.report"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name, kind in {"items": Items, "code": Code, "table": Table, "picture": Picture}.items():
        environment.tests[name] = lambda part, kind=kind: isinstance(part, kind)
    environment.tests["known"] = lambda estimate: math.isfinite(estimate.mean)
    environment.filters |= {
        "amount": amount,
        "anchor": lambda title: re.sub(r"\W", "-", title.lower()),
        "capital": capital,
        "cell_text": text,
        "doubt": doubt,
        "listed": listed,
        "numeric_columns": _numeric_columns,
        "zip": zip,
    }
    environment.globals |= {
        "figures": FIGURES,
        "longest_unbroken": _WHOLE,
        "most_unfolded": _LONG,
    }
    return environment


def _numeric_columns(table: Table) -> list[bool]:
    """Which columns hold a number in any of their rows."""
    return [
        any(not isinstance(cell, str | None) for cell in column)
        for column in zip(*table.rows, strict=True)
    ] or [False] * len(table.header)


def capital(sentence: str) -> str:
    """The sentence with its first letter large."""
    return sentence[:1].upper() + sentence[1:]


def listed(names: list[str]) -> str:
    """Names in a sentence."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
