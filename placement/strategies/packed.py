"""The paper's ring with experts on the way, as memory and compute allow."""

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
    gateway = central_gateways(problem, layer_ring(problem))
    way_s = mean_way_s(problem, gateway)
    limit = limits(
        problem, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=False
    )
    near = nearest(way_s, problem.memory_bytes >= problem.expert_bytes, _NEAREST)
    for tight in (False, True):
        host = fill(problem, limit, way_s, near, gateway, tight=tight)
        if host is not None:
            return Placement(gateway=gateway, expert=host)
    raise InputError(
        "packed: not enough room around the gateways; raise compute.memory_gb or compute.gflops, "
        "or ask for fewer tokens"
    )
