"""How fast any placement could be: a lower bound for every problem.

The bound relaxes everything that ties layers together, and takes the luckiest draw of experts. For
two gateways a and b, a layer is at best as fast as if each token found its experts where they are
quickest for it, with K experts over satellites whose ways are p_1 <= p_2 <= ...; the least over all
a and b bounds the layer. Two limits are kept. The least number of satellites that the gateways need
gives how often a and b differ. Of top-2 tokens whose experts sit on two satellites, the share that
meets on one of them is at least what the best cut of the experts leaves.
"""

import itertools
from dataclasses import dataclass

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
    ways = _ways(problem, able, host)
    # No satellite carries more gateways than the least demanding ones that fit it.
    needed = np.sort(limit.gateway, axis=0).cumsum(axis=0)
    most = (needed[None] <= limit.capacity[able][:, None] * (1 + 1e-9)).all(axis=2).sum(axis=1)
    fewest = int(np.searchsorted(np.sort(most)[::-1].cumsum(), problem.n_layers) + 1)
    compute_s = float(problem.gateway_s.sum() / problem.speed[able].max())
    met = _around_ring(*ways.layers(_meeting_share(problem)), fewest)
    return compute_s + max(met, _with_memory(problem, ways, fewest))


def _around_ring(
    same_s: NDArray[np.float64], apart_s: NDArray[np.float64], satellites: int
) -> float:
    """Least sum over layers if their gateways sit on a given number of satellites."""
    changes = 0 if satellites < 2 else satellites
    gain = np.sort(apart_s - np.minimum(same_s, apart_s))
    return float(np.minimum(same_s, apart_s).sum() + gain[:changes].sum())


def _with_memory(problem: PlacementProblem, ways: "_Ways", fewest: int) -> float:
    """Bound from memory: an expert without room on the gateways' satellites is a detour.

    A token that chooses such an expert takes at least two of the shortest ways that exist. In one
    layer that happens at least as often as such experts are activated, divided by K.
    """
    activation = np.sort(problem.activation, axis=None)
    room = np.sort(problem.memory_bytes)[::-1].cumsum()
    same_s, apart_s = ways.layers(np.zeros(problem.n_layers))
    detour_s = max(
        2 * ways.shortest_s + ways.expert_s - float(np.maximum(same_s, apart_s).max()), 0
    )
    alone_s = max(2 * ways.shortest_s + ways.expert_s - float(same_s.max()), 0)
    best = np.inf
    for satellites in range(fewest, problem.n_layers + 1):
        left = room[satellites - 1] - problem.n_layers * problem.gateway_bytes
        outside = activation[: max(activation.size - int(max(left, 0) // problem.expert_bytes), 0)]
        extra_s = alone_s if satellites < 2 else detour_s
        ring_s = _around_ring(same_s, apart_s, satellites)
        best = min(best, ring_s + extra_s * float(outside.sum()) / problem.top_k)
        if not outside.size:
            break
    return best


@dataclass(frozen=True, kw_only=True)
class _Ways:
    """What a layer takes at least between two gateways, a on a satellite and b near it.

    `base_s` (A, M) is for tokens whose experts are apart, `met_s` what is more where they meet;
    `one` (A, M) says where a and b are the same satellite, `beyond_s` bounds partners further away.
    """

    base_s: NDArray[np.float64]
    met_s: NDArray[np.float64]
    one: NDArray[np.bool_]
    beyond_s: float
    shortest_s: float
    expert_s: float

    def layers(
        self, meeting: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of layers with both gateways on one satellite, and on two, (L,) each."""
        layer_s = self.base_s[..., None] + meeting * self.met_s[..., None]
        same_s = np.where(self.one[..., None], layer_s, np.inf).min(axis=(0, 1))
        apart_s = np.where(self.one[..., None], np.inf, layer_s).min(axis=(0, 1))
        return same_s, np.minimum(apart_s, self.beyond_s)


def _ways(problem: PlacementProblem, able: NDArray[np.bool_], host: NDArray[np.bool_]) -> _Ways:
    """Bounds for every gateway's satellite and those near it, mean over the snapshots."""
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
    rows = np.flatnonzero(able)
    # Partners that were not looked at are at least as far as the furthest that was.
    far_s = float(delay_s[rows, near[rows, -1]].min()) + expert_s
    snapshots = len(problem.weight_s)
    np.fill_diagonal(delay_s, np.inf)
    return _Ways(
        base_s=base[rows] / snapshots,
        met_s=met[rows] / snapshots,
        one=near[rows] == rows[:, None],
        beyond_s=far_s if near.shape[1] < able.sum() else np.inf,
        shortest_s=float(delay_s[rows].min()),
        expert_s=expert_s,
    )


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
            # Satellites near neither of the two.
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
