"""Where the plant's commands come from: a file that grows, or those that came before it died."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from twin.errors import InputError, why
from twin.live.fields import LONGEST_BYTES

NOTES = "commands.log"
"""File of what came in each minute, a JSON list of lines."""


class OfFile:
    """Lines that have been appended to a file since it was last asked; it need not be there yet.

    Parameters
    ----------
    file : Path
    """

    def __init__(self, file: Path) -> None:
        self._file, self._at, self._part = file, 0, b""

    def __call__(self) -> list[bytes]:
        """Return the lines that have come since."""
        if not self._file.exists():
            return []
        try:
            with self._file.open("rb") as found:
                found.seek(self._at)
                new = found.read()
        except OSError as error:
            raise InputError(f"--commands {self._file}: cannot be read: {why(error)}") from None
        self._at += len(new)
        *lines, part = (self._part + new).split(b"\n")
        # A line that never ends must not fill the memory: what is too long is cut, and refused.
        self._part = part[: LONGEST_BYTES + 1]
        return [line for line in lines if line.strip()]


class Noted:
    """Commands minute by minute, noted on disk: a flight that is flown again gets them again.

    Parameters
    ----------
    ask : callable
        Returns the lines that have come.
    folder : Path or None
        Where they are noted; None: nowhere.
    acknowledge : callable
        Called when they are.
    """

    def __init__(
        self,
        ask: Callable[[], Iterable[bytes]],
        folder: Path | None,
        acknowledge: Callable[[], None] = lambda: None,
    ) -> None:
        self._ask, self._acknowledge = ask, acknowledge
        self._file = None if folder is None else folder / NOTES
        whole: list[bytes] = []
        if self._file is not None and self._file.exists():
            *whole, half = self._file.read_bytes().split(b"\n")
            os.truncate(self._file, self._file.stat().st_size - len(half))
        self._before = iter([json.loads(line) for line in whole])

    def __call__(self) -> list[bytes]:
        """Return the lines of the next minute."""
        before = next(self._before, None)
        if before is not None:
            return [text.encode("latin-1") for text in before]
        lines = list(self._ask())
        if self._file is not None:
            with self._file.open("ab") as out:
                out.write(json.dumps([line.decode("latin-1") for line in lines]).encode() + b"\n")
                out.flush()
                os.fsync(out.fileno())
        self._acknowledge()
        return lines
