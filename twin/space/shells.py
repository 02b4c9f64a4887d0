"""Find the shells of a file of element sets: what stays, at which altitudes, in which planes.

Satellites in service keep station: those of a plane share one altitude, planes stand clear of each
other, and most planes are filled all round. What climbs, waits, or is spare does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from twin.constants import R_EARTH_KM
from twin.space import planes

type Array = NDArray[np.float64]
type Labels = NDArray[np.int32]

LEVEL_DEG_DAY = 1.2
"""Satellites at one altitude move within this of each other; 1 km in low orbit."""
STATION_DEG_DAY = 0.25
"""Half of a plane's satellites in service move within this of its median; 0.2 km in low orbit."""
PLANE_DEG_DAY = 3.0
"""One further than this from the others of its plane, 2.5 km in low orbit, is on its way."""
SHELL_DEG_DAY = 6.0
"""Altitudes of one shell, plane by plane, are at most this apart, 5 km in low orbit."""
SHELL_INC_DEG = 0.1
"""So are inclinations, at 7000 km; further out, where J2 shears planes less, in proportion."""
PLANE_INC_DEG = 0.25
"""And one further than this from the median of its plane does not belong to it."""
LARGEST_INC_DEG = 2.0

LOCKED_DAYS = 30.0
"""Planes are locked in phase if they take longer than this to move half a slot apart."""

SMALLEST_SHARE = 0.005
"""An altitude with less than this share of the fullest one's satellites makes no shell."""
SMALLEST_PLANE = 3
"""Planes of fewer satellites carry no links, unless most planes of the shell are as small."""
FILLED_GAP = 0.25
"""A plane is filled all round if no stretch longer than this, in turns, or than two mean slots is
empty."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Shells and planes of M satellites, as found from their orbits.

    Attributes
    ----------
    shell : (M,) int32
        From the lowest to the highest; -1 for a satellite that is in none.
    plane : (M,) int32
        Numbered through from one shell to the next, by right ascension of the node; -1 for none.
    left_out : dict of int to str
        Why satellites carry no links, "class: detail": those in no shell, and those of planes
        that are too small, which have a shell and a plane all the same.
    """

    shell: Labels
    plane: Labels
    left_out: dict[int, str]


def find(
    a_km: Array, rate_deg_day: Array, inc_rad: Array, normal: Array, direction: Array
) -> Structure:
    """Find shells and planes among M >= 1 satellites at one instant.

    Satellites of like mean motion and inclination form levels, levels a few kilometres apart
    groups. A group is a shell if its planes stand clear of each other and at least half of them,
    with half of its satellites, keep station and are filled all round: two at least, or a single
    one that is all there is. Where none is, the largest group is one.

    Parameters
    ----------
    a_km, rate_deg_day, inc_rad : (M,) float64
        Mean semi-major axis, rate of the argument of latitude, and inclination to the
        equator of the time.
    normal, direction : (M, 3) float64
        Unit vectors, in any inertial axes: normal of the orbit, and where the satellite is.
    """
    inc_deg = np.degrees(inc_rad)
    group = _groups(a_km, rate_deg_day, inc_deg)
    members = [np.flatnonzero(group == g) for g in range(group.max() + 1)]
    found = [_Group(rows=rows, label=planes.cluster(normal[rows])) for rows in members]
    shell, plane = (np.full(len(a_km), -1, np.int32) for _ in range(2))
    left_out: dict[int, str] = {}
    serving = [
        k for k, one in enumerate(found) if _in_service(one, rate_deg_day, normal, direction)
    ]
    if not serving:
        serving = [int(np.argmax(np.bincount(group[group >= 0])))]
    serving.sort(key=lambda k: (float(np.median(a_km[found[k].rows])), k))
    for number, k in enumerate(serving):
        one = found[k]
        off = _off_plane(one, a_km, rate_deg_day, inc_deg)
        left_out |= off
        kept = np.array([i not in off for i in one.rows])
        rows, label = one.rows[kept], _renumbered(one.label[kept])
        shell[rows] = number
        plane[rows] = planes.ordered(label, normal[rows]) + plane.max() + 1
        left_out |= _not_linked(rows, plane[rows], rate_deg_day, normal)
    left_out |= {
        int(i): f"in no shell, on its way or out of service: {a_km[i] - R_EARTH_KM:.1f} km, "
        f"{inc_deg[i]:.2f} deg"
        for i in np.flatnonzero(shell < 0)
        if i not in left_out
    }
    return Structure(shell=shell, plane=plane, left_out=left_out)


@dataclass(frozen=True, kw_only=True)
class _Group:
    rows: NDArray[np.int64]
    label: Labels


def _inclination_scale(a_km: Array | float) -> Array:
    """How much further than at 7000 km inclinations may differ: nodes turn as a to the -3.5."""
    most = LARGEST_INC_DEG / SHELL_INC_DEG
    return np.minimum(np.maximum(np.asarray(a_km) / 7000.0, 1.0) ** 3.5, most)


