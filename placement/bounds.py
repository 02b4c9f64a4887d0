"""How fast any placement could be, and how much all instances could carry: for every problem.

The lower bound relaxes most of what ties layers together, and takes the luckiest draw of experts.
For two gateways a and b, a layer is at best as fast as if each token found its experts where they
are quickest for it, with K experts over satellites whose ways are p_1 <= p_2 <= ...; the least over
all a and b bounds the layer. These limits are kept:

- A satellite carries so many gateways, of all instances, that the rings need so many satellites;
  each of these is left by one hop at least. Where it carries one gateway only, it is the end of two
  hops, to different satellites, and half of both counts.
- Where there is no room for any expert beside a gateway, experts are elsewhere.
- Of top-2 tokens whose experts sit on two satellites, the share that meets on one of them is at
  least what the best cut of the experts leaves; unless tokens choose from several copies.
- Experts without memory on the gateways' satellites are a detour.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from placement.cuts import meeting_share
from placement.delays import UNREACHABLE_S, mean_delay_s, nearest
from placement.deployment import share_of_demand
from placement.filling import Limits, limits
from placement.problem import PlacementProblem
from twin.network.routing import shortest_paths

_NEIGHBOURS = 24
"""Partners of a gateway looked at in full; those further away are bounded by their distance."""


def upper_bound_per_s(problem: PlacementProblem, *, instances: int = 1) -> float:
    """Tokens a second that no deployment can exceed, all of a layer's work counted.

    All satellites together have so much time; and one instance is as fast as its largest part on
    the fastest satellite.
    """
    speed = problem.speed[problem.memory_bytes > 0]
    work_s = float(problem.stage_s.sum() + problem.activation.sum() * problem.expert_s)
    part_s = float(max(problem.stage_s.max(), problem.activation.max() * problem.expert_s))
    return min(float(speed.sum()) / work_s, instances * float(speed.max()) / part_s)


def lower_bound_s(
    problem: PlacementProblem, *, min_tokens_per_s: float = 0.0, instances: int = 1
) -> float:
    """Seconds a token that no placement can beat on these snapshots.

    Of single copies of everything, unless tokens choose from several.

    Parameters
    ----------
    problem : PlacementProblem
        The spreading rule does not count: bounds hold for every strategy.
    min_tokens_per_s : float
        Throughput that no satellite may fall below, 0 for none.
    instances : int
        The bound is for the mean over so many, each with this throughput.
    """
    one = share_of_demand(problem, instances)
    limit = limits(one, min_tokens_per_s=min_tokens_per_s, busy_margin=1.0, spread=False)
    able = (limit.capacity >= limit.gateway.min(axis=0) * (1 - 1e-9)).all(axis=1)
    host = problem.memory_bytes >= problem.expert_bytes
    # No satellite carries more gateways than the least demanding ones that fit it.
    needed = np.sort(np.tile(limit.gateway, (instances, 1)), axis=0).cumsum(axis=0)
    room = limit.capacity[able] * (1 + 1e-9)
    columns = zip(needed.T, room.T, strict=True)
    most = np.min([np.searchsorted(n, r, side="right") for n, r in columns], axis=0)
    ways = _ways(problem, able, host, _beside(problem, limit))
    compute_s = float(problem.gateway_s.sum() / problem.speed[able].max())
    ring = _Rings(layers=problem.n_layers, instances=instances, most=most)
    chooses = problem.choose_from > 1
    met_s = ring.least_s(ways, np.zeros(one.n_layers) if chooses else meeting_share(problem))
    return compute_s + max(met_s, _with_memory(problem, ways, ring)) / instances


def _beside(problem: PlacementProblem, limit: Limits) -> NDArray[np.bool_]:
    """Satellites with room for an expert beside a gateway, (N,)."""
    takes = limit.gateway.min(axis=0) + limit.expert @ [1.0, float(problem.activation.min())]
    return np.asarray((limit.capacity >= takes * (1 - 1e-9)).all(axis=1))


@dataclass(frozen=True, kw_only=True)
class _Rings:
    """The rings of all instances, and how many of their gateways a satellite can carry.

    `most` (A,) is for the satellites that can carry any.
    """

    layers: int
    instances: int
    most: NDArray[np.int64]

    @property
    def fewest(self) -> int:
        """Satellites that one ring needs at least."""
        return self._satellites(self.layers)

    @property
    def fewest_in_all(self) -> int:
        """Satellites that all rings need together."""
        return self._satellites(self.layers * self.instances)

    def _satellites(self, gateways: int) -> int:
        return int(np.searchsorted(np.sort(self.most)[::-1].cumsum(), gateways) + 1)

    def least_s(self, ways: "_Ways", meeting: NDArray[np.float64]) -> float:
        """Least sum over the layers of all instances."""
        same_s, apart_s = ways.layers(meeting)
        least_s = np.minimum(same_s, apart_s)
        alone_s = self.instances * _around_ring(same_s, apart_s, self.fewest)
        # What each satellite on a ring costs, unless it can carry a ring by itself.
        gain_s = ways.gains(meeting, least_s, once=bool(self.most.max() == 1 and self.layers > 2))
        gain_s = np.where(self.most >= self.layers, 0.0, gain_s)
        distinct_s = self.instances * float(np.sort(gain_s)[: self.fewest].sum())
        order = np.argsort(gain_s / self.most)
        before = self.most[order].cumsum() - self.most[order]
        share = np.clip((self.layers * self.instances - before) / self.most[order], 0.0, 1.0)
        filled_s = float(gain_s[order] @ share)
        flat_s = self.instances * float(least_s.sum())
        return max(alone_s, flat_s + max(distinct_s, filled_s))


def _around_ring(
    same_s: NDArray[np.float64], apart_s: NDArray[np.float64], satellites: int
) -> float:
    """Least sum over layers if their gateways sit on a given number of satellites."""
    changes = 0 if satellites < 2 else satellites
    gain = np.sort(apart_s - np.minimum(same_s, apart_s))
    return float(np.minimum(same_s, apart_s).sum() + gain[:changes].sum())


def _with_memory(problem: PlacementProblem, ways: "_Ways", rings: _Rings) -> float:
    """Bound from memory: an expert without room on the gateways' satellites is a detour.

    A token that chooses such an expert takes at least two of the shortest ways that exist. In one
    layer that happens at least as often as such experts are activated, divided by K.
    """
    copies, layers = rings.instances, problem.n_layers
    activation = np.sort(np.repeat(problem.activation, copies, axis=None))
    outside = np.concatenate([[0.0], activation.cumsum()])
    room = np.sort(problem.memory_bytes)[::-1].cumsum()
    same_s, apart_s = ways.layers(np.zeros(layers))
    detour_s = max(
        2 * ways.shortest_s + ways.expert_s - float(np.maximum(same_s, apart_s).max()), 0
    )
    alone_s = max(2 * ways.shortest_s + ways.expert_s - float(same_s.max()), 0)
    best = np.inf
    for satellites in range(rings.fewest_in_all, copies * layers + 1):
        left = room[min(satellites, len(room)) - 1] - copies * layers * problem.gateway_bytes
        homeless = max(activation.size - int(max(left, 0) // problem.expert_bytes), 0)
        extra_s = alone_s if satellites < 2 else detour_s
        # Hops grow evenly with satellites, but for a ring on a single one.
        each = max(satellites // copies, rings.fewest) if copies == 1 or rings.fewest > 1 else 1
        ring_s = copies * _around_ring(same_s, apart_s, each)
        best = min(best, ring_s + extra_s * float(outside[homeless]) / problem.top_k)
        if not homeless:
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

    def gains(
        self, meeting: NDArray[np.float64], least_s: NDArray[np.float64], *, once: bool
    ) -> NDArray[np.float64]:
        """How much more than the least of its layer a hop from each satellite takes, (A,).

        `once`: each satellite is on one ring and there once, so that its two hops go to different
        satellites; the mean of the two is counted.
        """
        more_s = np.full(self.base_s.shape, np.inf)
        for share, layer_s in np.unique(np.column_stack([meeting, least_s]), axis=0):
            more_s = np.minimum(more_s, self.base_s + share * self.met_s - layer_s)
        more_s = np.where(self.one, np.inf, more_s)
        more_s = np.sort(np.minimum(more_s, self.beyond_s - least_s.max()), axis=1)
        hops = min(2, more_s.shape[1]) if once else 1
        return np.asarray(np.maximum(more_s[:, :hops].mean(axis=1), 0.0))


def _ways(
    problem: PlacementProblem,
    able: NDArray[np.bool_],
    host: NDArray[np.bool_],
    beside: NDArray[np.bool_],
) -> _Ways:
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
        _pairs(now_s, near, around, outside_s, beside, problem.top_k, expert_s, base, met)
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


@numba.njit(cache=True)
def _pairs(delay_s, near, around, outside_s, beside, top_k, expert_s, base, met):  # type: ignore[no-untyped-def]
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
                    seen = s == a and not beside[s]
                    seen |= s == b and not beside[s]
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
