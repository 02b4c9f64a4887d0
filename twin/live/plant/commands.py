"""Where the plant's commands come from: a file that grows."""

from pathlib import Path

from twin.errors import InputError, why
from twin.live.fields import LONGEST_BYTES


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
