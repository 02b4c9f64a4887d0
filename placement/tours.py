"""Closed tours over the constellation: where a ring of gateways may run.

A tour is a sequence of cells on the map of planes by slots, each big enough for one gateway and the
experts around it. Either it runs along the orbit and closes by itself (the paper's ring), in one or
more turns; or it is folded: out and back over a block of cells, which keeps all hops short.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem

Tour = NDArray[np.float64]
"""(M, 2): offset in planes from the middle, and place along the orbit in turns."""


def tours(stops: int, *, cell: int, planes: int, slots: int) -> Iterator[Tour]:
    """All tours to try for a number of stops.

    Parameters
    ----------
    stops : int
        Gateways' satellites to visit.
    cell : int
        Satellites that each stop needs, its own included.
    planes, slots : int
        Size of the map: planes, and satellites in each.
    """
    yield from _along(stops, planes=planes, slots=slots)
    for width, height in _pitches(cell, planes, slots):
        for columns in range(2, min(stops, planes // width) + 1):
            rows = -(-stops // columns)
            for across in (False, True):
                block = _fold(columns, rows, across=across)
                if block is None or len(block) < stops or (block[:, 1].max() + 1) * height > slots:
                    continue
                kept = block[
                    np.round(np.linspace(0, len(block), stops, endpoint=False)).astype(int)
                ]
                middle = (columns - 1) / 2
                yield np.column_stack([(kept[:, 0] - middle) * width, kept[:, 1] * height / slots])


def _along(stops: int, *, planes: int, slots: int) -> Iterator[Tour]:
    """Round the orbit, in as many turns as there are more stops than slots, or more."""
    fewest = -(-stops // slots)
    for turns in range(fewest, min(fewest + 2, planes) + 1):
        for pitch in range(1, planes // turns + 1):
            turn = np.arange(stops) * turns / stops
            planes_off = (np.floor(turn) - (turns - 1) / 2) * pitch
            yield np.column_stack([planes_off, turn % 1.0])
            if turns == 1:
                break


def _pitches(cell: int, planes: int, slots: int) -> list[tuple[int, int]]:
    """Shapes of cells that hold enough satellites, without much waste."""
    return [
        (width, height)
        for width in range(1, min(planes, 3 * cell) + 1)
        for height in range(1, min(slots, 3 * cell) + 1)
        if cell <= width * height <= max(1.5 * cell, 2)
        and max(width, height) <= 3 * min(width, height)
    ]


def _fold(columns: int, rows: int, *, across: bool) -> NDArray[np.int64] | None:
    """A closed tour over a block of at least columns x rows cells, neighbour to neighbour.

    To and fro over all columns but the first, and back along that one. `across`: the to and fro
    goes along the planes' direction instead. None where the block is too small.
    """
    lanes, length = (columns, rows) if across else (rows, columns)
    lanes += lanes % 2  # an even number of lanes ends beside the way back
    if length < 2:
        return None
    cells = []
    for lane in range(lanes):
        along = range(1, length) if lane % 2 == 0 else range(length - 1, 0, -1)
        cells += [(lane, place) for place in along]
    cells += [(lane, 0) for lane in range(lanes - 1, -1, -1)]
    block = np.array(cells)
    return block if across else block[:, ::-1]


_BINS_PER_SLOT = 4


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Neighbouring planes as a map on which tours are laid.

    Attributes
    ----------
    nearest : (planes, bins) int32
        The plane's satellite nearest to each of evenly spaced places along the orbit.
    slots : int
        Satellites of a plane, where they differ the middle one of all planes.
    middles : list of float
        Planes to lay a tour's middle on.
    """

    nearest: NDArray[np.int32]
    slots: int
    middles: list[float]

    @property
    def planes(self) -> int:
        """How many there are."""
        return len(self.nearest)

    def locate(self, tour: Tour, middle: float) -> NDArray[np.int32]:
        """The satellite nearest to each place of a tour, (M,); at the rim, the rim's."""
        planes = np.clip(np.floor(tour[:, 0] + middle + 0.5), 0, self.planes - 1).astype(np.int64)
        bins = self.nearest.shape[1]
        place = np.round(tour[:, 1] * bins).astype(np.int64) % bins
        return np.asarray(self.nearest[planes, place])


def charts(
    problem: PlacementProblem, usable: NDArray[np.bool_], strength: NDArray[np.float64]
) -> list[Chart]:
    """A chart of the usable satellites of each run of neighbouring planes.

    Parameters
    ----------
    problem : PlacementProblem
    usable : (N,) bool
    strength : (N,) float64
        What each satellite can carry; where planes differ in it, tours are laid where they are
        strongest.
    """
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort((problem.ring_position[rows], problem.plane[rows]))]
    numbers, first = np.unique(problem.plane[order], return_index=True)
    members = np.split(order, first[1:])
    total = np.array([strength[rows].sum() for rows in members])
    runs = np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers) > 1) + 1)
    found = []
    for run in runs:
        slots = int(np.median([len(members[p]) for p in run]))
        place = np.arange(_BINS_PER_SLOT * slots) / (_BINS_PER_SLOT * slots)
        nearest = [_nearest(members[p], problem.ring_position[members[p]], place) for p in run]
        middles = _middles(total[run])
        found.append(Chart(nearest=np.stack(nearest), slots=slots, middles=middles))
    return found


def _nearest(
    rows: NDArray[np.int64], ring: NDArray[np.float64], place: NDArray[np.float64]
) -> NDArray[np.int32]:
    off = (ring - place[:, None] + 0.5) % 1.0 - 0.5
    return rows[np.abs(off).round(9).argmin(axis=1)].astype(np.int32)


def _middles(strength: NDArray[np.float64]) -> list[float]:
    """The middle of planes that are alike; else the middles of the strongest stretches."""
    last = len(strength) - 1
    if np.ptp(strength) <= 1e-9 * strength.max():
        return [last / 2]
    found = []
    for width in (3, 7, 15):
        around = np.convolve(strength, np.ones(min(width, len(strength))), mode="same")
        found.append(float(around.argmax()))
    return list(dict.fromkeys([*found, last / 2]))
