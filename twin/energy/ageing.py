"""How batteries wear: cycles counted as they happen, by the rainflow method.

References
----------
ASTM E1049-85, "Standard Practices for Cycle Counting in Fatigue Analysis", section 5.4.4.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from twin.space.compiled import compiled

type Array = NDArray[np.float64]

RATED_DEPTH: Final = 0.30
"""Depth of the cycles that a battery's cycle life is stated for."""
HALVING_DEPTH: Final = 0.15
"""Depth that halves the cycle life when added; a rule of thumb for lithium-ion cells."""
SHALLOWEST: Final = 0.01
"""Cycles less deep than this do not wear the battery: the rule above would overrate ripple."""
BINS: Final = 20
"""Bins of the histogram of cycle depths, over 0 to 1."""
_KEPT = 32


class Wear(NamedTuple):
    """Wear of N batteries; cycles still open count half, as in the standard."""

    full_cycles: Array
    """(N,) Charge drawn, in units of the capacity."""
    life_used: Array
    """(N,) Share of the cycle life, 1 at its end."""
    histogram: Array
    """(N, BINS) Cycles by depth."""


@dataclass(kw_only=True)
class CycleCount:
    """What the count of N batteries carries from one step to the next.

    Attributes
    ----------
    points : (N, 32) float64
        Open turning points of each, the newest last; only the first `count` of a row mean anything.
    count : (N,) int64
    drawn : (N,) float64
        Charge drawn, in units of the capacity.
    life : (N,) float64
        Cycles of 30 % depth that wear as much as those counted.
    histogram : (N, BINS) float64
        Cycles by depth.
    """

    points: Array
    count: NDArray[np.int64]
    drawn: Array
    life: Array
    histogram: Array


class Rainflow:
    """Streaming rainflow count over N batteries.

    Memory does not grow with time: at most 32 open turning points are kept for each battery. Beyond
    that, the oldest is counted as the half cycle that it would become in the end.

    Parameters
    ----------
    soc : (N,) float64
        State of charge at the start.
    cycle_life : float
        Cycles of 30 % depth until end of life.
    state : CycleCount, optional
        Where to go on; nothing counted yet by default.
    """

    def __init__(self, soc: Array, *, cycle_life: float, state: CycleCount | None = None) -> None:
        n = len(soc)
        self.cycle_life = cycle_life
        self.state = state or CycleCount(
            points=np.zeros((n, _KEPT)),
            count=np.ones(n, dtype=np.int64),
            drawn=np.zeros(n),
            life=np.zeros(n),
            histogram=np.zeros((n, BINS)),
        )
        if state is None:
            self.state.points[:, 0] = soc

    def start_from(self, soc: Array) -> None:
        """Go on from charges, (N,), that were set from outside where they differ from the last.

        A correction is no cycle: what is open counts as half cycles, and nothing is drawn.
        """
        mine = self.state
        _start_from(soc, mine.points, mine.count, mine.life, mine.histogram)

    def push(self, soc: Array) -> Self:
        """Go on with K states of charge in order, (K, N); all that matters is where they turn."""
        mine = self.state
        _push(soc, mine.points, mine.count, mine.drawn, mine.life, mine.histogram)
        return self

    def wear(self) -> Wear:
        """Wear up to now."""
        mine = self.state
        life, histogram = mine.life.copy(), mine.histogram.copy()
        _settle(mine.points, mine.count, life, histogram)
        return Wear(mine.drawn.copy(), life / self.cycle_life, histogram)


@compiled
def _add(depth: float, cycles: float, life: Array, histogram: Array, j: int) -> None:
    histogram[j, min(int(depth * BINS), BINS - 1)] += cycles
    if depth >= SHALLOWEST:
        life[j] += cycles * 2.0 ** ((depth - RATED_DEPTH) / HALVING_DEPTH)


@compiled
def _close(points: Array, n: int, life: Array, histogram: Array, j: int) -> int:
    """Count what the newest range encloses; return how many turning points are left."""
    while n >= 3:
        newest = abs(points[j, n - 1] - points[j, n - 2])
        before = abs(points[j, n - 2] - points[j, n - 3])
        if newest < before:
            break
        if n == 3:
            # The range holds the starting point: half a cycle, and a new start.
            _add(before, 0.5, life, histogram, j)
            points[j, 0], points[j, 1] = points[j, 1], points[j, 2]
            n = 2
        else:
            _add(before, 1.0, life, histogram, j)
            points[j, n - 3] = points[j, n - 1]
            n -= 2
    return n


@compiled
def _push(
    soc: Array, points: Array, count: NDArray[np.int64], drawn: Array, life: Array, histogram: Array
) -> None:
    for j in range(soc.shape[1]):
        for k in range(soc.shape[0]):
            n, new = count[j], soc[k, j]
            last = points[j, n - 1]
            if new == last:
                continue
            drawn[j] += max(last - new, 0.0)
            if n >= 2 and (new > last) == (last > points[j, n - 2]):
                points[j, n - 1] = new
            else:
                if n == points.shape[1]:
                    _add(abs(points[j, 1] - points[j, 0]), 0.5, life, histogram, j)
                    for i in range(n - 1):
                        points[j, i] = points[j, i + 1]
                    n -= 1
                points[j, n] = new
                n += 1
            count[j] = _close(points, n, life, histogram, j)
            # Equal counts are equal arrays: nothing stays behind the newest point.
            for i in range(count[j], n):
                points[j, i] = 0.0


@compiled
def _start_from(
    soc: Array, points: Array, count: NDArray[np.int64], life: Array, histogram: Array
) -> None:
    for j in range(soc.size):
        if points[j, count[j] - 1] != soc[j]:
            for k in range(count[j] - 1):
                _add(abs(points[j, k + 1] - points[j, k]), 0.5, life, histogram, j)
            points[j, :] = 0.0
            points[j, 0], count[j] = soc[j], 1


@compiled
def _settle(points: Array, count: NDArray[np.int64], life: Array, histogram: Array) -> None:
    """Count every open range as half a cycle."""
    for j in range(points.shape[0]):
        for k in range(count[j] - 1):
            _add(abs(points[j, k + 1] - points[j, k]), 0.5, life, histogram, j)
