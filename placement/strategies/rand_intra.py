"""RandIntra and RandIntra-CG: the right subnet, random experts in it (arXiv 2605.00515)."""

import numpy as np
from numpy.typing import NDArray

from placement.hosting import expert_room, places
from placement.problem import Placement, PlacementProblem
from placement.rings import central_gateways, gateway_candidates, layer_ring


def rand_intra(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:
    """Draw each layer's gateway and experts uniformly within its subnet."""
    subnet = layer_ring(problem)
    gateway = np.array(
        [rng.choice(gateway_candidates(problem, subnet, i)) for i in range(problem.n_layers)],
        np.int32,
    )
    return _random_experts(problem, subnet, gateway, rng)


def rand_intra_cg(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:
    """Put gateways in the middle plane, draw experts uniformly within each subnet."""
    subnet = layer_ring(problem)
    return _random_experts(problem, subnet, central_gateways(problem, subnet), rng)


def _random_experts(
    problem: PlacementProblem,
    subnet: NDArray[np.int32],
    gateway: NDArray[np.int32],
    rng: np.random.Generator,
) -> Placement:
    room = expert_room(problem, gateway)
    expert = np.empty(problem.activation.shape, np.int32)
    for layer in range(problem.n_layers):
        rows = np.flatnonzero(subnet == layer)
        pool = places(room, rows, problem.n_experts, f"layer {layer}'s subnet")
        expert[layer] = rng.choice(pool, problem.n_experts, replace=False)
    return Placement(gateway=gateway, expert=expert)
