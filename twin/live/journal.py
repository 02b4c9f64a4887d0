"""The message log of a live run: every line as it came, with when it came, synced in groups."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

NAME = "telemetry.log"
GROUP = 2_000
"""Messages that are synced together, at most."""
GROUP_S = 0.5
"""And so long apart."""


class Journal:
    """Appends lines to the log of a run; use it as a context manager.

    A line that was half written when the process was killed is cut off: it was never acknowledged.

    Parameters
    ----------
    file : Path

    Attributes
    ----------
    lines : int
        In the file.
    size_bytes : int
        Of the file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.lines, self.size_bytes = _whole(file)
        self._waiting = 0
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        self._out = self._file.open("ab")
        self._out.truncate(self.size_bytes)
        self._out.seek(self.size_bytes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sync()
        self._out.close()

    def append(self, line: bytes) -> bool:
        """Append a line, and say whether all up to it are on disk."""
        line = line.rstrip(b"\r\n").replace(b"\n", b" ")
        written = b"%.3f\t%b\n" % (time.time(), line)
        self._out.write(written)
        self.lines += 1
        self.size_bytes += len(written)
        self._waiting += 1
        if self._waiting >= GROUP or time.monotonic() - self._since > GROUP_S:
            self.sync()
        return self._waiting == 0

    def sync(self) -> None:
        """Have all lines outlast a power cut."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self._waiting, self._since = 0, time.monotonic()


def read(file: Path, offset: int = 0) -> Iterator[bytes]:
    """Yield the lines of a log as they came, from a place in the file on."""
    with file.open("rb") as lines:
        lines.seek(offset)
        for line in lines:
            if line.endswith(b"\n"):
                yield line.partition(b"\t")[2].rstrip(b"\n")


def is_log(first: bytes) -> bool:
    """Whether a first line is one of a log."""
    received, tab, _ = first.partition(b"\t")
    return bool(tab) and received.replace(b".", b"").isdigit()


def _whole(file: Path) -> tuple[int, int]:
    """Lines of a file that end, and the bytes they take."""
    lines = size = 0
    if file.exists():
        with file.open("rb") as found:
            for line in found:
                if line.endswith(b"\n"):
                    lines, size = lines + 1, size + len(line)
    return lines, size
