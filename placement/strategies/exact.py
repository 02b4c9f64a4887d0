"""The best placement there is, by mixed-integer programming: for small cases, to judge others."""

import dataclasses
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from placement.delays import mean_delay_s
from placement.deployment import Count, Deployment, most_by_memory, share_of_demand
from placement.filling import Limits, limits
from placement.problem import Placement, PlacementProblem
from twin.errors import InputError
from twin.moe.selection import pair_probabilities

_LARGEST = 1500
"""Binary variables up to which this is a matter of a minute."""


def exact(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    instances: Count = 1,
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
    spread: bool = False,
    time_limit_s: float = 120.0,
) -> Deployment:
    """Minimise the mean token latency on mean delays over all placements, proven optimal.

    Of several instances the mean over all of them.

    The program: binary x[l, s] (gateway of l on s) and y[l, e, s] (expert on s); continuous
    u[l, e, g, s] = x[l, g] y[l, e, s] and v[l, e, s, g] = y[l, e, s] x[l+1, g], the two legs of
    the way through an expert, as flows whose margins are x and y; and t[l, e, f], the time of a
    pair: at least that of either, with double compute where both sit on one satellite. Solved
    by HiGHS.

    Parameters
    ----------
    problem : PlacementProblem
        Of a top-1 or top-2 model.
    rng : numpy.random.Generator
        Not used.
    instances : int or "fill"
        With "fill" as many as there is a solution for.
    min_tokens_per_s, busy_margin, spread
        As in `joint`, for every instance.
    time_limit_s : float
        How long the solver may take.

    Raises
    ------
    InputError
        If the case is too large, has no solution, or is not solved in time; or if waiting counts.
    """
    if problem.waiting:
        raise InputError("exact: minimises time on the way alone; placement.waiting must be 'none'")
    many = max(most_by_memory(problem), 1) if instances == "fill" else instances
    while True:
        one = share_of_demand(problem, many)
        limit = limits(
            one, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=spread
        )
        try:
            return _solve(one, limit, many, time_limit_s)
        except InputError:
            if instances != "fill" or many == 1:
                raise
            many -= 1


def _solve(
    problem: PlacementProblem, limit: Limits, instances: int, time_limit_s: float
) -> Deployment:
    """All instances as one program: their layers below each other, in a ring each."""
    # Here, for it takes a third of a second, and every command would wait for it.
    from scipy.optimize import Bounds, LinearConstraint, milp

    layers = problem.n_layers
    size = instances * layers * (1 + problem.n_experts) * problem.n_satellites
    if size > _LARGEST or problem.top_k > 2:
        raise InputError(
            f"exact: {size} binary variables and top-{problem.top_k}; it takes at most {_LARGEST}, "
            "and top-1 or top-2"
        )
    stacked = dataclasses.replace(
        problem,
        probability=np.tile(problem.probability, (instances, 1)),
        activation=np.tile(problem.activation, (instances, 1)),
        gateway_s=np.tile(problem.gateway_s, instances),
        stage_s=np.tile(problem.stage_s, instances),
    )
    rows = np.arange(instances * layers).reshape(instances, layers)
    limit = dataclasses.replace(limit, gateway=np.tile(limit.gateway, (instances, 1)))
    program = _Program(stacked, limit, np.roll(rows, -1, axis=1).ravel())
    solved = milp(
        program.cost,
        constraints=LinearConstraint(program.matrix(), program.lower, program.upper),
        integrality=program.integral,
        bounds=Bounds(0, np.where(program.integral == 1, 1.0, np.inf)),
        options={"time_limit": time_limit_s, "mip_rel_gap": 1e-6},
    )
    if solved.status != 0:
        raise InputError(f"exact: {solved.message}")
    gateway = solved.x[program.at["x"]].argmax(axis=1).astype(np.int32)
    expert = solved.x[program.at["y"]].argmax(axis=2).astype(np.int32)
    return Deployment(tuple(Placement(gateway=gateway[mine], expert=expert[mine]) for mine in rows))


