"""The profile of orbit mean-elements messages (OMM) that SGP4 can follow, and how they become sets.

==================== ============================================================================
mandatory            EPOCH MEAN_MOTION ECCENTRICITY INCLINATION RA_OF_ASC_NODE ARG_OF_PERICENTER
                     MEAN_ANOMALY BSTAR
if absent            CENTER_NAME: EARTH, REF_FRAME: TEME, TIME_SYSTEM: UTC,
                     MEAN_ELEMENT_THEORY: SGP4, EPHEMERIS_TYPE: 0, MEAN_MOTION_DOT and
                     MEAN_MOTION_DDOT (SGP4 uses neither): 0
optional             OBJECT_NAME, OBJECT_ID, NORAD_CAT_ID; REF_FRAME_EPOCH; GM
converted            time systems of `twin.space.dates.TO_TT`, frames of `twin.space.axes.INERTIAL`
refused, by name     any other value, unit or version
not looked at        all other keywords
==================== ============================================================================

References
----------
CCSDS 502.0-B-3, "Orbit Data Messages", tables 4-1 to 4-3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec

from twin.space import axes, dates
from twin.space.angles import turned
from twin.space.ccsds import Segment
from twin.space.frames import DAY_S, MJD_ZERO

UNITS: Mapping[str, str] = {
    "MEAN_MOTION": "rev/day",
    "INCLINATION": "deg",
    "RA_OF_ASC_NODE": "deg",
    "ARG_OF_PERICENTER": "deg",
    "MEAN_ANOMALY": "deg",
    "BSTAR": "1/ER",
    "MEAN_MOTION_DOT": "rev/day**2",
    "MEAN_MOTION_DDOT": "rev/day**3",
    "GM": "km**3/s**2",
}
"""Keywords with a unit, and the only one that each may have."""

NUMBERS = (
    "MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "RA_OF_ASC_NODE", "ARG_OF_PERICENTER",
    "MEAN_ANOMALY", "BSTAR",
)  # fmt: skip
"""Mandatory numbers."""

THEORIES = ("SGP4", "SGP/SGP4", "SGP4/SDP4", "SDP4", "TLE")
EPHEMERIS_TYPES = (0, 2)
"""Numbers of the theory: 2 is SGP4, and 0 stands in all public sets, which are for SGP4."""
THEORY_OF_TYPE = {1: "SGP", 3: "SDP4 or PPT3", 4: "SGP4-XP", 5: "SDP8", 6: "special perturbations"}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SGP4_ZERO_JD = MJD_ZERO + 33281.0
"""1949 December 31, 0 h: what sgp4 counts epochs from."""
_GM_KM3_S2 = 398600.8
_LARGEST_ALPHA_5 = 339_999


@dataclass(frozen=True, kw_only=True, eq=False)
class ElementSet:
    """Mean elements of one object at one epoch.

    Attributes
    ----------
    name : str
        As the file has it; may be empty.
    number : str
        Catalogue number; its digits, or the five characters of a TLE. Empty if there is none.
    identity : tuple of str
        The same for two sets of one object; empty where nothing says which object it is.
    satrec : sgp4.api.Satrec
    """

    name: str
    number: str
    identity: tuple[str, ...]
    satrec: Satrec


def number(value: Any) -> float:
    """Return a finite number from what a file has for it; ValueError else."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {value!r}")
    try:
        converted = float(value)
    except OverflowError:
        converted = np.inf
    if not np.isfinite(converted):
        raise ValueError(f"must be a finite number, not {converted}")
    return converted


def text(segment: Segment, keyword: str, default: str = "") -> str:
    """Return a field as text, or the default where it is absent, null or empty."""
    value = segment.fields.get(keyword)
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError(f"{keyword}: must be text, not {type(value).__name__}")
    return ("" if value is None else str(value).strip()) or default


def check_head(segment: Segment) -> None:
    """Refuse what the metadata of an OMM or OEM say it is about, if it is not Earth's."""
    if segment.problem:
        raise ValueError(segment.problem)
    version = text(segment, f"CCSDS_{segment.kind}_VERS", "3.0")
    if version.partition(".")[0] not in ("1", "2", "3"):
        raise ValueError(f"CCSDS_{segment.kind}_VERS: must be 1.0, 2.0 or 3.0, not {version!r}")
    centre = text(segment, "CENTER_NAME", "EARTH")
    if centre.upper() != "EARTH":
        raise ValueError(f"CENTER_NAME: must be EARTH, not {centre!r}")


