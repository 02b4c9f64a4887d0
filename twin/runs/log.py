"""Events of one step, for the recorder and the page."""

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from twin.vocabulary import EVENT_CAUSES, EventKind

NOBODY = -1
KINDS = tuple(map(str, EventKind))


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

        Kinds and causes are dictionaries of all words of the vocabulary, in its order; words that
        it does not have, of a plug-in, follow in the order of the alphabet.
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
            "kind": _words([kind for kind, _, _, _ in self._rows], row, KINDS),
            "cause": _words([cause for _, cause, _, _ in self._rows], row, EVENT_CAUSES),
            "satellite": _somebody(satellite[order]),
            "other": _somebody(other[order]),
            "value": pa.array(value[order], from_pandas=True),
        }

    def columns(self, start_s: float) -> dict[str, list[Any]]:
        """Return the same as plain lists; None where a row has no such figure."""
        return {name: column.to_pylist() for name, column in self.arrays(start_s).items()}


def _words(words: list[str], row: NDArray[np.int64], known: tuple[str, ...]) -> pa.DictionaryArray:
    """Word of each row of events; null for an empty one."""
    number, every = _dictionary(known)
    if new := sorted({str(word) for word in words if word and word not in number}):
        number, every = _dictionary((*known, *new))
    said = np.array([number.get(word, -1) for word in words], np.int8)[row]
    return pa.DictionaryArray.from_arrays(pa.array(said, mask=said < 0), every)


@lru_cache(maxsize=16)
def _dictionary(words: tuple[str, ...]) -> tuple[dict[str, int], pa.Array]:
    return {word: n for n, word in enumerate(words)}, pa.array(words)


def _somebody(satellite: NDArray[np.int32]) -> pa.Array:
    return pa.array(satellite, mask=satellite == NOBODY)
