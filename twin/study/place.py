"""The placement laboratory: plan once, show costs and the bound that no plan can beat.

No token is followed here: latency is the exact expectation over the draw of experts, on snapshots
with outages that the planner did not see.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agents.fleet import hardware
from placement.bounds import lower_bound_s
from placement.cost import Cost, cost
from placement.problem import PlacementProblem
from placement.strategies.table import STRATEGIES
from twin import seeding
from twin.errors import InputError
from twin.moe.inference import inference
from twin.planning.problems import Known, last_planned_step, plan, planning_problem
from twin.plugins import load_plugins
from twin.runs.statistics import Estimate, estimate
from twin.scenario.schema import Scenario
from twin.serving.demand import asked_by_requests
from twin.study.pool import map_jobs
from twin.world.world import World

FLOOR = "min_tokens_per_s"
"""Parameter of the strategies that can respect a floor of throughput."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One strategy under one floor, over the replicates.

    Attributes
    ----------
    name : str
    strategy : str
    floor_per_s : float
        Throughput asked for, 0 for none.
    costs : list of Cost
    bounds_s : list of float
        Lower bound of each replicate's problem, at the throughput that was asked for.
    satellites : list of int
        How many host something.
    infeasible : str or None
        Why there is none.
    """

    name: str
    strategy: str
    floor_per_s: float
    costs: list[Cost]
    bounds_s: list[float]
    satellites: list[int]
    infeasible: str | None = None

    def estimate(self, name: str) -> Estimate:
        """Mean and interval of one figure of `Cost`."""
        return estimate(np.array([getattr(c, name) for c in self.costs]))

    @property
    def gap(self) -> Estimate:
        """How far above its lower bound the latency is, as a share of the bound."""
        pairs = zip(self.costs, self.bounds_s, strict=True)
        return estimate(np.array([c.latency_s / bound - 1.0 for c, bound in pairs]))

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        entry: dict[str, Any] = {
            "strategy": self.strategy,
            "floor_per_s": self.floor_per_s,
            "infeasible": self.infeasible,
        }
        if self.infeasible is None:
            entry |= {name: self.estimate(name)._asdict() for name in asdict(self.costs[0])}
            entry["bound_s"] = estimate(np.array(self.bounds_s))._asdict()
            entry["gap"] = self.gap._asdict()
            entry["satellites"] = float(np.mean(self.satellites))
        return entry


def place(
    scenario: Scenario,
    strategies: Sequence[str],
    *,
    floors_per_s: Sequence[float] = (0.0,),
    replicates: int = 4,
    plugins: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> list[Placed]:
    """Plan with every strategy, under every floor that it can respect.

    Parameters
    ----------
    scenario : Scenario
        Its own parameters of the strategy go to its own strategy.
    strategies : sequence of str
    floors_per_s : sequence of float
        Tokens a second of the busiest satellite, for strategies that take ``min_tokens_per_s``.
    replicates : int
        Each with its own outages, activations and random placements.
    plugins, workers, progress
        As in `compare`.

    Raises
    ------
    InputError
        If a strategy is unknown, or none finds a placement.
    """
    cases = []
    for name in strategies:
        known = STRATEGIES.build(name, {})
        floored = FLOOR in inspect.signature(known).parameters
        for floor in floors_per_s if floored else (0.0,):
            own = scenario.placement.params if name == scenario.placement.strategy else {}
            params = own | ({FLOOR: floor} if floored and floor else {})
            table = scenario.placement.model_copy(update={"strategy": name, "params": params})
            label = f"{name} at {floor:g}/s" if floored and floor else name
            cases.append((label, name, floor, scenario.model_copy(update={"placement": table})))
    loaded = tuple(plugins)
    jobs = [(case, floor, r, loaded) for *_, floor, case in cases for r in range(replicates)]
    found = map_jobs(_place, jobs, workers=workers, progress=progress)
    placed = []
    for i, (label, name, floor, _) in enumerate(cases):
        mine = found[i * replicates : (i + 1) * replicates]
        refused = next((result for result in mine if isinstance(result, str)), None)
        some = [] if refused else [result for result in mine if not isinstance(result, str)]
        placed.append(
            Placed(
                name=label,
                strategy=name,
                floor_per_s=floor,
                costs=[of for of, _, _ in some],
                bounds_s=[bound_s for _, bound_s, _ in some],
                satellites=[satellites for _, _, satellites in some],
                infeasible=refused,
            )
        )
    if all(entry.infeasible for entry in placed):
        raise InputError(f"no strategy finds a placement; {placed[0].name}: {placed[0].infeasible}")
    return placed


def problem_of(scenario: Scenario, stream: str = "planning") -> PlacementProblem:
    """The planning problem of a scenario's first plan, outages drawn from a named stream."""
    world, simulation = World(scenario), scenario.simulation
    model = inference(scenario)
    pace, memory_bytes = hardware(world.constellation, scenario)
    return planning_problem(
        scenario,
        world,
        model,
        Known(
            memory_bytes=memory_bytes,
            pace=pace,
            soc=np.full(len(pace), scenario.bus.initial_soc),
            probability=model.probability,
            activation=model.activation,
            asked=asked_by_requests(scenario, world.step_s),
        ),
        first_step=0,
        last_step=last_planned_step(scenario, 0),
        rng=seeding.stream(simulation.seed, simulation.replicate, stream).at(0),
    )


def _place(
    scenario: Scenario, floor_per_s: float, replicate: int, plugins: Sequence[str]
) -> tuple[Cost, float, int] | str:
    """Cost, lower bound and number of satellites of one placement, or why there is none."""
    load_plugins(plugins)
    simulation = scenario.simulation.model_copy(update={"replicate": replicate})
    scenario = scenario.model_copy(update={"simulation": simulation})
    rng = seeding.stream(simulation.seed, replicate, "strategy").at(0)
    try:
        placement = plan(scenario, problem_of(scenario), rng)
    except InputError as error:
        return str(error)
    seen = problem_of(scenario, "evaluation")
    hosts = np.unique(np.concatenate([placement.gateways.ravel(), placement.copies.ravel()]))
    bound_s = lower_bound_s(seen, min_tokens_per_s=floor_per_s)
    return cost(seen, placement), bound_s, int((hosts >= 0).sum())
