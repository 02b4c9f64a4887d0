"""What commands print: tables and remarks for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from twin.errors import InputError, why
from twin.runs import outputs
from twin.text import printable

STANDARD_OUTPUT = Path("-")

_NAME = 24
"""Characters, at most, of what is a name and not a sentence."""


class Console:
    """Output of one command.

    With ``json_file`` set to ``-`` the JSON alone goes to standard output, and what is meant for
    people to standard error. What cannot be written does not keep the rest from being written;
    `end` names it.
    """

    def __init__(self, json_file: Path | None) -> None:
        self._json_file = json_file
        self._failed: dict[str, None] = {}
        self._console = RichConsole(stderr=json_file == STANDARD_OUTPUT)

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; columns of numbers are right-aligned and fold before names do."""
        self.say(title, style="bold")
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
        self._try("standard output", lambda: self._console.print(table))

    def say(self, text: str, *, style: str | None = None) -> None:
        """Print a remark as it is, whatever the width."""
        shown = printable(text)
        self._try(
            "standard output",
            lambda: self._console.print(
                shown, style=style, soft_wrap=True, highlight=False, markup=False
            ),
        )

    def json(self, data: Any) -> None:
        """Write the figures to the file that the user named, if any."""
        if self._json_file is None:
            return
        text = json.dumps(_finite(data), indent=2, allow_nan=False) + "\n"
        if self._json_file == STANDARD_OUTPUT:
            self._try("--json -", lambda: _print_out(text))
        else:
            self.file("--json", self._json_file, lambda path: outputs.write(path, text))

    def file(
        self, option: str, path: Path, write: Callable[[Path], object], said: str = ""
    ) -> None:
        """Write a file that the user named, and print what it is."""
        if self._try(f"{option} {path}", lambda: write(path)) and said:
            self.say(f"{said} in {path}")

    def end(self) -> None:
        """Conclude.

        Raises
        ------
        InputError
            If something could not be written; all else is.
        """
        if self._failed:
            raise InputError("; ".join(self._failed))

    def _try(self, label: str, write: Callable[[], object]) -> bool:
        try:
            write()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._failed[f"{label}: {why(error)}"] = None
            return False
        except InputError as error:
            self._failed[str(error)] = None
            return False
        return True


def _print_out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


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
    console = RichConsole(stderr=True)
    with parts.Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
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
