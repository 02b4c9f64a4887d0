"""What commands print: tables and remarks for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Any, Protocol

from rich.cells import cell_len
from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from twin.errors import InputError, why
from twin.runs import outputs
from twin.text import printable

STANDARD_OUTPUT = Path("-")

_NAME = 24
"""Characters, at most, of what is a name and not a sentence."""
_ROOM = 70
"""Characters that all of a progress bar takes; a narrower terminal has numbers alone."""
_BORDER = 3
"""Characters that a column takes beside what stands in it."""

_IN_ASCII = str.maketrans(
    {"±": "+-", "°": "deg ", "\u00d7": "x", "…": "...", "²": "2", "\u00a0": " "}
)
"""What stands for characters that a terminal does not have; a question mark for others."""


class Found(Protocol):
    """What a command found."""

    def as_csv(self) -> str:
        """All rows."""

    def as_json(self) -> Any:
        """Plain data."""


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
        self._unicode = self._console.encoding.startswith("utf")

    def table(
        self,
        title: str,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        groups: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Print a table; columns of numbers are right-aligned, and only sentences are wrapped.

        Columns that find no room beside each other stand below, the first of them again.
        `groups` has headings of rows by the number of the row that each stands above.
        """
        header = [self._shown(name) for name in header]
        rows = [[self._shown(cell) for cell in row] for row in rows]
        self.say(title, style="bold")
        for chosen in _parts(header, rows, self._console.width):
            table = Table()
            headings = _headings(header, rows, chosen, self._console.width)
            for i, heading in zip(chosen, headings, strict=True):
                table.add_column(
                    Text(heading),
                    justify="left" if _is_text(rows, i) else "right",
                    overflow="fold",
                    no_wrap=not _is_sentence(rows, i),
                    min_width=_least_width(header, rows, i),
                )
            for number, row in enumerate(rows):
                if number in groups:
                    table.add_section()
                    table.add_row(Text(groups[number], style="bold"))
                table.add_row(*(Text(row[i]) for i in chosen))
            self._try("standard output", partial(self._console.print, table))

    def say(self, text: str, *, style: str | None = None, wrap: bool = False) -> None:
        """Print a remark as it is, whatever the width, or wrapped to it."""
        self._try(
            "standard output",
            lambda: self._console.print(
                self._shown(text), style=style, soft_wrap=not wrap, highlight=False, markup=False
            ),
        )

    def _shown(self, text: str) -> str:
        return printable(text if self._unicode else text.translate(_IN_ASCII))

    def json(self, data: Any) -> None:
        """Write the figures to the file that the user named, if any."""
        if self._json_file is None:
            return
        text = json.dumps(_finite(data), indent=2, allow_nan=False) + "\n"
        if self._json_file == STANDARD_OUTPUT:
            self._try("--json -", lambda: _print_out(text))
        else:
            self.file("--json", self._json_file, text)

    def file(
        self, option: str, path: Path, made: str | Callable[[Path], object], said: str = ""
    ) -> None:
        """Write a file that the user named, a text or what a function makes; print what it is."""
        write = made if callable(made) else partial(outputs.write, content=made)
        if self._try(f"{option} {path}", partial(write, path)) and said:
            self.say(f"{said} in {path}")

    def conclude(self, found: Found, csv_file: Path | None = None, said: str = "all rows") -> None:
        """Write the files that the user named, and conclude."""
        if csv_file is not None:
            self.file("--csv", csv_file, found.as_csv(), said)
        self.json(found.as_json())
        self.end()

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

    # Speed over the last ten minutes: with the half minute of the default, longer jobs would show
    # no time that remains.
    console = RichConsole(stderr=True)
    columns: list[parts.ProgressColumn] = [parts.MofNCompleteColumn(), parts.TimeRemainingColumn()]
    if console.width >= _ROOM:
        more = parts.TextColumn("{task.description}"), parts.BarColumn()
        columns = [*more, columns[0], parts.TimeElapsedColumn(), columns[1]]
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


def _parts(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[list[int]]:
    """Numbers of the columns that stand beside each other; the first is in every part."""
    parts, room = [[0]], 0
    for i in range(len(header)):
        takes = _least_width(header, rows, i) + _BORDER
        if i == 0:
            first, room = takes, width - 1 - takes
            continue
        if takes > room and len(parts[-1]) > 1:
            parts.append([0])
            room = width - 1 - first
        parts[-1].append(i)
        room -= takes
    return parts


def _headings(
    header: Sequence[str], rows: Sequence[Sequence[str]], chosen: Sequence[int], width: int
) -> list[str]:
    """Headings of the chosen columns, in lines where they have no room as they are."""
    least = [_least_width(header, rows, i) for i in chosen]
    whole = [
        room if _is_sentence(rows, i) else max(room, cell_len(header[i]))
        for i, room in zip(chosen, least, strict=True)
    ]
    if sum(whole) + _BORDER * len(chosen) + 1 <= width:
        return [header[i] for i in chosen]
    return ["\n".join(wrap(header[i], room)) for i, room in zip(chosen, least, strict=True)]


def _least_width(header: Sequence[str], rows: Sequence[Sequence[str]], column: int) -> int:
    """Characters that a column needs: all of a number or name, the longest word of a heading."""
    words = max(map(len, header[column].split()), default=0)
    cells = max((cell_len(row[column]) for row in rows), default=0)
    return max(words, min(cells, _NAME) if _is_sentence(rows, column) else cells)


def _is_sentence(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column has text that is too long for a name."""
    most = _NAME if column else 2 * _NAME
    return _is_text(rows, column) and any(len(row[column]) > most for row in rows)


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
