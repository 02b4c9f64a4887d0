"""The race of exponential clocks behind a top-K draw, and sums over the sets it can choose.

Experts are clocks that ring at exponential times of rate p_i; the first K to ring are chosen
(Plackett-Luce). With z counting the clocks that have rung, the chance of any set is in

    1 = integral over t of [z^K] sum_i z p_i e^(-p_i t) prod_(j != i) (e^(-p_j t)
        + z (1 - e^(-p_j t))) dt,

where clock i is the last of the K. From it a condition that factors over groups of experts picks
its terms. A group is two polynomials in z, cut at z^K: `quiet` for how many have rung by t, `last`
for the same with the clock that rings at t among them. Groups a and b together are

    quiet_a quiet_b,    quiet_a last_b + last_a quiet_b.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def race_nodes(probabilities: FloatArray, top_k: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of a quadrature over the time at which the last of K rings.

    By 40 / p_(K) the K likeliest clocks have all rung but for e^-40. Times go as exp(s - e^-s),
    on which the trapezoidal rule converges exponentially (Takahasi & Mori 1974).

    Parameters
    ----------
    probabilities : (L, E) float
        Rates, at least K of them positive in each row.
    top_k : int
        Clocks to wait for.

    Returns
    -------
    times, lengths : (nodes,) float
        An integral over time is the sum of the integrand at `times`, times `lengths`.
    """
    slowest = np.partition(probabilities, -top_k, axis=1)[:, -top_k].min()
    s = np.arange(-4.0, np.log(40.0 / slowest), 0.1)
    times = np.exp(s - np.exp(-s))
    return times, 0.1 * times * (1.0 + np.exp(-s))


@njit(cache=True)  # type: ignore[untyped-decorator]
def race_density(
    rates: FloatArray, factor: FloatArray, times: FloatArray, top_k: int
) -> FloatArray:
    """Density of the time at which the last of K rings, each set times its product of factors.

    Parameters
    ----------
    rates, factor : (L, E) float
        Of each clock.
    times : (nodes,) float
        Where to evaluate.
    top_k : int
        Clocks to wait for.

    Returns
    -------
    (L, nodes) float
    """
    layers, experts = rates.shape
    result = np.empty((layers, times.size))
    law = np.empty((2, 1, top_k + 1))
    for layer in range(layers):
        for node in range(times.size):
            law[:] = 0.0
            law[0, 0, 0] = 1.0
            for i in range(experts):
                rate = rates[layer, i]
                _add(law, 0, rate, math.exp(-rate * times[node]), factor[layer, i])
            result[layer, node] = law[1, 0, top_k]
    return result


@njit(cache=True)  # type: ignore[untyped-decorator]
def race_sums(
    rates: FloatArray,
    group: IntArray,
    expert: IntArray,
    allowed: IntArray,
    value: FloatArray,
    times: FloatArray,
    lengths: FloatArray,
    top_k: int,
) -> tuple[float, float, float]:
    """Sum over the sets of one layer, given by events that permit more and more of them.

    From its event on, an expert may be chosen along with others of its group, `allowed` in all. A
    set has the value of the event that completes it; the events complete all sets.

    Parameters
    ----------
    rates, group : (E,) float, int
        Of each expert; groups are numbered from 0.
    expert, allowed, value : (events,) int, int, float
        By ascending value. One event for each expert and each number of its group's experts from
        1 to the size of the group, or K if that is less.
    times, lengths : (nodes,) float
        Quadrature.
    top_k : int
        Experts in a set.

    Returns
    -------
    sums, reached, lost : float
        Over the sets of finite value, value x probability and probability; probability of the
        others.
    """
    groups = group.max() + 1
    pending = np.bincount(group[expert], minlength=groups)
    most = pending // np.bincount(group)
    first = np.cumsum(most) - most
    # For each number allowed, the law of the group's experts that may be chosen along with so
    # many, and the rate of those that may not.
    member = np.empty((2, most.sum(), top_k + 1))
    barred = np.empty(most.sum())
    # A tree of products: root 1, children of i are 2i and 2i + 1, group h is leaf groups + h.
    # Groups without a restriction left move to node 0.
    law = np.empty((2, 2 * groups, top_k + 1))
    degree = np.empty(2 * groups, np.int64)
    sums, reached, lost = 0.0, 0.0, 0.0
    for node in range(times.size):
        t = times[node]
        _start(rates, group, first, most, t, member, barred, law, degree)
        left = pending.copy()
        before = 0.0
        for event in range(expert.size):
            e, n, h = expert[event], allowed[event], group[expert[event]]
            row = first[h] + n - 1
            _add(member, row, rates[e], math.exp(-rates[e] * t), 1.0)
            barred[row] -= rates[e]
            left[h] -= 1
            follows = event + 1 < expert.size and value[event + 1] == value[event]
            if follows and group[expert[event + 1]] == h and allowed[event + 1] == n:
                continue
            silent = math.exp(-barred[row] * t)
            quiet, last = member[0, row, n] * silent, member[1, row, n] * silent
            _update(law, degree, groups + h, n, quiet, last, left[h] == 0)
            if follows:
                continue
            now = _density(law, degree)
            chance = (now - before) * lengths[node]
            before = now
            if np.isfinite(value[event]):
                sums += chance * value[event]
                reached += chance
            else:
                lost += chance
    return sums, reached, lost


