"""Find the structure of an untidy constellation: its shell and its orbital planes."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


def densest_centre(values: Array, half_width: float) -> float:
    """Centre of the interval of width ``2 * half_width`` that holds most of `values` (N,).

    It is the middle of the values in that interval; of equally full ones, the lowest.
    """
    ordered = np.sort(values)
    end = np.searchsorted(ordered, ordered + 2 * half_width, side="right")
    first = int(np.argmax(end - np.arange(len(ordered))))
    return float(ordered[first] + ordered[end[first] - 1]) / 2


def cluster_angles(angle_rad: Array, gap_rad: float) -> NDArray[np.int32]:
    """Group angles on the circle wherever neighbours are further apart than a gap.

    Parameters
    ----------
    angle_rad : (N,) float64
        N >= 1.
    gap_rad : float

    Returns
    -------
    label : (N,) int32
        Groups 0, 1, ... in the order of the angle, starting after the widest gap of all, so that
        a constellation that leaves part of the circle empty has its seam between last and first.
    """
    order = np.argsort(angle_rad % (2 * np.pi), kind="stable")
    ordered = angle_rad[order] % (2 * np.pi)
    gap = np.diff(ordered, prepend=ordered[-1] - 2 * np.pi)
    start = int(np.argmax(gap))
    new = np.roll(gap > gap_rad, -start)
    new[0] = False
    label = np.empty(len(order), np.int32)
    label[np.roll(order, -start)] = np.cumsum(new)
    return label


def away_from_shell(
    index: NDArray[np.int64], altitude_km: Array, window_km: float
) -> dict[int, str]:
    """Reasons to leave out what is further than a window from the most populated altitude."""
    centre_km = densest_centre(altitude_km, window_km)
    return {
        int(
            i
        ): f"outside the shell at {centre_km:.1f} +- {window_km:g} km: mean altitude {h:.1f} km"
        for i, h in zip(index, altitude_km, strict=True)
        if abs(h - centre_km) > window_km
    }


def too_small(
    index: NDArray[np.int64], raan_rad: Array, gap_rad: float, minimum: int
) -> dict[int, str]:
    """Reasons to leave out what shares its plane with fewer than a minimum of satellites."""
    plane = cluster_angles(raan_rad, gap_rad)
    members = np.bincount(plane)[plane]
    return {
        int(i): f"in a plane of fewer than {minimum}: {n} at node {np.degrees(node):.1f} deg"
        for i, node, n in zip(index, raan_rad, members, strict=True)
        if n < minimum
    }
