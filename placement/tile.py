"""One instance on a few satellites of its own: its ring, and the experts round it."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from placement.balance import balance, shared_out
from placement.delays import KnownWays
from placement.filling import Limits
from placement.nearby import Nearby
from placement.problem import Placement, PlacementProblem
from placement.ring_search import Field, improve
from placement.scoring import Choices, choices, scorer
from placement.tile_rings import rings_of
from placement.waiting import rungs
from twin.errors import InputError

_GLANCES = 3
"""Rings of a tile whose experts are balanced, if one of them fits."""


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

    Every ring of `rings_of` is tried. On the best one gateways move to linked members while that
    helps, as in `joint`, if there are more members than gateways. Where tokens choose from several
    copies, both gateways of a layer have all of its experts, if they have room.
    """
    delay_s = ground.around.between(members)
    try:
        tile = _Tile(ground, members, delay_s)
    except InputError:
        return None
    rings = list(rings_of(tile.field, delay_s))
    if ground.problem.choose_from > 1:
        on_both = tile.on_both(rings)
        if on_both is not None:
            return Laid(placement=_of_members(on_both[1], members), score_s=on_both[0])
        if tile.has_memory:
            return None
    found = tile.best(rings, _GLANCES if refine else 1)
    if found is None:
        return None
    if refine and len(np.unique(found[1].gateway)) < len(members):
        again = tile.refined(found[1].gateway, refine)
        found = found if again is None else min(found, again, key=lambda of: of[0])
    return Laid(placement=_of_members(found[1], members), score_s=found[0])


def _of_members(placement: Placement, members: NDArray[np.int32]) -> Placement:
    """A placement on the members of a tile, by their numbers in the constellation."""
    return Placement(
        gateway=members[placement.gateway],
        expert=members[placement.expert],
        replica=np.where(placement.replica < 0, -1, members[placement.replica]),
    )


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

    @property
    def has_memory(self) -> bool:
        """Whether a satellite holds a gateway and the experts of two layers."""
        problem, limit = self.field.problem, self.field.limit
        needed = problem.gateway_bytes + 2 * problem.n_experts * problem.expert_bytes
        return bool((limit.capacity[:, 0] >= needed).all())

    def on_both(self, rings: list[NDArray[np.int32]]) -> tuple[float, Placement] | None:
        """The fastest ring where both gateways of a layer have room for all of its experts.

        A token's experts are then shared out evenly between the two. A layer whose gateways are on
        one satellite has its experts there once.
        """
        problem, limit = self.field.problem, self.field.limit
        all_here = limit.expert @ [problem.n_experts, problem.top_k]
        half_here = limit.expert @ [problem.n_experts, problem.top_k / 2]
        expert_s = problem.expert_s / np.maximum(problem.speed, 1e-12)
        best = None
        for gateway in rings:
            following = np.roll(gateway, -1)
            apart = (gateway != following)[:, None]
            left = limit.capacity.copy()
            np.subtract.at(left, gateway, limit.gateway + np.where(apart, half_here, all_here))
            np.subtract.at(left, following, np.where(apart, half_here, 0.0))
            if (left < -1e-9 * limit.capacity).any():
                continue
            each = np.where(apart[:, 0], -(-problem.top_k // 2), problem.top_k)
            layer_s = each * np.maximum(expert_s[gateway], expert_s[following])
            layer_s += self._delay_s[gateway, following] + problem.transfer_s * apart[:, 0]
            score_s = float((layer_s + problem.gateway_s / problem.speed[gateway]).sum())
            if best is None or score_s < best[0]:
                experts = np.ones(problem.n_experts, np.int32)
                there = np.where(apart, following[:, None], -1) * experts
                here = np.outer(gateway, experts).astype(np.int32)
                replica = there.astype(np.int32)[..., None]
                best = score_s, Placement(gateway=gateway, expert=here, replica=replica)
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
