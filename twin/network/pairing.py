"""Who is whose partner: along a plane, from plane to plane, round the seam, between shells."""

import numpy as np
from numpy.typing import NDArray

from twin.space.constellation import Constellation

type Pairs = list[tuple[int, int]]

CHOICE_SLOTS = 1.5
"""How far from its own place along the orbit a partner across a dynamic delta seam may be."""


def planes(constellation: Constellation, shell: int) -> list[NDArray[np.int64]]:
    """Satellites of each plane of a shell, in order along it."""
    numbers = np.unique(constellation.plane[constellation.shell == shell])
    return [np.flatnonzero(constellation.plane == p) for p in numbers]


def between_shells(constellation: Constellation, every: int) -> NDArray[np.int32]:
    """All pairs of bridges of neighbouring shells, (C, 2), those of even shells first.

    A bridge of a shell in the middle has one terminal for both sides: so ordered, each column
    counts how many can pair at a time.
    """
    if not every:
        return np.empty((0, 2), np.int32)
    shell = constellation.shell
    bridges = [np.flatnonzero(shell == k)[::every] for k in range(constellation.n_shells)]
    even, odd = bridges[::2], bridges[1::2]
    facing = [*zip(even, odd, strict=False), *zip(even[1:], odd, strict=False)]
    grids = [np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1) for a, b in facing]
    return np.concatenate([grid.reshape(-1, 2) for grid in grids]).astype(np.int32)


def ring(rows: NDArray[np.int64]) -> Pairs:
    """Consecutive satellites of a plane, the last with the first unless they are only two."""
    following = np.roll(rows, -1)[: len(rows) if len(rows) > 2 else len(rows) - 1]
    return [(int(a), int(b)) for a, b in zip(rows, following, strict=False)]


def across(
    constellation: Constellation,
    members: list[NDArray[np.int64]],
    phase: NDArray[np.float64],
    minimum_radius_km: float,
) -> Pairs:
    """Match planes with the next one, then what is left with the one after that, and so on."""
    phases = constellation.phases
    a_km = constellation.a_km if phases is None else phases.a_km
    middle_km = float(np.median(a_km[np.concatenate(members)]))
    sight_rad = 2 * np.arccos(min(1.0, minimum_radius_km / middle_km))
    free_east, free_west = list(members), list(members)
    pairs: Pairs = []
    for skip in range(1, len(members)):
        for p in range(len(members) - skip):
            east, west = free_east[p], free_west[p + skip]
            if not len(east) or not len(west):
                continue
            if skip > 1 and _plane_angle_rad(constellation, east[0], west[0]) > sight_rad:
                continue
            reach = 1.0 / max(len(members[p]), len(members[p + skip]))
            matched = _match(east, west, phase[east], phase[west], reach)
            free_east[p] = np.setdiff1d(east, [a for a, _ in matched], assume_unique=True)
            free_west[p + skip] = np.setdiff1d(west, [b for _, b in matched], assume_unique=True)
            pairs += matched
    return pairs


def closing(
    constellation: Constellation,
    members: list[NDArray[np.int64]],
    phase: NDArray[np.float64],
    seam: str,
    shift: float,
) -> Pairs:
    """Pairs of the last plane with the first; for a dynamic seam, all that may ever be."""
    last, first = members[-1], members[0]
    towards, here = phase[last] + shift, phase[first]
    counter = _plane_angle_rad(constellation, last[0], first[0]) > np.pi / 2
    if counter:
        # Of element sets at the middle epoch of their file, so that partners are the same any day.
        phases = constellation.phases
        latitude = (constellation.argp_rad + constellation.nu_rad) / (2 * np.pi)
        latitude = latitude if phases is None else phases.turns
        towards, here = 0.5 - latitude[last], latitude[first]
    if seam != "dynamic":
        return _match(last, first, towards, here, 1.0 / max(len(last), len(first)))
    reach = 0.5 if counter else CHOICE_SLOTS / max(len(last), len(first))
    near = np.argwhere(_gap(towards, here) <= reach)
    return [(int(last[i]), int(first[j])) for i, j in near]


def _plane_angle_rad(constellation: Constellation, a: int, b: int) -> float:
    """Angle between the orbital planes of two satellites, which turn the same way below pi/2."""
    if constellation.phases is not None:
        one, other = constellation.phases.normal[[a, b]]
        return float(np.arccos(np.clip(one @ other, -1.0, 1.0)))
    inc, raan = constellation.inc_rad, constellation.raan_rad
    cosine = np.cos(inc[a]) * np.cos(inc[b])
    cosine += np.sin(inc[a]) * np.sin(inc[b]) * np.cos(raan[a] - raan[b])
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _match(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    left_turns: NDArray[np.float64],
    right_turns: NDArray[np.float64],
    reach: float,
) -> Pairs:
    """Nearest-first one-to-one matching of satellites of two planes by their places along them.

    Partners are less than `reach` apart, in turns: one mean slot of the fuller plane.
    """
    gap = _gap(left_turns, right_turns)
    free_left, free_right = np.ones(len(left), bool), np.ones(len(right), bool)
    pairs = []
    # Rounded, so that equal gaps are met in index order on every machine.
    for flat in np.argsort(gap.round(9), axis=None, kind="stable"):
        i, j = divmod(int(flat), len(right))
        if gap[i, j] >= reach:
            break
        if free_left[i] and free_right[j]:
            free_left[i] = free_right[j] = False
            pairs.append((int(left[i]), int(right[j])))
    return sorted(pairs)


def _gap(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance along the orbit of each of one plane from each of another, in turns."""
    return np.abs((left[:, None] - right[None, :] + 0.5) % 1.0 - 0.5)
