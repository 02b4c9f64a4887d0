"""Dates of CCSDS messages, and their time systems, as UTC or Terrestrial Time."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import erfa  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from twin.space.frames import DAY_S, MJD_ZERO, tai_utc_s, ut1_utc_s

type Array = NDArray[np.float64]
type Days = tuple[Array, Array]
"""Julian dates in two parts, midnights and fractions of a day of 86,400 s."""

TT_TAI_S = 32.184
GPS_TAI_S = -19.0

_DATE = re.compile(
    r"(\d{4})-(?:(\d{2})-(\d{2})|(\d{3}))[T ](\d{2}):(\d{2}):(\d{2}(?:\.\d*)?)"
    r"(?:Z|([+-])(\d{2}):(\d{2}))?",
    re.ASCII,
)
_ORDINAL_ZERO_JD = 1721424.5


def _plus(seconds: float) -> Callable[[Array, Array], Days]:
    return lambda day, fraction: (day, fraction + seconds / DAY_S)


def _tdb(day: Array, fraction: Array) -> Days:
    at_geocentre = erfa.dtdb(day, fraction, 0.0, 0.0, 0.0, 0.0)
    tt: Days = erfa.tdbtt(day, fraction, at_geocentre)
    return tt


def _utc_tt(day: Array, fraction: Array) -> Days:
    return day, fraction + (tai_utc_s(day - MJD_ZERO + fraction) + TT_TAI_S) / DAY_S


def _ut1_tt(day: Array, fraction: Array) -> Days:
    return _utc_tt(day, fraction - ut1_utc_s(day - MJD_ZERO + fraction) / DAY_S)


TO_TT: Mapping[str, Callable[[Array, Array], Days]] = {
    "UTC": _utc_tt,
    "TT": _plus(0.0),
    "TAI": _plus(TT_TAI_S),
    "GPS": _plus(TT_TAI_S - GPS_TAI_S),
    "TDB": _tdb,
    "TCG": erfa.tcgtt,
    "TCB": lambda day, fraction: _tdb(*erfa.tcbtdb(day, fraction)),
    "UT1": _ut1_tt,
}
"""Terrestrial Time from each time system that is taken."""


def time_system(name: str) -> str:
    """Return the name of a time system as `TO_TT` has it; ValueError if it is none of these."""
    known = name.strip().upper()
    if known not in TO_TT:
        raise ValueError(f"TIME_SYSTEM: must be one of {', '.join(TO_TT)}, not {name!r}")
    return known


def parse(text: str, *, system: str = "UTC") -> tuple[float, float]:
    """Midnight and fraction of the day, in its own time system, of a date as CCSDS has it.

    Parameters
    ----------
    text : str
        ``YYYY-MM-DDThh:mm:ss`` or ``YYYY-DDDThh:mm:ss``, with a fraction of any length, and with
        ``Z`` (which ends a date and names no zone) or an offset from UTC.
    system : str
        Only UTC has leap seconds and offsets.

    Raises
    ------
    ValueError
        With what is wrong.

    References
    ----------
    CCSDS 502.0-B-3, section 7.5.10; CCSDS 505.0-B, type ``epochType``.
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"must be a date like 2026-03-20T12:00:00.5 or 2026-079T12:00:00.5, not {text!r}"
        )
    year, month, day, of_year, hour, minute, second, sign, zone_h, zone_min = found.groups()
    try:
        on = _day(int(year), month, day, of_year)
    except ValueError as error:
        raise ValueError(f"{error}: {text!r}") from None
    clock_s = float(second)
    leap = system == "UTC" and sign is None and (hour, minute) == ("23", "59") and _has_leap(on)
    if int(hour) > 23 or int(minute) > 59 or clock_s >= 60 + leap:
        raise ValueError(f"no such time of day: {text!r}")
    behind_s = 0.0
    if sign is not None:
        if system != "UTC":
            raise ValueError(f"an offset goes with TIME_SYSTEM UTC, not {system}: {text!r}")
        if int(zone_h) > 23 or int(zone_min) > 59:
            raise ValueError(f"no such offset: {text!r}")
        behind_s = (3600 * int(zone_h) + 60 * int(zone_min)) * (1 if sign == "+" else -1)
    of_day_s = 3600 * int(hour) + 60 * int(minute) + clock_s - behind_s
    days = float(np.floor(of_day_s / DAY_S))
    return on.toordinal() + _ORDINAL_ZERO_JD + days, of_day_s / DAY_S - days


def _day(year: int, month: str | None, day: str | None, of_year: str | None) -> date:
    if of_year is None:
        return date(year, int(month or 0), int(day or 0))
    last = date(year, 12, 31).timetuple().tm_yday
    if not 1 <= int(of_year) <= last:
        raise ValueError(f"day of the year must be 001 to {last}")
    return date(year, 1, 1) + timedelta(days=int(of_year) - 1)


def _has_leap(on: date) -> bool:
    if on.year < 1972:
        return False
    mjd = on.toordinal() + _ORDINAL_ZERO_JD - MJD_ZERO
    before, after = tai_utc_s(np.array([mjd, mjd + 1]))
    return bool(after > before)


def utc(text: str, system: str = "UTC") -> tuple[float, float]:
    """UTC as Julian date, midnight and fraction, of a date in a time system of `TO_TT`."""
    midnight, fraction = parse(text, system=system)
    if system == "UTC":
        return midnight, fraction
    return utc_of_tt(*(float(x) for x in TO_TT[system](np.array(midnight), np.array(fraction))))


def utc_of_tt(day: float, fraction: float) -> tuple[float, float]:
    """UTC from Terrestrial Time, Julian dates in two parts."""
    tai = fraction - TT_TAI_S / DAY_S
    of_utc = tai
    for _ in range(2):  # the second time with the leap seconds of the right day
        of_utc = tai - float(tai_utc_s(np.array(day - MJD_ZERO + of_utc))) / DAY_S
    whole = float(np.floor(of_utc))
    return day + whole, of_utc - whole


def tt(texts: list[str], system: str) -> Days:
    """Terrestrial Time of many dates in a time system of `TO_TT`, (K,) each."""
    day, fraction = np.array([parse(text, system=system) for text in texts]).reshape(-1, 2).T
    return TO_TT[system](day, fraction)


def text(day: float, fraction: float) -> str:
    """UTC as ISO 8601 text to the microsecond, from a Julian date in two parts."""
    midnight = datetime.fromordinal(round(day - _ORDINAL_ZERO_JD)).replace(tzinfo=UTC)
    when = midnight + timedelta(microseconds=round(fraction * DAY_S * 1e6))
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
