"""One instance on a few satellites of its own: its ring, and the experts round it."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from placement.balance import balance, shared_out
from placement.circuits import circuit, thinned
from placement.delays import KnownWays
from placement.filling import Limits
from placement.nearby import Nearby
from placement.problem import Placement, PlacementProblem
from placement.ring_search import Field, improve
from placement.scoring import Choices, choices, scorer
from placement.waiting import rungs
from twin.errors import InputError

_GLANCES = 3
"""Rings of a tile whose experts are balanced, if one of them fits."""

_HOSTS = 4
"""Satellites that the experts of a layer are thought to be spread over, at most."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ground:
    """A constellation prepared for laying instances side by side.

    Attributes
    ----------
    problem : PlacementProblem
        Of one instance.
    limit : Limits
        What it may take of each satellite.
    around : Nearby
    chosen : Choices
        What tokens may choose.
    """

    problem: PlacementProblem
    limit: Limits
    around: Nearby
    chosen: Choices


def ground(problem: PlacementProblem, limit: Limits, around: Nearby) -> Ground:
    """Prepare a problem."""
    return Ground(problem=problem, limit=limit, around=around, chosen=choices(problem))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Laid:
    """An instance laid on satellites of its own.

    Attributes
    ----------
    placement : Placement
    score_s : float
        Seconds a token on mean delays.
    """

    placement: Placement
    score_s: float

    @property
    def used(self) -> NDArray[np.int32]:
        """Satellites that host something."""
        return np.unique(np.concatenate([self.placement.gateway, self.placement.expert.ravel()]))


def lay(ground: Ground, members: NDArray[np.int32], *, refine: int) -> Laid | None:
    """Lay an instance on some satellites; None where it finds no room.

    Every ring of `_rings` is tried. On the best one gateways move to linked members while that
    helps, as in `joint`, if there are more members than gateways.
    """
    delay_s = ground.around.between(members)
    try:
        tile = _Tile(ground, members, delay_s)
    except InputError:
        return None
    found = tile.best(list(_rings(tile.field, delay_s)), _GLANCES if refine else 1)
    if found is None:
        return None
    if refine and len(np.unique(found[1].gateway)) < len(members):
        again = tile.refined(found[1].gateway, refine)
        found = found if again is None else min(found, again, key=lambda of: of[0])
    score_s, best = found
    placement = Placement(gateway=members[best.gateway], expert=members[best.expert])
    return Laid(placement=placement, score_s=score_s)


class _Tile:
    """The problem on some satellites alone, as if there were no others."""

    def __init__(
        self, ground: Ground, members: NDArray[np.int32], delay_s: NDArray[np.float64]
    ) -> None:
        problem, limit = _cut_out(ground.problem, members), ground.limit
        self._chosen, self._delay_s = ground.chosen, delay_s
        self._score = scorer(problem, ground.chosen)
        limit = dataclasses.replace(
            limit, capacity=limit.capacity[members], slots=limit.slots[members]
        )
        self.field = Field(
            problem,
            limit,
            ways=KnownWays(delay_s),
            score=self._score,
            first_s=np.zeros(len(members)),
        )

    def best(self, rings: list[NDArray[np.int32]], glances: int) -> tuple[float, Placement] | None:
        """The best of some rings of gateways, with its experts.

        Those that look best at a first glance are balanced, and further ones until one fits.
        """
        starts = [
            (limit, gateway, hosts)
            for limit in rungs(self.field.problem, self.field.limit)
            for gateway in rings
            for hosts in self._starts(limit, gateway)
        ]
        looks_s = [self._score(self._delay_s[ring], ring, hosts) for _, ring, hosts in starts]
        best = None
        for tried, i in enumerate(np.argsort(looks_s, kind="stable")):
            if best is not None and tried >= glances:
                break
            found = self._balanced(*starts[i])
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return best

    def refined(self, gateway: NDArray[np.int32], refine: int) -> tuple[float, Placement] | None:
        """Move gateways while that helps, if experts can be filled in round them."""
        if self.field.host(gateway)[1] is None:
            return None
        return self.best([improve(self.field, gateway, refine=refine).gateway], 2)

    def _starts(self, limit: Limits, gateway: NDArray[np.int32]) -> Iterator[NDArray[np.int32]]:
        """Experts round a ring of gateways to begin with: shared out, and filled in."""
        problem = self.field.problem
        left = limit.capacity.copy()
        np.subtract.at(left, gateway, limit.gateway)
        if (left < -1e-9 * limit.capacity).any():
            return
        takes = limit.expert @ [1.0, float(problem.activation.min())]
        hosts = (left >= takes).all(axis=1)
        yield shared_out(problem, self._delay_s[gateway], gateway, hosts)
        filled = self.field.under(limit).host(gateway)[1]
        if filled is not None:
            yield filled

    def _balanced(
        self, limit: Limits, gateway: NDArray[np.int32], start: NDArray[np.int32]
    ) -> tuple[float, Placement] | None:
        problem, way_s = self.field.problem, self._delay_s[gateway]
        hosts, fits = balance(problem, limit, self._chosen, way_s, gateway, start)
        if not fits:
            return None
        return self._score(way_s, gateway, hosts), Placement(gateway=gateway, expert=hosts)


