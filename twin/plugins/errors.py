"""A mistake in a user's file as one line: file, line number, what went wrong."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.errors import InputError


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
    message = " ".join(str(error).split())
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return f"{frames[-1] if frames else source}: {kind}{message}"


def source_of(thing: Callable[..., Any]) -> str:
    """Return the file of a function or of a callable object's class."""
    code = getattr(thing, "__code__", None) or getattr(type(thing).__call__, "__code__", None)
    return code.co_filename if code else type(thing).__module__


def line_of(thing: Callable[..., Any]) -> str:
    """Return ``file:line`` of a function or of a callable object's class."""
    code = getattr(thing, "__code__", None) or getattr(type(thing).__call__, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else source_of(thing)
