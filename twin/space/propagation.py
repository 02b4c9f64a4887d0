"""Positions and velocities of a constellation at many times, in chunks the caller chooses."""

from collections.abc import Callable, Mapping, Sequence
from math import cos, pi, sin, sqrt

import numpy as np
from boinor.core.angles import E_to_M, E_to_nu, M_to_E_scalar, nu_to_E
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, Satrec, SatrecArray

from twin.constants import J2_EARTH, MU_EARTH_KM3_S2, R_EARTH_KM
from twin.errors import InputError
from twin.registry import Registry
from twin.scenario.schema import Scenario
from twin.space import oem
from twin.space.compiled import compiled
from twin.space.constellation import Constellation, subset
from twin.space.frames import DAY_S, teme_to_gcrs, utc_jd

type Array = NDArray[np.float64]
type States = tuple[Array, Array]
type Tracked = tuple[Array, Array, NDArray[np.bool_]]


def step_length_s(scenario: Scenario, constellation: Constellation) -> float:
    """Length of a step, s: as given, or so that the run spans the orbits asked for.

    The orbital period is the Keplerian one of the median semi-major axis.
    """
    simulation = scenario.simulation
    if simulation.orbits is None:
        return float(simulation.step_s or 0.0)
    a_km = float(np.median(constellation.a_km))
    return simulation.orbits * 2 * pi * sqrt(a_km**3 / MU_EARTH_KM3_S2) / simulation.steps


def step_times_s(scenario: Scenario, constellation: Constellation) -> Array:
    """Start of each step that the run may take, s since the epoch, (T,)."""
    step_s = step_length_s(scenario, constellation)
    return np.arange(scenario.simulation.longest_steps, dtype=np.float64) * step_s


def propagate(constellation: Constellation, model: str, t_s: Array) -> States:
    """Positions and velocities.

    Parameters
    ----------
    constellation : Constellation
    model : str
        One of `PROPAGATORS`.
    t_s : (T,) float64
        Seconds since the epoch.

    Returns
    -------
    r_km, v_km_s : (T, N, 3) float64
        In the axes of the GCRS, C-contiguous.

    Raises
    ------
    InputError
        If the model has no state for a satellite and a time; names both.
    """
    _check_source(constellation, model)
    return PROPAGATORS[model](constellation, np.ascontiguousarray(t_s, dtype=np.float64))


def tracked(constellation: Constellation, model: str, t_s: Array) -> Tracked:
    """Positions and velocities as `propagate` has them, and where the model has none.

    Returns
    -------
    r_km, v_km_s : (T, N, 3) float64
        Those of "kepler-j2" where the model has none.
    gone : (T, N) bool
        Where that is: SGP4 has given a satellite up, or a file of positions has ended.
    """
    t_s = np.ascontiguousarray(t_s, dtype=np.float64)
    if model not in _MAY_END:
        return *propagate(constellation, model, t_s), np.zeros((len(t_s), constellation.size), bool)
    _check_source(constellation, model)
    r_km, v_km_s, gone = _MAY_END[model](constellation, t_s)
    if gone.any():
        some = np.flatnonzero(gone.any(axis=0))
        drifting = _kepler_j2(subset(constellation, some), t_s)
        for known, instead in zip((r_km, v_km_s), drifting, strict=True):
            known[:, some] = np.where(gone[:, some, None], instead, known[:, some])
    return r_km, v_km_s, gone


def _check_source(constellation: Constellation, model: str) -> None:
    if constellation.tracks is not None and model in ("kepler", "kepler-j2", "cowell-j2", "sgp4"):
        raise InputError(
            f"propagation.model: must be 'oem' where the file holds positions (OEM), not '{model}'"
        )


def check_covered(constellation: Constellation, model: str, end_s: float) -> None:
    """Refuse a run that reaches beyond a file of positions.

    Raises
    ------
    InputError
        With the satellite, and how long the run can be.
    """
    if model != "oem" or constellation.tracks is None:
        return
    for name, track in zip(constellation.names, constellation.tracks, strict=True):
        known_s = oem.covered_s(track, constellation.epoch_utc)
        if known_s < end_s - oem.SLACK_S:
            raise InputError(
                f"{name}: its positions end {known_s:.3f} s after the start "
                f"{constellation.epoch_utc}, the run takes {end_s:.3f} s"
            )


