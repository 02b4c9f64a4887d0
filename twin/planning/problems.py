"""From a scenario to a placement problem, and from there to a checked placement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, PlacementProblem, check
from placement.strategies.table import STRATEGIES
from twin.energy import bus
from twin.moe.inference import Inference
from twin.planning.forecast import Oracle, busy_limit, entry_share, light
from twin.scenario.schema import Scenario
from twin.world.world import World


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the planner knows of the satellites and the demand.

    Attributes
    ----------
    memory_bytes : (N,) float64
        0 for who takes nothing on.
    pace : (N,) float64
        Full compute speed of each satellite, relative to ``compute.gflops``.
    soc : (N,) float64
        State of charge.
    probability, activation : (L, E) float64
        How the router is thought to choose.
    current : Placement or None
        In force.
    """

    memory_bytes: NDArray[np.float64]
    pace: NDArray[np.float64]
    soc: NDArray[np.float64]
    probability: NDArray[np.float64]
    activation: NDArray[np.float64]
    current: Placement | None = None


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

    The planner sees predicted geometry with outages of its own drawing (`rng`), never those that
    the run will meet; unless an `oracle` tells it. A plan that will be replaced after
    `in_force_to` averages over links and users until then; power is always for the horizon.
    """
    table, card = scenario.placement, inference.card
    until = last_step if in_force_to is None else min(in_force_to, last_step)
    snapshots = min(table.planning_snapshots, until - first_step + 1)
    steps = np.linspace(first_step, until, snapshots).round().astype(np.int64)
    precision = scenario.model.precision
    kv_bytes = float(
        scenario.workload.conversations
        * scenario.model.context_tokens
        * card.kv_bytes_per_token_per_layer
    )
    memory_bytes = known.memory_bytes * world.may_host
    if oracle is None:
        weight_s = world.planning_weights(steps, rng)
    else:
        weight_s, sound = oracle.look(steps)
        memory_bytes = memory_bytes * sound.all(axis=0)
    profile = bus.profile(scenario.bus)
    start_s, end_s = world.ephemeris.t_s[[first_step, last_step]]
    ahead = light(world, profile, first_s=start_s, last_s=min(end_s, start_s + world.period_s))
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
        memory_bytes=memory_bytes,
        gateway_bytes=card.gateway_bytes(precision) + kv_bytes,
        expert_bytes=float(card.expert_bytes(precision)),
        kv_bytes=kv_bytes,
        expert_s=inference.expert_s,
        gateway_s=inference.compute.gateway_s,
        stage_s=inference.stage_s,
        transfer_s=inference.transfer_s,
        speed=known.pace,
        busy_limit=busy_limit(profile, known.soc, ahead),
        sunlit=ahead.sunlit.mean(axis=0),
        rate_per_s=asked_per_s(scenario, world),
        compute_w=profile.compute_peak_w - profile.compute_idle_w,
        availability=scenario.faults.availability if scenario.faults.model != "none" else 1.0,
        current=known.current,
        experts_per_satellite=table.experts_per_satellite,
        experts_on_gateway=table.experts_on_gateway,
    )


def last_planned_step(scenario: Scenario, step: int) -> int:
    """The last step that a plan made at `step` averages over: the horizon's, or the run's."""
    end = scenario.simulation.steps
    return min(step + (scenario.controller.horizon_steps or end), end) - 1


def asked_per_s(scenario: Scenario, world: World) -> float:
    """Tokens asked of the constellation a second; those followed and no more by default."""
    workload = scenario.workload
    return workload.rate_per_s or workload.tokens_per_step / world.step_s


def plan(scenario: Scenario, problem: PlacementProblem, rng: np.random.Generator) -> Placement:
    """Run the scenario's strategy on a problem and check its answer."""
    table = scenario.placement
    strategy = STRATEGIES.build(table.strategy, table.params)
    placement = strategy(problem, rng=rng)
    check(problem, placement)
    return placement
