"""The machines that a model's requests are served on, in one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, serving_gateways
from twin.network.routing import shortest_paths
from twin.serving.hosts import Hosts, resolve

if TYPE_CHECKING:
    from agents.model import TwinModel

type Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Machines:
    """N machines, links between them, and the R instances on them, L layers each.

    Attributes
    ----------
    indptr, indices : (N+1,), (nnz,) int32
        CSR skeleton of the links.
    weight_s : (nnz,) float64
    placement : Placement
    hosts : Hosts
    delay_s : (R*L, N) float64
        From each layer's gateway.
    predecessor : (R*L, N) int32
    up : (N,) bool
    speed, pace : (N,) float64
        Compute speed, now and in full.
    memory_bytes : (N,) float64
    from_site_s : callable
        Way from each of S sites to some machines, (K, S), of delays from them, (K, N).
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weight_s: Floats
    placement: Placement
    hosts: Hosts
    delay_s: Floats
    predecessor: NDArray[np.int32]
    up: NDArray[np.bool_]
    speed: Floats
    pace: Floats
    memory_bytes: Floats
    from_site_s: Callable[[Floats], Floats]

    def paths_from(self, machines: NDArray[np.int32]) -> tuple[Floats, NDArray[np.int32]]:
        """Delays and predecessors from some machines, as of `shortest_paths`."""
        return shortest_paths(self.indptr, self.indices, self.weight_s, machines)


def satellites(model: TwinModel) -> Machines:
    """Return a model's satellites, on the topology and placement of its step."""
    fleet, skeleton, ground = model.fleet, model.world.skeleton, model.ground
    site = np.arange(max(ground.sites.size, 1))
    return Machines(
        indptr=skeleton.indptr,
        indices=skeleton.indices,
        weight_s=model.snapshot.weight_s,
        placement=model.controller.placement,
        hosts=model.all_hosts,
        delay_s=model.all_delay_s,
        predecessor=model.all_predecessor,
        up=fleet.up,
        speed=fleet.speed,
        pace=fleet.pace,
        memory_bytes=fleet.memory_bytes,
        from_site_s=lambda delay_s: np.stack([ground.entry_s(site, way) for way in delay_s]),
    )


def routed(model: TwinModel) -> tuple[Floats, NDArray[np.int32], Hosts]:
    """Return delays and predecessors from the gateways that serve, and the hosts on these ways."""
    placement, skeleton, fleet = model.controller.placement, model.world.skeleton, model.fleet
    gateway = serving_gateways(placement, fleet.up)
    delay_s, predecessor = shortest_paths(
        skeleton.indptr, skeleton.indices, model.snapshot.weight_s, gateway
    )
    hosts = resolve(
        placement,
        gateway,
        delay_s,
        model.inference.transfer_s,
        up=fleet.up,
        absent=model.controller.transfers.absent,
        instances=len(gateway) // model.inference.card.layers,
    )
    return delay_s, predecessor, hosts
