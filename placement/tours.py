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
    """All tours to try for so many stops.

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
        if cell <= width * height <= 2 * cell and max(width, height) <= 4 * min(width, height)
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


@dataclass(frozen=True)
class Chart:
    """Neighbouring planes as a map on which tours are laid.

    Attributes
    ----------
    planes : list of (S,) int64
        Satellites of each plane, along the orbit.
    ring : list of (S,) float64
        Their places along the orbit, in turns.
    """

    planes: list[NDArray[np.int64]]
    ring: list[NDArray[np.float64]]

    @property
    def slots(self) -> int:
        """Satellites of a plane, where they differ the middle one of all planes."""
        return int(np.median([len(rows) for rows in self.planes]))

    def middles(self, *, alike: bool) -> list[float]:
        """Planes to lay a tour's middle on: the middle one, or several where satellites differ."""
        last = len(self.planes) - 1
        return [last / 2] if alike else np.unique(np.linspace(0, last, 9).round()).tolist()

    def locate(self, tour: Tour, middle: float) -> NDArray[np.int32]:
        """The satellite nearest to each place of a tour, (M,); at the rim, the rim's."""
        planes = np.clip(np.floor(tour[:, 0] + middle + 0.5), 0, len(self.planes) - 1).astype(int)
        found = np.empty(len(tour), np.int32)
        for plane in np.unique(planes):
            stops = np.flatnonzero(planes == plane)
            off = (self.ring[plane] - tour[stops, 1][:, None] + 0.5) % 1.0 - 0.5
            found[stops] = self.planes[plane][np.abs(off).round(9).argmin(axis=1)]
        return found


def charts(problem: PlacementProblem, usable: NDArray[np.bool_]) -> list[Chart]:
    """A chart of the usable satellites of each run of neighbouring planes."""
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort((problem.ring_position[rows], problem.plane[rows]))]
    numbers, first = np.unique(problem.plane[order], return_index=True)
    members = np.split(order, first[1:])
    runs = np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [
        Chart([members[p] for p in run], [problem.ring_position[members[p]] for p in run])
        for run in runs
    ]
