"""From a scenario to a placement problem, and from there to a checked placement."""

import numpy as np
from numpy.typing import NDArray

from agents.inference import Inference
from placement.problem import Placement, PlacementProblem, check
from placement.strategies.table import STRATEGIES
from twin import registry
from twin.network.topology import Sky
from twin.scenario.schema import Scenario


def planning_problem(
    scenario: Scenario,
    sky: Sky,
    inference: Inference,
    *,
    memory_bytes: NDArray[np.float64],
    first_step: int,
    last_step: int,
    rng: np.random.Generator,
) -> PlacementProblem:
    """Pose the placement problem for the steps from `first_step` to `last_step`.

    The planner sees predicted geometry with outages of its own drawing (`rng`), never those that
    the run will meet.
    """
    table = scenario.placement
    precision = scenario.model.precision
    steps = np.unique(
        np.linspace(first_step, last_step, table.planning_snapshots).round().astype(np.int64)
    )
    return PlacementProblem(
        plane=sky.constellation.plane,
        ring_position=sky.constellation.ring_position,
        indptr=sky.skeleton.indptr,
        indices=sky.skeleton.indices,
        weight_s=sky.planning_weights(steps, rng),
        activation=inference.activation,
        memory_bytes=memory_bytes,
        gateway_bytes=float(inference.card.gateway_bytes(precision)),
        expert_bytes=float(inference.card.expert_bytes(precision)),
        experts_per_satellite=table.experts_per_satellite,
        experts_on_gateway=table.experts_on_gateway,
    )


def plan(scenario: Scenario, problem: PlacementProblem, rng: np.random.Generator) -> Placement:
    """Run the scenario's strategy on a problem and check its answer."""
    table = scenario.placement
    strategy = registry.build("placement strategy", STRATEGIES, table.strategy, table.params)
    placement = strategy(problem, rng=rng)
    check(problem, placement)
    return placement
