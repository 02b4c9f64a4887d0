"""How long a token takes on mean delays: quick enough to compare thousands of placements.

Where the problem says so, with the waiting that `placement.waiting` expects at each satellite.

Exact for top-1 and top-2; beyond, the mean over one fixed sample of tokens, the same for every
placement of a problem. What is reported of a placement comes from `placement.cost`, not from here.
"""

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from placement.waiting import waiting_s
from twin.moe.copies import possible_choices

_TOKENS = 64
"""Size of the sample; differences between placements are far less noisy than its mean."""

Score = Callable[[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]], float]


type Choices = tuple[NDArray[np.int32], NDArray[np.float64]]
"""What a token may choose, (C, L, K), and with which probability, (C, L)."""


def scorer(problem: PlacementProblem, known: Choices | None = None) -> Score:
    """Return a function of (delays from the gateways, gateways, hosts) that gives seconds a token.

    The delays are means over the planning snapshots, (L, N); gateways (L,), hosts (L, E).
    `known` saves working out `choices`.
    """
    speed = np.maximum(problem.speed, 1e-12)
    expert_s = problem.expert_s / speed
    hop_s = problem.transfer_s
    chosen, weight = known or choices(problem)
    nowhere_s = np.zeros(problem.n_satellites)

    def score(
        way_s: NDArray[np.float64], gateway: NDArray[np.int32], host: NDArray[np.int32]
    ) -> float:
        compute_s = float((problem.gateway_s / speed[gateway]).sum())
        wait_s = waiting_s(problem, gateway, host) if problem.waiting else nowhere_s
        waits_s = float(wait_s[gateway].sum())
        if problem.head_s:
            waits_s += problem.head_share * float(wait_s[gateway[0]])
        way_and_experts_s = float(
            _score(way_s, gateway, host, chosen, weight, expert_s, hop_s, wait_s)
        )
        return compute_s + way_and_experts_s + waits_s

    return score


def choices(problem: PlacementProblem) -> Choices:
    """What a token may choose, and with which probability."""
    return possible_choices(problem.probability, problem.top_k, tokens=_TOKENS)


@numba.njit(cache=True)
def _score(way_s, gateway, host, chosen, weight, expert_s, hop_s, wait_s):  # type: ignore[no-untyped-def]
    cases, layers, top_k = chosen.shape
    total = 0.0
    for layer in range(layers):
        following = layer + 1 if layer + 1 < layers else 0
        a, b = gateway[layer], gateway[following]
        for c in range(cases):
            slowest = 0.0
            for k in range(top_k):
                s = host[layer, chosen[c, layer, k]]
                sharing = 0
                for other in range(top_k):
                    sharing += host[layer, chosen[c, layer, other]] == s
                time = way_s[layer, s] + way_s[following, s] + sharing * expert_s[s]
                time += hop_s * ((s != a) + (s != b))
                time += wait_s[s]
                slowest = max(slowest, time)
            total += weight[c, layer] * slowest
    return total
