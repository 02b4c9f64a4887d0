"""Satellites exchanged between tiles, and with spare ones, for shorter circuits: annealing.

Rectangles are best where planes are whole and alike. Where satellites are missing or planes differ,
runs along the orbit become ragged. A move puts two neighbouring satellites in each other's place:
each goes where it lengthens the other's circuit least, or out of use. Within a circuit it is a
2-opt move. A move that costs is taken with probability exp(-cost / heat), and heat falls.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from placement.circuits import circuit
from placement.delays import UNREACHABLE_S
from placement.nearby import Nearby

_HOT, _COLD = 0.5, 0.012
"""Heat at the start and at the end, in hops."""

_NEIGHBOURS = 8
"""Satellites around each one that it is exchanged with."""

_SPARE, _NONE = -1, -2
"""Owners of satellites in no tile: may be used, may not."""


def exchange(
    around: Nearby,
    tiles: list[NDArray[np.int32]],
    carries: NDArray[np.float64],
    *,
    moves: int,
    rng: np.random.Generator,
) -> list[NDArray[np.int32]]:
    """Exchange satellites that carry as much as each other.

    Parameters
    ----------
    around : Nearby
    tiles : list of (m,) int32
        Satellites of each; no satellite is in two.
    carries : (N,) float64
        What each satellite carries, 0 for one that is not to be used.
    moves : int
        How many to try.
    rng : numpy.random.Generator
    """
    known = np.where(around.satellite < 0, len(carries), around.satellite)
    order = np.argsort(known, axis=1)
    by_number = (
        np.take_along_axis(known, order, axis=1),
        np.take_along_axis(around.delay_s, order, axis=1),
    )
    owner = np.where(carries > 0, _SPARE, _NONE)
    size = np.array([len(tile) for tile in tiles])
    tour = np.zeros((len(tiles), size.max()), np.int64)
    place = np.zeros(len(carries), np.int64)
    for i, tile in enumerate(tiles):
        tour[i, : len(tile)] = tile[circuit(around.between(tile))]
        owner[tile] = i
        place[tour[i, : len(tile)]] = np.arange(len(tile))
    hop_s = float(np.median(around.delay_s[carries > 0, 1]))
    near = around.satellite[:, 1 : 1 + _NEIGHBOURS].astype(np.int64)
    state = (tour, size, owner, place)
    _anneal(rng, by_number, near, carries, state, moves, _HOT * hop_s, _COLD * hop_s)
    return [tour[i, : size[i]].astype(np.int32) for i in range(len(tiles))]


@numba.njit(cache=True)
def _anneal(rng, by_number, near, carries, state, moves, hot_s, cold_s):  # type: ignore[no-untyped-def]
    _, _, owner, _ = state
    owned = np.flatnonzero(owner >= 0)
    for move in range(moves):
        heat_s = hot_s * (cold_s / hot_s) ** (move / moves)
        u = owned[rng.integers(0, owned.shape[0])]
        v = near[u, rng.integers(0, near.shape[1])]
        if v < 0 or owner[u] < 0 or owner[v] == _NONE:
            continue
        worth_s = -heat_s * np.log(1.0 - rng.random())
        if owner[u] == owner[v]:
            _turn(by_number, state, u, v, worth_s)
        elif carries[u] == carries[v]:
            _change(by_number, state, u, v, worth_s)
            if owner[u] < 0:
                owned[np.flatnonzero(owned == u)[0]] = v


@numba.njit(cache=True)
def _turn(by_number, state, u, v, worth_s):  # type: ignore[no-untyped-def]
    """Make two satellites of a circuit neighbours by turning the stretch between them round."""
    tour, size, owner, place = state
    mine, m = tour[owner[u]], size[owner[u]]
    i, j = min(place[u], place[v]), max(place[u], place[v])
    a, b, c, d = mine[i], mine[i + 1], mine[j], mine[(j + 1) % m]
    if b == c or a == d:
        return
    more_s = _delay(by_number, a, c) + _delay(by_number, b, d)
    if more_s - _delay(by_number, a, b) - _delay(by_number, c, d) < worth_s:
        mine[i + 1 : j + 1] = mine[i + 1 : j + 1][::-1].copy()
        for k in range(i + 1, j + 1):
            place[mine[k]] = k


@numba.njit(cache=True)
def _change(by_number, state, u, v, worth_s):  # type: ignore[no-untyped-def]
    """Put two satellites in each other's circuit; the second may be a spare one."""
    tour, size, owner, place = state
    one, other = owner[u], owner[v]
    before, more_s = _insertion(by_number, tour[one], size[one], place[u], v)
    more_s -= _saving(by_number, tour[one], size[one], place[u])
    after = 0
    if other >= 0:
        more_s -= _saving(by_number, tour[other], size[other], place[v])
        if more_s >= worth_s:
            return
        after, back_s = _insertion(by_number, tour[other], size[other], place[v], u)
        more_s += back_s
    if more_s >= worth_s:
        return
    there = place[v]
    _replace(tour[one], place, place[u], before, v)
    if other >= 0:
        _replace(tour[other], place, there, after, u)
    owner[u], owner[v] = other, one


@numba.njit(cache=True)
def _delay(by_number, u, v):  # type: ignore[no-untyped-def]
    """Delay between two satellites, by bisection among those around the first."""
    if u == v:
        return 0.0
    numbers, delay_s = by_number
    k = np.searchsorted(numbers[u], v)
    if k < numbers.shape[1] and numbers[u, k] == v:
        return min(delay_s[u, k], UNREACHABLE_S)
    return UNREACHABLE_S


@numba.njit(cache=True)
def _saving(by_number, mine, m, i):  # type: ignore[no-untyped-def]
    """How much shorter a circuit is without its i-th satellite."""
    a, s, b = mine[(i - 1) % m], mine[i], mine[(i + 1) % m]
    return _delay(by_number, a, s) + _delay(by_number, s, b) - _delay(by_number, a, b)


@numba.njit(cache=True)
def _insertion(by_number, mine, m, without, s):  # type: ignore[no-untyped-def]
    """Where a satellite lengthens a circuit, without its own one there, least, and by how much."""
    best, best_s = 0, np.inf
    for i in range(m):
        if i == without:
            continue
        j = (i + 1) % m
        if j == without:
            j = (j + 1) % m
        a, b = mine[i], mine[j]
        more_s = _delay(by_number, a, s) + _delay(by_number, s, b) - _delay(by_number, a, b)
        if more_s < best_s:
            best, best_s = i, more_s
    return best, best_s


@numba.njit(cache=True)
def _replace(mine, place, i, after, s):  # type: ignore[no-untyped-def]
    """Take the i-th satellite out of a circuit and put another in after a place."""
    step = 1 if after > i else -1
    end = after if after > i else after + 1
    while i != end:
        mine[i] = mine[i + step]
        place[mine[i]] = i
        i += step
    mine[end] = s
    place[s] = end
