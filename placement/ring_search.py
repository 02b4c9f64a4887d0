"""Search for a ring of gateways together with its experts: tours tried, the best one refined."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from placement.copies import mean_entry_s
from placement.delays import Delays, Ways, nearest
from placement.filling import Limits, fill
from placement.problem import Placement, PlacementProblem
from placement.scoring import Score, scorer
from placement.tours import Chart, Tour, charts, tours
from placement.waiting import rungs
from twin.errors import InputError

_NEAREST = 64
"""Satellites looked at around a gateway; more where an expert needs a satellite of its own."""


class Field:
    """A problem prepared for comparing many placements.

    Attributes
    ----------
    problem : PlacementProblem
    limit : Limits
    first_s : (N,) float64
        What the first gateway's place adds to the score: the users' way to it.
    """

    def __init__(
        self,
        problem: PlacementProblem,
        limit: Limits,
        *,
        ways: Delays,
        score: Score,
        first_s: NDArray[np.float64],
    ) -> None:
        self.problem, self.limit, self.first_s = problem, limit, first_s
        self._ways, self._score = ways, score
        able = (limit.capacity[:, 0] >= problem.expert_bytes) & (limit.capacity > 0).all(axis=1)
        if not able.any():
            raise InputError("no satellite has memory and power for an expert")
        wanted = min(_NEAREST, 8 + 4 * _cell(problem, limit, able, problem.n_layers))
        self._able, self._wanted = able, min(wanted, int(able.sum()))
        # The satellites near each satellite; not known yet where the first is no satellite.
        self._near = np.full((problem.n_satellites, self._wanted), -1, np.int32)

    def under(self, limit: Limits) -> "Field":
        """The same field under other limits."""
        return Field(self.problem, limit, ways=self._ways, score=self._score, first_s=self.first_s)

    def host(self, gateway: NDArray[np.int32]) -> tuple[float, NDArray[np.int32] | None]:
        """Seconds a token with experts around these gateways; infinite where there is no room."""
        way_s = self._ways.of(gateway)
        new = self._near[gateway, 0] < 0
        if new.any():
            self._near[gateway[new]] = nearest(way_s[new], self._able, self._wanted)
        near = self._near[gateway]
        best: tuple[float, NDArray[np.int32] | None] = (np.inf, None)
        for tight in (False, True):
            hosts = fill(self.problem, self.limit, way_s, near, gateway, tight=tight)
            if hosts is not None:
                found = (self._score(way_s, gateway, hosts) + self.first_s[gateway[0]], hosts)
                best = min(best, found, key=lambda of: of[0])
        return best


def prepare(problem: PlacementProblem, limit: Limits, *, anchor: float = 0.0) -> Field:
    """Get a problem ready for a search.

    `anchor` is the weight of the users' way to the first gateway and back.
    """
    return Field(
        problem,
        limit,
        ways=Ways(problem),
        score=scorer(problem),
        first_s=2 * anchor * mean_entry_s(problem) if anchor else np.zeros(problem.n_satellites),
    )


def best_ring(field: Field, *, refine: int) -> Placement:
    """Try all tours, then move gateways of the best one to neighbours while that helps.

    Parameters
    ----------
    field : Field
    refine : int
        Moves to try.

    Raises
    ------
    InputError
        If no tour finds room for everything.
    """
    field, gateway = best_tour(field)
    return improve(field, gateway, refine=refine)


def best_tour(field: Field) -> tuple[Field, NDArray[np.int32]]:
    """Gateways of the best tour, and the field that experts are best filled in on.

    It is the one given, unless waiting counts: then satellites are also kept less busy, step by
    step (`placement.waiting.rungs`), and what scores best is taken.

    Raises
    ------
    InputError
        If no tour finds room for everything.
    """
    best_s, best = np.inf, None
    for limit in rungs(field.problem, field.limit):
        rung = field if limit is field.limit else field.under(limit)
        gateway = _best_tour(rung)
        if gateway is None:
            continue
        found_s = rung.host(gateway)[0]
        if best is None or found_s < best_s:
            best_s, best = found_s, (rung, gateway)
    if best is None:
        raise InputError(
            "no ring of gateways finds room for all layers and experts; raise "
            "compute.memory_gb or compute.gflops, ask for fewer tokens, or take more satellites"
        )
    return best


def _best_tour(field: Field) -> NDArray[np.int32] | None:
    best_s, best, shape = np.inf, None, None
    for chart, tour, first_stop in _candidates(field):
        for middle in chart.middles:
            gateway = chart.locate(tour, middle)[first_stop]
            found_s = field.host(gateway)[0]
            if found_s < best_s:
                best_s, best, shape = found_s, gateway, (chart, tour, first_stop)
    if shape is not None and field.first_s.any():
        best = _anchored(field, *shape)
    return best


def improve(field: Field, gateway: NDArray[np.int32], *, refine: int) -> Placement:
    """Move gateways to linked satellites, those of one satellite together, while that helps."""
    problem = field.problem
    best_s, hosts = field.host(gateway)
    tried, stop = 0, False
    while not stop:
        stop = True
        for satellite in dict.fromkeys(gateway.tolist()):
            around = problem.indices[problem.indptr[satellite] : problem.indptr[satellite + 1]]
            for target in around:
                if tried >= refine:
                    break
                tried += 1
                moved = np.where(gateway == satellite, target, gateway).astype(np.int32)
                moved_s, moved_hosts = field.host(moved)
                if moved_s < best_s * (1 - 1e-9):
                    best_s, gateway, hosts, stop = moved_s, moved, moved_hosts, False
                    break
    assert hosts is not None  # the gateways given have room
    return Placement(gateway=gateway, expert=hosts)


def _candidates(field: Field) -> Iterator[tuple[Chart, Tour, NDArray[np.int64]]]:
    """Every tour on every chart, with the stop of each layer's gateway on it."""
    problem, limit = field.problem, field.limit
    layers = problem.n_layers
    able = _able(limit, 1)
    if not able.any():
        return
    # Where satellites differ in size, also on the largest alone.
    size = limit.capacity[:, 0] * problem.speed
    with np.errstate(divide="ignore"):
        strength = (limit.capacity / limit.capacity.max(axis=0)).min(axis=1)
    large = able & (size >= size[able].max() * (1 - 1e-9))
    for usable in [able] if large.sum() in (1, able.sum()) else [able, large]:
        for chart in charts(problem, usable, strength):
            for stops, cell in _stops(problem, limit, usable):
                first_stop = np.arange(layers) * stops // layers
                for tour in tours(stops, cell=cell, planes=chart.planes, slots=chart.slots):
                    yield chart, tour, first_stop


