"""The Sun as seen from Earth's centre."""

import warnings
from datetime import UTC, datetime

import erfa  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S
from twin.errors import InputError
from twin.space.frames import DAY_S, tt_jd

AU_KM = 149597870.7
"""Astronomical unit (IAU 2012 resolution B2)."""
_COVERED = (1900, 2100)
"""Years that ERFA's series for Earth's motion holds for."""


def check_covered(epoch_utc: str, last_s: float) -> None:
    """Check that the Sun's position is known from the epoch to `last_s` seconds after it.

    Raises
    ------
    InputError
        If it is not.
    """
    first, last = _COVERED
    epoch = datetime.fromisoformat(epoch_utc)
    days = last_s / DAY_S
    left = (datetime(last, 1, 1, tzinfo=UTC) - epoch).total_seconds() / DAY_S
    if epoch.year < first or days > left:
        raise InputError(
            f"simulation: {days:.6g} days from {epoch_utc[:10]} leave the years {first} to {last}, "
            "in which the Sun's position is known"
        )


def sun_gcrs_km(epoch_utc: str, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apparent geocentric position of the Sun in GCRS axes.

    Apparent means with annual aberration (20 arc seconds): the direction its light, and so
    Earth's shadow, has in the frame that moves with Earth. The ephemeris (4 km) is evaluated
    once a day from the epoch and a cubic drawn through four days; the days do not depend on
    which times are asked for, and the cubic stays within 1e-8 rad.

    Parameters
    ----------
    epoch_utc : str
        ISO 8601.
    t_s : (T,) float64
        Seconds since the epoch.

    Returns
    -------
    sun_km : (T, 3) float64

    References
    ----------
    IAU SOFA routines epv00 and ab (ERFA), which astropy's ``get_sun`` is built on.
    """
    day = np.asarray(t_s, dtype=np.float64) / DAY_S
    first = int(np.floor(day.min())) - 1
    last = int(np.floor(day.max())) + 2
    nodes_km = _apparent_km(epoch_utc, DAY_S * np.arange(first, last + 1, dtype=np.float64))
    left = np.floor(day).astype(np.int64)
    x = (day - left)[:, None]
    a, b, c, d = (nodes_km[left - first + k] for k in (-1, 0, 1, 2))
    outer = (x + 1) * x * (x - 1) / 6 * d - x * (x - 1) * (x - 2) / 6 * a
    inner = (x + 1) * (x - 1) * (x - 2) / 2 * b - (x + 1) * x * (x - 2) / 2 * c
    sun_km: NDArray[np.float64] = outer + inner
    return sun_km


def _apparent_km(epoch_utc: str, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        # Days about the run, and what is looked at ahead, may lie a little outside of the years.
        warnings.filterwarnings("ignore", "ERFA", erfa.ErfaWarning)
        # TT stands for TDB: they differ by 2 ms.
        heliocentric, barycentric = erfa.epv00(*tt_jd(epoch_utc, t_s))
    sun_au = -heliocentric["p"]
    distance_au = np.linalg.norm(sun_au, axis=-1)
    beta = barycentric["v"] * (AU_KM / DAY_S / C_KM_S)
    inverse_lorentz = np.sqrt(1 - np.sum(beta**2, axis=-1))
    direction = erfa.ab(sun_au / distance_au[:, None], beta, distance_au, inverse_lorentz)
    apparent: NDArray[np.float64] = direction * (distance_au * AU_KM)[:, None]
    return apparent
