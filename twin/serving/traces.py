"""Traces of requests, as services publish them: read, and checked line by line.

What a file is shows in its first line: a table with a header (Azure's traces of 2023 and 2024), or
JSON lines (Mooncake's, or those of a benchmark of vLLM).
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, shown
from twin.scenario import attachments
from twin.scenario.limits import MAX_REQUESTS
from twin.scenario.serving import MAX_TRACE_TOKENS, Requests

_MAX_TIME: Final = 1e15
_MAX_HASH: Final = 2**63 - 1
_AZURE: Final = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
_MOONCAKE: Final = ("timestamp", "input_length", "output_length")
_VLLM: Final = ("arrival_time", "input_toks", "output_toks")
_KINDS: Final = (
    f"a CSV file with the columns {', '.join(_AZURE)}, or JSON lines with {', '.join(_MOONCAKE)} "
    f"or with {', '.join(_VLLM)}"
)
_TIMES: Final = {"Azure": _AZURE[0], "Mooncake": _MOONCAKE[0], "vLLM": _VLLM[0]}

type _Row = tuple[float, int, int, list[int]]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Requests of a file, R of them, in the order of time.

    Attributes
    ----------
    at_s : (R,) float64
        When each is asked, since the first.
    prompt, output : (R,) int64
        Tokens.
    hash_offset : (R + 1,) int64
        Where each request's prefix hashes begin, and the last ones end.
    hashes : (H,) int64
        Of each block of a prompt together with all before it: equal ones are equal prefixes.
    kind : str
        Whose format it is.
    """

    at_s: NDArray[np.float64]
    prompt: NDArray[np.int64]
    output: NDArray[np.int64]
    hash_offset: NDArray[np.int64]
    hashes: NDArray[np.int64]
    kind: str


@dataclass(frozen=True)
class _Field:
    """A value of a line, for errors."""

    where: str
    name: str
    value: Any

    def wrong(self, allowed: str) -> InputError:
        return InputError(f"{self.where}: {self.name}: must be {allowed} (got {shown(self.value)})")


def read(table: Requests) -> Trace:
    """Read the trace of a scenario.

    Raises
    ------
    InputError
        With the file, line, field, value and what is allowed.
    """
    path = str(table.trace)
    told = f"requests.trace {attachments.shown(path) if attachments.is_kept(path) else path}"
    lines = attachments.read_text(path, told=told, encoding="utf-8-sig").split("\n")
    numbered = ((i, line.strip()) for i, line in enumerate(lines, 1))
    filled = ((f"{told}: line {i}", line) for i, line in numbered if line)
    where, first = next(filled, ("", ""))
    if not first:
        raise InputError(f"{told}: is empty; must be {_KINDS}")
    kind, rows = _rows(where, first, filled)
    return _trace(kind, list(_in_order(rows, _TIMES[kind], table, told)), told)


def _rows(
    where: str, first: str, rest: Iterator[tuple[str, str]]
) -> tuple[str, Iterator[tuple[str, _Row]]]:
    """Kind of a trace, and its rows, each with its place for errors."""
    if not first.startswith("{"):
        names = [name.strip() for name in first.split(",")]
        if not set(_AZURE) <= set(names):
            raise InputError(f"{where}: must be {_KINDS} (got {shown(first)})")
        return "Azure", ((at, _from_cells(at, names, line)) for at, line in rest)
    record = _record(where, first)
    lines = _chained(where, record, rest)
    if _MOONCAKE[0] in record:
        return "Mooncake", ((at, _from_record(at, found, _MOONCAKE, 1e-3)) for at, found in lines)
    if _VLLM[0] in record:
        return "vLLM", ((at, _from_record(at, found, _VLLM, 1.0)) for at, found in lines)
    raise InputError(f"{where}: must be {_KINDS} (got {shown(first)})")


