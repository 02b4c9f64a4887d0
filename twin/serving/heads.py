"""Where the LM head is: with the first gateway, or on satellites of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.serving.hosts import Hosts


@dataclass(kw_only=True)
class Heads:
    """Satellites of the LM head.

    Attributes
    ----------
    apart : int
        How many each instance has of its own; 0 if it is with the first gateway.
    satellite : (R, H) int32
        Of each instance. H is 1 if it is with the first gateway. Where too few satellites are
        free, some are the first gateway too.
    between : (R, 2) int32
        Gateways of the last and the first layer that the satellites were chosen for.
    """

    apart: int
    satellite: NDArray[np.int32]
    between: NDArray[np.int32]

    @property
    def count(self) -> int:
        """H."""
        return max(self.apart, 1)

    def choose(
        self,
        hosts: Hosts,
        delay_s: NDArray[np.float64],
        *,
        may: NDArray[np.bool_],
    ) -> None:
        """Choose satellites, if the ring is another, or if one may not be used any longer.

        Parameters
        ----------
        hosts : Hosts
        delay_s : (R*L, N) float64
            From each layer's gateway.
        may : (N,) bool
            Satellites that are up, and have room for the LM head.
        """
        gateway = hosts.gateway.reshape(len(self.satellite), -1)
        if not self.apart:
            self.satellite = gateway[:, :1].copy()
            return
        rows = np.arange(len(hosts.gateway)).reshape(gateway.shape)
        free = may.copy()
        free[hosts.gateway] = free[hosts.satellite.ravel()] = False
        way_s = delay_s[rows[:, -1]] + delay_s[rows[:, 0]]
        between = gateway[:, [-1, 0]]
        stay = (self.between == between).all(axis=1)
        for i, mine in enumerate(self.satellite):
            stay[i] &= (may & np.isfinite(way_s[i]))[mine].all()
        free[self.satellite[stay].ravel()] = False
        for i in np.flatnonzero(~stay).tolist():
            nearest = np.argsort(np.where(free, way_s[i], np.inf), kind="stable")[: self.apart]
            found = np.isfinite(way_s[i][nearest]) & free[nearest]
            self.satellite[i] = np.where(found, nearest, gateway[i, 0])
            free[nearest[found]] = False
        self.between = between.copy()


def heads_at_start(apart: int, instances: int = 1) -> Heads:
    """Return the state before any is chosen."""
    return Heads(
        apart=apart,
        satellite=np.zeros((instances, max(apart, 1)), np.int32),
        between=np.full((instances, 2), -1, np.int32),
    )
