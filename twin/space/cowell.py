"""The reference propagator: numerical integration of the motion under J2 (Cowell's method)."""

import numpy as np
from boinor.core.perturbations import J2_perturbation
from boinor.core.propagation import cowell, func_twobody
from numpy.typing import NDArray

from twin.constants import J2_EARTH, MU_EARTH_KM3_S2, R_EARTH_KM
from twin.space import osculating
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
    """Osculating states (N, 3) at the epoch, in km and km/s, from mean elements."""
    c = constellation
    mean = (c.a_km, c.ecc, c.inc_rad, c.raan_rad, c.argp_rad, c.nu_rad)
    return osculating.states(np.stack(mean, axis=1))


@compiled
def _acceleration(t_s: float, state: Array, mu_km3_s2: float) -> Array:
    rate = func_twobody(t_s, state, mu_km3_s2)
    j2 = J2_perturbation(t_s, state, mu_km3_s2, J2_EARTH, R_EARTH_KM)
    # Not rate[3:] += j2, which takes numba three seconds longer to compile.
    for x in range(3):
        rate[3 + x] += j2[x]
    return rate  # type: ignore[no-any-return]
