"""The placement laboratory: plan once, show costs and the bound that no plan can beat.

No token is followed here: latency is the exact expectation over the draw of experts, on snapshots
with outages that the planner did not see.
"""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.fleet import hardware
from placement.bounds import lower_bound_s, upper_bound_per_s
from placement.deployment import FLOOR, Count
from placement.deployment_cost import DeploymentCost, deployment_cost
from placement.problem import PlacementProblem
from placement.strategies.table import STRATEGIES
from twin import seeding
from twin.errors import InputError
from twin.moe.inference import inference
from twin.planning.problems import Known, last_planned_step, plan_deployment, planning_problem
from twin.runs.statistics import Estimate, estimate
from twin.scenario.schema import Scenario
from twin.serving.demand import asked_by_requests
from twin.study.pool import Pool
from twin.world.world import World


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What no plan can beat.

    Attributes
    ----------
    latency_s : float
        Mean over the instances, at the throughput that was asked of each.
    throughput_per_s : float
        Of all instances together.
    """

    latency_s: float
    throughput_per_s: float


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One strategy under one floor, for a number of instances, over the replicates.

    Attributes
    ----------
    name : str
    strategy : str
    floor_per_s : float
        Throughput asked for of each instance, 0 for none.
    scenario : Scenario
    costs : list of DeploymentCost
    bounds : list of Bound
        Of each replicate's problem.
    infeasible : str or None
        Why there is none.
    """

    name: str
    strategy: str
    floor_per_s: float
    scenario: Scenario
    costs: list[DeploymentCost] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    infeasible: str | None = None

    @property
    def asked(self) -> Count:
        """Instances, or "fill"."""
        return self.scenario.placement.instances

    def estimate(self, name: str) -> Estimate:
        """Mean and interval of one figure of `DeploymentCost`."""
        return estimate(np.array([getattr(c, name) for c in self.costs]))

    def bound(self, name: str) -> Estimate:
        """The same of one figure of `Bound`."""
        return estimate(np.array([getattr(b, name) for b in self.bounds]))

    @property
    def gap(self) -> Estimate:
        """How far above its lower bound the latency is, as a share of the bound."""
        pairs = zip(self.costs, self.bounds, strict=True)
        return estimate(np.array([c.latency_s / b.latency_s - 1.0 for c, b in pairs]))

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        entry: dict[str, Any] = {
            "strategy": self.strategy,
            "floor_per_s": self.floor_per_s,
            "asked": self.asked,
            "infeasible": self.infeasible,
        }
        if self.infeasible is None:
            names = [name for name in asdict(self.costs[0]) if name != "satellites"]
            entry |= {name: self.estimate(name)._asdict() for name in names}
            entry["bound_s"] = self.bound("latency_s")._asdict()
            entry["bound_per_s"] = self.bound("throughput_per_s")._asdict()
            entry["gap"] = self.gap._asdict()
            entry["satellites"] = float(np.mean([c.satellites for c in self.costs]))
        return entry


def place(
    scenario: Scenario,
    strategies: Sequence[str],
    *,
    floors_per_s: Sequence[float] = (0.0,),
    instances: Sequence[Count] | None = None,
    dead: int = 0,
    replicates: int = 4,
    pool: Pool,
) -> list[Placed]:
    """Plan with every strategy, under every floor that it can respect, for every number.

    Parameters
    ----------
    scenario : Scenario
        Its own parameters of the strategy go to its own strategy.
    strategies : sequence of str
    floors_per_s : sequence of float
        Tokens a second of the busiest satellite, for strategies that take ``min_tokens_per_s``.
    instances : sequence of int or "fill", optional
        The scenario's own by default.
    dead : int
        Satellites that are dead, other ones in each replicate.
    replicates : int
        Each with its own outages, activations and random placements.
    pool : Pool

    Raises
    ------
    InputError
        If a strategy is unknown, or none finds a placement.
    """
    numbers = (scenario.placement.instances,) if instances is None else instances
    cases = [case for name in strategies for case in _cases(scenario, name, floors_per_s, numbers)]
    jobs = [(c.scenario, c.floor_per_s, dead, r) for c in cases for r in range(replicates)]
    found = pool.map(_place, jobs)
    placed = []
    for i, case in enumerate(cases):
        mine = found[i * replicates : (i + 1) * replicates]
        refused = next((result for result in mine if isinstance(result, str)), None)
        costs, bounds = ([], []) if refused else map(list, zip(*mine, strict=True))
        placed.append(replace(case, costs=costs, bounds=bounds, infeasible=refused))
    if all(entry.infeasible for entry in placed):
        raise InputError(f"no strategy finds a placement; {placed[0].name}: {placed[0].infeasible}")
    return placed


def _cases(
    scenario: Scenario, name: str, floors_per_s: Sequence[float], numbers: Sequence[Count]
) -> Iterator[Placed]:
    """One strategy under every floor that it can respect, for every number of instances."""
    floored = FLOOR in inspect.signature(STRATEGIES.build(name, {})).parameters
    own = scenario.placement.params if name == scenario.placement.strategy else {}
    for floor in floors_per_s if floored else (0.0,):
        params = own | ({FLOOR: floor} if floored and floor else {})
        for number in numbers:
            table = scenario.placement.model_copy(
                update={"strategy": name, "params": params, "instances": number}
            )
            label = f"{name} at {floor:g}/s" if floored and floor else name
            label += "" if number == 1 else ", filled" if number == "fill" else f" x {number}"
            chosen = scenario.model_copy(update={"placement": table})
            yield Placed(name=label, strategy=name, floor_per_s=floor, scenario=chosen)


def problem_of(
    scenario: Scenario, stream: str = "planning", *, world: World | None = None
) -> PlacementProblem:
    """The planning problem of a scenario's first plan, outages drawn from a named stream."""
    world, simulation = world or World(scenario), scenario.simulation
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


def without_satellites(problem: PlacementProblem, gone: NDArray[np.int64]) -> PlacementProblem:
    """The same problem where some satellites host nothing and pass nothing on.

    Parameters
    ----------
    problem : PlacementProblem
    gone : (D,) int
    """
    alive = np.ones(problem.n_satellites, bool)
    alive[gone] = False
    source = np.repeat(alive, np.diff(problem.indptr))
    return replace(
        problem,
        memory_bytes=problem.memory_bytes * alive,
        weight_s=np.where(source & alive[problem.indices], problem.weight_s, np.inf),
    )


def _place(
    scenario: Scenario, floor_per_s: float, dead: int, replicate: int
) -> tuple[DeploymentCost, Bound] | str:
    """Cost of one plan and what none can beat, or why there is none."""
    simulation = scenario.simulation.model_copy(update={"replicate": replicate})
    scenario = scenario.model_copy(update={"simulation": simulation})
    rng = seeding.stream(simulation.seed, replicate, "strategy").at(0)
    planned, seen = problem_of(scenario), problem_of(scenario, "evaluation")
    if dead:
        draw = seeding.stream(simulation.seed, replicate, "casualties").at(0)
        gone = draw.choice(planned.n_satellites, min(dead, planned.n_satellites), replace=False)
        planned, seen = without_satellites(planned, gone), without_satellites(seen, gone)
    try:
        deployment = plan_deployment(scenario, planned, rng)
    except InputError as error:
        return str(error)
    number = len(deployment)
    bound = Bound(
        latency_s=lower_bound_s(seen, min_tokens_per_s=floor_per_s, instances=number),
        throughput_per_s=upper_bound_per_s(seen, instances=number),
    )
    return deployment_cost(seen, deployment), bound
