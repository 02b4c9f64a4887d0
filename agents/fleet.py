"""State of all satellites, one array a quantity; row = satellite."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.energy.budget import FleetEnergy


@dataclass(kw_only=True)
class FleetState:
    """What changes about N satellites, rewritten every step.

    Attributes
    ----------
    energy : FleetEnergy
        Charge, temperature, power and the compute speed they leave.
    sunlit : (N,) float64
        Mean visible share of the solar disc during the step.
    utilisation : (N,) float64
        Share of the step that the computer is busy; above 1 it is asked more than it can do.
    degree : (N,) int64
        Links that are up.
    memory_bytes : (N,) float64
        Memory for weights.
    experts : (N,) int64
        Experts hosted.
    layer : (N,) int16
        A layer hosted here (a gateway's goes first), -1 for none.
    gateway : (N,) bool
        Whether the satellite is a gateway.
    """

    energy: FleetEnergy
    sunlit: NDArray[np.float64]
    utilisation: NDArray[np.float64]
    degree: NDArray[np.int64]
    memory_bytes: NDArray[np.float64]
    experts: NDArray[np.int64]
    layer: NDArray[np.int16]
    gateway: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """N."""
        return len(self.sunlit)

    @property
    def accepting(self) -> NDArray[np.bool_]:
        """Who takes on experts, (N,): not without power, nor while living on the reserve."""
        return self.energy.powered & ~self.energy.low

    def host(self, placement: Placement) -> None:
        """Take over a placement."""
        self.experts = np.bincount(placement.expert.ravel(), minlength=self.size)
        self.layer, self.gateway = hosted_layer(self.size, placement)


def fleet_at_start(n: int, energy: FleetEnergy, *, memory_bytes: float) -> FleetState:
    """N alike satellites before the first step."""
    return FleetState(
        energy=energy,
        sunlit=np.ones(n),
        utilisation=np.zeros(n),
        degree=np.zeros(n, np.int64),
        memory_bytes=np.full(n, memory_bytes),
        experts=np.zeros(n, np.int64),
        layer=np.full(n, -1, np.int16),
        gateway=np.zeros(n, bool),
    )


def hosted_layer(n: int, placement: Placement) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Which layer each of N satellites hosts (-1: none; a gateway's goes first), and gateways."""
    layer = np.full(n, -1, np.int16)
    gateway = np.zeros(n, bool)
    for index, hosts in enumerate(placement.expert):
        layer[hosts] = index
    layer[placement.gateway] = np.arange(len(placement.gateway))
    gateway[placement.gateway] = True
    return layer, gateway
