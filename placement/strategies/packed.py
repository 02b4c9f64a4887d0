"""The paper's ring with experts on the way, as memory and compute allow."""

import dataclasses

import numpy as np

from placement.delays import mean_way_s, nearest
from placement.filling import fill, limits
from placement.problem import Placement, PlacementProblem
from placement.rings import central_gateways, layer_ring
from twin.errors import InputError

_NEAREST = 64


def packed(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
) -> Placement:
    """Keep Space-XNet's central gateways; host experts at both of them, then around.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Not used.
    min_tokens_per_s, busy_margin : float
        As in `joint`.
    """
    limit = limits(
        problem, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=False
    )
    # Other instances may leave too little of a satellite for a gateway.
    able = (limit.capacity >= limit.gateway.max(axis=0)).all(axis=1) | (problem.taken_s == 0)
    free = dataclasses.replace(problem, memory_bytes=np.where(able, problem.memory_bytes, 0.0))
    gateway = central_gateways(free, layer_ring(free))
    way_s = mean_way_s(problem, gateway)
    near = nearest(way_s, problem.memory_bytes >= problem.expert_bytes, _NEAREST)
    for tight in (False, True):
        host = fill(problem, limit, way_s, near, gateway, tight=tight)
        if host is not None:
            return Placement(gateway=gateway, expert=host)
    raise InputError(
        "packed: not enough room around the gateways; raise compute.memory_gb or compute.gflops, "
        "or ask for fewer tokens"
    )
