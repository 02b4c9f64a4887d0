"""Errors that a user can cause, each told in one line, and the end that a signal asks for."""

import os
from pathlib import Path

from twin.text import printable


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what is allowed.

    What it quotes may come from a file: control characters in it are written out.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class BusyError(InputError):
    """Another process is computing this run or study."""


class StopSignal(BaseException):
    """A signal asks the process to end; no library takes it for an error of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


def is_stop(error: BaseException) -> bool:
    """Whether somebody asked for the end, rather than something being wrong."""
    return isinstance(error, KeyboardInterrupt | StopSignal)


def why(error: OSError) -> str:
    """Say what the system refused, in one line."""
    text = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    return " ".join(text.split())


def reason(error: OSError, path: Path | str | None = None) -> str:
    """Say the file, if it is known, and what the system refused, in one line."""
    file = error.filename if path is None else path
    return why(error) if file is None else f"{file}: {why(error)}"
