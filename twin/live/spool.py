"""Lines on their way to a broker: those that it has not acknowledged, and the last that it has.

A broker that is killed may have acknowledged what it had not kept. So the last lines are kept, and
are sent again when it is back: what came twice is dropped by its number. In a folder they also
outlast their sender. There each line is written before it is sent, in segments that are removed
when none of their lines is needed any more.
"""

import json
import os
import time
from collections import deque
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from typing import Any, Final

from twin.errors import BusyError, InputError, reason
from twin.runs import lock
from twin.runs.files import clear, write_text
from twin.runs.lock import Lock

KEPT: Final = 2_000
"""Acknowledged lines that are kept, to be sent again."""
SEGMENT: Final = 2_000
"""Lines of a file."""
SYNC_S: Final = 0.5
"""Lines are synced so long apart: they outlast a kill at once, and a power cut from then on."""
ABOUT: Final = "about.json"
"""File that says whose lines they are."""


class Spool:
    """Numbered lines, in memory.

    Parameters
    ----------
    kept : int
        Acknowledged lines that stay.

    Attributes
    ----------
    first, following : int
        Numbers of the oldest line that is kept, and of the next to come.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lines: deque[str] = deque()
        self.first = self.following = 0

    def __getitem__(self, number: int) -> str:
        return self._lines[number - self.first]

    def append(self, line: str) -> None:
        """Take a line in."""
        self._lines.append(line)
        self.following += 1

    def settle(self, number: int) -> None:
        """Note that the broker has all lines below a number."""
        while self.first < number - self._kept:
            self._lines.popleft()
            self.first += 1

    def finish(self) -> None:
        """Note that all is over, and nothing is needed any more."""

    def close(self) -> None:
        """Let others use it."""


class Kept(Spool):
    """Numbered lines in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there; one that has lines goes on with them.
    about : dict
        Says whose lines they are: those of others are refused.
    kept : int

    Raises
    ------
    InputError
        If the folder cannot be used, is in use, or holds something else.
    """

    def __init__(self, folder: Path, about: dict[str, Any], *, kept: int = KEPT) -> None:
        super().__init__(kept)
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = Lock.take(folder, "spool")
            self._check(about)
            self._files = self._read()
        except BusyError:
            raise InputError(f"--spool {folder}: another plant is at work with it") from None
        except OSError as error:
            raise InputError(f"--spool {folder}: {reason(error, folder)}") from None
        self._out: BufferedWriter | None = None
        self._synced_s = time.monotonic()

    def _check(self, about: dict[str, Any]) -> None:
        file = self._folder / ABOUT
        if file.exists():
            try:
                known = json.loads(file.read_text(encoding="utf-8"))
            except ValueError:
                known = None
            if known != json.loads(json.dumps(about)):
                raise InputError(f"--spool {self._folder}: is of another flight; give another one")
        elif {each.name for each in self._folder.iterdir()} > {lock.NAME}:
            raise InputError(f"--spool {self._folder}: holds other files; give another folder")
        else:
            write_text(file, json.dumps(about))

    def _read(self) -> deque[Path]:
        """Take in what is there; a line that is half written, the very last, is cut off."""
        files = deque(sorted(self._folder.glob("*.jsonl")))
        for number, file in enumerate(files):
            first = int(file.stem) if file.stem.isdecimal() else -1
            if number == 0:
                self.first = self.following = first
            *lines, half = file.read_bytes().split(b"\n")
            if first != self.following or (half and number < len(files) - 1):
                raise InputError(f"--spool {self._folder}: {file.name} is damaged")
            if half:
                os.truncate(file, file.stat().st_size - len(half))
            for line in lines:
                super().append(line.decode())
        return files

    def append(self, line: str) -> None:
        """Take a line in; it is in its file before it can be sent."""
        if self._out is None or self.following % SEGMENT == 0:
            self._begin()
        assert self._out is not None
        self._out.write(line.encode() + b"\n")
        self._out.flush()
        if time.monotonic() - self._synced_s > SYNC_S:
            self.sync()
        super().append(line)

    def _begin(self) -> None:
        if self._out is not None:
            self.sync()
            self._out.close()
        file = self._folder / f"{self.following:012d}.jsonl"
        if self.following % SEGMENT == 0 and file not in self._files:
            self._files.append(file)
        self._out = self._files[-1].open("ab")

    def sync(self) -> None:
        """Have all lines outlast a power cut."""
        if self._out is not None:
            os.fsync(self._out.fileno())
        self._synced_s = time.monotonic()

    def settle(self, number: int) -> None:
        """Note that the broker has all lines below a number; remove files without need."""
        super().settle(number)
        while len(self._files) > 1 and int(self._files[1].stem) <= self.first:
            self._files.popleft().unlink(missing_ok=True)

    def finish(self) -> None:
        """Remove what there is: all is over, and the broker has it."""
        self.close()
        clear(self._folder)
        with suppress(OSError):
            self._folder.rmdir()

    def close(self) -> None:
        """Let others use it; its lines stay."""
        if self._out is not None:
            self.sync()
            self._out.close()
            self._out = None
        self._lock.release()
