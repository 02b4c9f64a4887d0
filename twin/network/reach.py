"""Passes cut to the time for which the satellite is near enough."""

import numpy as np
from numpy.typing import NDArray

from twin.network.ground import Sites
from twin.network.passes import Passes, Track, look_at

type Array = NDArray[np.float64]

type Rows = NDArray[np.intp]

_HALVINGS = 30
"""Of two minutes: to a tenth of a microsecond."""
_GOLDEN = (np.sqrt(5.0) - 1) / 2
_SECTIONS = 30
"""Of two minutes: to 0.1 ms."""


def within_range(sites: Sites, track: Track, passes: Passes) -> Passes:
    """The parts of passes for which the slant range is at most ``sites.max_slant_km``.

    A pass may have none, or, on an eccentric orbit, several. Range is looked at where the track has
    samples, at both ends of the pass, and where it is least in between.
    """
    if np.isinf(sites.max_slant_km) or not passes.site.size:
        return passes
    row, t_s = _samples(sites, track, passes)
    inside = _slant_km(sites, track, passes, row, t_s) <= sites.max_slant_km
    same = row[1:] == row[:-1]
    turn = np.flatnonzero(same & (inside[1:] != inside[:-1]))
    edge_s = _crossings(sites, track, passes, row[turn], t_s[turn], t_s[turn + 1])
    begun, ended = t_s.copy(), t_s.copy()
    begun[turn + 1], ended[turn] = edge_s, edge_s
    first = inside & np.concatenate([[True], ~(same & inside[:-1])])
    last = inside & np.concatenate([~(same & inside[1:]), [True]])
    part = row[first]
    site, satellite, rise_s, set_s = (
        passes.site[part], passes.satellite[part], begun[first], ended[last]
    )  # fmt: skip
    order = np.lexsort((satellite, site, rise_s))
    return Passes(site[order], satellite[order], rise_s[order], set_s[order])


def _slant_km(sites: Sites, track: Track, passes: Passes, row: Rows, t_s: Array) -> Array:
    return look_at(sites, track, passes.site[row], passes.satellite[row], t_s)[1]


def _samples(sites: Sites, track: Track, passes: Passes) -> tuple[Rows, Array]:
    """Pass and time of every look, in order: ends, samples of the track, least range between."""
    first = np.searchsorted(track.t_s, passes.rise_s, side="right")
    count = np.maximum(np.searchsorted(track.t_s, passes.set_s, side="left") - first, 0)
    rows = np.arange(len(count))
    within = np.repeat(rows, count)
    sample = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    row = np.concatenate([rows, within, rows])
    t_s = np.concatenate([passes.rise_s, track.t_s[sample], passes.set_s])
    order = np.lexsort((t_s, row))
    row, t_s = row[order], t_s[order]
    gap = np.flatnonzero(row[1:] == row[:-1])
    nearest_s = _nearest(sites, track, passes, row[gap], t_s[gap], t_s[gap + 1])
    row, t_s = np.concatenate([row, row[gap]]), np.concatenate([t_s, nearest_s])
    order = np.lexsort((t_s, row))
    return row[order], t_s[order]


def _nearest(
    sites: Sites, track: Track, passes: Passes, row: Rows, t0_s: Array, t1_s: Array
) -> Array:
    """When the range is least between two times, by golden section."""
    for _ in range(_SECTIONS):
        width_s = _GOLDEN * (t1_s - t0_s)
        early_s, late_s = t1_s - width_s, t0_s + width_s
        early, late = (_slant_km(sites, track, passes, row, t) for t in (early_s, late_s))
        t0_s, t1_s = np.where(early < late, t0_s, early_s), np.where(early < late, late_s, t1_s)
    return (t0_s + t1_s) / 2


def _crossings(
    sites: Sites, track: Track, passes: Passes, row: Rows, t0_s: Array, t1_s: Array
) -> Array:
    """When the range crosses the limit between two times on either side of it."""
    limit_km = sites.max_slant_km
    began_near = _slant_km(sites, track, passes, row, t0_s) <= limit_km
    for _ in range(_HALVINGS):
        middle_s = (t0_s + t1_s) / 2
        near = _slant_km(sites, track, passes, row, middle_s) <= limit_km
        like_start = near == began_near
        t0_s, t1_s = np.where(like_start, middle_s, t0_s), np.where(like_start, t1_s, middle_s)
    return t1_s
