"""How long tokens took, as one object that merges: values and how many tokens have each.

A run keeps every value while it asks for no more than `EXACT_TOKENS` tokens; percentiles are then
numpy's. A longer run keeps bins of equal width in the logarithm (those of DDSketch [1]_), each by
one value that is within `RELATIVE_ERROR` of all values in the bin. The bins are the same
everywhere, so merging adds counts and loses nothing.

No library does this: ``ddsketch`` adds one value at a time to a Python dictionary, and
``hdrhistogram`` has integers in a fixed range. On arrays the bins are two lines.

.. [1] Masson, Rim and Lee, "DDSketch", PVLDB 12(12), 2019.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Counts = NDArray[np.int64]

EXACT_TOKENS = 1_000_000
"""A run that asks for more tokens keeps bins instead of values."""

RELATIVE_ERROR = 0.005
"""Greatest distance of a value from that of its bin, as a share of the value."""

_GROWTH = np.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
"""Width of a bin in the natural logarithm."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """Values in ascending order, and how many tokens have each.

    Attributes
    ----------
    value_s : (V,) float64
        Ascending, each once.
    count : (V,) int64
        Tokens with that value, at least 1.
    """

    value_s: Floats
    count: Counts

    @classmethod
    def of(cls, values_s: Floats, *, exact: bool = True) -> Self:
        """Distribution of the values of single tokens, kept one by one or in bins."""
        kept = values_s if exact else representative(values_s)
        return cls.weighted(kept, np.ones(len(kept), np.int64))

    @classmethod
    def weighted(cls, value_s: Floats, count: Counts) -> Self:
        """Distribution of values in any order, which may repeat, each with its count."""
        order = np.argsort(value_s, kind="stable")
        value_s, count = np.asarray(value_s, np.float64)[order], np.asarray(count, np.int64)[order]
        if not len(value_s):
            return cls(value_s, count)
        first = np.flatnonzero(np.concatenate([[True], value_s[1:] != value_s[:-1]]))
        return cls(value_s[first], np.add.reduceat(count, first))

    @classmethod
    def merged(cls, parts: "Iterable[Distribution]") -> Self:
        """All tokens of all parts; the order of the parts does not matter."""
        parts = list(parts)
        if not parts:
            return cls(np.empty(0), np.empty(0, np.int64))
        return cls.weighted(
            np.concatenate([part.value_s for part in parts]),
            np.concatenate([part.count for part in parts]),
        )

    def binned(self) -> Self:
        """The same tokens in bins; itself where it is in bins already."""
        return type(self).weighted(representative(self.value_s), self.count)

    @property
    def size(self) -> int:
        """Number of tokens."""
        return int(self.count.sum())

    @property
    def mean_s(self) -> float:
        """Mean over the tokens; NaN if there are none."""
        return float(self.value_s @ self.count / self.size) if self.size else float("nan")

    def quantile(self, share: float | Floats) -> Floats:
        """Value within which a share of the tokens lies, as numpy's linear quantile defines it.

        NaN if there are no tokens.

        Parameters
        ----------
        share : float or (Q,) float64
            0 to 1.
        """
        share = np.asarray(share, np.float64)
        last = self.size - 1
        if last < 0:
            return np.full(share.shape, np.nan)
        place = share * last
        below = np.floor(place).astype(np.int64)
        ends = np.cumsum(self.count)
        low = self.value_s[np.searchsorted(ends, below, side="right")]
        high = self.value_s[np.searchsorted(ends, np.minimum(below + 1, last), side="right")]
        mix, span = place - below, high - low
        # As numpy: from the nearer end, so that both ends are met exactly.
        return np.asarray(np.where(mix < 0.5, low + span * mix, high - span * (1 - mix)))

    def share_within(self, value_s: float | Floats) -> Floats:
        """Share of the tokens with this value or less; NaN if there are no tokens."""
        value_s = np.asarray(value_s, np.float64)
        if not self.size:
            return np.full(value_s.shape, np.nan)
        ends = np.concatenate([[0], np.cumsum(self.count)])
        return np.asarray(ends[np.searchsorted(self.value_s, value_s, side="right")] / self.size)


def is_exact(*, steps: int, tokens_per_step: int) -> bool:
    """Whether a run of this size keeps every value."""
    return steps * tokens_per_step <= EXACT_TOKENS


def representative(values_s: Floats) -> Floats:
    """Value of the bin of each value, within `RELATIVE_ERROR` of it; zero has a bin of its own.

    Raises
    ------
    ValueError
        If a value is negative or not finite.
    """
    values_s = np.asarray(values_s, np.float64)
    if not (np.isfinite(values_s) & (values_s >= 0)).all():
        raise ValueError("a duration must be finite and not negative")
    positive = values_s > 0
    number = np.ceil(np.log(values_s, where=positive, out=np.zeros_like(values_s)) / _GROWTH)
    middle = np.exp(number * _GROWTH) * (1 - RELATIVE_ERROR)
    return np.where(positive, middle, 0.0)


def blocks(
    step: NDArray[np.integer], value_s: Floats, count: Counts, starts: NDArray[np.integer]
) -> list[Distribution]:
    """One merged distribution for each block of consecutive steps.

    Parameters
    ----------
    step : (R,) int
        Ascending; the ``step`` column of a run's table ``latency`` or ``ttft``.
    value_s, count : (R,)
        The other columns.
    starts : (B,) int
        First step of each block, ascending; the last block goes on to the end.
    """
    edges = np.append(np.searchsorted(step, starts), len(step))
    return [
        Distribution.weighted(value_s[first:end], count[first:end])
        for first, end in pairwise(edges)
    ]
