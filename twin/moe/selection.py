"""Exact marginals of top-K draws without replacement (the Plackett-Luce model).

Arrays of router weights are (L, E): one row a layer, rows sum to 1.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.moe.race import race_nodes

FloatArray = NDArray[np.float64]

FIT_ERROR = 1e-8
"""How close `fit_weights` brings each expert's probability to be chosen."""


def pair_probabilities(probabilities: FloatArray) -> FloatArray:
    """Probability of each unordered pair of experts in a top-2 draw.

    P({i, j}) = p_i p_j / (1 - p_i) + p_j p_i / (1 - p_j).

    Parameters
    ----------
    probabilities : (L, E) float
        Router weights, at least two of them positive in each row.

    Returns
    -------
    (L, E, E) float
        Symmetric with zero diagonal: a pair stands at both its places, so a row of the
        matrix sums to the expert's inclusion probability and the whole to 2.
    """
    others = 1.0 - np.eye(probabilities.shape[-1])
    # The sum of the others, not 1 - p, which cancels where one expert takes nearly all.
    ordered = (probabilities / (probabilities @ others))[..., None] * probabilities[..., None, :]
    return (ordered + np.swapaxes(ordered, -1, -2)) * others


def inclusion_probabilities(probabilities: FloatArray, top_k: int) -> FloatArray:
    """Probability of each expert to be among a token's top-K.

    Closed form for K <= 2. Beyond, experts are clocks that ring at exponential times of rate
    p_i, the first K are chosen, and expert i is among them if fewer than K others ring before:
    P(i) = integral of p_i exp(-p_i t) P(others rung by t < K) dt, by quadrature to about 1e-13.

    Parameters
    ----------
    probabilities : (L, E) float
        Router weights, at least K of them positive in each row.
    top_k : int
        Experts a token activates.

    Returns
    -------
    (L, E) float
        Rows sum to K.
    """
    if top_k == 1:
        return probabilities.copy()
    if top_k == 2:
        return np.asarray(pair_probabilities(probabilities).sum(axis=-1))
    times, lengths = race_nodes(probabilities, top_k)
    return np.asarray(_race(np.array(probabilities, np.float64), times, lengths, top_k))


def fit_weights(shares: FloatArray, top_k: int) -> FloatArray:
    """Return the router weights whose top-K draws give each expert its share of all choices.

    Counts of chosen experts are flatter than the weights behind them, since a favourite cannot
    be chosen twice; used as weights they would miss Mixtral's own marginals by up to 9 %.

    Parameters
    ----------
    shares : (L, E) float
        Rows sum to 1, none above 1/K. A share of 1/K (always chosen) has no finite weight and
        is approached to `FIT_ERROR`.
    top_k : int
        Experts a counted token chose.

    Returns
    -------
    (L, E) float
        Rows sum to 1; zero where the share is.
    """
    weights = shares.copy()
    target = np.minimum(shares * top_k, 1.0 - FIT_ERROR)
    for _ in range(200):
        reached = inclusion_probabilities(weights, top_k)
        if np.abs(reached - target).max() < FIT_ERROR:
            break
        # Exact if the race ended at a fixed time T: then reached = 1 - exp(-weight T).
        wanted, rung = (np.log1p(-np.minimum(x, 1.0 - 1e-15)) for x in (target, reached))
        weights *= np.divide(wanted, rung, out=np.zeros_like(target), where=reached > 0.0)
        weights /= weights.sum(axis=1, keepdims=True)
    return weights


@njit(cache=True)  # type: ignore[untyped-decorator]
def _race(
    probabilities: FloatArray, times: FloatArray, lengths: FloatArray, top_k: int
) -> FloatArray:
    """Sum P(i rings at t, fewer than K others before) over the nodes of the quadrature.

    The law of how many others rang is put together from those before i and those after it,
    which is stable where dividing i out of the law of all is not.
    """
    layers, experts = probabilities.shape
    result = np.zeros((layers, experts))
    before = np.empty((experts, top_k))
    law = np.empty(top_k)
    for layer in range(layers):
        for node in range(times.size):
            law[:] = 0.0
            law[0] = 1.0
            for i in range(experts):
                for k in range(top_k):  # a slice would triple the time to compile
                    before[i, k] = law[k]
                _add(law, math.exp(-probabilities[layer, i] * times[node]))
            law[:] = 1.0
            for i in range(experts - 1, -1, -1):
                silent = math.exp(-probabilities[layer, i] * times[node])
                fewer = 0.0
                for k in range(top_k):
                    fewer += before[i, k] * law[top_k - 1 - k]
                result[layer, i] += lengths[node] * probabilities[layer, i] * silent * fewer
                _add(law, silent)
    return result


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add(law: FloatArray, silent: float) -> None:
    """Add a clock to the law of how many have rung, exactly or at most, in place."""
    for k in range(law.size - 1, 0, -1):
        law[k] = law[k] * silent + law[k - 1] * (1.0 - silent)
    law[0] *= silent
