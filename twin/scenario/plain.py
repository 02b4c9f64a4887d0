"""Plain data, as TOML gives it: read from a text, and kept within bounds."""

import math
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from twin.errors import InputError, one_line, shown

MAX_BYTES: Final = 2_000_000
"""Of a file: a scenario of ten thousand sites takes one million."""
MAX_DEPTH: Final = 16
"""Tables and lists within each other."""
MAX_TEXT: Final = 10_000
"""Characters of a text or a key."""
MAX_INTEGER: Final = 2**63 - 1
"""What TOML, JSON and Parquet all hold."""


def parse(text: str, label: str) -> dict[str, Any]:
    """Read TOML; `label` names it in errors.

    Raises
    ------
    InputError
        If it is no TOML, or holds what is too large to be meant.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"{label}: {len(text):,} characters are more than {MAX_BYTES:,}")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{label}: not valid TOML: {error}") from None
    except RecursionError:
        raise InputError(f"{label}: nested deeper than {MAX_DEPTH} tables and lists") from None
    except ValueError as error:  # Python's own limit of an integer's digits
        raise InputError(f"{label}: not valid TOML: {one_line(str(error), 100)}") from None
    check(data, label)
    return data


def check(data: Any, label: str) -> None:
    """Raise `InputError` where plain data are too deep, or hold too large a number or text."""
    for path, value, depth in _walk(data):
        where = f"{label}: {path}" if path else label
        if depth > MAX_DEPTH:
            raise InputError(f"{where}: nested deeper than {MAX_DEPTH} tables and lists")
        if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise InputError(f"{where}: must be an integer of 64 bits (got {shown(value)})")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise InputError(
                f"{where}: {len(value):,} characters are more than the {MAX_TEXT:,} allowed"
            )


def params(data: dict[str, Any]) -> dict[str, Any]:
    """Return parameters of an entry if they are plain: finite numbers, texts, lists and tables.

    Raises
    ------
    ValueError
        If one is something else.
    """
    check(data, "params")
    for path, value, _ in _walk(data):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{path} must be a finite number (got {value!r})")
        if not isinstance(value, bool | int | float | str | list | dict):
            raise ValueError(
                f"{path} must be a number, a text, true or false, a list or a table "
                f"(got {shown(value)})"
            )
    return data


def _walk(data: Any) -> Iterator[tuple[str, Any, int]]:
    """Every key and value with its path and depth; what is too deep is not gone into."""
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        yield path, value, depth
        if depth > MAX_DEPTH:
            continue
        inner: list[tuple[str, Any]] = []
        if isinstance(value, dict):
            for key, within in value.items():
                name = one_line(str(key), 100)
                yield f"{path}.{name}".removeprefix("."), key, depth
                inner.append((f"{path}.{name}".removeprefix("."), within))
        elif isinstance(value, list | tuple):
            inner = [(f"{path}.{i}", within) for i, within in enumerate(value)]
        waiting += [(name, within, depth + 1) for name, within in reversed(inner)]
