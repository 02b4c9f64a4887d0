"""Expected token latency of static placements, many variants over one world.

Variants of a scenario that differ only in model, activations, accounting or placement meet the
same orbits and outages, so their shortest paths are computed once. The latency of a step is the
exact expectation over the draw of experts; what the twin samples token by token has it as mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.fleet import hardware
from twin import seeding
from twin.errors import InputError
from twin.moe.expectation import ExpectedLatency
from twin.moe.inference import inference
from twin.network.routing import shortest_paths
from twin.planning.problems import plan
from twin.scenario.schema import Scenario
from twin.serving.hosts import expected_on, resolve
from twin.study.place import problem_of
from twin.world.world import World

SHARED = ("simulation", "constellation", "propagation", "links", "outages")
"""Tables in which variants over one world must agree."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One variant in one replicate.

    Attributes
    ----------
    latency_s : (T,) float64
        Expected latency of a served token at each step, NaN if none can be served.
    served : (T,) float64
        Probability that a token is served.
    infeasible : str
        Why there is no placement; the arrays are then empty.
    """

    latency_s: NDArray[np.float64]
    served: NDArray[np.float64]
    infeasible: str = ""

    @property
    def mean_s(self) -> float:
        """Mean over the steps that serve."""
        return float(np.nanmean(self.latency_s)) if len(self.latency_s) else float("nan")


def evaluate(variants: Mapping[str, Scenario], replicate: int) -> dict[str, Evaluation]:
    """Evaluate every variant in one replicate.

    Parameters
    ----------
    variants : mapping of str to Scenario
        Alike in all tables of `SHARED`.
    replicate : int
        Which draw of outages, activations and random placements; overrides the scenarios' own.

    Raises
    ------
    InputError
        If the variants do not share a world.
    """
    result: dict[str, Evaluation] = {}
    cases = {}
    world = World(_one_sky(variants))
    for key, variant in variants.items():
        scenario = variant.model_copy(
            update={"simulation": variant.simulation.model_copy(update={"replicate": replicate})}
        )
        try:
            cases[key] = _Case(scenario, world)
        except InputError as error:
            result[key] = Evaluation(
                latency_s=np.empty(0), served=np.empty(0), infeasible=str(error)
            )
    groups: dict[bytes, list[_Case]] = {}
    for case in cases.values():
        groups.setdefault(case.placement.gateway.tobytes(), []).append(case)
    for snapshot in world.snapshots(replicate):
        for group in groups.values():
            gateway = group[0].placement.gateway
            delay_s, _ = shortest_paths(
                world.skeleton.indptr, world.skeleton.indices, snapshot.weight_s, gateway
            )
            for case in group:
                case.see(delay_s, snapshot.instant.t_s)
    return result | {key: case.conclude() for key, case in cases.items()}


class _Case:
    """A variant's placement, and its results so far."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        simulation = scenario.simulation
        self.inference = inference(scenario)
        self._pace, _ = hardware(world.constellation, scenario)
        problem = problem_of(scenario, world=world)
        rng = seeding.stream(simulation.seed, simulation.replicate, "strategy").at(0)
        self.placement = plan(scenario, problem, rng)
        self._choose_from = scenario.serving.choose_from
        self._latency: list[ExpectedLatency] = []

    def see(self, delay_s: NDArray[np.float64], t_s: float) -> None:
        model, placement = self.inference.at(t_s), self.placement
        up = np.ones(len(self._pace), bool)
        hosts = resolve(placement, placement.gateway, delay_s, model.transfer_s, up=up)
        self._latency.append(expected_on(hosts, model, self._pace, choose_from=self._choose_from))

    def conclude(self) -> Evaluation:
        return Evaluation(
            latency_s=np.array([step.mean_s for step in self._latency]),
            served=np.array([step.served_probability for step in self._latency]),
        )


def _one_sky(variants: Mapping[str, Scenario]) -> Scenario:
    first, *others = variants.values()
    for other in others:
        for table in SHARED:
            if getattr(other, table) != getattr(first, table):
                raise InputError(f"variants over one world differ in table {table}")
    return first
