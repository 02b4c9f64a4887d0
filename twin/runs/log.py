"""Events of one step, for whoever records it."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

NOBODY = -1


class EventLog:
    """Event rows of the present step; arrays add many at once.

    What is added between two steps belongs to the next.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, int, tuple[ArrayLike, ...]]] = []
        self._coming: list[tuple[str, str, int, tuple[ArrayLike, ...]]] = []
        self._between = True

    def add(
        self,
        kind: str,
        *,
        cause: str = "",
        t_s: ArrayLike = np.nan,
        satellite: ArrayLike = NOBODY,
        other: ArrayLike = NOBODY,
        value: ArrayLike = np.nan,
    ) -> None:
        """Add one event, or as many as `satellite` is long; scalars hold for all of them.

        Without `t_s` an event is at the start of the step.
        """
        if count := np.size(satellite):
            rows = self._coming if self._between else self._rows
            rows.append((kind, cause, count, (t_s, satellite, other, value)))

    def begin(self) -> None:
        """Begin a new step."""
        self._rows, self._coming, self._between = self._coming, [], False

    def end(self) -> None:
        """End the step; its rows stay until the next."""
        self._between = True

    def arrays(self, start_s: float) -> dict[str, pa.Array]:
        """Columns of the step's events, by time; null where a row has no such figure.

        Kinds and causes are dictionaries of those that occur, first come first.
        """
        counts = [count for _, _, count, _ in self._rows]
        total = sum(counts)
        t_s, value = np.empty(total), np.empty(total)
        satellite, other = np.empty(total, np.int32), np.empty(total, np.int32)
        first = 0
        for _, _, count, figures in self._rows:
            rows = slice(first, first + count)
            t_s[rows], satellite[rows], other[rows], value[rows] = figures
            first += count
        t_s[np.isnan(t_s)] = start_s
        order = np.argsort(t_s, kind="stable")
        row = np.repeat(np.arange(len(counts)), counts)[order]
        return {
            "t_s": pa.array(t_s[order]),
            "kind": _words([kind for kind, _, _, _ in self._rows], row),
            "cause": _words([cause for _, cause, _, _ in self._rows], row),
            "satellite": _somebody(satellite[order]),
            "other": _somebody(other[order]),
            "value": pa.array(value[order], from_pandas=True),
        }

    def columns(self, start_s: float) -> dict[str, list[Any]]:
        """Return the same as plain lists; None where a row has no such figure."""
        return {name: column.to_pylist() for name, column in self.arrays(start_s).items()}


def _words(words: list[str], row: NDArray[np.int64]) -> pa.DictionaryArray:
    """Word of each row of events; null for an empty one."""
    said = np.array([word or None for word in words], object)
    return pa.array(said[row], pa.dictionary(pa.int8(), pa.string()))


def _somebody(satellite: NDArray[np.int32]) -> pa.Array:
    return pa.array(satellite, mask=satellite == NOBODY)
