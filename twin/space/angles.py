"""Anomalies, and angles of an orbit seen from other axes."""

import numpy as np
from boinor.core.angles import E_to_M, E_to_nu, M_to_E_scalar, nu_to_E
from numpy.typing import NDArray

from twin.space.compiled import compiled

type Array = NDArray[np.float64]


@compiled
def true_anomaly(mean_rad: Array, ecc: Array) -> Array:
    """True anomaly in [-pi, pi] from mean anomaly and eccentricity < 1, arrays (N,)."""
    nu_rad = np.empty_like(mean_rad)
    for i in range(len(mean_rad)):
        within_rad = (mean_rad[i] + np.pi) % (2 * np.pi) - np.pi
        nu_rad[i] = E_to_nu(M_to_E_scalar(within_rad, ecc[i]), ecc[i])
    return nu_rad


@compiled
def mean_anomaly(nu_rad: Array, ecc: Array) -> Array:
    """Mean anomaly in [-pi, pi] from true anomaly and eccentricity < 1, arrays (N,)."""
    mean_rad = np.empty_like(nu_rad)
    for i in range(len(nu_rad)):
        mean_rad[i] = E_to_M(nu_to_E(nu_rad[i], ecc[i]), ecc[i])
    return mean_rad


def turned(rotation: Array, inc: Array, raan: Array, argp: Array) -> Array:
    """Inclination, node and argument of perigee (3, N) of orbits seen from turned axes."""
    zero = np.zeros_like(inc)
    node = rotation @ np.stack([np.cos(raan), np.sin(raan), zero])
    normal = rotation @ np.stack(
        [np.sin(raan) * np.sin(inc), -np.cos(raan) * np.sin(inc), np.cos(inc)]
    )
    new_inc = np.arctan2(np.hypot(normal[0], normal[1]), normal[2])
    new_raan = np.arctan2(normal[0], -normal[1])
    new_node = np.stack([np.cos(new_raan), np.sin(new_raan), zero])
    # Where the old node now stands, counted along the orbit from the new one.
    ahead = np.cross(normal, new_node, axis=0)
    shift = np.arctan2(np.sum(node * ahead, axis=0), np.sum(node * new_node, axis=0))
    return np.stack([new_inc, new_raan % (2 * np.pi), (argp + shift) % (2 * np.pi)])
