"""Osculating states from mean elements, and mean elements from them: J2's short periods."""

import numpy as np
from numpy.typing import NDArray

from twin.constants import J2_EARTH, MU_EARTH_KM3_S2, R_EARTH_KM
from twin.space.angles import mean_anomaly, true_anomaly

type Array = NDArray[np.float64]

_ROUNDS = 12
"""Each gains two digits or more: J2 is small."""


def states(mean: Array) -> tuple[Array, Array]:
    """Osculating states (N, 3), in km and km/s, from mean elements.

    Adds the short-period terms of J2 to first order. Those of radius, argument of latitude,
    node, inclination and the direction of the velocity leave out what is also proportional to
    the eccentricity; the speed then follows from the semi-major axis, whose correction is
    complete, because an error there would grow with every orbit.

    Parameters
    ----------
    mean : (N, 6) float64
        a_km, ecc, inc_rad, raan_rad, argp_rad, nu_rad.

    References
    ----------
    D. Brouwer, "Solution of the problem of artificial satellite theory without drag",
    Astronomical Journal 64, 1959; F. R. Hoots and R. L. Roehrich, "Models for propagation of
    NORAD element sets", Spacetrack Report 3, 1980, section 6.
    """
    mean_a_km, ecc, mean_inc, mean_raan, argp, nu = mean.T
    cos_i, sin2_i = np.cos(mean_inc), np.sin(mean_inc) ** 2
    p_km, u = mean_a_km * (1 - ecc**2), argp + nu
    r_km = p_km / (1 + ecc * np.cos(nu))
    speed = np.sqrt(MU_EARTH_KM3_S2 / p_km)
    k = J2_EARTH * R_EARTH_KM**2 / (2 * p_km)  # km
    eta, n = np.sqrt(1 - ecc**2), np.sqrt(MU_EARTH_KM3_S2 / mean_a_km**3)
    cos_2u, sin_2u, level = np.cos(2 * u), np.sin(2 * u), 3 * cos_i**2 - 1

    radius = r_km * (1 - 1.5 * k / p_km * eta * level) + 0.5 * k * sin2_i * cos_2u
    climb = speed * ecc * np.sin(nu) - n * k * sin2_i * sin_2u
    along = speed * p_km / r_km + n * k * (sin2_i * cos_2u + 1.5 * level)
    latitude = u - 0.25 * k / p_km * (7 * cos_i**2 - 1) * sin_2u
    raan = mean_raan + 1.5 * k / p_km * cos_i * sin_2u
    inc = mean_inc + 1.5 * k / p_km * cos_i * np.sin(mean_inc) * cos_2u

    swell = (mean_a_km / r_km) ** 3 * (level / 2 + 1.5 * sin2_i * cos_2u) - level / 2 / eta**3
    a_km = mean_a_km + J2_EARTH * R_EARTH_KM**2 / mean_a_km * swell
    true_speed = np.sqrt(MU_EARTH_KM3_S2 * (2 / radius - 1 / a_km))
    scale = true_speed / np.hypot(climb, along)
    outward, forward = _axes(inc, raan, latitude)
    velocity = climb[:, None] * outward + along[:, None] * forward
    return radius[:, None] * outward, scale[:, None] * velocity


def _axes(inc: Array, raan: Array, latitude: Array) -> tuple[Array, Array]:
    """Unit vectors outward and forward, (N, 3) each."""
    node = np.stack([np.cos(raan), np.sin(raan), np.zeros_like(raan)], axis=1)
    up = np.stack([-np.cos(inc) * np.sin(raan), np.cos(inc) * np.cos(raan), np.sin(inc)], axis=1)
    c, s = np.cos(latitude)[:, None], np.sin(latitude)[:, None]
    return c * node + s * up, c * up - s * node


def mean_elements(r_km: Array, v_km_s: Array) -> Array:
    """Mean elements (N, 6) whose osculating states `states` gives are those, (N, 3) each."""
    wanted = nonsingular(r_km, v_km_s)
    mean = wanted.copy()
    for _ in range(_ROUNDS):
        mean += wanted - nonsingular(*states(classical(mean)))
    return classical(mean)


def nonsingular(r_km: Array, v_km_s: Array) -> Array:
    """a_km, e cos w, e sin w, inc, node, w + M of osculating orbits, (N, 6); smooth at e = 0.

    Angles may jump by a turn, which their sine and cosine do not see.
    """
    radius = np.linalg.norm(r_km, axis=1)
    normal = np.cross(r_km, v_km_s)
    momentum = np.linalg.norm(normal, axis=1)
    a_km = 1 / (2 / radius - np.sum(v_km_s**2, axis=1) / MU_EARTH_KM3_S2)
    inc = np.arctan2(np.hypot(normal[:, 0], normal[:, 1]), normal[:, 2])
    raan = np.arctan2(normal[:, 0], -normal[:, 1])
    node = np.stack([np.cos(raan), np.sin(raan), np.zeros_like(raan)], axis=1)
    ahead = np.cross(normal / momentum[:, None], node)
    to_perigee = np.cross(v_km_s, normal) / MU_EARTH_KM3_S2 - r_km / radius[:, None]
    ecc_cos, ecc_sin = (np.sum(to_perigee * axis, axis=1) for axis in (node, ahead))
    latitude = np.arctan2(np.sum(r_km * ahead, axis=1), np.sum(r_km * node, axis=1))
    argp = np.arctan2(ecc_sin, ecc_cos)
    ecc = np.minimum(np.hypot(ecc_cos, ecc_sin), 1 - 1e-9)
    along = argp + mean_anomaly(latitude - argp, ecc)
    return np.stack([a_km, ecc_cos, ecc_sin, inc, raan, along], axis=1)


def classical(nonsingular: Array) -> Array:
    """a_km, ecc, inc, raan, argp, nu of the same, (N, 6)."""
    a_km, ecc_cos, ecc_sin, inc, raan, along = nonsingular.T
    argp, ecc = np.arctan2(ecc_sin, ecc_cos), np.hypot(ecc_cos, ecc_sin)
    nu = true_anomaly(along - argp, ecc)
    return np.stack([a_km, ecc, inc, raan % (2 * np.pi), argp % (2 * np.pi), nu], axis=1)
