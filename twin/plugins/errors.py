"""A mistake in a user's file as one line: file, line number, what went wrong."""

import contextlib
import dis
import io
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from twin.errors import InputError, one_line

_OURS = tuple(str(Path(__file__).parents[2] / room) for room in ("twin", "agents", "placement"))


def call[T](source: str, run: Callable[[], T], *, loading: bool = False) -> T:
    """Call a user's function; its errors become one line, and what it prints goes to the log.

    Parameters
    ----------
    source : str
        A file of the user's, or a folder of them.
    run : callable
        Without arguments.
    loading : bool
        Whether it is the file itself, whose line is named for wrong input, too.

    Raises
    ------
    InputError
        Whatever it raises, an exit or an interrupt of its own too, but not one of the user's.
    """
    try:
        with contextlib.redirect_stdout(_Said(source)):
            return run()
    except BaseException as error:
        if isinstance(error, InputError) and not loading:
            raise
        if not isinstance(error, Exception) and not _raised_there(error):
            raise
        raise InputError(located(error, source)) from error


class _Said(io.TextIOBase):
    """Standard output while a user's function runs: ours may be read by a program."""

    def __init__(self, source: str) -> None:
        self._source, self._line = source, ""

    def write(self, text: str) -> int:
        """Pass whole lines on, each with the file that it comes from."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            print(f"{self._source}: {one_line(line)}", file=sys.stderr)  # noqa: T201
        return len(text)


def _raised_there(error: BaseException) -> bool:
    """Whether a user's code raised an exit or interrupt, not a signal that reached it."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_frame.f_code.co_filename.startswith(_OURS):
        return False
    if not isinstance(error, KeyboardInterrupt):
        return True
    # Python's own handler raises between any two instructions.
    return dis.opname[last.tb_frame.f_code.co_code[last.tb_lasti]] == "RAISE_VARARGS"


def located(error: BaseException, source: str) -> str:
    """Describe an error by the last line of the user's code that led to it.

    Parameters
    ----------
    error : BaseException
    source : str
        A file of the user's, or a folder of them.
    """
    if isinstance(error, SyntaxError):
        return f"{error.filename or source}:{error.lineno}: SyntaxError: {error.msg}"
    folder = Path(source)
    frames = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == source or folder in Path(frame.filename).parents
    ]
    try:
        message = " ".join(str(error).split())
    except Exception:
        message = "(an error that cannot be shown)"
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    where = frames[-1] if frames else source
    return one_line(f"{where}: {kind}{message}".removesuffix(": "), 500)


def source_of(thing: Callable[..., Any]) -> str:
    """Return the file of a function or of a callable object's class."""
    code = getattr(thing, "__code__", None) or getattr(type(thing).__call__, "__code__", None)
    return code.co_filename if code else type(thing).__module__


def line_of(thing: Callable[..., Any]) -> str:
    """Return ``file:line`` of a function or of a callable object's class."""
    code = getattr(thing, "__code__", None) or getattr(type(thing).__call__, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else source_of(thing)