def _chained(
    where: str, record: dict[str, Any], rest: Iterator[tuple[str, str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield where, record
    for at, line in rest:
        yield at, _record(at, line)


def _record(where: str, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise InputError(f"{where}: is no JSON object (got {shown(line)})")
    return record


def _from_cells(where: str, names: list[str], line: str) -> _Row:
    cells = line.split(",")
    if len(cells) != len(names):
        raise InputError(f"{where}: must have {len(names)} columns (got {shown(line)})")
    row = dict(zip(names, cells, strict=True))
    time, prompt, output = (_Field(where, name, row[name].strip()) for name in _AZURE)
    try:
        when = datetime.fromisoformat(time.value)
        at_s = when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise time.wrong("a date and time, e.g. 2023-11-16 18:15:46.6805900") from None
    return at_s, _count(prompt, _written), _count(output, _written), []


def _from_record(
    where: str, record: dict[str, Any], names: tuple[str, str, str], unit_s: float
) -> _Row:
    time, prompt, output = (_Field(where, name, record.get(name)) for name in names)
    at = time.value
    known = isinstance(at, int | float) and not isinstance(at, bool)
    if not known or not 0 <= at <= _MAX_TIME:  # which no NaN is
        raise time.wrong(f"a number from 0 to {_MAX_TIME:g}")
    hashes = record.get("hash_ids", [])
    if not isinstance(hashes, list) or not all(map(_is_hash, hashes)):
        raise _Field(where, "hash_ids", hashes).wrong("a list of whole numbers from 0")
    return at * unit_s, _count(prompt, _whole), _count(output, _whole), hashes


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_hash(value: Any) -> bool:
    return _is_whole(value) and 0 <= value <= _MAX_HASH


def _whole(value: Any) -> int:
    return value if _is_whole(value) else 0


def _written(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0


def _count(field: _Field, number: Callable[[Any], int]) -> int:
    """Tokens: at least one. Too many are found later, since a scenario may cap them."""
    found = number(field.value)
    if found < 1:
        raise field.wrong(f"a whole number from 1 to {MAX_TRACE_TOKENS:,}")
    return found


def _in_order(
    rows: Iterator[tuple[str, _Row]], name: str, table: Requests, told: str
) -> Iterator[_Row]:
    """Rows with their lengths capped as the scenario says, each checked beside the one before."""
    before_s = -math.inf
    for number, (where, (at_s, prompt, output, hashes)) in enumerate(rows):
        if number >= MAX_REQUESTS:
            raise InputError(f"{told}: more than the {MAX_REQUESTS:,} requests allowed")
        if at_s < before_s:
            raise InputError(
                f"{where}: {name}: must not be before that of the request above "
                f"(got one {before_s - at_s:g} s earlier)"
            )
        before_s = at_s
        yield (
            at_s,
            _capped(where, "prompt", prompt, table.prompt_most),
            _capped(where, "output", output, table.output_most),
            hashes,
        )


def _capped(where: str, name: str, tokens: int, most: int | None) -> int:
    if most is not None:
        return min(tokens, most)
    if tokens > MAX_TRACE_TOKENS:
        raise InputError(
            f"{where}: {name} of {shown(tokens)} tokens; allowed are 1 to {MAX_TRACE_TOKENS:,}, or "
            f"any number where requests.{name}_most caps them"
        )
    return tokens


def _trace(kind: str, rows: list[_Row], told: str) -> Trace:
    if not rows:
        raise InputError(f"{told}: has no requests")
    at_s, prompt, output, hashes = zip(*rows, strict=True)
    counts = [len(each) for each in hashes]
    return Trace(
        # Times of day since 1970 would lose their last digits in what follows.
        at_s=np.array([t - at_s[0] for t in at_s]),
        prompt=np.array(prompt, np.int64),
        output=np.array(output, np.int64),
        hash_offset=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        hashes=np.array([h for each in hashes for h in each], np.int64),
        kind=kind,
    )
