"""Mean delays between satellites over the planning snapshots."""

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from twin.network.routing import shortest_paths

UNREACHABLE_S = 1.0
"""What a missing path counts as in a mean delay: far more than any path that exists."""

_SOURCES_AT_A_TIME = 512
"""Bounds what is held beside the result, which takes 0.8 GB for 10,000 satellites."""


def mean_delay_s(problem: PlacementProblem) -> NDArray[np.float64]:
    """Mean shortest delay between any two satellites over the planning snapshots, (N, N).

    A snapshot without a path counts as `UNREACHABLE_S`, so that who is often cut off is far away.
    """
    n = problem.n_satellites
    total_s = np.zeros((n, n))
    for first in range(0, n, _SOURCES_AT_A_TIME):
        some = np.arange(first, min(first + _SOURCES_AT_A_TIME, n), dtype=np.int32)
        rows = total_s[some[0] : some[-1] + 1]
        for weight_s in problem.weight_s:
            delay_s = shortest_paths(problem.indptr, problem.indices, weight_s, some)[0]
            rows += np.minimum(delay_s, UNREACHABLE_S, out=delay_s)
    total_s /= len(problem.weight_s)
    return total_s


def nearest(delay_s: NDArray[np.float64], usable: NDArray[np.bool_], m: int) -> NDArray[np.int32]:
    """The m usable satellites nearest to each satellite, nearest first, (N, m)."""
    away_s = np.where(usable, delay_s, np.inf)
    m = min(m, int(usable.sum()))
    found = np.argpartition(away_s, m - 1, axis=1)[:, :m]
    order = np.argsort(np.take_along_axis(away_s, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1).astype(np.int32)