def _groups(a_km: Array, rate_deg_day: Array, inc_deg: Array) -> Labels:
    """Label satellites by group of levels, -1 for those far from any level that counts."""
    level = _levels(a_km, rate_deg_day, inc_deg)
    size = np.bincount(level)
    largest = int(size.max())
    counts = size >= max(SMALLEST_SHARE * largest, min(SMALLEST_PLANE, largest))
    middle = np.array(
        [
            (np.median(rate_deg_day[level == k]), np.median(inc_deg[level == k]))
            for k in range(len(size))
        ]
    )
    reach = SHELL_INC_DEG * _inclination_scale(
        np.array([np.median(a_km[level == k]) for k in range(len(size))])
    )
    near = np.abs(middle[:, None, 0] - middle[:, 0]) <= SHELL_DEG_DAY
    near &= np.abs(middle[:, None, 1] - middle[:, 1]) <= np.minimum(reach[:, None], reach)
    group = np.full(len(size), -1, np.int32)
    group[counts] = connected_components(near[np.ix_(counts, counts)], directed=False)[1]
    for k in np.flatnonzero(~counts):
        beside = np.flatnonzero(near[k] & counts)
        if len(beside):
            off = np.abs(middle[beside] - middle[k]) / (SHELL_DEG_DAY, reach[k])
            group[k] = group[beside[np.argmin(off.max(axis=1))]]
    return group[level]


def _levels(a_km: Array, rate_deg_day: Array, inc_deg: Array) -> Labels:
    """Label satellites that share mean motion and inclination, fullest windows first."""
    level, count = np.full(len(a_km), -1, np.int32), 0
    left = np.arange(len(a_km))
    while len(left):
        rate = rate_deg_day[left]
        centre = planes.densest_centre(rate, LEVEL_DEG_DAY)
        inside = np.abs(rate - centre) <= LEVEL_DEG_DAY * (1 + 1e-9)
        rows = left[inside][np.argsort(inc_deg[left[inside]], kind="stable")]
        gap = SHELL_INC_DEG * float(_inclination_scale(float(np.median(a_km[rows]))))
        parts = np.split(rows, np.flatnonzero(np.diff(inc_deg[rows]) > gap) + 1)
        for part in parts:
            level[part] = count
            count += 1
        left = left[~inside]
    return level


def _in_service(one: _Group, rate_deg_day: Array, normal: Array, direction: Array) -> bool:
    turns = planes.places(one.label, normal[one.rows], direction[one.rows])
    members = [one.label == p for p in range(one.label.max() + 1)]
    size = np.array([mine.sum() for mine in members])
    gap = np.array([planes.widest_gap(turns[mine]) for mine in members])
    rates = [rate_deg_day[one.rows[mine]] for mine in members]
    spread = np.array([np.median(np.abs(rate - np.median(rate))) for rate in rates])
    filled = (gap <= np.maximum(FILLED_GAP, 2 / size)) & (size >= SMALLEST_PLANE)
    filled &= spread <= STATION_DEG_DAY
    return bool(
        planes.stand_clear(one.label, normal[one.rows])
        and filled.sum() >= min(2, len(size))
        and 2 * filled.sum() >= len(size)
        and 2 * size[filled].sum() >= size.sum()
    )


def _off_plane(one: _Group, a_km: Array, rate_deg_day: Array, inc_deg: Array) -> dict[int, str]:
    """Reasons to leave out what is not at the altitude or inclination of its plane."""
    out: dict[int, str] = {}
    for p in range(one.label.max() + 1):
        rows = one.rows[one.label == p]
        ahead = rate_deg_day[rows] - np.median(rate_deg_day[rows])
        above_km = a_km[rows] - np.median(a_km[rows])
        tilted_deg = inc_deg[rows] - np.median(inc_deg[rows])
        most_deg = PLANE_INC_DEG * _inclination_scale(a_km[rows])
        for i, rate, km, deg, most in zip(rows, ahead, above_km, tilted_deg, most_deg, strict=True):
            if abs(rate) > PLANE_DEG_DAY:
                out[int(i)] = f"spare or on its way: {km:+.1f} km from the others of its plane"
            elif abs(deg) > most:
                out[int(i)] = f"inclined otherwise than its plane: by {deg:+.2f} deg"
    return out


def _renumbered(label: Labels) -> Labels:
    return np.unique(label, return_inverse=True)[1].astype(np.int32)


def _not_linked(
    rows: NDArray[np.int64], plane: Labels, rate_deg_day: Array, normal: Array
) -> dict[int, str]:
    """Reasons to leave out planes that are too small, or drift where most are locked in phase."""
    own = _renumbered(plane)
    size = np.bincount(own)
    least = min(SMALLEST_PLANE, int(np.median(size)))
    rate = np.array([np.median(rate_deg_day[rows[own == p]]) for p in range(len(size))])
    group = locked(rate, int(size.max()))
    most = np.bincount(group).argmax()
    drifts = (group != most) & (2 * np.count_nonzero(group == most) > len(group))
    ahead = rate - np.median(rate[group == most])
    mean = planes.mean_normals(own, normal[rows])
    node_deg = np.degrees(np.arctan2(mean[:, 0], -mean[:, 1])) % 360
    why = {
        p: f"in a plane of fewer than {least}: {size[p]} at node {node_deg[p]:.1f} deg"
        if size[p] < least
        else f"in a plane that drifts against the others: {ahead[p]:+.2f} deg a day"
        for p in np.flatnonzero((size < least) | drifts)
    }
    return {int(i): why[p] for i, p in zip(rows, own, strict=True) if p in why}


def locked(rate_deg_day: Array, slots: int) -> NDArray[np.int64]:
    """Group planes that are locked in phase: a month does not move them half a slot apart.

    Parameters
    ----------
    rate_deg_day : (P,) float64
    slots : int
        Satellites in the fullest plane.

    Returns
    -------
    group : (P,) int64
        0, 1, ... from the slowest.
    """
    order = np.argsort(rate_deg_day, kind="stable")
    apart = 180.0 / slots / LOCKED_DAYS
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(np.diff(rate_deg_day[order], prepend=rate_deg_day[order[0]]) > apart)
    return group
