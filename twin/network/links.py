"""Laser inter-satellite links: whether a pairing holds at an instant, and its delay."""

from dataclasses import dataclass
from enum import IntEnum

import numba
import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S, R_EARTH_KM
from twin.network.grid import Skeleton
from twin.scenario.schema import Links


class LinkState(IntEnum):
    """State of a link in a snapshot; anything but `UP` names the first limit that broke it."""

    UP = 0
    RANGE = 1
    GRAZING = 2
    RATE = 3
    RANDOM = 4


@dataclass(frozen=True, kw_only=True)
class LinkLimits:
    """What a link must respect; lengths in km, rate in rad/s."""

    minimum_radius_km: float
    max_range_km: float
    max_angular_rate_rad_s: float


def limits(links: Links) -> LinkLimits:
    """Return the limits of a scenario's links table."""
    return LinkLimits(
        minimum_radius_km=R_EARTH_KM + links.grazing_altitude_km,
        max_range_km=np.inf if links.max_range_km is None else links.max_range_km,
        max_angular_rate_rad_s=links.max_angular_rate_rad_s,
    )


def link_states(
    skeleton: Skeleton,
    r_km: NDArray[np.float64],
    v_km_s: NDArray[np.float64],
    unbroken: NDArray[np.bool_],
    limit: LinkLimits,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """State of every link at one instant, and the delays that go with it.

    The line of sight turns at ``|dr x dv| / |dr|^2`` in inertial axes, and passes the Earth's
    centre at ``|ra x rb| / |dr|`` where the closest point lies between the two satellites.

    Parameters
    ----------
    skeleton : Skeleton
    r_km, v_km_s : (N, 3) float64
        Positions and velocities in one inertial frame.
    unbroken : (E,) bool
        Links that no random outage holds down.
    limit : LinkLimits

    Returns
    -------
    state : (E,) uint8
        `LinkState`; geometry is told before chance.
    weight_s : (2E,) float64
        One-way light time per CSR entry, ``inf`` where the link is not up.
    """
    state = np.empty(len(skeleton.edges), np.uint8)
    weight_s = np.empty(len(skeleton.indices))
    _link_states(
        skeleton.edges,
        skeleton.entry,
        r_km,
        v_km_s,
        unbroken,
        limit.minimum_radius_km,
        limit.max_range_km,
        limit.max_angular_rate_rad_s,
        state,
        weight_s,
    )
    return state, weight_s


@numba.njit(cache=True)
def _link_states(  # type: ignore[no-untyped-def]
    edges, entry, r_km, v_km_s, unbroken, minimum_radius_km, max_range_km, max_rate, state, weight_s
):
    for e in range(edges.shape[0]):
        a = edges[e, 0]
        b = edges[e, 1]
        ax, ay, az = r_km[a, 0], r_km[a, 1], r_km[a, 2]
        dx, dy, dz = r_km[b, 0] - ax, r_km[b, 1] - ay, r_km[b, 2] - az
        wx, wy, wz = (
            v_km_s[b, 0] - v_km_s[a, 0],
            v_km_s[b, 1] - v_km_s[a, 1],
            v_km_s[b, 2] - v_km_s[a, 2],
        )
        range2 = dx * dx + dy * dy + dz * dz
        # Where along a -> b the Earth's centre is closest, as a fraction of the link.
        along = -(ax * dx + ay * dy + az * dz) / range2
        along = min(1.0, max(0.0, along))
        px, py, pz = ax + along * dx, ay + along * dy, az + along * dz
        cx, cy, cz = dy * wz - dz * wy, dz * wx - dx * wz, dx * wy - dy * wx
        code = 0
        if range2 > max_range_km * max_range_km:
            code = 1
        elif px * px + py * py + pz * pz < minimum_radius_km * minimum_radius_km:
            code = 2
        elif cx * cx + cy * cy + cz * cz > (max_rate * range2) ** 2:
            code = 3
        elif not unbroken[e]:
            code = 4
        state[e] = code
        delay = np.sqrt(range2) / C_KM_S if code == 0 else np.inf
        weight_s[entry[e, 0]] = delay
        weight_s[entry[e, 1]] = delay
