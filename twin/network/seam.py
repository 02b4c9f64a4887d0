"""Pairs across a dynamic seam, and between shells: the nearest that can be had.

Where two planes move against each other, or two shells past each other, no pair lasts. Partners are
chosen at the start of every period and kept for it, so that pairs do not flap. What is chosen
follows from the orbits and from which satellites have power, not from the past or from the
length of a step.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from twin.network.grid import LinkKind, Skeleton
from twin.network.links import LinkLimits, broken_limits
from twin.space import propagation, sun
from twin.space.compiled import compiled
from twin.space.constellation import Constellation, subset

PERIODS_AHEAD = 32
GOLDEN = (sqrt(5) - 1) / 2


class Seam:
    """Chooses the partners across a dynamic seam and between shells, period by period.

    Parameters
    ----------
    constellation : Constellation
    model : str
        How positions are computed, see `twin.space.propagation.propagate`.
    skeleton : Skeleton
        Its `changing` links are those to choose from.
    limit : LinkLimits
    hold_s : float
        Length of a period, on average.
    """

    def __init__(
        self,
        constellation: Constellation,
        *,
        model: str,
        skeleton: Skeleton,
        limit: LinkLimits,
        hold_s: float,
    ) -> None:
        self._hold_s = hold_s
        self._model, self._limit = model, limit
        self._pairs = skeleton.edges[skeleton.changing]
        rows, local = np.unique(self._pairs, return_inverse=True)
        self._local = local.reshape(-1, 2).astype(np.int32)
        # A bridge's terminal towards other shells is another than its own shell's seam uses.
        bridging = skeleton.kind[skeleton.changing] == LinkKind.CROSS_SHELL
        self._terminal = self._local + (len(rows) * bridging[:, None]).astype(np.int32)
        self._body = subset(constellation, rows)
        self._across = np.ones(len(self._pairs), bool)
        self._first = 0
        self._lasting = np.empty((0, len(self._pairs)), bool)
        self._order = np.empty((0, len(self._pairs)), np.int64)

    def start_s(self, period: int) -> float:
        """Start of a period, counted from 0, in s since the epoch.

        Staggered by the golden ratio, 0.62 or 1.62 times `hold_s` apart: were they regular, a
        step in tune with them would meet every acquisition, or none.
        """
        return self._hold_s * (period + period * GOLDEN % 1)

    def period(self, t_s: float) -> int:
        """The period that an instant belongs to."""
        last = int(t_s // self._hold_s)
        return last if self.start_s(last) <= t_s else last - 1

    def partners(self, period: int, powered: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the changing links exist during a period.

        Pairs are taken nearest first (at mid-period), each terminal once, from those that have
        power and that keep all limits at the start, middle and end of the period.

        Parameters
        ----------
        period : int
            Counted from the epoch.
        powered : (N,) bool

        Returns
        -------
        chosen : (C,) bool
        """
        if not self._first <= period < self._first + len(self._order):
            self._look_ahead(period)
        i = period - self._first
        able = self._lasting[i] & powered[self._pairs].all(axis=1)
        chosen = np.zeros(len(self._pairs), bool)
        taken = np.zeros(2 * self._body.size, bool)
        _take_nearest(self._order[i], self._terminal, able, taken, chosen)
        return chosen

    def _look_ahead(self, first: int) -> None:
        start_s = np.array([self.start_s(first + k) for k in range(PERIODS_AHEAD + 1)])
        t_s = np.empty(2 * PERIODS_AHEAD + 1)
        t_s[::2], t_s[1::2] = start_s, (start_s[:-1] + start_s[1:]) / 2
        sun_km = sun.sun_gcrs_km(self._body.epoch_utc, t_s)
        code = np.empty((len(t_s), len(self._pairs)), np.uint8)
        range_km = np.empty(code.shape)
        r_km, v_km_s, _ = propagation.tracked(self._body, self._model, t_s)
        for k in range(len(t_s)):
            code[k], range_km[k] = broken_limits(
                self._local, self._across, (r_km[k], v_km_s[k]), sun_km[k], self._limit
            )
        kept = code == 0
        self._first = first
        self._lasting = kept[:-2:2] & kept[1::2] & kept[2::2]
        # Rounded, so that equal ranges are met in index order on every machine.
        self._order = np.argsort(range_km[1::2].round(6), axis=1, kind="stable")


@compiled
def _take_nearest(
    order: NDArray[np.int64],
    pairs: NDArray[np.int32],
    able: NDArray[np.bool_],
    taken: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
) -> None:
    for c in order:
        a, b = pairs[c]
        if able[c] and not taken[a] and not taken[b]:
            taken[a] = taken[b] = True
            chosen[c] = True
