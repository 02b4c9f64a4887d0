"""When satellites pass over ground sites, found by root finding on the ephemeris."""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.network.ground import Sites
from twin.space.compiled import compiled
from twin.space.constellation import Constellation
from twin.space.frames import gcrs_to_itrs
from twin.space.propagation import tracked

type Array = NDArray[np.float64]
type Rows = NDArray[np.int32]

SAMPLE_S = 120.0
"""Spacing of the ephemeris; the cubic between samples is within 10 m of the motion in low orbit."""

ROOT_TOLERANCE_S = 1e-4

RISE, SET, END, LOW = range(4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """Motion of N satellites in Earth-fixed axes (ITRS).

    Attributes
    ----------
    t_s : (T,) float64
        Seconds since the epoch, evenly spaced; T >= 2. In between, the motion is cubic.
    r_km, v_km_s : (T, N, 3) float64
    """

    t_s: Array
    r_km: Array
    v_km_s: Array


class Passes(NamedTuple):
    """M passes of satellites over sites, ordered by rise; all (M,)."""

    site: Rows
    satellite: Rows
    rise_s: Array
    """When the satellite climbs above the mask, s since the epoch; the start of the track if it is
    above the mask then."""
    set_s: Array
    """When it sinks below the mask; the end of the track if it is above the mask then."""


def track(constellation: Constellation, model: str, t0_s: float, t1_s: float) -> Track:
    """Propagate a constellation from `t0_s` to a later `t1_s`, in samples `SAMPLE_S` apart or less.

    `model` is one of `twin.space.propagation.PROPAGATORS`. Takes 48 bytes a sample and satellite:
    37 MB for a day of 1056 satellites.
    """
    t_s = np.linspace(t0_s, t1_s, max(5, int(np.ceil((t1_s - t0_s) / SAMPLE_S - 1e-9)) + 1))
    r_km, _, _ = tracked(constellation, model, t_s)
    r_km = r_km @ np.swapaxes(gcrs_to_itrs(constellation.epoch_utc, t_s), -1, -2)
    return Track(t_s=t_s, r_km=r_km, v_km_s=_derivative(r_km) / (t_s[1] - t_s[0]))


def _derivative(x: Array) -> Array:
    """Differences along the first axis, right to fourth order, of five values or more.

    They stand in for the velocities of the models, of which "kepler-j2" leaves out the drift, worth
    60 m between samples.
    """
    rate = np.empty_like(x)
    rate[2:-2] = (8 * (x[3:-1] - x[1:-3]) - (x[4:] - x[:-4])) / 12
    ends = np.array([[-25, 48, -36, 16, -3], [-3, -10, 18, -6, 1]]) / 12
    rate[:2] = np.tensordot(ends, x[:5], 1)
    rate[:-3:-1] = -np.tensordot(ends, x[:-6:-1], 1)
    return rate


def passes(sites: Sites, track: Track) -> Passes:
    """Every pass of every satellite of a track over every site.

    Rise and set of a pass of minutes are within 20 ms of the ephemeris, most within 5. Where a
    satellite only grazes the mask, for less than a minute, it climbs so slowly that the 10 m of the
    interpolation are worth up to 0.1 s. A pass that begins and ends between two samples is found
    too, except where a satellite below 270 km only just climbs over a mask of more than 36 degrees.
    """
    edges = _edges(sites, track)
    order = np.lexsort((edges.setting, edges.t_s, edges.satellite, edges.site))
    # Rises and sets of a pair alternate, and begin with a rise.
    site, satellite = edges.site[order[::2]], edges.satellite[order[::2]]
    rise_s, set_s = edges.t_s[order[::2]], edges.t_s[order[1::2]]
    by_rise = np.lexsort((satellite, site, rise_s))
    return Passes(site[by_rise], satellite[by_rise], rise_s[by_rise], set_s[by_rise])


def culminations(sites: Sites, track: Track, passes: Passes) -> tuple[Array, Array]:
    """When the satellite stands highest in each pass, s, and its elevation then, rad; (M,) each."""
    t_s = _roots(sites, track, *passes, culmination=True)
    sin_elevation, _ = look_at(sites, track, passes.site, passes.satellite, t_s)
    return t_s, np.arcsin(np.clip(sin_elevation, -1, 1))


def look_at(
    sites: Sites, track: Track, site: Rows, satellite: Rows, t_s: Array
) -> tuple[Array, Array]:
    """Sine of the elevation and slant range of K pairs, each at its own time; all (K,)."""
    out = np.empty((2, len(site)))
    _look_at(*_scene(sites, track), site, satellite, t_s, out)
    return out[0], out[1]


class _Edges(NamedTuple):
    """K crossings of the mask."""

    site: Rows
    satellite: Rows
    t_s: Array
    setting: NDArray[np.bool_]


def _edges(sites: Sites, track: Track) -> _Edges:
    """All crossings of the mask; an end of the track is one for a satellite above it there."""
    mask, found = np.sin(sites.minimum_elevation_rad), np.empty((32768, 4), np.int32)
    sky = sites.r_km, sites.up, track.r_km, track.v_km_s
    while (count := _scan(*sky, mask, found)) > len(found):
        found = np.empty((count, 4), np.int32)
    kind, sample, site, satellite = found[:count].T.copy()
    t1_s = track.t_s[sample]
    t0_s = np.where(kind == END, t1_s, track.t_s[np.maximum(sample - 1, 0)])
    low = kind == LOW
    short = _edges_between(sites, track, site[low], satellite[low], t0_s[low], t1_s[low])
    pair, between = (site[~low], satellite[~low]), (t0_s[~low], t1_s[~low])
    plain = _Edges(*pair, _roots(sites, track, *pair, *between), kind[~low] != RISE)
    parts = (plain, *short)
    return _Edges(
        np.concatenate([part.site for part in parts]),
        np.concatenate([part.satellite for part in parts]),
        np.concatenate([part.t_s for part in parts]),
        np.concatenate([part.setting for part in parts]),
    )


def _edges_between(
    sites: Sites, track: Track, site: Rows, satellite: Rows, t0_s: Array, t1_s: Array
) -> tuple[_Edges, _Edges]:
    """Rises and sets of passes for which there is room between two samples below the mask."""
    top_s = _roots(sites, track, site, satellite, t0_s, t1_s, culmination=True)
    real = look_at(sites, track, site, satellite, top_s)[0] > np.sin(sites.minimum_elevation_rad)
    site, satellite, t0_s, top_s, t1_s = (a[real] for a in (site, satellite, t0_s, top_s, t1_s))
    rise_s = _roots(sites, track, site, satellite, t0_s, top_s)
    set_s = _roots(sites, track, site, satellite, top_s, t1_s)
    up = np.zeros(len(site), bool)
    return _Edges(site, satellite, rise_s, up), _Edges(site, satellite, set_s, ~up)


def _roots(
    sites: Sites,
    track: Track,
    site: Rows,
    satellite: Rows,
    t0_s: Array,
    t1_s: Array,
    *,
    culmination: bool = False,
) -> Array:
    """When K pairs cross the mask, or culminate, between two times; an end if they do not."""
    out, mask = np.empty(len(site)), np.sin(sites.minimum_elevation_rad)
    scene = _scene(sites, track)
    _find_roots(*scene, site, satellite, t0_s, t1_s, culmination, mask, out)
    return out


def _scene(sites: Sites, track: Track) -> tuple[Array, Array, Array, Array, Array]:
    return sites.r_km, sites.up, track.t_s, track.r_km, track.v_km_s


@compiled
def _sine(place: Array, up: Array, r: Array, floor: float) -> float:
    """Sine of the elevation; -1 below the horizon, where the floor is not."""
    x, y, z = r[0] - place[0], r[1] - place[1], r[2] - place[2]
    height = up[0] * x + up[1] * y + up[2] * z
    if height < 0 <= floor:
        return -1.0  # Most of the sky is down there: no root needed.
    return float(height / sqrt(x * x + y * y + z * z))


@compiled
def _climbs(place: Array, up: Array, r: Array, v: Array) -> bool:
    """Whether the elevation grows."""
    height = square = lift = away = 0.0
    for i in range(3):
        ray = r[i] - place[i]
        height += up[i] * ray
        square += ray * ray
        lift += up[i] * v[i]
        away += ray * v[i]
    return lift * square > height * away


@compiled
def _scan(place: Array, up: Array, r: Array, v: Array, mask: float, found: Rows) -> int:
    """Write (kind, sample, site, satellite) while there is room; return how many there are.

    Each row is about the interval that ends with the sample.
    """
    samples, n, count = r.shape[0], r.shape[1], 0
    before = np.full((place.shape[0], n), -1.0)
    floor = mask / 2 - 0.05  # Lower than this at both ends, no pass can fit in between.
    for k in range(samples):
        for g in range(place.shape[0]):
            for j in range(n):
                was = before[g, j]
                before[g, j] = now = _sine(place[g], up[g], r[k, j], floor)
                if now <= floor and was <= floor:
                    continue
                kind = -1
                if (now >= mask) != (was >= mask):
                    kind = RISE if now >= mask else SET
                elif now < mask and k > 0 and _climbs(place[g], up[g], r[k - 1, j], v[k - 1, j]):
                    kind = -1 if _climbs(place[g], up[g], r[k, j], v[k, j]) else LOW
                for what in (kind, END if k == samples - 1 and now >= mask else -1):
                    if what >= 0:
                        if count < found.shape[0]:
                            found[count, 0], found[count, 1] = what, k
                            found[count, 2], found[count, 3] = g, j
                        count += 1
    return count


@compiled
def _look(
    place: Array, up: Array, t_s: Array, r: Array, v: Array, g: int, j: int, t: float
) -> tuple[float, float, float]:
    """Sine of the elevation, its rate, and slant range."""
    step_s = t_s[1] - t_s[0]
    k = min(max(int((t - t_s[0]) / step_s), 0), t_s.size - 2)
    x = (t - t_s[k]) / step_s
    height = square = lift = away = 0.0
    for i in range(3):
        start, w0, w1 = r[k, j, i], v[k, j, i] * step_s, v[k + 1, j, i] * step_s
        chord = r[k + 1, j, i] - start
        b, c = 3 * chord - 2 * w0 - w1, w0 + w1 - 2 * chord
        ray = start + x * (w0 + x * (b + x * c)) - place[g, i]
        speed = (w0 + x * (2 * b + 3 * x * c)) / step_s
        height += up[g, i] * ray
        square += ray * ray
        lift += up[g, i] * speed
        away += ray * speed
    slant = sqrt(square)
    return height / slant, (lift - height * away / square) / slant, slant


@compiled
def _look_at(
    place: Array, up: Array, t_s: Array, r: Array, v: Array,
    site: Rows, satellite: Rows, when_s: Array, out: Array,
) -> None:  # fmt: skip
    for m in range(site.size):
        sine, _, slant = _look(place, up, t_s, r, v, site[m], satellite[m], when_s[m])
        out[0, m], out[1, m] = sine, slant


@compiled
def _find_roots(
    place: Array, up: Array, t_s: Array, r: Array, v: Array,
    site: Rows, satellite: Rows, t0_s: Array, t1_s: Array,
    culmination: bool, mask: float, out: Array,
) -> None:  # fmt: skip
    """Illinois method, pair after pair."""
    for m in range(site.size):
        t0, t1, f0, f1, t, before = t0_s[m], t1_s[m], 0.0, 0.0, t0_s[m], t1_s[m]
        # The first two rounds look at the ends.
        for step in range(60):
            sine, rate, _ = _look(place, up, t_s, r, v, site[m], satellite[m], t)
            f = rate if culmination else sine - mask
            if step == 0:
                f0, t = f, t1
                continue
            if step == 1:
                if (f > 0) == (f0 > 0):
                    t = t0 if culmination and f0 <= 0 else t1
                    break
            elif f == 0.0 or abs(t - before) < ROOT_TOLERANCE_S:
                break
            elif (f > 0) != (f1 > 0):
                t0, f0 = t1, f1
            else:
                f0 /= 2
            t1, f1, before = t, f, t
            t = t1 - f1 * (t1 - t0) / (f1 - f0)
        out[m] = t
