"""Orbit ephemeris messages (OEM): positions at times, interpolated as the message says.

References
----------
CCSDS 502.0-B-3, "Orbit Data Messages", section 5.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.space import axes, dates
from twin.space.ccsds import Segment
from twin.space.frames import DAY_S, tt_jd
from twin.space.interpolation import interpolated
from twin.space.omm import check_head, number, text

type Array = NDArray[np.float64]

METHODS = ("LAGRANGE", "HERMITE", "LINEAR")
DEFAULT = ("HERMITE", 7)
"""Where a message says nothing: four states with their velocities."""
HIGHEST_DEGREE = 27
"""The highest that SPICE takes as well."""
SLACK_S = 2e-6
"""Times that differ by this are the same: a start is given to the microsecond."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Arc:
    """States of one segment, across whose ends nothing is interpolated.

    Attributes
    ----------
    tt : (K,), (K,) float64
        Terrestrial Time as Julian date in two parts, increasing.
    states : (K, 6) float64
        Position in km and velocity in km/s.
    frame : str
        See `twin.space.axes.states_to_gcrs`.
    method : str
        One of `METHODS`.
    window : int
        How many states an interpolation takes.
    useable : (2,), (2,) float64
        First and last time for which it may be asked.
    """

    tt: tuple[Array, Array]
    states: Array
    frame: str
    method: str
    window: int
    useable: tuple[Array, Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """Where one object is.

    Attributes
    ----------
    name, number : str
        As for an element set; an OEM gives no catalogue numbers.
    identity : tuple of str
    arcs : tuple of Arc
        In the order of the file; where two hold for a time, the later one counts.
    """

    name: str
    number: str
    identity: tuple[str, ...]
    arcs: tuple[Arc, ...]


def arc(segment: Segment) -> Arc:
    """States of one segment; ValueError if it is not one that can be followed."""
    check_head(segment)
    for keyword in ("OBJECT_NAME", "CENTER_NAME", "REF_FRAME", "TIME_SYSTEM"):
        if not text(segment, keyword):
            raise ValueError(f"field {keyword} is missing")
    system = dates.time_system(text(segment, "TIME_SYSTEM"))
    frame = axes.frame(text(segment, "REF_FRAME"), fixed=True)
    if text(segment, "REF_FRAME_EPOCH"):
        raise ValueError("REF_FRAME_EPOCH: frames must be those of each state's own date")
    method, window = _interpolation(segment)
    tt, states = _states(segment, system)
    if len(states) < window:
        raise ValueError(f"must have {window} states or more to interpolate, not {len(states)}")
    whole = tuple(part[[0, -1]] for part in tt)
    span = _span(segment, "", system, (whole[0], whole[1]))
    if _apart_s(whole, span).min() < -SLACK_S:
        raise ValueError("START_TIME, STOP_TIME: states lie outside of them")
    useable = _span(segment, "USEABLE_", system, (whole[0], whole[1]))
    if _apart_s(useable, whole).min() < -SLACK_S:
        raise ValueError("USEABLE_START_TIME, USEABLE_STOP_TIME: lie outside of the states")
    return Arc(tt=tt, states=states, frame=frame, method=method, window=window, useable=useable)


def _interpolation(segment: Segment) -> tuple[str, int]:
    """Method, and the number of states it takes."""
    method = text(segment, "INTERPOLATION").upper()
    degree_text = text(segment, "INTERPOLATION_DEGREE")
    if not method:
        method, degree = DEFAULT
    elif method not in METHODS:
        raise ValueError(f"INTERPOLATION: must be {', '.join(METHODS)}, not {method!r}")
    elif method == "LINEAR":
        degree = 1
    elif not degree_text:
        raise ValueError(f"INTERPOLATION_DEGREE: must be given with {method}")
    if segment.fields.get("INTERPOLATION") and degree_text:
        if not degree_text.isdecimal() or not 1 <= int(degree_text) <= HIGHEST_DEGREE:
            raise ValueError(
                f"INTERPOLATION_DEGREE: must be 1 to {HIGHEST_DEGREE}, not {degree_text!r}"
            )
        degree = int(degree_text)
    if method == "HERMITE":
        return method, max(2, (degree + 2) // 2)
    return method, 2 if method == "LINEAR" else degree + 1


def _states(segment: Segment, system: str) -> tuple[tuple[Array, Array], Array]:
    rows = []
    for where, columns in segment.states:
        try:
            if len(columns) not in (7, 10):  # accelerations may follow
                raise ValueError(f"must be epoch, position and velocity, not {len(columns)} items")
            rows.append((dates.parse(columns[0], system=system), [number(x) for x in columns[1:7]]))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    if not rows:
        raise ValueError("has no states")
    day, fraction = np.array([when for when, _ in rows]).T
    tt = dates.TO_TT[system](day, fraction)
    later = np.flatnonzero(np.diff(tt[0]) + np.diff(tt[1]) <= 0)
    if len(later):
        raise ValueError(f"{segment.states[later[0] + 1][0]}: must be later than the state before")
    return tt, np.array([state for _, state in rows])


def _span(
    segment: Segment, prefix: str, system: str, default: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Start and stop that a segment gives, Terrestrial Time, or the default for either."""
    day, fraction = default[0].copy(), default[1].copy()
    for i, edge in enumerate(("START_TIME", "STOP_TIME")):
        value = text(segment, prefix + edge)
        if not value and not prefix:
            raise ValueError(f"field {edge} is missing")
        if value:
            try:
                tt = dates.tt([value], system)
            except ValueError as error:
                raise ValueError(f"{prefix}{edge}: {error}") from None
            day[i], fraction[i] = tt[0][0], tt[1][0]
    if day[1] - day[0] + fraction[1] - fraction[0] < 0:
        raise ValueError(f"{prefix}STOP_TIME: must not be before {prefix}START_TIME")
    return day, fraction


def _apart_s(inner: Sequence[Array], outer: Sequence[Array]) -> Array:
    """How far two ends lie within two others, s, (2,)."""
    within: Array = (inner[0] - outer[0] + inner[1] - outer[1]) * np.array([DAY_S, -DAY_S])
    return within


def tracks(arcs: Iterable[tuple[Segment, Arc]]) -> list[Track]:
    """Objects of a file with their arcs, in the order in which they first appear."""
    found: dict[tuple[str, ...], list[tuple[Segment, Arc]]] = {}
    for segment, one in arcs:
        designator = text(segment, "OBJECT_ID")
        identity = (
            "" if designator.upper() == "UNKNOWN" else designator,
            text(segment, "OBJECT_NAME"),
        )
        found.setdefault(identity, []).append((segment, one))
    return [
        Track(
            name=text(group[0][0], "OBJECT_NAME"),
            number=identity[0],
            identity=identity,
            arcs=tuple(one for _, one in group),
        )
        for identity, group in found.items()
    ]


def span(track: Track) -> tuple[str, str]:
    """First and last UTC for which a track may be asked."""
    ends = [[(one.useable[0][i], one.useable[1][i]) for one in track.arcs] for i in (0, 1)]
    first, last = min(ends[0], key=sum), max(ends[1], key=sum)
    return dates.text(*dates.utc_of_tt(*first)), dates.text(*dates.utc_of_tt(*last))


def covered_s(track: Track, epoch_utc: str) -> float:
    """How long after an epoch a track goes on without a gap, s; -inf if it has no state there."""
    begin = _begin(epoch_utc)
    ends_s = [_since(one.useable, begin) for one in track.arcs]
    known_s, reached_s = -np.inf, 0.0
    while reached_s > known_s:
        known_s = reached_s
        holds = [last for first, last in ends_s if first <= known_s + SLACK_S]
        reached_s = max([last for last in holds if last >= known_s - SLACK_S], default=-np.inf)
    return float(max(known_s, reached_s)) if reached_s > -np.inf else -np.inf


def _begin(epoch_utc: str) -> list[float]:
    return [float(part[0]) for part in tt_jd(epoch_utc, np.zeros(1))]


def states(track: Track, epoch_utc: str, t_s: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Position and velocity of an object, in the GCRS, and where the file gives them.

    Parameters
    ----------
    track : Track
    epoch_utc : str
    t_s : (T,) float64
        Seconds since the epoch.

    Returns
    -------
    r_km, v_km_s : (T, 3) float64
        NaN outside the span.
    inside : (T,) bool
    """
    begin = _begin(epoch_utc)
    out = np.full((len(t_s), 6), np.nan)
    inside = np.zeros(len(t_s), bool)
    for one in track.arcs:
        first_s, last_s = _since(one.useable, begin)
        mine = np.flatnonzero((t_s >= first_s - SLACK_S) & (t_s <= last_s + SLACK_S))
        if not len(mine):
            continue
        known_s = _since(one.tt, begin)
        asked_s = np.clip(t_s[mine], known_s[0], known_s[-1])
        found = interpolated(
            one.states, known_s, asked_s, window=one.window, hermite=one.method == "HERMITE"
        )
        r_km, v_km_s = axes.states_to_gcrs(
            one.frame, epoch_utc, t_s[mine], found[:, :3], found[:, 3:]
        )
        out[mine] = np.hstack([r_km, v_km_s])
        inside[mine] = True
    return out[:, :3], out[:, 3:], inside


def _since(tt: Sequence[Array], begin: Sequence[float]) -> Array:
    seconds: Array = (tt[0] - begin[0] + (tt[1] - begin[1])) * DAY_S
    return seconds
