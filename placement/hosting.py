"""Room for experts: which places a layer may use under memory and the spreading rule."""

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from twin.errors import InputError


def expert_room(problem: PlacementProblem, gateway: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many experts each satellite can take once the gateways are placed, (N,)."""
    gateways = np.bincount(gateway, minlength=problem.n_satellites)
    free = problem.memory_bytes - gateways * problem.gateway_bytes
    # The tiny allowance keeps a memory that is an exact multiple from losing a place to rounding.
    room = np.floor(free / problem.expert_bytes + 1e-9).astype(np.int64)
    room = np.clip(room, 0, problem.experts_per_satellite)
    if not problem.experts_on_gateway:
        room[gateways > 0] = 0
    return room


def places(
    room: NDArray[np.int64], candidates: NDArray[np.int64], needed: int, what: str
) -> NDArray[np.int64]:
    """Candidates repeated once for every expert they can take, in the order given.

    Raises
    ------
    InputError
        If there are fewer than `needed`; `what` names who asks.
    """
    rows = np.repeat(candidates, room[candidates])
    if len(rows) < needed:
        raise InputError(
            f"{what}: room for {len(rows)} experts, needs {needed}; raise "
            "compute.memory_gb or placement.experts_per_satellite, allow "
            "placement.experts_on_gateway, or take more satellites"
        )
    return rows
