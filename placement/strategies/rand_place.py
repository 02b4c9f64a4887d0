"""RandPlace: gateways and experts anywhere (baseline of arXiv 2605.00515)."""

import numpy as np

from placement.hosting import expert_room, places
from placement.problem import Placement, PlacementProblem
from twin.errors import InputError


def rand_place(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:
    """Draw distinct gateways, then places for all experts, uniformly over the constellation."""
    layers, experts = problem.activation.shape
    able = np.flatnonzero(problem.memory_bytes >= problem.gateway_bytes)
    if len(able) < layers:
        raise InputError(f"{layers} gateways need as many satellites, only {len(able)} have room")
    gateway = rng.permutation(able)[:layers].astype(np.int32)
    everywhere = np.arange(problem.n_satellites)
    pool = places(expert_room(problem, gateway), everywhere, layers * experts, "rand-place")
    expert = rng.choice(pool, (layers, experts), replace=False)
    return Placement(gateway=gateway, expert=expert.astype(np.int32))
