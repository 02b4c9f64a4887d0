"""What satellites host, and the room that they have for experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, PlacementProblem
from twin.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class Hosting:
    """What each of N satellites hosts under one placement.

    Attributes
    ----------
    layer : (N,) int16
        A layer of some instance hosted here, a gateway's first, then a standby's; -1 for none.
    gateway : (N,) bool
        Whether it is a gateway, or stands by as one.
    experts : (N,) int64
        Experts hosted, copies included.
    """

    layer: NDArray[np.int16]
    gateway: NDArray[np.bool_]
    experts: NDArray[np.int64]


def hosting(n: int, placement: Placement, layers: int) -> Hosting:
    """What each of `n` satellites hosts; of several instances, so many layers are of each."""
    layer, gateway = np.full(n, -1, np.int16), np.zeros(n, bool)
    copies, gateways = placement.copies.reshape(len(placement.gateway), -1), placement.gateways
    # Later writes win.
    for hosts in (copies, gateways, gateways[:, :1]):
        there = hosts >= 0
        layer[hosts[there]] = there.nonzero()[0] % layers
    gateway[gateways[gateways >= 0]] = True
    experts = np.bincount(copies[copies >= 0], minlength=n)
    return Hosting(layer=layer, gateway=gateway, experts=experts)


def from_rows(
    instance: NDArray[np.integer],
    layer: NDArray[np.integer],
    expert: NDArray[np.integer],
    copy: NDArray[np.integer],
    satellite: NDArray[np.integer],
) -> Placement:
    """The placement that a run's table lists: one row a copy; expert -1 is the gateway."""
    row = instance.astype(int) * (layer.max() + 1) + layer
    hosts = np.full((row.max() + 1, expert.max() + 2, copy.max() + 1), -1, np.int32)
    hosts[row, expert + 1, copy] = satellite
    return Placement(
        gateway=hosts[:, 0, 0],
        expert=hosts[:, 1:, 0],
        standby=hosts[:, 0, 1:],
        replica=hosts[:, 1:, 1:],
    )


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
        If there are fewer than `needed`; `what` names the caller.
    """
    rows = np.repeat(candidates, room[candidates])
    if len(rows) < needed:
        raise InputError(
            f"{what}: room for {len(rows)} experts, needs {needed}; raise "
            "compute.memory_gb or placement.experts_per_satellite, allow "
            "placement.experts_on_gateway, or take more satellites"
        )
    return rows
