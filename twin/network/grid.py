"""The +Grid: which satellites pair with which, for good or, where nothing lasts, at times.

A satellite has four laser terminals: fore and aft in its plane, east and west to other planes of
its shell. A bridge has a fifth, towards other shells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twin.space.constellation import Constellation

Pairs = list[tuple[int, int]]

CHOICE_SLOTS = 1.5
"""How far from its own place along the orbit a partner across a dynamic delta seam may be."""


class LinkKind(IntEnum):
    """Where on the +Grid a link sits."""

    INTRA_PLANE = 0
    INTER_PLANE = 1
    SEAM = 2
    CROSS_SHELL = 3


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """The fixed set of pairings, and the CSR graph whose weights a snapshot rewrites.

    Attributes
    ----------
    edges : (E, 2) int32
        Satellites of each duplex link.
    kind : (E,) int8
        `LinkKind` of each.
    changing : (E,) bool
        Links across a dynamic seam or between shells: those that may exist, of which `Seam`
        chooses the pairs.
    indptr, indices : (N+1,), (2E,) int32
        CSR graph with both directions of every link.
    entry : (E, 2) int32
        Where in `indices` the two directions of each link stand.
    """

    edges: NDArray[np.int32]
    kind: NDArray[np.int8]
    changing: NDArray[np.bool_]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    entry: NDArray[np.int32]

    @property
    def pairings(self) -> int:
        """How many links can exist at a time, at most."""
        count = int(np.sum(~self.changing))
        for kind in LinkKind:
            ends = self.edges[self.changing & (self.kind == kind)].T
            count += min(len(np.unique(end)) for end in ends)
        return count


def plus_grid(
    constellation: Constellation,
    *,
    seam: str,
    minimum_radius_km: float,
    seam_shift: Sequence[float] = (0.0,),
    link_shift: Sequence[float] = (0.0,),
    cross_shell_every: int = 0,
) -> Skeleton:
    """Pair every satellite with its neighbours in its plane and in the planes beside it.

    Every shell has a grid of its own; only bridges look beyond.

    Across planes, satellites are matched by ring position, nearest first. Real planes are
    unequal: a satellite that finds no partner in the next plane is matched with the one after it,
    and so on, as long as the two orbits keep each other in sight all the way round.

    Parameters
    ----------
    constellation : Constellation
        Planes in order of RAAN.
    seam : {"open", "closed", "fixed", "dynamic"}
        Whether the last plane pairs with the first. Where these two move against each other, as
        in a star, the fixed (or closed) pairs are those that are closest at the epoch, and their
        links come and go; in a dynamic seam any two may pair. Where they move alike, in a delta,
        a dynamic seam leaves a choice among the nearest slots.
    minimum_radius_km : float
        How close to the Earth's centre a line of sight may pass.
    seam_shift : sequence of float, one a shell
        What to add to a ring position of the last plane to compare it with the first: the
        phasing that has built up over the planes, F/S of a Walker delta.
    link_shift : sequence of float, one a shell
        How far ahead, in turns, partners in the next plane are.
    cross_shell_every : int
        Every n-th satellite of a shell is a bridge, which may pair with any bridge of the
        shell before or after its own; 0 for none.
    """
    within: Pairs = []
    between: Pairs = []
    closing: Pairs = []
    for shell, (shift, ahead) in enumerate(zip(seam_shift, link_shift, strict=True)):
        members = _planes(constellation, shell)
        within += [pair for rows in members for pair in _ring(rows)]
        between += _across(constellation, members, ahead, minimum_radius_km)
        if seam != "open" and len(members) > 2:
            closing += _closing(constellation, members[-1], members[0], seam, shift + ahead)
    groups = [np.array(g, np.int32).reshape(-1, 2) for g in (within, between, closing)]
    groups.append(_between_shells(constellation, cross_shell_every))
    kind = np.repeat(np.array(list(LinkKind), np.int8), [len(group) for group in groups])
    changing = (kind == LinkKind.CROSS_SHELL) | ((kind == LinkKind.SEAM) & (seam == "dynamic"))
    return _skeleton(constellation.size, np.concatenate(groups), kind, changing)


def _planes(constellation: Constellation, shell: int) -> list[NDArray[np.int64]]:
    """Satellites of each plane of a shell, by ring position."""
    ring = constellation.ring_position
    numbers = np.unique(constellation.plane[constellation.shell == shell])
    rows = (np.flatnonzero(constellation.plane == p) for p in numbers)
    return [members[np.argsort(ring[members], kind="stable")] for members in rows]


def _between_shells(constellation: Constellation, every: int) -> NDArray[np.int32]:
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


def _ring(rows: NDArray[np.int64]) -> Pairs:
    """Consecutive satellites of a plane, the last with the first unless they are only two."""
    following = np.roll(rows, -1)[: len(rows) if len(rows) > 2 else len(rows) - 1]
    return [(int(a), int(b)) for a, b in zip(rows, following, strict=False)]


def _across(
    constellation: Constellation,
    members: list[NDArray[np.int64]],
    ahead: float,
    minimum_radius_km: float,
) -> Pairs:
    """Match planes with the next one, then what is left with the one after that, and so on."""
    ring = constellation.ring_position
    a_km = float(np.median(constellation.a_km[np.concatenate(members)]))
    sight_rad = 2 * np.arccos(min(1.0, minimum_radius_km / a_km))
    free_east, free_west = list(members), list(members)
    pairs: Pairs = []
    for skip in range(1, len(members)):
        for p in range(len(members) - skip):
            east, west = free_east[p], free_west[p + skip]
            if not len(east) or not len(west):
                continue
            if skip > 1 and _plane_angle_rad(constellation, east[0], west[0]) > sight_rad:
                continue
            matched = _match(east, west, ring[east] + ahead, ring[west])
            free_east[p] = np.setdiff1d(east, [a for a, _ in matched], assume_unique=True)
            free_west[p + skip] = np.setdiff1d(west, [b for _, b in matched], assume_unique=True)
            pairs += matched
    return pairs


def _closing(
    constellation: Constellation,
    last: NDArray[np.int64],
    first: NDArray[np.int64],
    seam: str,
    seam_shift: float,
) -> Pairs:
    """Pairs of the last plane with the first; for a dynamic seam, all that may ever be."""
    ring = constellation.ring_position
    towards, here = ring[last] + seam_shift, ring[first]
    counter = _plane_angle_rad(constellation, last[0], first[0]) > np.pi / 2
    if counter:
        latitude = (constellation.argp_rad + constellation.nu_rad) / (2 * np.pi)
        towards, here = 0.5 - latitude[last], latitude[first]
    if seam != "dynamic":
        return _match(last, first, towards, here)
    reach = 0.5 if counter else CHOICE_SLOTS / max(len(last), len(first))
    near = np.argwhere(_gap(towards, here) <= reach)
    return [(int(last[i]), int(first[j])) for i, j in near]


def _plane_angle_rad(constellation: Constellation, a: int, b: int) -> float:
    """Angle between the orbital planes of two satellites, which turn the same way below pi/2."""
    inc, raan = constellation.inc_rad, constellation.raan_rad
    cosine = np.cos(inc[a]) * np.cos(inc[b])
    cosine += np.sin(inc[a]) * np.sin(inc[b]) * np.cos(raan[a] - raan[b])
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _match(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    left_ring: NDArray[np.float64],
    right_ring: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Nearest-first one-to-one matching of two planes by their places along the orbit, in turns.

    Partners further apart than one mean slot of the fuller plane are left unpaired.
    """
    gap = _gap(left_ring, right_ring)
    reach = 1.0 / max(len(left), len(right))
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


def _skeleton(
    n: int, edges: NDArray[np.int32], kind: NDArray[np.int8], changing: NDArray[np.bool_]
) -> Skeleton:
    tail = np.concatenate([edges[:, 0], edges[:, 1]])
    head = np.concatenate([edges[:, 1], edges[:, 0]])
    order = np.lexsort((head, tail))
    entry = np.empty(2 * len(edges), np.int32)
    entry[order] = np.arange(2 * len(edges), dtype=np.int32)
    return Skeleton(
        edges=edges,
        kind=kind,
        changing=changing,
        indptr=np.searchsorted(tail[order], np.arange(n + 1)).astype(np.int32),
        indices=head[order].astype(np.int32),
        entry=np.ascontiguousarray(entry.reshape(2, -1).T),
    )