def sgp4_teme(names: Sequence[str], satrecs: Sequence[Satrec], jd: tuple[Array, Array]) -> States:
    """SGP4 states in its own axes.

    Parameters
    ----------
    names, satrecs : length N
    jd : two (T,) float64
        UTC Julian dates, whole and fraction.

    Returns
    -------
    r_km, v_km_s : (N, T, 3) float64
        In TEME axes.

    Raises
    ------
    InputError
        If the theory breaks down for a satellite, e.g. because it has decayed; names it.
    """
    error, r_km, v_km_s = SatrecArray(list(satrecs)).sgp4(*jd)
    if error.any():
        i, k = np.argwhere(error)[0]
        age_days = jd[0][k] - satrecs[i].jdsatepoch + jd[1][k] - satrecs[i].jdsatepochF
        raise InputError(
            f"{names[i]}: SGP4 fails {age_days:.3f} days after the epoch of the element set: "
            f"{SGP4_ERRORS[int(error[i, k])]}"
        )
    return r_km, v_km_s


def _sgp4(constellation: Constellation, t_s: Array) -> States:
    """SGP4 on the element sets themselves."""
    r_km, v_km_s, gone = _sgp4_states(constellation, t_s)
    if gone.any():
        sgp4_teme(constellation.names, constellation.satrecs or (), _jd(constellation, t_s))
    return r_km, v_km_s


def _sgp4_states(constellation: Constellation, t_s: Array) -> Tracked:
    if constellation.satrecs is None:
        raise InputError("propagation.model 'sgp4' needs constellation.kind 'tle'")
    error, *states = SatrecArray(list(constellation.satrecs)).sgp4(*_jd(constellation, t_s))
    back = np.swapaxes(teme_to_gcrs(constellation.epoch_utc, t_s), -1, -2)
    r_km, v_km_s = (np.ascontiguousarray(x.transpose(1, 0, 2)) @ back for x in states)
    return r_km, v_km_s, error.T != 0


def _jd(constellation: Constellation, t_s: Array) -> tuple[Array, Array]:
    day, fraction = utc_jd(constellation.epoch_utc)
    return np.full(len(t_s), day), fraction + t_s / DAY_S


def _oem(constellation: Constellation, t_s: Array) -> States:
    """Positions of an orbit ephemeris message (OEM), interpolated as it says."""
    r_km, v_km_s, gone = _oem_states(constellation, t_s)
    if gone.any():
        k, i = np.argwhere(gone)[0]
        assert constellation.tracks is not None
        first, last = oem.span(constellation.tracks[i])
        raise InputError(
            f"{constellation.names[i]}: no position {t_s[k]:.3f} s after "
            f"{constellation.epoch_utc}: the file has those from {first} to {last}"
        )
    return r_km, v_km_s


def _oem_states(constellation: Constellation, t_s: Array) -> Tracked:
    if constellation.tracks is None:
        raise InputError("propagation.model 'oem' needs a file of positions (OEM)")
    each = [oem.states(track, constellation.epoch_utc, t_s) for track in constellation.tracks]
    r_km, v_km_s, inside = (np.stack(part, axis=1) for part in zip(*each, strict=True))
    return r_km, v_km_s, ~inside


def j2_rates(a_km: Array, ecc: Array, inc_rad: Array) -> tuple[Array, Array, Array]:
    """Secular rates of node, perigee and mean anomaly under J2, rad/s, each like `a_km`.

    First order in J2 on mean elements, in the sense of Brouwer (1959): the mean semi-major axis
    belongs to the mean motion without J2.

    References
    ----------
    D. A. Vallado, "Fundamentals of Astrodynamics and Applications", 4th ed., section 9.6.
    """
    n = np.sqrt(MU_EARTH_KM3_S2 / a_km**3)
    k = 1.5 * J2_EARTH * (R_EARTH_KM / (a_km * (1 - ecc**2))) ** 2
    cos2 = np.cos(inc_rad) ** 2
    raan = -k * n * np.cos(inc_rad)
    argp = k * n * (2.5 * cos2 - 0.5)
    anomaly = n * (1 + k * np.sqrt(1 - ecc**2) * (1.5 * cos2 - 0.5))
    return raan, argp, anomaly


