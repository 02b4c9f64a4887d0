"""How fast any placement could be: a bound from below that every problem carries.

Everything is relaxed that ties layers together, and the draw of experts to its luckiest: for two
gateways a and b, a layer cannot be faster than if each token found its experts wherever it is
quickest for it, with K experts over satellites whose ways are p_1 <= p_2 <= ...; and the least over
all a and b bounds the layer. What limits do allow is kept where it bites: how many satellites the
gateways need at least tells how often a and b differ; and of top-2 tokens whose experts sit on two
satellites, the share that meets on one of them is at least what the best cut of the experts leaves.
"""

import itertools

import numba
import numpy as np
from numpy.typing import NDArray

from placement.delays import UNREACHABLE_S, mean_delay_s, nearest
from placement.filling import limits
from placement.problem import PlacementProblem
from twin.moe.selection import pair_probabilities
from twin.network.routing import shortest_paths

_NEIGHBOURS = 24
"""Partners of a gateway looked at in full; those further away are bounded by their distance."""

_CUT_EXPERTS = 12
"""Experts up to which all cuts are tried."""


def lower_bound_s(problem: PlacementProblem, *, min_tokens_per_s: float = 0.0) -> float:
    """Seconds a token that no placement of single copies can beat on these snapshots.

    Parameters
    ----------
    problem : PlacementProblem
        The spreading rule does not count: bounds hold for every strategy.
    min_tokens_per_s : float
        Throughput that no satellite may fall below, 0 for none.
    """
    limit = limits(problem, min_tokens_per_s=min_tokens_per_s, busy_margin=1.0, spread=False)
    able = (limit.capacity >= limit.gateway.min(axis=0) * (1 - 1e-9)).all(axis=1)
    host = problem.memory_bytes >= problem.expert_bytes
    same_s, apart_s = _per_layer(problem, able, host)
    # No satellite carries more gateways than the least demanding ones that fit it.
    needed = np.sort(limit.gateway, axis=0).cumsum(axis=0)
    most = (needed[None] <= limit.capacity[able][:, None] * (1 + 1e-9)).all(axis=2).sum(axis=1)
    satellites = int(np.searchsorted(np.sort(most)[::-1].cumsum(), problem.n_layers) + 1)
    changes = 0 if satellites < 2 else satellites
    fastest = float(problem.speed[able].max())
    compute_s = float(problem.gateway_s.sum()) / fastest
    gain = np.sort(apart_s - np.minimum(same_s, apart_s))
    return compute_s + float(np.minimum(same_s, apart_s).sum() + gain[:changes].sum())


def _per_layer(
    problem: PlacementProblem, able: NDArray[np.bool_], host: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of each layer with both gateways on one satellite, and on two, (L,) each."""
    delay_s = mean_delay_s(problem)
    near = nearest(delay_s, able, _NEIGHBOURS)
    around = nearest(delay_s, host, _NEIGHBOURS)
    expert_s = problem.expert_s / float(problem.speed[host].max())
    base = np.zeros((problem.n_satellites, near.shape[1]))
    met = np.zeros_like(base)
    everyone = np.arange(problem.n_satellites, dtype=np.int32)
    others = np.tile(host, (problem.n_satellites, 1))
    np.put_along_axis(others, around, values=False, axis=1)
    for weight_s in problem.weight_s:
        now_s = shortest_paths(problem.indptr, problem.indices, weight_s, everyone)[0]
        now_s = np.minimum(now_s, UNREACHABLE_S)
        outside_s = np.where(others, now_s, np.inf).min(axis=1)
        _pairs(now_s, near, around, outside_s, problem.top_k, expert_s, base, met)
    base /= len(problem.weight_s)
    met /= len(problem.weight_s)
    share = _meeting_share(problem)
    one = near == everyone[:, None]
    rows = np.flatnonzero(able)
    layer_s = base[rows, :, None] + share * met[rows, :, None]
    same_s = np.where(one[rows, :, None], layer_s, np.inf).min(axis=(0, 1))
    apart_s = np.where(one[rows, :, None], np.inf, layer_s).min(axis=(0, 1))
    # Partners that were not looked at are at least as far as the furthest that was.
    beyond_s = float(delay_s[rows, near[rows, -1]].min()) + expert_s
    if near.shape[1] < able.sum():
        apart_s = np.minimum(apart_s, beyond_s)
    return same_s, apart_s


def _meeting_share(problem: PlacementProblem) -> NDArray[np.float64]:
    """Least share of tokens whose two experts meet, whichever way two satellites share them, (L,).

    0 where it is not known: beyond top-2, or too many experts to try all cuts.
    """
    layers, experts = problem.activation.shape
    if problem.top_k != 2 or experts > _CUT_EXPERTS:
        return np.zeros(layers)
    pairs = pair_probabilities(problem.probability)
    least = np.ones(layers)
    for side in itertools.product((False, True), repeat=experts - 1):
        here = np.array([False, *side])
        across = pairs[:, here][:, :, ~here].sum(axis=(1, 2))
        least = np.minimum(least, 1.0 - across)
    return np.maximum(least, 0.0)


@numba.njit(cache=True)
def _pairs(delay_s, near, around, outside_s, top_k, expert_s, base, met):  # type: ignore[no-untyped-def]
    """Add one snapshot's bound of each pair of gateways, and what is more where experts meet."""
    n, partners = near.shape
    hosts = around.shape[1]
    ways = np.empty(2 * hosts)
    for a in range(n):
        for j in range(partners):
            b = near[a, j]
            # Whoever is around neither of the two.
            rest = max(outside_s[a] + outside_s[b], delay_s[a, b])
            for h in range(hosts):
                for end in range(2):
                    s = around[a, h] if end == 0 else around[b, h]
                    seen = False
                    if end == 1:
                        for other in range(hosts):
                            seen |= around[a, other] == s
                    ways[2 * h + end] = np.inf if seen else delay_s[a, s] + delay_s[s, b]
            first, second, third = _three_least(ways, rest)
            if top_k == 1:
                base[a, j] += first + expert_s
            elif top_k == 2:
                apart = min(second + expert_s, first + 2.0 * expert_s)
                together = min(first + 2.0 * expert_s, third + expert_s)
                base[a, j] += min(apart, together)
                met[a, j] += max(together - apart, 0.0)
            else:
                base[a, j] += _luckiest(ways, rest, top_k, expert_s)


@numba.njit(cache=True)
def _three_least(ways, rest):  # type: ignore[no-untyped-def]
    first = second = third = rest
    for way in ways:
        if way < first:
            first, second, third = way, first, second
        elif way < second:
            second, third = way, second
        elif way < third:
            third = way
    return first, second, third


@numba.njit(cache=True)
def _luckiest(ways, rest, top_k, expert_s):  # type: ignore[no-untyped-def]
    """Time of K experts put one by one where each ends soonest."""
    ends = np.append(ways, rest) + expert_s
    last = 0.0
    for _ in range(top_k):
        best = ends.argmin()
        last = max(last, ends[best])
        ends[best] += expert_s
    return last
