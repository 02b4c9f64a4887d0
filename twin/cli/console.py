"""What commands print: tables and remarks for people, JSON for programs."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from twin.errors import InputError
from twin.runs.files import write_text
from twin.text import printable

STANDARD_OUTPUT = Path("-")

_NAME = 24
"""Characters, at most, of what is a name and not a sentence."""


class Console:
    """Output of one command.

    With ``json_file`` set to ``-`` the JSON alone goes to standard output, and what is meant for
    people to standard error.
    """

    def __init__(self, json_file: Path | None) -> None:
        if json_file not in (None, STANDARD_OUTPUT) and not json_file.parent.is_dir():
            raise InputError(f"--json {json_file}: there is no folder {json_file.parent}")
        self._json_file = json_file
        self._console = RichConsole(stderr=json_file == STANDARD_OUTPUT)

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; columns of numbers are right-aligned and fold before names do."""
        self._console.print(
            printable(title), style="bold", soft_wrap=True, highlight=False, markup=False
        )
        table = Table()
        for i, name in enumerate(header):
            text = _is_text(rows, i)
            table.add_column(
                name,
                justify="left" if text else "right",
                overflow="fold",
                no_wrap=text and max(len(row[i]) for row in rows) <= (_NAME if i else 2 * _NAME),
            )
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self._console.print(table)

    def say(self, text: str) -> None:
        """Print a remark as it is, whatever the width."""
        self._console.print(printable(text), soft_wrap=True, highlight=False, markup=False)

    def json(self, data: Any) -> None:
        """Write the figures to the file that the user named, if any."""
        if self._json_file is None:
            return
        text = json.dumps(_finite(data), indent=2, allow_nan=False) + "\n"
        if self._json_file == STANDARD_OUTPUT:
            RichConsole().out(text, end="", highlight=False)
            return
        try:
            write_text(self._json_file, text)
        except OSError as error:
            raise InputError(f"--json {self._json_file}: {error.strerror}") from None


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, as a callable for (done, total)."""
    from rich import progress as parts

    columns = (
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.MofNCompleteColumn(),
        parts.TimeElapsedColumn(),
        parts.TimeRemainingColumn(),
    )
    # Speed over the last ten minutes: with the half minute of the default, longer jobs would show
    # no time that remains.
    with parts.Progress(
        *columns,
        console=RichConsole(stderr=True),
        transient=True,
        speed_estimate_period=600,
        refresh_per_second=2,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _is_text(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether most cells of a column begin with a letter."""
    letters = sum(row[column][:1].isalpha() for row in rows)
    return 2 * letters > len(rows)


def _finite(data: Any) -> Any:
    """JSON has no NaN: null stands for a missing figure."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    if isinstance(data, float) and not (-float("inf") < data < float("inf")):
        return None
    return data
