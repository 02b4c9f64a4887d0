"""Measured times of a model's parts on one computer, read from a file.

A table has columns ``part, tokens, microseconds``, and where a part needs it ``cached_tokens`` or
``experts``. Its parts:

- ``gateway``: a layer's work but attention's scores and the experts, for n tokens;
- ``prefill``: attention of n tokens of prompts, behind `cached_tokens` of their own in the mean;
- ``decode``: attention of n sequences, with `cached_tokens` each in the mean;
- ``expert``: one expert, for n tokens; ``experts``: those of a layer that are on one computer, for
  n tokens that use all their choices there, of `experts` in all;
- ``pass``: what comes once a pass, as the embedding; ``head``: LM head and sampling, n sequences.

What is between measured points is interpolated linearly. A part that the table lacks is worked out
by the roofline.
"""

import csv
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.scenario import attachments

FloatArray = NDArray[np.float64]

SECOND: Final = {
    "gateway": "",
    "prefill": "cached_tokens",
    "decode": "cached_tokens",
    "expert": "",
    "experts": "experts",
    "pass": "",
    "head": "",
}
"""Parts, and the column beside tokens that each needs; their order is the engine's."""
_MOST: Final = 1e12
_COLUMNS: Final = ("part", "tokens", "microseconds", "cached_tokens", "experts")


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Times of one part.

    Attributes
    ----------
    tokens : (R,) float64
        Rising.
    second : (C,) float64
        Rising; one value where the part needs none.
    seconds : (R, C) float64
    """

    tokens: FloatArray
    second: FloatArray
    seconds: FloatArray


type KernelTable = dict[str, Grid]


def read_kernels(path: str) -> KernelTable:
    """Read a table of measured times.

    Raises
    ------
    InputError
        With file, line, column and value, if it is not one.
    """
    told = f"compute.kernels {attachments.shown(path)}"
    text = attachments.read_text(path, told=f"compute.kernels {path}")
    lines = csv.reader(text.splitlines())
    header = [name.strip() for name in next(lines, [])]
    if unknown := [name for name in header if name not in _COLUMNS]:
        raise InputError(f"{told}: unknown column {unknown[0]!r}; known: {', '.join(_COLUMNS)}")
    if missing := [name for name in _COLUMNS[:3] if name not in header]:
        raise InputError(f"{told}: column {missing[0]!r} is missing")
    points: dict[str, dict[tuple[float, float], float]] = {}
    for number, cells in enumerate(lines, start=2):
        if cells:
            where = f"{told}: line {number}"
            if len(cells) != len(header):
                raise InputError(f"{where}: {len(cells)} cells, not {len(header)}")
            _take(points, dict(zip(header, map(str.strip, cells), strict=True)), where)
    if not points:
        raise InputError(f"{told}: no measured times")
    return {part: _grid(values) for part, values in points.items()}


def _take(
    points: dict[str, dict[tuple[float, float], float]], row: dict[str, str], where: str
) -> None:
    part = row["part"]
    if part not in SECOND:
        raise InputError(f"{where}: unknown part {part!r}; known: {', '.join(SECOND)}")
    tokens = _number(row, "tokens", where)
    second = _number(row, SECOND[part], where, least=0.0) if SECOND[part] else 0.0
    seconds = _number(row, "microseconds", where) * 1e-6
    values = points.setdefault(part, {})
    if (tokens, second) in values:
        raise InputError(f"{where}: {part} of {tokens:g} tokens is there twice")
    values[tokens, second] = seconds


def _number(row: dict[str, str], name: str, where: str, *, least: float = 1e-6) -> float:
    text = row.get(name, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= _MOST:
        raise InputError(
            f"{where}: {name} must be a number from {least:g} to {_MOST:g}, not {text!r}"
        )
    return value


def _grid(values: dict[tuple[float, float], float]) -> Grid:
    """Put points on a grid; where one was not measured, its neighbours stand in."""
    at = np.array(list(values))
    tokens, second = np.unique(at[:, 0]), np.unique(at[:, 1])
    seconds = np.full((len(tokens), len(second)), np.nan)
    seconds[np.searchsorted(tokens, at[:, 0]), np.searchsorted(second, at[:, 1])] = [
        *values.values()
    ]
    for row in seconds:
        known = ~np.isnan(row)
        row[~known] = np.interp(second[~known], second[known], row[known])
    return Grid(tokens=tokens, second=second, seconds=seconds)
