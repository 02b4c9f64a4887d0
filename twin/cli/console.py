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
        columns = [
            _Column(self._shown(name), [self._shown(row[i]) for row in rows], first=i == 0)
            for i, name in enumerate(header)
        ]
        self.say(title, style="bold")
        for chosen in _parts(columns, self._console.width):
            table = Table()
            is_narrow = sum(one.whole + _BORDER for one in chosen) + 1 > self._console.width
            for one in chosen:
                heading = "\n".join(wrap(one.heading, one.least)) if is_narrow else one.heading
                table.add_column(
                    Text(heading),
                    justify="left" if one.is_text else "right",
                    overflow="fold",
                    no_wrap=not one.is_sentence,
                    min_width=one.least,
                )
            for number, cells in enumerate(zip(*(one.cells for one in chosen), strict=True)):
                if number in groups:
                    table.add_section()
                    table.add_row(Text(groups[number], style="bold"))
                table.add_row(*map(Text, cells))
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


class _Column:
    """A column of a table, and the characters that it needs.

    That is all of a number or name, the longest word of a heading; `whole` is with the heading in
    one line. Text that is too long for a name is a sentence.
    """

    def __init__(self, heading: str, cells: Sequence[str], *, first: bool) -> None:
        self.heading, self.cells = heading, cells
        self.is_text = 2 * sum(cell[:1].isalpha() for cell in cells) > len(cells)
        longest = max(map(len, cells), default=0)
        self.is_sentence = self.is_text and longest > (2 * _NAME if first else _NAME)
        width = max(map(cell_len, cells), default=0)
        width = min(width, _NAME) if self.is_sentence else width
        self.least = max(width, *map(len, heading.split()), 0)
        self.whole = self.least if self.is_sentence else max(self.least, cell_len(heading))


def _parts(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    """Columns that stand beside each other; the first is in every part."""
    first, *others = columns
    parts, room = [[first]], width - 1 - first.least - _BORDER
    for one in others:
        if one.least + _BORDER > room and len(parts[-1]) > 1:
            parts.append([first])
            room = width - 1 - first.least - _BORDER
        parts[-1].append(one)
        room -= one.least + _BORDER
    return parts


def _finite(data: Any) -> Any:
    """JSON has no NaN: null stands for a missing figure."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    if isinstance(data, float) and not (-float("inf") < data < float("inf")):
        return None
    return data
