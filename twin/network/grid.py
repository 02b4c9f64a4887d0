"""The +Grid: which satellites pair with which, for good or, where nothing lasts, at times.

A satellite has four laser terminals: fore and aft in its plane, east and west to other planes of
its shell. A bridge has a fifth, towards other shells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from twin.network import pairing
from twin.network.pairing import Pairs
from twin.network.phasing import Alignment
from twin.space.constellation import Constellation


class LinkKind(IntEnum):
    """Where on the +Grid a link sits."""

    INTRA_PLANE = 0
    INTER_PLANE = 1
    SEAM = 2
    CROSS_SHELL = 3


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """When planes that drift against each other have which partners.

    Attributes
    ----------
    starts_s : (K,) float64
        Start of each period, since the epoch; the first is 0.
    chosen : (K, D) bool
        Which of the links that come and go exist in each.
    """

    starts_s: NDArray[np.float64]
    chosen: NDArray[np.bool_]

    def start_s(self, period: int) -> float:
        """Start of a period, in s since the epoch."""
        return float(self.starts_s[period])

    def period(self, t_s: float) -> int:
        """The period that an instant belongs to."""
        return int(np.searchsorted(self.starts_s, t_s, side="right")) - 1

    def partners(self, period: int, powered: NDArray[np.bool_]) -> NDArray[np.bool_]:  # noqa: ARG002
        """Which of the links exist during a period, (D,), whether their ends have power or not."""
        chosen: NDArray[np.bool_] = self.chosen[period]
        return chosen


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
    passing : (E,) bool
        Links between planes that drift against each other, which exist by `timetable`.
    timetable : Timetable
    indptr, indices : (N+1,), (2E,) int32
        CSR graph with both directions of every link.
    entry : (E, 2) int32
        Where in `indices` the two directions of each link stand.
    """

    edges: NDArray[np.int32]
    kind: NDArray[np.int8]
    changing: NDArray[np.bool_]
    passing: NDArray[np.bool_]
    timetable: Timetable
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    entry: NDArray[np.int32]

    @property
    def pairings(self) -> int:
        """How many links can exist at a time, at most."""
        count = int(np.sum(~self.changing & ~self.passing))
        count += int(self.timetable.chosen.sum(axis=1).max(initial=0))
        for kind in LinkKind:
            ends = self.edges[self.changing & (self.kind == kind)].T
            count += min(len(np.unique(end)) for end in ends)
        return count


def plus_grid(
    constellation: Constellation,
    *,
    seam: str,
    minimum_radius_km: float,
    alignments: Sequence[Alignment] = (),
    cross_shell_every: int = 0,
) -> Skeleton:
    """Pair every satellite with its neighbours in its plane and in the planes beside it.

    Every shell has a grid of its own; only bridges look beyond.

    Across planes, satellites are matched by phase, nearest first. Real planes are
    unequal: a satellite that finds no partner in the next plane is matched with the one after it,
    and so on, as long as the two orbits keep each other in sight all the way round.

    Parameters
    ----------
    constellation : Constellation
        Planes in order of RAAN, satellites in order along their plane.
    seam : {"open", "closed", "fixed", "dynamic"}
        Whether the last plane pairs with the first. Where these two move against each other, as
        in a star, the fixed (or closed) pairs are those that are closest at the epoch, and their
        links come and go; in a dynamic seam any two may pair. Where they move alike, in a delta,
        a dynamic seam leaves a choice among the nearest slots.
    minimum_radius_km : float
        How close to the Earth's centre a line of sight may pass.
    alignments : sequence of Alignment, optional
        Phases from one instant on after the other, see `twin.network.phasing.alignments`;
        ring positions by default.
    cross_shell_every : int
        Every n-th satellite of a shell is a bridge, which may pair with any bridge of the
        shell before or after its own; 0 for none.
    """
    default = Alignment(
        start_s=0.0, phase=constellation.ring_position, closing=(0.0,) * constellation.n_shells
    )
    aligned = list(alignments) or [default]
    shells = [pairing.planes(constellation, shell) for shell in range(constellation.n_shells)]
    within = [pair for members in shells for rows in members for pair in pairing.ring(rows)]
    between: list[Pairs] = [[] for _ in aligned]
    closing: list[Pairs] = [[] for _ in aligned]
    for k, now in enumerate(aligned):
        for members, shift in zip(shells, now.closing, strict=True):
            between[k] += pairing.across(constellation, members, now.phase, minimum_radius_km)
            if seam != "open" and len(members) > 2:
                closing[k] += pairing.closing(constellation, members, now.phase, seam, shift)
    crossing = pairing.between_shells(constellation, cross_shell_every)
    groups = [_as_array(within), *map(_ever, (between, closing)), crossing]
    there = [
        np.ones((len(aligned), len(within)), bool),
        *map(_present, (between, closing)),
        np.ones((len(aligned), len(crossing)), bool),
    ]
    kind = np.repeat(np.array(list(LinkKind), np.int8), [len(group) for group in groups])
    changing = (kind == LinkKind.CROSS_SHELL) | ((kind == LinkKind.SEAM) & (seam == "dynamic"))
    exists = np.concatenate(there, axis=1)
    passing = ~exists.all(axis=0) & ~changing
    timetable = Timetable(
        starts_s=np.array([now.start_s for now in aligned]), chosen=exists[:, passing]
    )
    return _skeleton(constellation.size, np.concatenate(groups), kind, changing, passing, timetable)


def _as_array(pairs: Iterable[tuple[int, int]]) -> NDArray[np.int32]:
    return np.array(list(pairs), np.int32).reshape(-1, 2)


def _ever(sets: list[Pairs]) -> NDArray[np.int32]:
    """All pairs that are in any of some sets, (E, 2), in order of appearance."""
    return _as_array(dict.fromkeys(chain(*sets)))


def _present(sets: list[Pairs]) -> NDArray[np.bool_]:
    """Which of K sets has which of these pairs, (K, E)."""
    number = {pair: e for e, pair in enumerate(dict.fromkeys(chain(*sets)))}
    has = np.zeros((len(sets), len(number)), bool)
    for k, pairs in enumerate(sets):
        has[k, [number[pair] for pair in pairs]] = True
    return has


def _skeleton(
    n: int,
    edges: NDArray[np.int32],
    kind: NDArray[np.int8],
    changing: NDArray[np.bool_],
    passing: NDArray[np.bool_],
    timetable: Timetable,
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
        passing=passing,
        timetable=timetable,
        indptr=np.searchsorted(tail[order], np.arange(n + 1)).astype(np.int32),
        indices=head[order].astype(np.int32),
        entry=np.ascontiguousarray(entry.reshape(2, -1).T),
    )
