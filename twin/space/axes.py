"""Reference frames of CCSDS messages: the axes of the GCRS seen from each."""

import re
from collections.abc import Callable, Mapping

import erfa  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from twin.space.frames import gcrs_to_itrs, teme_to_gcrs, tt_jd

type Array = NDArray[np.float64]

EARTH_RATE_RAD_S = 7.292115146706979e-5
"""Of Earth's rotation (IAU 2000: 2 pi times 1.00273781191135448 turns a day of UT1)."""

ITRF = "ITRF"


def _same(epoch_utc: str, t_s: Array) -> Array:  # noqa: ARG001 (these axes do not turn)
    return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def _of_date(matrix: Callable[..., Array]) -> Callable[[str, Array], Array]:
    """To the GCRS from axes that ERFA gives the rotation to."""
    return lambda epoch_utc, t_s: np.swapaxes(matrix(*tt_jd(epoch_utc, t_s)), -1, -2)


INERTIAL: Mapping[str, Callable[[str, Array], Array]] = {
    "TEME": teme_to_gcrs,
    "EME2000": _of_date(lambda *tt: erfa.bp06(*tt)[0]),
    "GCRF": _same,
    "ICRF": _same,
    "MOD": _of_date(erfa.pmat06),
    "TOD": _of_date(erfa.pnm06a),
}
"""Rotations (T, 3, 3) to the GCRS, ``r_gcrs = rotation @ r``, of axes that do not turn with Earth.

EME2000 is the mean equator and equinox of J2000.0 (also called J2000), MOD and TOD those of the
date, mean and true, by the precession of 2006 and the nutation of 2000A.
"""

_SPELLINGS = (
    (re.compile(r"TEME([ _-]?OF[ _-]?DATE)?"), "TEME"),
    (re.compile(r"EME[ _-]?2000|J2000(\.0)?"), "EME2000"),
    (re.compile(r"GCR[FS]\d?"), "GCRF"),
    (re.compile(r"ICRF[ _-]?\d?"), "ICRF"),
    (re.compile(r"MOD([ _-]EARTH)?"), "MOD"),
    (re.compile(r"TOD([ _-]EARTH)?"), "TOD"),
    (re.compile(r"ITRF[ _-]?(\d\d|\d{4})?"), ITRF),
)


def frame(name: str, *, fixed: bool) -> str:
    """Return the name of a frame as `INERTIAL` has it, or `ITRF`.

    Parameters
    ----------
    name : str
        As a message spells it. All realisations of the ITRS are one: they differ by centimetres.
    fixed : bool
        Whether axes fixed to Earth are taken too.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    for pattern, known in _SPELLINGS:
        if pattern.fullmatch(name.strip().upper()) and (fixed or known != ITRF):
            return known
    known_frames = ", ".join([*INERTIAL, *([ITRF] if fixed else [])])
    raise ValueError(f"REF_FRAME: must be one of {known_frames}, not {name!r}")


def states_to_gcrs(
    name: str, epoch_utc: str, t_s: Array, r_km: Array, v_km_s: Array
) -> tuple[Array, Array]:
    """Positions and velocities (T, 3) in a frame, at seconds since an epoch, in the GCRS."""
    if name != ITRF:
        rotation = INERTIAL[name](epoch_utc, t_s)
    else:
        rotation = np.swapaxes(gcrs_to_itrs(epoch_utc, t_s), -1, -2)
        v_km_s = v_km_s + np.cross([0.0, 0.0, EARTH_RATE_RAD_S], r_km)
    return (rotation @ r_km[..., None])[..., 0], (rotation @ v_km_s[..., None])[..., 0]
