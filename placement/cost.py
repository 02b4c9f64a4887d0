"""What a placement costs in expectation over the planning snapshots."""

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from twin.network.routing import shortest_paths


def gateway_delay_s(problem: PlacementProblem, gateway: NDArray[np.int32]) -> NDArray[np.float64]:
    """Delay from each gateway to every satellite in each planning snapshot, (T, L, N)."""
    return np.stack(
        [
            shortest_paths(problem.indptr, problem.indices, weight_s, gateway)[0]
            for weight_s in problem.weight_s
        ]
    )


def expected_path_s(
    problem: PlacementProblem, gateway: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected path latency through each satellite, E_t[d(g_l, s) + d(s, g_{l+1})].

    Source: arXiv 2605.00515, expert placement; the last layer hands over to the first.

    Returns
    -------
    mean_s : (L, N) float64
        Mean over the snapshots in which the path exists, ``inf`` if it never does.
    reachable : (L, N) float64
        Share of the snapshots in which it exists.
    """
    delay_s = gateway_delay_s(problem, gateway)
    path_s = delay_s + np.roll(delay_s, -1, axis=1)
    exists = np.isfinite(path_s)
    count = exists.sum(axis=0)
    total = np.where(exists, path_s, 0.0).sum(axis=0)
    mean_s = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    return mean_s, count / len(delay_s)
