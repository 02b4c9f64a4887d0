"""The reference propagator: numerical integration of the motion under J2 (Cowell's method)."""

import numpy as np
from boinor.core.perturbations import J2_perturbation
from boinor.core.propagation import cowell, func_twobody
from numpy.typing import NDArray

from twin.constants import J2_EARTH, MU_EARTH_KM3_S2, R_EARTH_KM
from twin.space.compiled import compiled
from twin.space.constellation import Constellation

type Array = NDArray[np.float64]


def propagate(constellation: Constellation, t_s: Array) -> tuple[Array, Array]:
    """Positions and velocities by boinor's Cowell integrator, one satellite after the other.

    Always integrates from the epoch, so that an answer does not depend on what was asked before;
    a few hundred times slower than the analytical models.

    Parameters
    ----------
    constellation : Constellation
        Its mean elements, from which the osculating state at the epoch is made.
    t_s : (T,) float64
        Seconds since the epoch, >= 0.

    Returns
    -------
    r_km, v_km_s : (T, N, 3) float64
        In the axes of the GCRS, whose pole stands for Earth's.
    """
    r0_km, v0_km_s = osculating_states(constellation)
    r_km = np.empty((len(t_s), constellation.size, 3))
    v_km_s = np.empty_like(r_km)
    # One second more than asked for: the integrator wants a span even where all times are zero.
    tofs_s = np.append(t_s, np.max(t_s) + 1.0)
    for j in range(constellation.size):
        r, v = cowell(MU_EARTH_KM3_S2, r0_km[j], v0_km_s[j], tofs_s, f=_acceleration)
        r_km[:, j], v_km_s[:, j] = r[:-1], v[:-1]
    return r_km, v_km_s


def osculating_states(constellation: Constellation) -> tuple[Array, Array]:
    """Osculating states (N, 3) at the epoch, in km and km/s, from mean elements.

    Adds the short-period terms of J2 to first order. Those of radius, argument of latitude,
    node, inclination and the direction of the velocity leave out what is also proportional to
    the eccentricity; the speed then follows from the semi-major axis, whose correction is
    complete, because an error there would grow with every orbit.

    References
    ----------
    D. Brouwer, "Solution of the problem of artificial satellite theory without drag",
    Astronomical Journal 64, 1959; F. R. Hoots and R. L. Roehrich, "Models for propagation of
    NORAD element sets", Spacetrack Report 3, 1980, section 6.
    """
    c = constellation
    cos_i, sin2_i = np.cos(c.inc_rad), np.sin(c.inc_rad) ** 2
    p_km, u = c.a_km * (1 - c.ecc**2), c.argp_rad + c.nu_rad
    r_km = p_km / (1 + c.ecc * np.cos(c.nu_rad))
    speed = np.sqrt(MU_EARTH_KM3_S2 / p_km)
    k = J2_EARTH * R_EARTH_KM**2 / (2 * p_km)  # km
    eta, n = np.sqrt(1 - c.ecc**2), np.sqrt(MU_EARTH_KM3_S2 / c.a_km**3)
    cos_2u, sin_2u, level = np.cos(2 * u), np.sin(2 * u), 3 * cos_i**2 - 1

    radius = r_km * (1 - 1.5 * k / p_km * eta * level) + 0.5 * k * sin2_i * cos_2u
    climb = speed * c.ecc * np.sin(c.nu_rad) - n * k * sin2_i * sin_2u
    along = speed * p_km / r_km + n * k * (sin2_i * cos_2u + 1.5 * level)
    latitude = u - 0.25 * k / p_km * (7 * cos_i**2 - 1) * sin_2u
    raan = c.raan_rad + 1.5 * k / p_km * cos_i * sin_2u
    inc = c.inc_rad + 1.5 * k / p_km * cos_i * np.sin(c.inc_rad) * cos_2u

    swell = (c.a_km / r_km) ** 3 * (level / 2 + 1.5 * sin2_i * cos_2u) - level / 2 / eta**3
    a_km = c.a_km + J2_EARTH * R_EARTH_KM**2 / c.a_km * swell
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


@compiled
def _acceleration(t_s: float, state: Array, mu_km3_s2: float) -> Array:
    rate = func_twobody(t_s, state, mu_km3_s2)
    j2 = J2_perturbation(t_s, state, mu_km3_s2, J2_EARTH, R_EARTH_KM)
    # Not rate[3:] += j2, which takes numba three seconds longer to compile.
    for x in range(3):
        rate[3 + x] += j2[x]
    return rate  # type: ignore[no-any-return]
