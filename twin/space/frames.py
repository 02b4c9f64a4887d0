"""Celestial and terrestrial axes (TEME, GCRS, ITRS) and time scales, without any download.

ERFA is called directly: its routines are what astropy's frames rest on, import in 20 ms instead
of 850, and take arrays of epochs.
"""

import warnings
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import erfa  # type: ignore[import-untyped]
import numpy as np
from astropy_iers_data import IERS_A_FILE  # type: ignore[import-untyped]
from numpy.typing import NDArray
from sgp4.api import jday

type Array = NDArray[np.float64]

DAY_S = 86400.0
MJD_ZERO = 2400000.5
_WGS84 = 1
"""ERFA's number of the ellipsoid."""


def utc_jd(epoch_utc: str) -> tuple[float, float]:
    """ISO 8601 text (UTC unless it says otherwise) as a Julian date, whole days and fraction."""
    when = datetime.fromisoformat(epoch_utc)
    when = when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    second = when.second + when.microsecond * 1e-6
    day, fraction = jday(when.year, when.month, when.day, when.hour, when.minute, second)
    return float(day), float(fraction)


def tt_jd(epoch_utc: str, t_s: Array) -> tuple[Array, Array]:
    """Terrestrial Time of `t_s` (T,) seconds after an epoch, as Julian date in two parts."""
    day, fraction = utc_jd(epoch_utc)
    tt_s = np.asarray(t_s, dtype=np.float64) + tai_utc_s(np.array(day - MJD_ZERO)) + 32.184
    return np.full(tt_s.shape, day), fraction + tt_s / DAY_S


def teme_to_gcrs(epoch_utc: str, t_s: Array) -> Array:
    """Rotations from TEME, the axes of SGP4, to the axes of the GCRS.

    Through the pseudo Earth-fixed axes: sidereal time of 1982, as SGP4 uses, one way; Earth
    rotation angle and IAU 2006/2000A precession-nutation back. Earth's rotation cancels, so that
    neither UT1 nor polar motion is needed: UTC stands for UT1 at a cost below 1 mm in low orbit.

    Returns
    -------
    rotation : (T, 3, 3) float64
        ``r_gcrs = rotation @ r_teme``.

    References
    ----------
    Vallado, Crawford, Hujsak and Kelso, "Revisiting Spacetrack Report #3", AIAA 2006-6753.
    """
    day, fraction = utc_jd(epoch_utc)
    ut1 = day, fraction + np.asarray(t_s) / DAY_S
    swing = erfa.rz(erfa.gmst82(*ut1) - erfa.era00(*ut1), np.eye(3))
    rotation: Array = np.swapaxes(erfa.c2i06a(*tt_jd(epoch_utc, t_s)), -1, -2) @ swing
    return rotation


def gcrs_to_itrs(epoch_utc: str, t_s: Array) -> Array:
    """Rotations from the axes of the GCRS to the Earth-fixed ITRS.

    Earth orientation (UT1, polar motion) comes from the IERS table that is installed with
    astropy and reaches a year ahead of its release. Beyond it the nearest value holds, which
    costs 50 m in low orbit for each 0.1 s that UT1 has moved since.

    Returns
    -------
    rotation : (T, 3, 3) float64
        ``r_itrs = rotation @ r_gcrs``.
    """
    tt = tt_jd(epoch_utc, t_s)
    mjd, ut1_tai_s, x_rad, y_rad = _iers_table()
    when = tt[0] - MJD_ZERO + tt[1]
    ut1_tt_s = np.interp(when, mjd, ut1_tai_s) - 32.184
    angle = erfa.era00(tt[0], tt[1] + ut1_tt_s / DAY_S)
    pole = np.interp(when, mjd, x_rad), np.interp(when, mjd, y_rad)
    rotation: Array = erfa.c2tcio(erfa.c2i06a(*tt), angle, erfa.pom00(*pole, erfa.sp00(*tt)))
    return rotation


def geodetic(latitude_rad: Array, longitude_rad: Array, altitude_km: Array) -> tuple[Array, Array]:
    """ITRS positions in km and unit normals, (G, 3) each, of points relative to WGS 84."""
    r_m = erfa.gd2gc(_WGS84, longitude_rad, latitude_rad, np.asarray(altitude_km) * 1000)
    up: Array = erfa.s2c(longitude_rad, latitude_rad)
    return r_m / 1000, up


def tai_utc_s(mjd: Array) -> Array:
    """Leap seconds of each day; in years too far ahead to be known, those of today."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ERFA", erfa.ErfaWarning)
        year, month, day, _ = erfa.jd2cal(MJD_ZERO, mjd)
        seconds: Array = erfa.dat(year, month, day, 0.0)
    return seconds


def ut1_utc_s(mjd: Array) -> Array:
    """UT1-UTC, s, of days in the IERS table that is installed with astropy.

    Raises
    ------
    ValueError
        If one lies outside the table.
    """
    known, ut1_tai_s, _, _ = _iers_table()
    if np.any((mjd < known[0]) | (mjd > known[-1])):
        first, last = (erfa.jd2cal(MJD_ZERO, day)[0] for day in known[[0, -1]])
        raise ValueError(f"Earth's rotation (UT1) is known from {first} to {last} only")
    seconds: Array = np.interp(mjd, known, ut1_tai_s) + tai_utc_s(mjd)
    return seconds


@cache
def _iers_table() -> tuple[Array, Array, Array, Array]:
    """Daily MJD, UT1-TAI in s and pole x, y in rad, from fixed columns of IERS Bulletin A."""
    lines = Path(IERS_A_FILE).read_text(encoding="ascii").splitlines()
    columns = (slice(7, 15), slice(58, 68), slice(18, 27), slice(37, 46))
    rows = [[line[c] for c in columns] for line in lines if line[58:68].strip()]
    mjd, ut1_utc_s, x_arcsec, y_arcsec = np.array(rows, dtype=np.float64).T
    arcsec = np.pi / 648000
    return mjd, ut1_utc_s - tai_utc_s(mjd), x_arcsec * arcsec, y_arcsec * arcsec
