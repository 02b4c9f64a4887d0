"""Which of several copies of its experts a token goes to, where it may choose.

A token's experts, in the order of their numbers, each go to the copy where they are done soonest
beside those that it has sent out already: experts on one satellite share its compute.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.moe.expectation import ExpectedLatency, concluded
from twin.moe.latency import ComputeTimes
from twin.moe.selection import pair_probabilities

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]

DRAWN: Final = 4096
"""Tokens that stand for all where sets of experts are too many to be enumerated, K > 2."""


def soonest(
    choices: IntArray, order: IntArray, path_s: FloatArray, host: IntArray, expert_s: FloatArray
) -> NDArray[np.int32]:
    """Return the columns that tokens go to, as `choices`.

    Parameters
    ----------
    choices : (tokens, L, K) int
        Experts each token activates, distinct within a layer.
    order : (L, E, C) int
        Columns of each expert's copies to choose from, of equally good ones the first is taken.
    path_s : (L, X) float
        Way through each column, ``inf`` where there is none.
    host : (L, X) int
        Satellite of each column.
    expert_s : (L, X) float
        Time of an expert, alone on that satellite.
    """
    columns = np.empty(choices.shape, np.int32)
    _soonest(
        np.array(choices, np.int32, order="C"),
        np.array(order, np.int32, order="C"),
        np.array(path_s, np.float64, order="C"),
        np.array(host, np.int64, order="C"),
        np.array(np.broadcast_to(expert_s, path_s.shape), np.float64, order="C"),
        columns,
    )
    return columns


def expected_soonest(
    path_s: FloatArray,
    host: IntArray,
    order: IntArray,
    probability: FloatArray,
    top_k: int,
    compute: ComputeTimes,
) -> ExpectedLatency:
    """Expected latency of a token that chooses copies as `soonest` says.

    Exact for top-1 and top-2; beyond, the mean of `DRAWN` tokens, always the same.

    Parameters
    ----------
    path_s, host : (L, X) float, int
        Of each column.
    order : (L, E, C) int
        Columns to choose from.
    probability : (L, E) float
        Router weights.
    top_k : int
    compute : ComputeTimes
        Of the model on the satellites of the columns.
    """
    expert_s = np.array(np.broadcast_to(compute.expert_s, path_s.shape), np.float64, order="C")
    chosen, weight = possible_choices(probability, top_k, tokens=DRAWN)
    columns = soonest(chosen, order, path_s, host, expert_s)
    slowest_s = np.empty(weight.shape)
    _slowest(
        columns,
        np.array(path_s, np.float64, order="C"),
        np.array(host, np.int64, order="C"),
        expert_s,
        slowest_s,
    )
    there = np.isfinite(slowest_s)
    sums = (np.where(there, slowest_s, 0.0) * weight).sum(axis=0)
    reached, lost = (there * weight).sum(axis=0), (~there * weight).sum(axis=0)
    return concluded(sums[None], reached[None], lost[None], compute, [])


def possible_choices(
    probability: FloatArray, top_k: int, *, tokens: int
) -> tuple[NDArray[np.int32], FloatArray]:
    """What a token may choose, (C, L, K), and with which probability, (C, L).

    All of it for top-1 and top-2; beyond, a sample that is always the same.
    """
    layers, experts = probability.shape
    if top_k == 1:
        everyone = np.broadcast_to(np.arange(experts)[:, None, None], (experts, layers, 1))
        return np.array(everyone, np.int32), np.ascontiguousarray(probability.T)
    if top_k == 2:
        pairs = np.column_stack(np.triu_indices(experts, 1)).astype(np.int32)
        weight = pair_probabilities(probability)[:, pairs[:, 0], pairs[:, 1]].T
        chosen = np.broadcast_to(pairs[:, None, :], (len(pairs), layers, 2))
        return np.array(chosen, np.int32), np.ascontiguousarray(weight)
    # Gumbel top-K draws from the Plackett-Luce model.
    noise = np.random.default_rng(0).gumbel(size=(tokens, layers, experts))
    with np.errstate(divide="ignore"):
        drawn = np.argsort(-(np.log(probability) + noise), axis=2)
    chosen = np.ascontiguousarray(drawn[..., :top_k].astype(np.int32))
    return chosen, np.full((tokens, layers), 1.0 / tokens)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _soonest(
    choices: IntArray,
    order: IntArray,
    path_s: FloatArray,
    host: IntArray,
    expert_s: FloatArray,
    columns: IntArray,
) -> None:
    tokens, layers, top_k = choices.shape
    for t in range(tokens):
        for layer in range(layers):
            before = -1
            for _ in range(top_k):
                k = -1
                for other in range(top_k):  # by their numbers
                    e = choices[t, layer, other]
                    if e > before and (k < 0 or e < choices[t, layer, k]):
                        k = other
                before = choices[t, layer, k]
                best, best_s = order[layer, before, 0], np.inf
                for column in order[layer, before]:
                    sharing = 1
                    for other in range(top_k):
                        e = choices[t, layer, other]
                        if e < before:
                            there = host[layer, columns[t, layer, other]]
                            sharing += there == host[layer, column]
                    done_s = path_s[layer, column] + sharing * expert_s[layer, column]
                    if done_s < best_s:
                        best, best_s = column, done_s
                columns[t, layer, k] = best


@njit(cache=True)  # type: ignore[untyped-decorator]
def _slowest(
    columns: IntArray,
    path_s: FloatArray,
    host: IntArray,
    expert_s: FloatArray,
    slowest_s: FloatArray,
) -> None:
    tokens, layers, top_k = columns.shape
    for t in range(tokens):
        for layer in range(layers):
            slowest = 0.0
            for k in range(top_k):
                column = columns[t, layer, k]
                sharing = 0
                for other in range(top_k):
                    sharing += host[layer, columns[t, layer, other]] == host[layer, column]
                slowest = max(slowest, path_s[layer, column] + sharing * expert_s[layer, column])
            slowest_s[t, layer] = slowest