def _kepler(constellation: Constellation, t_s: Array) -> States:
    """Two-body motion."""
    still = np.zeros(constellation.size)
    mean_motion = np.sqrt(MU_EARTH_KM3_S2 / constellation.a_km**3)
    return _drifting(constellation, t_s, (still, still, mean_motion))


def _kepler_j2(constellation: Constellation, t_s: Array) -> States:
    """Two-body motion on mean elements that drift secularly under J2.

    It leaves out the short periods of J2. From "cowell-j2" it is up to 10 km away over the first
    low orbit near the equator, 3 to 7 km at inclinations from 30 degrees on, less the higher the
    orbit; and up to 0.2 km more along the track with every low orbit, 0.6 where it is eccentric.
    """
    rates = j2_rates(constellation.a_km, constellation.ecc, constellation.inc_rad)
    return _drifting(constellation, t_s, rates)


def _cowell_j2(constellation: Constellation, t_s: Array) -> States:
    """Numerical integration under J2."""
    from twin.space import cowell  # slow to import, and seldom wanted

    return cowell.propagate(constellation, t_s)


def _drifting(c: Constellation, t_s: Array, rates: tuple[Array, Array, Array]) -> States:
    mean = (c.a_km, c.ecc, c.inc_rad, c.raan_rad, c.argp_rad, c.nu_rad)
    r_km = np.empty((len(t_s), c.size, 3))
    v_km_s = np.empty_like(r_km)
    _kepler_loop(np.stack([*mean, *rates], axis=1), t_s, r_km, v_km_s)
    return r_km, v_km_s


# Only boinor's elliptic functions: its farnocchia_coe also covers parabolas and hyperbolas, and
# with coe2rv takes 10 s to compile and 1.8 ms a step of 1056 satellites against 2 s and 0.2 ms.
@compiled
def _kepler_loop(elements: Array, t_s: Array, r_km: Array, v_km_s: Array) -> None:
    for j in range(elements.shape[0]):
        a, e, inc, raan0, argp0, nu0, raan_rate, argp_rate, anomaly_rate = elements[j]
        p = a * (1 - e * e)
        speed = sqrt(MU_EARTH_KM3_S2 / p)
        anomaly0 = E_to_M(nu_to_E(nu0, e), e)
        ci, si = cos(inc), sin(inc)
        for k in range(t_s.size):
            anomaly = (anomaly0 + anomaly_rate * t_s[k] + pi) % (2 * pi) - pi
            nu = E_to_nu(M_to_E_scalar(anomaly, e), e)
            raan = raan0 + raan_rate * t_s[k]
            u = argp0 + argp_rate * t_s[k] + nu
            co, so, cu, su = cos(raan), sin(raan), cos(u), sin(u)
            radial, along = speed * e * sin(nu), speed * (1 + e * cos(nu))
            r = p / (1 + e * cos(nu))
            out = (co * cu - so * ci * su, so * cu + co * ci * su, si * su)
            forward = (-co * su - so * ci * cu, -so * su + co * ci * cu, si * cu)
            for x in range(3):
                r_km[k, j, x] = r * out[x]
                v_km_s[k, j, x] = radial * out[x] + along * forward[x]


PROPAGATORS: Registry[Callable[[Constellation, Array], States]] = Registry(
    "propagator",
    {
        "kepler": _kepler,
        "kepler-j2": _kepler_j2,
        "sgp4": _sgp4,
        "oem": _oem,
        "cowell-j2": _cowell_j2,
    },
    field="propagation.model",
)
"""Each takes ``(constellation, t_s)`` and returns what `propagate` returns."""

_MAY_END: Mapping[str, Callable[[Constellation, Array], Tracked]] = {
    "sgp4": _sgp4_states,
    "oem": _oem_states,
}
"""Models that may have no state for a satellite and a time, with where that is."""
