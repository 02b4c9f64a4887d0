"""The constellation cut into tiles, each of which carries one instance.

Neighbouring planes form a block. The satellites of a block, one row after the other along the
orbit, are cut into runs that can carry an instance each: rectangles of as many planes as the block
has. How wide the blocks are is found by laying an instance on one tile of each width, and then for
the whole constellation by dynamic programming; where in a block the cuts are, by another one. Both
leave out satellites that are not needed, or that nothing can be laid on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from placement.circuits import length_s, tour
from placement.nearby import between
from placement.tile import Ground, lay
from placement.tile_rings import carries

_PLACES, _STARTS = 3, 4
"""Blocks that a width is tried on, and places along the orbit in each."""

_RIM = 0.005
"""What a block of one plane at the rim costs more, as a share: fewer detours round broken links."""


@dataclass(frozen=True, kw_only=True)
class Land:
    """Satellites that may be used, plane by plane.

    Attributes
    ----------
    ground : Ground
    planes : list of (n,) int32
        Satellites of each plane that has any.
    first : (P,) bool
        Where a plane is no neighbour of the one before.
    carries : (N,) float64
        Share of an instance that each satellite could carry; 0 where it is not to be used.
    """

    ground: Ground
    planes: list[NDArray[np.int32]]
    first: NDArray[np.bool_]
    carries: NDArray[np.float64]

    def block(self, plane: int, width: int) -> NDArray[np.int32]:
        """Satellites of neighbouring planes in the order of their places along the orbit."""
        rows = np.concatenate(self.planes[plane : plane + width])
        problem = self.ground.problem
        place = problem.ring_position[rows].round(9)
        return rows[np.lexsort((problem.plane[rows], place))]


def land(ground: Ground) -> Land:
    """What an instance may be laid on."""
    problem = ground.problem
    share = carries(problem, ground.limit)
    usable = np.flatnonzero((share > 0) & (ground.limit.slots > 0)).astype(np.int32)
    numbers, at = np.unique(problem.plane[usable], return_inverse=True)
    return Land(
        ground=ground,
        planes=[usable[at == i] for i in range(len(numbers))],
        first=np.diff(numbers, prepend=-2) > 1,
        carries=share,
    )


def widths(land: Land, size: float) -> dict[int, float]:
    """Seconds a token on a usual tile of each width of blocks, where an instance finds room.

    `size` is what the satellites of a tile must be able to carry together, in instances.
    """
    found: dict[int, float] = {}
    for width in range(1, len(land.planes) + 1):
        tiles = [_usual(land, land.block(first, width), size) for first in _places(land, width)]
        known = [tile for tile in tiles if tile is not None]
        if not known:
            continue
        members = min(known, key=lambda of: of[0])[1]
        if len(members) < width and found:
            break  # not even one row
        laid = lay(land.ground, members, refine=0)
        if laid is not None:
            found[width] = laid.score_s
    return found


def _places(land: Land, width: int) -> list[int]:
    """First planes of some blocks of a width."""
    barriers = np.cumsum(land.first)
    first = np.arange(len(land.planes) - width + 1)
    whole = first[barriers[first] == barriers[first + width - 1]]
    at = np.linspace(0, len(whole) - 1, _PLACES).round().astype(int)
    return np.unique(whole[at]).tolist() if len(whole) else []


def _usual(
    land: Land, block: NDArray[np.int32], size: float
) -> tuple[float, NDArray[np.int32]] | None:
    """A tile of a block, neither the best nor the worst, and its circuit, s.

    Outages differ from place to place, so that the best is no measure of the others.
    """
    length, cost_s = _tours(land, block, size, _STARTS)
    known = np.flatnonzero(np.isfinite(cost_s))
    if not len(known):
        return None
    usual = int(known[cost_s[known].argsort(kind="stable")[len(known) // 2]])
    return float(cost_s[usual]), _run(block, usual, length[usual])


def blocks(
    land: Land, size: float, cost_s: dict[int, float], wanted: int, most: int
) -> tuple[list[tuple[int, int]], int]:
    """Cut the planes into blocks for the tiles that are wanted, or as many as there can be.

    Up to `most` where that makes tiles no slower on average.

    Returns
    -------
    blocks : list of (first plane, width)
    tiles : int
    """
    planes = len(land.planes)
    room = np.cumsum([0.0, *(land.carries[rows].sum() for rows in land.planes)])
    runs = np.cumsum(land.first)
    rim = land.first | np.append(land.first[1:], True)
    # Least cost of k tiles on the first p planes, and the last block there with its tiles.
    best = np.full((planes + 1, most + 1), np.inf)
    best[0, 0] = 0.0
    last = np.zeros((planes + 1, most + 1, 2), int)
    for p in range(1, planes + 1):
        best[p] = best[p - 1]
        for width, each_s in cost_s.items():
            if width > p or runs[p - 1] != runs[p - width]:
                continue
            fits = min(int((room[p] - room[p - width]) / size * (1 + 1e-9)), most)
            if rim[p - 1] or rim[p - width]:
                each_s *= 1.0 + _RIM / width
            # All that it holds, or fewer where no more are wanted.
            for count in range(1, fits + 1) if p == planes else range(max(fits, 1), fits + 1):
                found = best[p - width, : most + 1 - count] + count * each_s
                better = found < best[p, count:] * (1 - 1e-12)
                best[p, count:][better] = found[better]
                last[p, count:][better] = width, count
    known = np.flatnonzero(np.isfinite(best[planes]))
    enough = known[known >= wanted]
    mean_s = best[planes, enough] / enough * (1 - 1e-12 * enough)
    tiles = int(enough[mean_s.argmin()] if len(enough) else known.max())
    return _trace(best, last, tiles), tiles


def _trace(best: NDArray[np.float64], last: NDArray[np.int64], tiles: int) -> list[tuple[int, int]]:
    """The blocks that lead to a number of tiles on all planes."""
    found, p = [], len(best) - 1
    while tiles:
        if best[p, tiles] == best[p - 1, tiles]:
            p -= 1
            continue
        width, count = last[p, tiles].tolist()
        p, tiles = p - width, tiles - count
        found.append((p, width))
    return found


def cut(land: Land, plane: int, width: int, size: float) -> Iterator[NDArray[np.int32]]:
    """Cut a block into as many tiles as it holds, those with the shortest circuits."""
    block = land.block(plane, width)
    length, cost_s = _tours(land, block, size, len(block))
    for start in _cuts(length, cost_s):
        yield _run(block, start, length[start])


def _run(block: NDArray[np.int32], start: int, length: int) -> NDArray[np.int32]:
    """Satellites one after the other, past the end from the beginning on."""
    return np.asarray(np.take(block, start + np.arange(length), mode="wrap"), np.int32)


def _tours(
    land: Land, block: NDArray[np.int32], size: float, starts: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Satellites from each place of a block on that carry an instance, and their circuit, s."""
    around = land.ground.around
    found: tuple[NDArray[np.int64], NDArray[np.float64]] = _runs(
        around.satellite, around.delay_s, block, land.carries[block], size, starts
    )
    return found


