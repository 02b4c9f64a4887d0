"""Errors that a user can cause, each in one line, and the end that a signal asks for."""

import os
from pathlib import Path

from twin.text import printable

_MOST = 1500
"""Characters of a line, of which the middle goes first."""


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what is allowed.

    What it quotes may come from a file: `one_line` of it is shown.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


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


def one_line(text: str, most: int = _MOST) -> str:
    """Return a text as one line that any terminal shows as it is: long ones cut in the middle.

    Control characters, and what else does not print, are written out.
    """
    shown = printable(text)
    if len(shown) <= most:
        return shown
    half = (most - 5) // 2
    return f"{shown[:half]} ... {shown[-half:]}"


def shown(value: object) -> str:
    """Return a value as a message shows it, short whatever it is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return one_line(repr(value), 100)
