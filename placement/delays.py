"""Mean delays between satellites over the planning snapshots."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from twin.network.routing import shortest_paths

UNREACHABLE_S = 1.0
"""What a missing path counts as in a mean delay: far more than any path that exists."""

_SOURCES_AT_A_TIME = 512
"""Limits the memory beside the result, which takes 0.8 GB for 10,000 satellites."""


def mean_way_s(problem: PlacementProblem, sources: NDArray[np.int32]) -> NDArray[np.float64]:
    """Mean shortest delay from satellites to all over the planning snapshots, (len(sources), N).

    A snapshot without a path counts as `UNREACHABLE_S`, so that a satellite often cut off is far
    away.
    """
    each, row = np.unique(sources, return_inverse=True)
    total_s = np.zeros((len(each), problem.n_satellites))
    for weight_s in problem.weight_s:
        delay_s = shortest_paths(problem.indptr, problem.indices, weight_s, each)[0]
        total_s += np.minimum(delay_s, UNREACHABLE_S, out=delay_s)
    return np.asarray((total_s / len(problem.weight_s))[row])


def mean_delay_s(problem: PlacementProblem) -> NDArray[np.float64]:
    """The same from one satellite to another, (N, N).

    All ways from satellites without memory, where nothing can sit, count as `UNREACHABLE_S`.
    """
    n = problem.n_satellites
    mean_s = np.full((n, n), UNREACHABLE_S)
    hosts = np.flatnonzero(problem.memory_bytes > 0).astype(np.int32)
    for first in range(0, len(hosts), _SOURCES_AT_A_TIME):
        some = hosts[first : first + _SOURCES_AT_A_TIME]
        mean_s[some] = mean_way_s(problem, some)
    return mean_s


class Delays(Protocol):
    """Where a search gets mean delays from."""

    def of(self, satellites: NDArray[np.int32]) -> NDArray[np.float64]:
        """Delays from some satellites to all, (len(satellites), N)."""


class Ways:
    """Mean delays from satellites, worked out for each when it is first asked for.

    A search looks at the ways from a few thousand satellites where there are ten thousand.
    """

    def __init__(self, problem: PlacementProblem) -> None:
        n = problem.n_satellites
        self._problem = problem
        self._known = np.zeros(n, bool)
        # Rows that are never written take no memory.
        self._mean_s = np.empty((n, n))

    def of(self, satellites: NDArray[np.int32]) -> NDArray[np.float64]:
        """`mean_way_s` of satellites, (len(satellites), N)."""
        missing = np.unique(satellites[~self._known[satellites]])
        if missing.size:
            self._mean_s[missing] = mean_way_s(self._problem, missing)
            self._known[missing] = True
        return np.asarray(self._mean_s[satellites])


class KnownWays:
    """Mean delays that are known, (N, N)."""

    def __init__(self, delay_s: NDArray[np.float64]) -> None:
        self._delay_s = delay_s

    def of(self, satellites: NDArray[np.int32]) -> NDArray[np.float64]:
        """Rows of some satellites."""
        return self._delay_s[satellites]


def nearest(delay_s: NDArray[np.float64], usable: NDArray[np.bool_], m: int) -> NDArray[np.int32]:
    """The m usable satellites nearest to each satellite, nearest first, (N, m)."""
    rows = np.flatnonzero(usable).astype(np.int32)
    away_s = delay_s[:, rows]
    m = min(m, len(rows))
    found = np.argpartition(away_s, m - 1, axis=1)[:, :m]
    order = np.argsort(np.take_along_axis(away_s, found, axis=1), axis=1, kind="stable")
    return rows[np.take_along_axis(found, order, axis=1)]