def _anchored(
    field: Field, chart: Chart, tour: Tour, first_stop: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Lay a tour, and begin it, where latency and the users' way to it are least together."""
    found: list[tuple[float, int, NDArray[np.int32]]] = []
    for middle in np.linspace(0, chart.planes - 1, min(9, chart.planes)):
        for turn in np.arange(8) / 8:
            gateway = chart.locate(np.column_stack([tour[:, 0], tour[:, 1] + turn]), middle)
            gateway = gateway[first_stop]
            gateway = np.roll(gateway, -int(field.first_s[gateway].argmin()))
            found.append((field.host(gateway)[0], len(found), gateway))
    return min(found, key=lambda of: of[:2])[2]


def _able(limit: Limits, layers_each: int) -> NDArray[np.bool_]:
    """Satellites that can carry the gateways of a number of layers, (N,)."""
    needed = layers_each * limit.gateway.max(axis=0)
    return np.asarray((limit.capacity >= needed * (1 - 1e-9)).all(axis=1))


def _stops(
    problem: PlacementProblem, limit: Limits, usable: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Numbers of stops to try, and how many satellites the cell of each needs.

    One stop for each layer, for each two, three ...; and where a layer needs more than one
    satellite, as many more stops on the way, with one satellite each.
    """
    layers = problem.n_layers
    each = [m for m in range(1, layers + 1) if (usable & _able(limit, m)).any()]
    found = {-(-layers // m): 0 for m in each}
    tried = [(stops, _cell(problem, limit, usable, stops)) for stops in found]
    needed = _satellites(problem, limit, usable)
    if needed > layers:
        # Experts do not divide evenly, so that some room is lost.
        several = np.unique(np.ceil(needed * np.linspace(1.0, 1.2, 9)).astype(int))
        tried += [(int(stops), 1) for stops in several]
    return [(stops, cell) for stops, cell in tried if stops <= usable.sum()]


def _satellites(problem: PlacementProblem, limit: Limits, usable: NDArray[np.bool_]) -> float:
    """Satellites that all layers need together, if they could be filled to the brim."""
    takes = limit.gateway.mean(axis=0) + limit.expert @ [problem.n_experts, problem.top_k]
    # Where power is scarce, by far not all can carry it: what a better half can.
    typical = np.quantile(limit.capacity[usable], 0.75, axis=0)
    by_slots = problem.n_experts / limit.slots.max() + (not limit.experts_on_gateway)
    return problem.n_layers * max(float((takes / typical).max()), by_slots)


def _cell(problem: PlacementProblem, limit: Limits, usable: NDArray[np.bool_], stops: int) -> int:
    """Satellites that each stop of a tour needs for its layers, its own included."""
    return max(1, int(np.ceil(_satellites(problem, limit, usable) / stops - 1e-6)))