@numba.njit(cache=True)
def _runs(satellite, delay_s, block, carries, size, starts):  # type: ignore[no-untyped-def]
    n = block.shape[0]
    length = np.zeros(n, np.int64)
    cost_s = np.full(n, np.inf)
    for k in range(min(starts, n)):
        t = k * n // min(starts, n)
        carried, count = 0.0, 0
        while count < n and carried < size * (1.0 - 1e-9):
            carried += carries[(t + count) % n]
            count += 1
        length[t] = count
        if carried < size * (1.0 - 1e-9):
            continue
        members = np.empty(count, block.dtype)
        for i in range(count):
            members[i] = block[(t + i) % n]
        between_s = np.empty((count, count))
        between(satellite, delay_s, members, between_s)
        cost_s[t] = length_s(between_s, tour(between_s, 0))
    return length, cost_s


@numba.njit(cache=True)
def _cuts(length, cost_s):  # type: ignore[no-untyped-def]
    """Starts of the most runs that do not overlap, round the orbit, of least cost in all."""
    n = length.shape[0]
    best = np.empty(0, np.int64)
    best_s = np.inf
    for offset in range(min(length.max(), n)):
        count = np.zeros(n + 1, np.int64)
        total_s = np.zeros(n + 1)
        runs = np.zeros(n + 1, np.bool_)
        # From the end: the best that can be had from each place on.
        for i in range(n - 1, -1, -1):
            count[i], total_s[i] = count[i + 1], total_s[i + 1]
            t = (offset + i) % n
            after = i + length[t]
            if after <= n and cost_s[t] < np.inf:
                more, with_s = count[after] + 1, total_s[after] + cost_s[t]
                if more > count[i] or (more == count[i] and with_s < total_s[i]):
                    count[i], total_s[i], runs[i] = more, with_s, True
        if count[0] > best.shape[0] or (count[0] == best.shape[0] and total_s[0] < best_s):
            best, best_s = np.empty(count[0], np.int64), total_s[0]
            i = 0
            for k in range(count[0]):
                while not runs[i]:
                    i += 1
                best[k] = (offset + i) % n
                i += length[best[k]]
    return best