@njit(cache=True)  # type: ignore[untyped-decorator]
def _start(
    rates: FloatArray,
    group: IntArray,
    first: IntArray,
    most: IntArray,
    t: float,
    member: FloatArray,
    barred: FloatArray,
    law: FloatArray,
    degree: IntArray,
) -> None:
    """Begin a node: no expert may be chosen, so all clocks are silent."""
    member[:] = 0.0
    member[0, :, 0] = 1.0
    barred[:] = 0.0
    for e in range(rates.size):
        for row in range(first[group[e]], first[group[e]] + most[group[e]]):
            barred[row] += rates[e]
    degree[:] = 0
    law[:] = 0.0
    for h in range(most.size):
        law[0, most.size + h, 0] = math.exp(-barred[first[h]] * t)
    for i in range(most.size - 1, 0, -1):
        law[0, i, 0] = law[0, 2 * i, 0] * law[0, 2 * i + 1, 0]
    law[0, 0, 0] = 1.0
    degree[0] = law.shape[2] - 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add(law: FloatArray, row: int, rate: float, silent: float, factor: float) -> None:
    """Add a clock to a row of (quiet, last), in place."""
    rung = factor * (1.0 - silent)
    rings = factor * rate * silent
    for k in range(law.shape[2] - 1, 0, -1):
        law[1, row, k] = (
            law[1, row, k] * silent + law[1, row, k - 1] * rung + law[0, row, k - 1] * rings
        )
        law[0, row, k] = law[0, row, k] * silent + law[0, row, k - 1] * rung
    law[0, row, 0] *= silent


@njit(cache=True)  # type: ignore[untyped-decorator]
def _update(
    law: FloatArray, degree: IntArray, leaf: int, n: int, quiet: float, last: float, free: bool
) -> None:
    """Set a leaf at z^n and carry it to the root; a leaf that is free goes to node 0."""
    law[0, leaf, n] = quiet
    law[1, leaf, n] = last
    degree[leaf] = max(degree[leaf], n)
    if free:
        _multiply(law, degree, 0, 0, leaf)
        law[0, leaf, 0] = 1.0
        degree[leaf] = 0
    node = leaf // 2
    while node > 0:
        _multiply(law, degree, node, 2 * node, 2 * node + 1)
        node //= 2


@njit(cache=True)  # type: ignore[untyped-decorator]
def _multiply(law: FloatArray, degree: IntArray, out: int, a: int, b: int) -> None:
    """Put the product of nodes a and b at `out`, which may be a."""
    in_a, in_b = degree[a], degree[b]
    degree[out] = min(law.shape[2] - 1, in_a + in_b)
    for k in range(degree[out], -1, -1):
        quiet, last = 0.0, 0.0
        for j in range(max(0, k - in_a), min(k, in_b) + 1):
            quiet += law[0, a, k - j] * law[0, b, j]
            last += law[1, a, k - j] * law[0, b, j] + law[0, a, k - j] * law[1, b, j]
        law[0, out, k] = quiet
        law[1, out, k] = last


@njit(cache=True)  # type: ignore[untyped-decorator]
def _density(law: FloatArray, degree: IntArray) -> float:
    """Density at z^K of the root and node 0 together."""
    top_k = law.shape[2] - 1
    total = 0.0
    for j in range(degree[1] + 1):
        total += law[1, 0, top_k - j] * law[0, 1, j] + law[0, 0, top_k - j] * law[1, 1, j]
    return total
