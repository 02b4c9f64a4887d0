"""Short closed ways through given satellites: the travelling salesman's problem of one ring.

Furthest insertion, then 2-opt and Or-opt until neither helps; then the same again from the best one
with two stretches swapped (an iterated local search). On a few dozen satellites of a grid that ends
at the shortest circuit, or within a hop of it.
"""

import numba
import numpy as np
from numpy.typing import NDArray

_KICKS = 30
"""Times that two stretches of the best circuit change places, for another local optimum."""

_CHAIN = 3
"""Satellites in a row that Or-opt moves together, at most."""

_LEAST_S = 1e-12
"""Gain that counts."""


def circuit(delay_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order of a short closed way through all of m satellites, (m,).

    Parameters
    ----------
    delay_s : (m, m) float64
        Symmetric.
    """
    return np.asarray(tour(delay_s, _KICKS))


def thinned(
    delay_s: NDArray[np.float64], order: NDArray[np.int64], stops: int
) -> NDArray[np.int64]:
    """A closed way without the stops that make it longest, as many as are too many, (stops,)."""
    kept = order.copy()
    while len(kept) > stops:
        before, after = np.roll(kept, 1), np.roll(kept, -1)
        saved_s = delay_s[before, kept] + delay_s[kept, after] - delay_s[before, after]
        kept = np.delete(kept, saved_s.argmax())
    if len(kept) > 3:
        shorten(delay_s, kept)
    return kept


@numba.njit(cache=True)
def length_s(delay_s, order):  # type: ignore[no-untyped-def]
    """How long a closed way takes, s."""
    total_s = 0.0
    for i in range(order.shape[0]):
        total_s += delay_s[order[i - 1], order[i]]
    return total_s


@numba.njit(cache=True)
def tour(delay_s, kicks):  # type: ignore[no-untyped-def]
    """`circuit`, from a number of kicks."""
    m = delay_s.shape[0]
    best = _by_insertion(delay_s)
    if m < 5:
        return best
    shorten(delay_s, best)
    best_s = length_s(delay_s, best)
    draw = 1
    for _ in range(kicks):
        # Cut out two stretches side by side and swap them, each of at most a quarter.
        draw = (draw * 1103515245 + 12345) % 2147483648
        first = (draw >> 8) % m
        draw = (draw * 1103515245 + 12345) % 2147483648
        one = 1 + (draw >> 8) % max(m // 4, 1)
        draw = (draw * 1103515245 + 12345) % 2147483648
        other = 1 + (draw >> 8) % max(m // 4, 1)
        order = np.roll(best, -first)
        order[: one + other] = np.roll(order[: one + other], -one)
        shorten(delay_s, order)
        found_s = length_s(delay_s, order)
        if found_s < best_s - _LEAST_S:
            best, best_s = order, found_s
    return best


@numba.njit(cache=True)
def _by_insertion(delay_s):  # type: ignore[no-untyped-def]
    """Insert what is furthest from all that is there, where it costs least."""
    m = delay_s.shape[0]
    order = np.zeros(m, np.int64)
    away_s = delay_s[0].copy()
    away_s[0] = -1.0
    for count in range(1, m):
        new = away_s.argmax()
        best, best_s = 0, np.inf
        for i in range(count):
            a, b = order[i], order[(i + 1) % count]
            more_s = delay_s[a, new] + delay_s[new, b] - delay_s[a, b]
            if more_s < best_s:
                best, best_s = i + 1, more_s
        order[best + 1 : count + 1] = order[best:count].copy()
        order[best] = new
        away_s = np.minimum(away_s, delay_s[new])
        away_s[new] = -1.0
        for i in range(count):
            away_s[order[i]] = -1.0
    return order


@numba.njit(cache=True)
def shorten(delay_s, order):  # type: ignore[no-untyped-def]
    """Improve a closed way in place until neither 2-opt nor Or-opt helps."""
    while _two_opt(delay_s, order) or _or_opt(delay_s, order):
        pass


@numba.njit(cache=True)
def _two_opt(delay_s, order):  # type: ignore[no-untyped-def]
    """Turn the first stretch round whose turning helps; whether there was one."""
    m = order.shape[0]
    helped = False
    for i in range(m - 2):
        for j in range(i + 2, m):
            a, b, c, d = order[i], order[i + 1], order[j], order[(j + 1) % m]
            if a == d:
                continue
            gain_s = delay_s[a, b] + delay_s[c, d] - delay_s[a, c] - delay_s[b, d]
            if gain_s > _LEAST_S:
                order[i + 1 : j + 1] = order[i + 1 : j + 1][::-1].copy()
                helped = True
    return helped


@numba.njit(cache=True)
def _or_opt(delay_s, order):  # type: ignore[no-untyped-def]
    """Move the first short chain whose moving helps, either way round; whether there was one."""
    m = order.shape[0]
    for size in range(1, min(_CHAIN, m - 3) + 1):
        for i in range(m):
            rest = np.empty(m - size, np.int64)
            for k in range(m - size):
                rest[k] = order[(i + size + k) % m]
            first, last = order[i], order[(i + size - 1) % m]
            out_s = delay_s[rest[-1], first] + delay_s[last, rest[0]] - delay_s[rest[-1], rest[0]]
            for k in range(m - size - 1):
                a, b = rest[k], rest[k + 1]
                ahead_s = delay_s[a, first] + delay_s[last, b] - delay_s[a, b]
                back_s = delay_s[a, last] + delay_s[first, b] - delay_s[a, b]
                if min(ahead_s, back_s) < out_s - _LEAST_S:
                    chain = np.empty(size, np.int64)
                    for c in range(size):
                        step = c if ahead_s <= back_s else size - 1 - c
                        chain[c] = order[(i + step) % m]
                    order[: k + 1] = rest[: k + 1]
                    order[k + 1 : k + 1 + size] = chain
                    order[k + 1 + size :] = rest[k + 1 :]
                    return True
    return False