def element_set(segment: Segment) -> ElementSet:
    """Element set of a segment of an OMM; ValueError if it is not one of the profile."""
    check_head(segment)
    _check_theory(segment)
    mean = {name: _figure(segment, name) for name in NUMBERS}
    rates = [_figure(segment, f"MEAN_MOTION_{of}", 0.0) for of in ("DOT", "DDOT")]
    system = dates.time_system(text(segment, "TIME_SYSTEM", "UTC"))
    epoch = _date(segment, "EPOCH", system)
    degrees = (mean[name] for name in ("INCLINATION", "RA_OF_ASC_NODE", "ARG_OF_PERICENTER"))
    inc, raan, argp = _in_teme(segment, system, epoch, np.radians([*degrees]))
    identity = _identity(segment)
    catalogue = identity[0] if len(identity) == 1 else ""
    satrec = Satrec()
    alpha_5 = int(catalogue or 0) if int(catalogue or 0) <= _LARGEST_ALPHA_5 else 0
    satrec.sgp4init(
        WGS72, "i", alpha_5, epoch[0] - _SGP4_ZERO_JD + epoch[1], mean["BSTAR"],
        rates[0] * np.pi / 1036800.0, rates[1] * np.pi / (2985984000.0 / 2.0),
        mean["ECCENTRICITY"], argp, inc, np.radians(mean["MEAN_ANOMALY"]),
        mean["MEAN_MOTION"] * np.pi / 720.0, raan,
    )  # fmt: skip
    check_range(satrec)
    return ElementSet(
        name=text(segment, "OBJECT_NAME"), number=catalogue, identity=identity, satrec=satrec
    )


def _figure(segment: Segment, keyword: str, default: float | None = None) -> float:
    value = segment.fields.get(keyword)
    if value is None or (isinstance(value, str) and not value.strip()):
        if default is None:
            raise ValueError(f"field {keyword} is missing")
        return default
    unit = segment.units.get(keyword)
    if unit is not None and unit.lower() != UNITS.get(keyword, "").lower():
        raise ValueError(f"{keyword}: must be in {UNITS.get(keyword) or 'no unit'}, not {unit!r}")
    try:
        return number(value)
    except ValueError as error:
        raise ValueError(f"{keyword}: {error}") from None


def _date(segment: Segment, keyword: str, system: str) -> tuple[float, float]:
    value = text(segment, keyword)
    if not value:
        raise ValueError(f"field {keyword} is missing")
    try:
        return dates.utc(value, system)
    except ValueError as error:
        raise ValueError(f"{keyword}: {error}") from None


def _check_theory(segment: Segment) -> None:
    theory = text(segment, "MEAN_ELEMENT_THEORY", "SGP4")
    if theory.upper() not in THEORIES:
        raise ValueError(
            f"MEAN_ELEMENT_THEORY: must be {', '.join(THEORIES[:-1])} or {THEORIES[-1]}, "
            f"not {theory!r}"
        )
    check_ephemeris_type(_figure(segment, "EPHEMERIS_TYPE", 0.0))
    gm_km3_s2 = _figure(segment, "GM", _GM_KM3_S2)
    if abs(gm_km3_s2 / _GM_KM3_S2 - 1) > 1e-4:
        raise ValueError(f"GM: must be Earth's, {_GM_KM3_S2}, not {gm_km3_s2:g}")


def check_ephemeris_type(kind: float) -> None:
    """Refuse the number of another theory than SGP4; ValueError names that."""
    if kind not in EPHEMERIS_TYPES:
        theory = THEORY_OF_TYPE.get(int(kind), "unknown")
        raise ValueError(f"EPHEMERIS_TYPE: must be 0 or 2 (SGP4), not {kind:g} ({theory})")


def _in_teme(
    segment: Segment, system: str, epoch: tuple[float, float], angles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Inclination, node and argument of perigee in the TEME of the epoch."""
    frame = axes.frame(text(segment, "REF_FRAME", "TEME"), fixed=False)
    at = epoch
    if text(segment, "REF_FRAME_EPOCH"):
        at = _date(segment, "REF_FRAME_EPOCH", system)
    if frame == "TEME" and abs(at[0] - epoch[0] + at[1] - epoch[1]) * DAY_S < 1.0:
        return angles
    now = np.zeros(1)
    to_gcrs = axes.INERTIAL[frame](dates.text(*at), now)[0]
    to_teme = axes.INERTIAL["TEME"](dates.text(*epoch), now)[0].T
    return turned(to_teme @ to_gcrs, *angles[:, None])[:, 0]


def _identity(segment: Segment) -> tuple[str, ...]:
    """Catalogue number, else designator and name, else nothing."""
    written = text(segment, "NORAD_CAT_ID")
    if written:
        catalogue = _figure(segment, "NORAD_CAT_ID")
        if catalogue != int(catalogue) or not 0 <= catalogue <= 999_999_999:
            raise ValueError(
                f"NORAD_CAT_ID: must be a whole number of up to nine digits, not {written!r}"
            )
        if catalogue:  # 0 is what objects without a number have
            return (f"{int(catalogue):05d}",)
    known = [text(segment, "OBJECT_ID"), text(segment, "OBJECT_NAME")]
    if known[0].upper() == "UNKNOWN":
        known[0] = ""
    return ("", *known) if any(known) else ()


def check_range(satrec: Satrec) -> None:
    """Refuse elements that are no closed orbit; ValueError says which."""
    if not 0 <= satrec.inclo <= np.pi:
        raise ValueError("inclination must be 0 to 180 deg")
    if not 0 <= satrec.ecco < 1:
        raise ValueError("eccentricity must be at least 0 and below 1")
    if not satrec.no_kozai > 0:
        raise ValueError("mean motion must be above 0")
