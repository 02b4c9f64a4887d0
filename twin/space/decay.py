"""Satellites that came down between the epoch of their element set and another time.

SGP4's drag is a polynomial in time that means nothing beyond the decay it describes: later it may
well give a state again, and no error.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, Satrec, SatrecArray

from twin.constants import MU_EARTH_KM3_S2, R_EARTH_KM

type Array = NDArray[np.float64]

_COARSE_DAYS = 0.25
_FINE_DAYS = 10 / 1440
_SAFE_PERIGEE_KM = R_EARTH_KM + 220.0
"""No orbit comes down from above this within `_COARSE_DAYS`, but for one whose drag makes it grow
instead: its semi-major axis then does so by more than `_GROWTH`."""
_GROWTH = 1.05


def given_up(satrecs: Sequence[Satrec], jd: tuple[float, float]) -> dict[int, str]:
    """Reasons not to use element sets at a time, by index: what SGP4 says on the way there.

    Parameters
    ----------
    satrecs : length N
    jd : two floats
        UTC Julian date, whole and fraction, before or after their epochs.
    """
    if not satrecs:
        return {}
    epoch = np.array([s.jdsatepoch - jd[0] + s.jdsatepochF - jd[1] for s in satrecs])
    first, last = min(epoch.min(), 0.0), max(epoch.max(), 0.0)
    days = np.linspace(first, last, int(np.ceil((last - first) / _COARSE_DAYS)) + 2)
    error, perigee_km, a_km = _along(satrecs, jd, days)
    mine = (days >= np.minimum(epoch, 0)[:, None]) & (days <= np.maximum(epoch, 0)[:, None])
    a_first_km = np.array([s.a * s.radiusearthkm for s in satrecs])
    slowed = np.array([s.bstar > 0 for s in satrecs])
    grows = (a_km > _GROWTH * a_first_km[:, None]) & slowed[:, None]
    doubtful = (error != 0) | ~(perigee_km > _SAFE_PERIGEE_KM) | grows
    reasons: dict[int, str] = {}
    for i in np.flatnonzero((doubtful & mine).any(axis=1)).tolist():
        steps = int(np.ceil(abs(epoch[i]) / _FINE_DAYS)) + 1
        reason = _reason(satrecs[i], jd, np.linspace(epoch[i], 0.0, steps), a_first_km[i])
        if reason:
            reasons[i] = reason
    return reasons


def _reason(satrec: Satrec, jd: tuple[float, float], days: Array, a_first_km: float) -> str:
    """Why one element set is of no use at the last of some times, counted from it; or nothing."""
    error, _, a_km = (x[0] for x in _along([satrec], jd, days))
    if error[-1] and not error[:-1].any() and len(days) < 3:
        return f"SGP4 at the start: {SGP4_ERRORS[int(error[-1])]}"
    after_epoch = days[-1] > days[0]
    grows = (a_km > _GROWTH * a_first_km) & (satrec.bstar > 0) & after_epoch
    wrong = np.flatnonzero((error != 0) | grows)
    if not len(wrong):
        return ""
    code = int(error[wrong[0]])
    says = SGP4_ERRORS[code] if code else "its drag makes the orbit grow"
    after = days[wrong[0]] - days[0]
    if not after_epoch:
        return f"SGP4 fails between the start and its epoch: {after:+.2f} days, {says}"
    return f"decayed between its epoch and the start: after {after:.2f} days, {says}"


def _along(
    satrecs: Sequence[Satrec], jd: tuple[float, float], days: Array
) -> tuple[NDArray[np.uint8], Array, Array]:
    """SGP4's error, and perigee and semi-major axis from its states, (N, T) each."""
    error, r_km, v_km_s = SatrecArray(list(satrecs)).sgp4(np.full(len(days), jd[0]), jd[1] + days)
    with np.errstate(all="ignore"):
        radius = np.linalg.norm(r_km, axis=2)
        a_km = 1 / (2 / radius - np.sum(v_km_s**2, axis=2) / MU_EARTH_KM3_S2)
        momentum2 = np.sum(np.cross(r_km, v_km_s) ** 2, axis=2)
        ecc = np.sqrt(np.maximum(1 - momentum2 / (MU_EARTH_KM3_S2 * a_km), 0))
    return error, a_km * (1 - ecc), a_km
