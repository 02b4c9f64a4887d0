"""Element sets that put SGP4 where something is known to be."""

from math import nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec

from twin.constants import MU_EARTH_KM3_S2
from twin.space.angles import mean_anomaly
from twin.space.frames import teme_to_gcrs, utc_jd
from twin.space.osculating import classical, nonsingular

type Array = NDArray[np.float64]

_ZERO_JD = 2433281.5
"""SGP4 counts days from here."""
_ROUNDS = 12
_CLOSE_KM = 0.01


def element_set(r_km: Array, v_km_s: Array, epoch_utc: str) -> Satrec:
    """Return the element set, without drag, of which SGP4 makes a state at its own epoch.

    Parameters
    ----------
    r_km, v_km_s : (3,) float64
        In the GCRS.
    epoch_utc : str

    Raises
    ------
    ValueError
        If there is none: no closed orbit, or one that SGP4 does not know.
    """
    back = teme_to_gcrs(epoch_utc, np.zeros(1))[0].T
    r, v = (back @ r_km)[None], (back @ v_km_s)[None]
    with np.errstate(all="ignore"):  # what is no orbit gives NaN, and is refused
        wanted = nonsingular(r, v)
        mean = wanted.copy()
        for _ in range(_ROUNDS):
            found = _made(mean, epoch_utc)
            error, *there = found.sgp4(found.jdsatepoch, found.jdsatepochF)
            r_there, v_there = (np.array([x]) for x in there)
            if error == 0 and np.linalg.norm(r_there - r) < _CLOSE_KM:
                return found
            off = wanted - nonsingular(r_there, v_there)
            off[:, 4:] = (off[:, 4:] + pi) % (2 * pi) - pi
            mean = mean + off
    raise ValueError("no closed orbit that SGP4 knows")


def _made(mean: Array, epoch_utc: str) -> Satrec:
    a_km, ecc, inc, raan, argp, nu = classical(mean)[0].tolist()
    motion = 60.0 * sqrt(MU_EARTH_KM3_S2 / a_km**3) if a_km > 0 else nan
    anomaly = float(mean_anomaly(np.array([nu]), np.array([ecc]))[0]) % (2 * pi)
    day, part = utc_jd(epoch_utc)
    made = Satrec()
    made.sgp4init(
        WGS72, "i", 0, day - _ZERO_JD + part, 0.0, 0.0, 0.0, ecc, argp, inc, anomaly, motion, raan
    )
    made.classification = "U"
    return made
