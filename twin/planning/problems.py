"""From a scenario to a placement problem, and from there to a checked placement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.deployment import Deployment, deploy
from placement.problem import Placement, PlacementProblem
from placement.strategies.table import STRATEGIES
from twin.energy import bus
from twin.energy.budget import Own
from twin.moe.inference import Inference
from twin.moe.spec import ModelCard
from twin.planning.forecast import Light, Oracle, busy_limit, entry_share, light
from twin.scenario.schema import Scenario
from twin.world.spacecraft import bus_profile
from twin.world.world import World


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What requests ask of the constellation.

    Attributes
    ----------
    tokens_per_s : float
        Of prompts and answers, in the mean.
    made_share : float
        Share of them that are of answers, each of which needs the LM head.
    group_tokens : float
        Tokens that go together, mean over tokens: a prompt's go in chunks.
    """

    tokens_per_s: float
    made_share: float
    group_tokens: float


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the planner knows of the satellites and the demand.

    Attributes
    ----------
    memory_bytes : (N,) float64
        0 for a satellite that takes nothing on.
    pace : (N,) float64
        Full compute speed of each satellite, relative to the scenario's computer.
    soc : (N,) float64
        State of charge.
    probability, activation : (L, E) float64
        The router's choices as the planner expects them.
    cached_tokens : int or None
        In the cache of every layer, by requests; None where the scenario says.
    current : Placement or None
        The placement in force.
    own : Own or None
        How satellites differ from their bus; None: not at all.
    asked : Asked or None
        Of requests, where the waiting of their tokens counts; else the scenario's workload is
        what is asked.
    """

    memory_bytes: NDArray[np.float64]
    pace: NDArray[np.float64]
    soc: NDArray[np.float64]
    probability: NDArray[np.float64]
    activation: NDArray[np.float64]
    cached_tokens: int | None = None
    current: Placement | None = None
    own: Own | None = None
    asked: Asked | None = None


def planning_problem(
    scenario: Scenario,
    world: World,
    inference: Inference,
    known: Known,
    *,
    first_step: int,
    last_step: int,
    rng: np.random.Generator,
    oracle: Oracle | None = None,
    in_force_to: int | None = None,
) -> PlacementProblem:
    """Pose the placement problem for the steps from `first_step` to `last_step`, both included.

    The planner sees the predicted geometry with outages that it draws itself (`rng`). It sees the
    run's own outages only through an `oracle`. A plan that will be replaced after `in_force_to`
    averages over links and users until then; power is always forecast to the horizon.
    """
    table, card, precision = scenario.placement, inference.card, scenario.model.precision
    until = last_step if in_force_to is None else min(in_force_to, last_step)
    steps = _planning_steps(first_step, until, table.planning_snapshots)
    kv_bytes = cache_bytes(scenario, card, known.cached_tokens)
    weight_s, sound = _ahead(steps, world, rng, oracle)
    profile, asked, faults = bus_profile(scenario), known.asked, scenario.faults
    ahead = light_ahead(world, profile, first_step, last_step)
    return PlacementProblem(
        plane=world.constellation.plane,
        ring_position=world.constellation.ring_position,
        indptr=world.skeleton.indptr,
        indices=world.skeleton.indices,
        weight_s=weight_s,
        entry_share=entry_share(world, steps),
        probability=known.probability,
        top_k=card.top_k,
        activation=known.activation,
        memory_bytes=known.memory_bytes * world.may_host * sound,
        gateway_bytes=card.gateway_bytes(precision) * scenario.compute.boards + kv_bytes,
        expert_bytes=float(card.expert_bytes(precision)),
        kv_bytes=kv_bytes,
        expert_s=inference.expert_s,
        gateway_s=inference.compute.gateway_s,
        stage_s=inference.stage_s,
        head_s=inference.head_s if asked and not scenario.serving.head_satellites else 0.0,
        head_share=asked.made_share if asked else 0.0,
        transfer_s=inference.transfer_s,
        speed=known.pace,
        busy_limit=busy_limit(profile, known.soc, ahead, known.own),
        sunlit=ahead.sunlit.mean(axis=0),
        rate_per_s=asked.tokens_per_s if asked else asked_per_s(scenario, world),
        group_tokens=asked.group_tokens if asked else 1.0,
        waiting=table.waiting != "none",
        compute_w=profile.compute_peak_w - profile.compute_idle_w,
        availability=faults.availability if faults.model != "none" else 1.0,
        current=known.current,
        experts_per_satellite=table.experts_per_satellite,
        experts_on_gateway=table.experts_on_gateway,
        choose_from=scenario.serving.choose_from,
    )


def _ahead(
    steps: NDArray[np.int64], world: World, rng: np.random.Generator, oracle: Oracle | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | bool]:
    """Delays of links, and satellites that will be sound all the time, as far as that is known."""
    if oracle is None:
        return world.planning_weights(steps, rng), True
    weight_s, sound = oracle.look(steps)
    return weight_s, sound.all(axis=0)


def _planning_steps(first: int, last: int, snapshots: int) -> NDArray[np.int64]:
    """Steps at even distances, both ends included; all of them where there are fewer."""
    count = min(snapshots, last - first + 1)
    return np.linspace(first, last, count).round().astype(np.int64)


def cache_bytes(scenario: Scenario, card: ModelCard, tokens: int | None) -> float:
    """Size of one layer's cache of keys and values, all conversations or requests together."""
    if tokens is None:
        tokens = scenario.workload.conversations * scenario.model.context_tokens
    return float(tokens * card.kv_bytes_per_token_per_layer)


def light_ahead(world: World, profile: bus.BusProfile, first_step: int, last_step: int) -> Light:
    """Light and power from one step to another, but for one orbit at most."""
    start_s, end_s = world.ephemeris.t_s[[first_step, last_step]]
    return light(world, profile, first_s=start_s, last_s=min(end_s, start_s + world.period_s))


def last_planned_step(scenario: Scenario, step: int) -> int:
    """The last step that a plan made at `step` averages over: the horizon's, or the run's."""
    end = scenario.simulation.longest_steps
    return min(step + (scenario.controller.horizon_steps or end), end) - 1


def asked_per_s(scenario: Scenario, world: World) -> float:
    """Tokens asked of the constellation a second; by default only those that are followed."""
    workload = scenario.workload
    return workload.rate_per_s or workload.tokens_per_step / world.step_s


def plan_deployment(
    scenario: Scenario,
    problem: PlacementProblem,
    rng: np.random.Generator,
    *,
    instances: int | None = None,
) -> Deployment:
    """Run the scenario's strategy for as many instances as it has, and check the answer.

    `problem` is that of all instances together (`placement.deployment.deploy`). `instances` is how
    many, where that is known better than the scenario says.
    """
    table = scenario.placement
    strategy = STRATEGIES.build(table.strategy, table.params)
    return deploy(problem, strategy, instances=instances or table.instances, rng=rng)


def plan(scenario: Scenario, problem: PlacementProblem, rng: np.random.Generator) -> Placement:
    """Return the first instance of `plan_deployment`: all there is, unless a scenario has more."""
    return plan_deployment(scenario, problem, rng).instances[0]