def _cut_out(whole: PlacementProblem, members: NDArray[np.int32]) -> PlacementProblem:
    """A problem of some satellites, whose delays are known otherwise."""
    indptr, indices = _links(whole, members)
    return dataclasses.replace(
        whole,
        plane=whole.plane[members],
        ring_position=whole.ring_position[members],
        indptr=indptr,
        indices=indices,
        weight_s=whole.weight_s[:0],
        entry_share=whole.entry_share[:0],
        memory_bytes=whole.memory_bytes[members],
        speed=whole.speed[members],
        busy_limit=whole.busy_limit[members],
        sunlit=whole.sunlit[members],
        taken_s=whole.taken_s[members],
    )


def _links(
    problem: PlacementProblem, members: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """CSR skeleton of the links between some satellites."""
    place = np.full(problem.n_satellites, -1, np.int32)
    place[members] = np.arange(len(members))
    rows = [
        place[problem.indices[problem.indptr[s] : problem.indptr[s + 1]]] for s in members.tolist()
    ]
    rows = [row[row >= 0] for row in rows]
    indptr = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)
    return indptr, np.concatenate(rows)


def carries(problem: PlacementProblem, limit: Limits) -> NDArray[np.float64]:
    """What share of an instance each satellite could carry at most, (N,)."""
    takes = limit.gateway.sum(axis=0)
    takes += problem.n_layers * limit.expert @ [problem.n_experts, problem.top_k]
    share = (np.maximum(limit.capacity, 0.0) / np.maximum(takes, 1e-300)).min(axis=1)
    return np.asarray(np.minimum(share, 1.0))


def _rings(field: Field, delay_s: NDArray[np.float64]) -> Iterator[NDArray[np.int32]]:
    """Gateways of every ring to try, (L,) each.

    Rings of as many stops as one layer each needs, or two, three ... a stop: evenly over a circuit
    of all members, and on those of them that make it shortest. Where gateways cannot host experts,
    hosts must be between them: then also rings on every other satellite, as on a chessboard.
    """
    layers, limit = field.problem.n_layers, field.limit
    strength = carries(field.problem, limit)
    order = circuit(delay_s)
    tried = set()
    for each in range(1, layers + 1):
        stops = min(-(-layers // each), len(order))
        able = (limit.capacity >= each * limit.gateway.max(axis=0) * (1 - 1e-9)).all(axis=1)
        if stops in tried or not able.any():
            continue
        tried.add(stops)
        yield _share_out(order[np.arange(stops) * len(order) // stops], layers, strength)
        if stops < len(order):
            yield _share_out(thinned(delay_s, order, stops), layers, strength)
        left = limit.capacity - each * limit.gateway.min(axis=0)
        takes = limit.expert @ [1.0, float(field.problem.activation.min())]
        if not (left >= takes).all(axis=1).any():
            for squares in _chessboard(field.problem):
                if stops <= squares.sum() < len(order):
                    ring = _between_hosts(field.problem, delay_s, squares, stops)
                    yield _share_out(ring, layers, strength)


def _share_out(
    ring: NDArray[np.int64], layers: int, strength: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Layers one after the other on the stops of a ring, as many on each as it is strong."""
    ends = strength[ring].cumsum()
    at = np.searchsorted(ends, (np.arange(layers) + 0.5) / layers * ends[-1])
    return np.asarray(ring[np.minimum(at, len(ring) - 1)], np.int32)


def _chessboard(problem: PlacementProblem) -> Iterator[NDArray[np.bool_]]:
    """Two ways of taking every other satellite: an even number of links from the first, or odd."""
    apart = np.full(problem.n_satellites, -1)
    while (apart < 0).any():
        edge = [int(apart.argmin())]
        apart[edge] = 0
        while edge:
            s = edge.pop(0)
            around = problem.indices[problem.indptr[s] : problem.indptr[s + 1]]
            new = around[apart[around] < 0]
            apart[new] = apart[s] + 1
            edge += new.tolist()
    yield apart % 2 == 0
    yield apart % 2 == 1


def _between_hosts(
    problem: PlacementProblem, delay_s: NDArray[np.float64], squares: NDArray[np.bool_], stops: int
) -> NDArray[np.int64]:
    """A ring on some members whose experts are on the others: the time of its layers counts."""
    gateways, hosts = np.flatnonzero(squares), np.flatnonzero(~squares)
    way_s = delay_s[np.ix_(gateways, hosts)]
    layer_s = np.empty((len(gateways), len(gateways)))
    count = np.arange(1, min(_HOSTS, len(hosts)) + 1)
    # Experts of one token meet on a satellite the less often the more there are.
    met = 1.0 + (problem.top_k - 1) / count
    for i, row in enumerate(way_s):
        through_s = np.sort(row + way_s, axis=1)[:, : len(count)]
        layer_s[i] = (through_s + met * problem.expert_s).min(axis=1)
    np.fill_diagonal(layer_s, 0.0)
    order = circuit(np.minimum(layer_s, layer_s.T))
    return gateways[thinned(layer_s, order, stops)]
