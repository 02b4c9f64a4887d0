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
        How many it has of its own; 0 if it is with the first gateway.
    satellite : (H,) int32
        H is 1 if it is with the first gateway. Where too few satellites are free, some are the
        first gateway too.
    between : (2,) int32
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
        delay_s : (L, N) float64
            From each layer's gateway.
        may : (N,) bool
            Satellites that are up, and have room for the LM head.
        """
        if not self.apart:
            self.satellite = hosts.gateway[:1].copy()
            return
        way_s = delay_s[-1] + delay_s[0]
        between = hosts.gateway[[-1, 0]]
        mine = self.satellite
        if np.array_equal(self.between, between) and (may & np.isfinite(way_s))[mine].all():
            return
        free = may.copy()
        free[hosts.gateway] = free[hosts.satellite.ravel()] = False
        nearest = np.argsort(np.where(free, way_s, np.inf), kind="stable")[: self.apart]
        found = np.isfinite(way_s[nearest]) & free[nearest]
        self.satellite = np.where(found, nearest, hosts.gateway[0]).astype(np.int32)
        self.between = between.copy()


def heads_at_start(apart: int) -> Heads:
    """Return the state before any is chosen."""
    return Heads(
        apart=apart,
        satellite=np.zeros(max(apart, 1), np.int32),
        between=np.full(2, -1, np.int32),
    )
