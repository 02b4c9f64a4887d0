"""What a study's command prints and writes: its finding first, then tables, plot and report."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.cli.options import Answering

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
    shared: Answering,
    document: "Document",
    data: Any,
    *,
    figure: Path | None,
    picture: "Picture | None" = None,
    lead: bool = True,
    remarks: Sequence[str] = (),
) -> None:
    """Print what a document says first of all, and all that it does not fold away; write files.

    Parameters
    ----------
    shared : Answering
        Says where the report and the JSON go, if anywhere.
    document : Document
    data : Any
        Of the JSON.
    figure : Path or None
        Where the plot goes, if anywhere.
    picture : Picture, optional
        The plot, if it is not the document's first.
    lead : bool
        Whether to print the first table, too.
    remarks : sequence of str
        Lines to print at the end.
    """
    from twin.cli.console import Console
    from twin.report.document import write
    from twin.report.drawing import png

    console = Console(shared.json_file)
    parts = [*(document.lead if lead else ()), *document.unfolded()]
    say(console, document.question, document.finding, parts)
    if figure is not None:
        drawn = picture or document.pictures()[0]
        console.file("--figure", figure, partial(png, drawn), "plot")
    if shared.page is not None:
        console.file("--report", shared.page, partial(write, document), "report")
    for remark in remarks:
        console.say(remark)
    console.json(data)
    console.end()