class _Program:
    """Rows of ``lower <= matrix @ variables <= upper``, with what variables cost."""

    def __init__(
        self, problem: PlacementProblem, limit: Limits, following: NDArray[np.int64]
    ) -> None:
        self._problem, self._following = problem, following
        layers, experts, n = problem.n_layers, problem.n_experts, problem.n_satellites
        self._n = n
        self._pairs = list(itertools.combinations(range(experts), 2)) if problem.top_k == 2 else []
        shapes = {
            "x": (layers, n),
            "y": (layers, experts, n),
            "u": (layers, experts, n, n),
            "v": (layers, experts, n, n),
            "t": (layers, max(len(self._pairs), 1)),
            "both": (layers, max(len(self._pairs), 1), n),
        }
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        ends = np.cumsum(sizes)
        self.size = int(ends[-1])
        self.at = {
            name: np.arange(end - size, end).reshape(shape)
            for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True)
        }
        self.integral = np.zeros(self.size)
        self.integral[: ends[1]] = 1
        self.lower: list[float] = []
        self.upper: list[float] = []
        self._rows: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._way_s = mean_delay_s(problem) + problem.transfer_s * ~np.eye(n, dtype=bool)
        self._expert_s = problem.expert_s / problem.speed
        self.cost = self._costs()
        self._margins()
        self._room(limit)
        self._times()

    def matrix(self) -> csr_array:
        """All rows."""
        row = np.repeat(np.arange(len(self._rows)), [len(columns) for columns, _ in self._rows])
        column = np.concatenate([columns for columns, _ in self._rows])
        value = np.concatenate([values for _, values in self._rows])
        return csr_array((value, (row, column)), shape=(len(self._rows), self.size))

    def _add(self, columns: Any, values: Any, *, lower: float = -np.inf, upper: float) -> None:
        columns = np.concatenate([np.ravel(c) for c in columns])
        values = np.concatenate([np.ravel(v) for v in values]).astype(np.float64)
        self._rows.append((columns, values))
        self.lower.append(lower)
        self.upper.append(upper)

    def _costs(self) -> NDArray[np.float64]:
        problem, cost = self._problem, np.zeros(self.size)
        cost[self.at["x"]] = problem.gateway_s[:, None] / problem.speed
        if self._pairs:
            share = pair_probabilities(problem.probability)
            cost[self.at["t"]] = [[row[pair] for pair in self._pairs] for row in share]
        else:
            chosen = problem.probability[:, :, None, None]
            cost[self.at["u"]] = chosen * (self._way_s + self._expert_s)
            cost[self.at["v"]] = chosen * self._way_s
        return cost

    def _margins(self) -> None:
        """One host each; legs that start and end where gateways and experts are."""
        ones, minus = np.ones(self._n), [-1.0]
        x, y, u, v = (self.at[name] for name in "xyuv")
        layers, experts = self._problem.activation.shape
        for layer in range(layers):
            self._add([x[layer]], [ones], lower=1.0, upper=1.0)
            for e in range(experts):
                self._add([y[layer, e]], [ones], lower=1.0, upper=1.0)
                for s in range(self._n):
                    ends = (
                        (u[layer, e, s], x[layer, s]),
                        (u[layer, e, :, s], y[layer, e, s]),
                        (v[layer, e, s], y[layer, e, s]),
                        (v[layer, e, :, s], x[self._following[layer], s]),
                    )
                    for legs, end in ends:
                        self._add([legs, end], [ones, minus], lower=0.0, upper=0.0)

    def _room(self, limit: Limits) -> None:
        x, y = self.at["x"], self.at["y"]
        for s in range(self._n):
            for r, (each, active) in enumerate(limit.expert):
                takes = each + active * self._problem.activation
                scale = max(limit.gateway[:, r].max(), takes.max(), 1e-300)
                room = min(limit.capacity[s, r] / scale, 1e6)
                values = [limit.gateway[:, r] / scale, takes / scale]
                self._add([x[:, s], y[:, :, s]], values, upper=room)
            hosted = y[:, :, s]
            slots = float(min(limit.slots[s], hosted.size))
            self._add([hosted], [np.ones(hosted.size)], upper=slots)
            if not limit.experts_on_gateway:
                for gateway in x[:, s]:
                    values = [[slots], np.ones(hosted.size)]
                    self._add([gateway, hosted], values, upper=slots)

    def _times(self) -> None:
        """Times of pairs: of either's way and compute, twice the compute where both share."""
        y, u, v, t, both = (self.at[name] for name in ("y", "u", "v", "t", "both"))
        legs = [self._way_s + self._expert_s, self._way_s, self._expert_s, [-1.0]]
        for layer in range(self._problem.n_layers):
            for p, pair in enumerate(self._pairs):
                e, f = pair
                for s in range(self._n):
                    columns = [y[layer, e, s], y[layer, f, s], both[layer, p, s]]
                    self._add(columns, [[1.0], [1.0], [-1.0]], upper=1.0)
                for one in pair:
                    columns = [u[layer, one], v[layer, one], both[layer, p], t[layer, p]]
                    self._add(columns, legs, upper=0.0)
