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
    card, n = inference.card, sky.constellation.size
    kv_bytes = float(
        scenario.workload.conversations
        * scenario.model.context_tokens
        * card.kv_bytes_per_token_per_layer
    )
    weight_s = sky.planning_weights(steps, rng)
    return PlacementProblem(
        plane=sky.constellation.plane,
        ring_position=sky.constellation.ring_position,
        indptr=sky.skeleton.indptr,
        indices=sky.skeleton.indices,
        weight_s=weight_s,
        entry_share=np.zeros((len(weight_s), n)),
        probability=inference.probability,
        top_k=card.top_k,
        activation=inference.activation,
        memory_bytes=memory_bytes,
        gateway_bytes=card.gateway_bytes(precision) + kv_bytes,
        expert_bytes=float(card.expert_bytes(precision)),
        kv_bytes=kv_bytes,
        expert_s=inference.expert_s,
        gateway_s=inference.compute.gateway_s,
        stage_s=inference.stage_s,
        transfer_s=inference.transfer_s,
        speed=np.ones(n),
        busy_limit=np.ones(n),
        sunlit=np.ones(n),
        rate_per_s=scenario.workload.rate_per_s or 0.0,
        compute_w=0.0,
        availability=scenario.faults.availability if scenario.faults.model != "none" else 1.0,
        current=None,
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
