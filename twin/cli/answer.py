"""What a study's command prints and writes: its finding first, then tables, plot and report."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from twin.runs import outputs

if TYPE_CHECKING:
    from twin.cli.console import Console
    from twin.report.page import Document, Part, Picture


def say(console: "Console", question: str, finding: str, parts: "Iterable[Part]") -> None:
    """Print a question, what was found, and tables and sentences."""
    from twin.report.page import Items, Table
    from twin.runs.cells import text

    console.say(question, style="bold", wrap=True)
    console.say(finding, wrap=True)
    for part in parts:
        if isinstance(part, Table):
            rows = [[text(cell) for cell in row] for row in part.rows]
            console.table(part.title, part.header, rows)
        elif isinstance(part, str | Items):
            for line in [part] if isinstance(part, str) else part.lines:
                console.say(line)


def answer(
    console: "Console",
    document: "Document",
    *,
    figure: Path | None,
    page: Path | None,
    picture: "Picture | None" = None,
    lead: bool = True,
) -> None:
    """Print what a document says first of all, and all that it does not fold away; write files.

    Parameters
    ----------
    console : Console
    document : Document
    figure, page : Path or None
        Where the plot and the report go, if anywhere.
    picture : Picture, optional
        The plot, if it is not the document's first.
    lead : bool
        Whether to print the first table, too.
    """
    from twin.report.document import write
    from twin.report.drawing import png

    parts = [*(document.lead if lead else ()), *document.unfolded()]
    say(console, document.question, document.finding, parts)
    if figure is not None:
        drawn = picture or document.pictures()[0]
        console.file("--figure", figure, partial(png, drawn), "plot")
    if page is not None:
        console.file("--report", page, partial(write, document), "report")


def default_figure(figure: Path | None, runs_dir: Path, name: str) -> Path:
    """Where the plot goes: by default to runs/, which is looked at before all is computed."""
    if figure is None:
        figure = runs_dir / name
        outputs.check("--figure", figure, makes_folder=True)
    return figure
