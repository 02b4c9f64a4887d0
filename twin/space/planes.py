"""Find the orbital planes among satellites from the orbits themselves, and places along them."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Labels = NDArray[np.int32]

SAME_PLANE_DEG = 0.25
"""Planes of one constellation are never closer than this; what is, is one plane."""

CLEAR = 5.0
"""Planes stand clear of each other if the way from one to the next, half of the time at least, is
this many times as far as nine in ten orbits are from the middle of theirs."""

STRAY = 0.01
"""Share of satellites that may be between planes."""

EQUATORIAL_DEG = 1.0
"""Below this inclination nodes say nothing: places along the plane count from the x axis."""

EVEN = 0.01
"""Gaps between planes that differ by less than this share are as wide as each other."""


def densest_centre(values: Array, half_width: float) -> float:
    """Centre of the interval of width ``2 * half_width`` that holds most of `values` (N,).

    It is the middle of the values in that interval; of equally full ones, the lowest.
    """
    ordered = np.sort(values)
    end = np.searchsorted(ordered, ordered + 2 * half_width, side="right")
    first = int(np.argmax(end - np.arange(len(ordered))))
    return float(ordered[first] + ordered[end[first] - 1]) / 2


def normals(inc_rad: Array, raan_rad: Array) -> Array:
    """Unit normals of orbits, (N, 3)."""
    sine = np.sin(inc_rad)
    return np.stack([np.sin(raan_rad) * sine, -np.cos(raan_rad) * sine, np.cos(inc_rad)], axis=1)


def directions(inc_rad: Array, raan_rad: Array, latitude_rad: Array) -> Array:
    """Unit vectors to satellites at an argument of latitude on their orbits, (N, 3)."""
    node = np.stack([np.cos(raan_rad), np.sin(raan_rad), np.zeros_like(raan_rad)], axis=1)
    ahead = np.cross(normals(inc_rad, raan_rad), node)
    return np.asarray(np.cos(latitude_rad)[:, None] * node + np.sin(latitude_rad)[:, None] * ahead)


def spanning_tree(normal: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Shortest tree that joins the normals of N orbits (Prim, 1957), edges in order of growth.

    Parameters
    ----------
    normal : (N, 3) float64
        Unit vectors, N >= 1.

    Returns
    -------
    parent, child : (N-1,) int64
        Every parent is the first orbit or a child before.
    angle_rad : (N-1,) float64
    """
    n = len(normal)
    chord, nearest = np.full(n, np.inf), np.zeros(n, np.int64)
    outside = np.ones(n, bool)
    parent, child, length = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    last = 0
    for k in range(n - 1):
        outside[last] = False
        towards = np.linalg.norm(normal - normal[last], axis=1)
        closer = outside & (towards < chord)
        chord[closer], nearest[closer] = towards[closer], last
        last = int(np.argmin(np.where(outside, chord, np.inf)))
        parent[k], child[k], length[k] = nearest[last], last, chord[last]
    return parent, child, 2 * np.arcsin(np.minimum(length / 2, 1.0))


def cluster(normal: Array) -> Labels:
    """Group orbits by plane, (N,), from 0.

    Gaps within planes and between planes differ in size: in order of size, planes are cut apart
    where one gap of the tree is the largest multiple of the one before. One gap in a hundred may
    lie in between, of satellites on their way from plane to plane.
    """
    parent, child, angle_rad = spanning_tree(normal)
    limit_rad = _widest_within(angle_rad)
    label, count = np.zeros(len(normal), np.int32), 1
    for a, b, angle in zip(parent, child, angle_rad, strict=True):
        label[b] = label[a] if angle <= limit_rad else count
        count += angle > limit_rad
    return label


def _widest_within(angle_rad: Array) -> float:
    floor = np.radians(SAME_PLANE_DEG)
    wide = np.concatenate([[floor], np.sort(angle_rad[angle_rad > floor])])
    if len(wide) == 1:
        return float(floor)
    further = 1 + min(int(STRAY * len(angle_rad)), len(wide) - 2)
    k = int(np.argmax(wide[further:] / wide[:-further]))
    return float(np.sqrt(wide[k] * wide[k + further]))


def stand_clear(label: Labels, normal: Array) -> bool:
    """Whether planes are so far from each other, and so thin, that they are planes at all."""
    mean = mean_normals(label, normal)
    if len(mean) == 1:
        return True
    cosine = mean @ mean.T
    np.fill_diagonal(cosine, -1.0)
    next_rad = np.arccos(np.clip(cosine.max(axis=1), -1, 1))
    off_rad = 2 * np.arcsin(np.minimum(np.linalg.norm(normal - mean[label], axis=1) / 2, 1.0))
    return bool(np.median(next_rad) >= CLEAR * np.percentile(off_rad, 90))


def ordered(label: Labels, normal: Array) -> Labels:
    """Number planes by right ascension of the node, starting after the widest gap between nodes.

    Where several gaps are the widest, as in planes all round, the first plane is the one
    of these that holds the earliest satellite, so that the order does not hang on the last digit.
    """
    mean = mean_normals(label, normal)
    node = np.arctan2(mean[:, 0], -mean[:, 1]) % (2 * np.pi)
    order = np.argsort(node, kind="stable")
    gap = np.diff(node[order], prepend=node[order[-1]] - 2 * np.pi)
    after = np.flatnonzero(gap >= gap.max() * (1 - EVEN))
    earliest = np.unique(label, return_index=True)[1]
    start = int(after[np.argmin(earliest[order[after]])])
    number = np.empty(len(order), np.int32)
    number[np.roll(order, -start)] = np.arange(len(order))
    return number[label]


def mean_normals(label: Labels, normal: Array) -> Array:
    """Unit normal of each plane, (P, 3): the mean of its satellites'."""
    total = np.zeros((int(label.max()) + 1, 3))
    np.add.at(total, label, normal)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True))


def places(label: Labels, normal: Array, direction: Array) -> Array:
    """Place of each satellite along its plane, in turns from the plane's ascending node, (N,).

    From the x axis where the plane is equatorial.
    """
    mean = mean_normals(label, normal)
    node = np.cross([0.0, 0.0, 1.0], mean)
    flat = np.linalg.norm(node, axis=1) < np.sin(np.radians(EQUATORIAL_DEG))
    x_axis = np.array([1.0, 0.0, 0.0])
    node[flat] = x_axis - mean[flat] * mean[flat, :1]
    node /= np.linalg.norm(node, axis=1, keepdims=True)
    ahead = np.cross(mean, node)
    x, y = np.sum(direction * node[label], axis=1), np.sum(direction * ahead[label], axis=1)
    turns: Array = np.arctan2(y, x) / (2 * np.pi) % 1
    return np.where(turns < 1, turns, 0.0)


def widest_gap(turns: Array) -> float:
    """Longest stretch of an orbit without a satellite, in turns; 1 for a single one."""
    there = np.sort(turns)
    return float(np.diff(there, append=there[0] + 1).max())
