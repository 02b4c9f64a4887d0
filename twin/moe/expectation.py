"""Exact expectations over a token's draw of experts, for any top-K.

Top-1 and top-2 are enumerated; for larger K, sets of experts are summed as a race of clocks
(see `race`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.moe.latency import ComputeTimes
from twin.moe.race import race_density, race_nodes, race_sums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]

NEGLIGIBLE = 1e-18
"""A node of the quadrature that adds no more to a probability is left out."""


@dataclass(frozen=True, kw_only=True)
class ExpectedLatency:
    """Exact expectation over the draw of experts; ``...`` are the batch dimensions.

    Attributes
    ----------
    mean_s : (...) float
        Mean latency of a token given that it is served, NaN if none can be.
    served_probability : (...) float
        Chance that a token reaches all its experts.
    layer_mean_s : (..., L) float
        The same mean layer by layer.
    """

    mean_s: FloatArray
    served_probability: FloatArray
    layer_mean_s: FloatArray


def expected_latency(
    path_s: FloatArray,
    host: IntArray,
    probability: FloatArray,
    top_k: int,
    compute: ComputeTimes,
) -> ExpectedLatency:
    """Exact expected latency of a token, as `latency` defines it.

    Layers are independent and their unreachable choices are left out one by one, so a mean is
    that of the tokens served, and the chance to be served a product over layers.

    Parameters
    ----------
    path_s : (..., L, E) float
        As in `latency.sampled_latency`, with any batch dimensions, e.g. steps or placements.
    host : (..., L, E) int
        Satellite of each expert; broadcast against `path_s`.
    probability : (L, E) float
        Router weights, at least K of them positive in each row.
    top_k : int
        Experts a token activates in each layer.
    compute : ComputeTimes
        Of the model on these satellites.
    """
    *batch, layers, experts = path_s.shape
    if probability.shape != (layers, experts):
        raise ValueError(f"shapes differ: {path_s.shape=} {probability.shape=}")
    # Copies here, since numba would compile again for read-only or strided arrays.
    paths = np.array(path_s, np.float64, order="C").reshape(-1, layers, experts)
    hosts = np.array(np.broadcast_to(host, path_s.shape), np.int64, order="C")
    hosts = hosts.reshape(paths.shape)
    weights = np.array(probability, np.float64, order="C")
    expert_s = np.array(np.broadcast_to(compute.expert_s, (layers, experts)), order="C")
    if top_k == 1:
        sums, reached, lost = _over_experts(paths, weights, expert_s)
    elif top_k == 2:
        others = weights @ (1.0 - np.eye(experts))
        sums, reached, lost = _over_pairs(paths, hosts, weights, weights / others, expert_s)
    else:
        sums, reached, lost = _over_sets(paths, hosts, weights, top_k, expert_s)
    return concluded(sums, reached, lost, compute, batch)


def concluded(
    sums: FloatArray,
    reached: FloatArray,
    lost: FloatArray,
    compute: ComputeTimes,
    batch: list[int],
) -> ExpectedLatency:
    """Return the expectation from the sums over a layer's choices.

    Parameters
    ----------
    sums, reached, lost : (B, L) float
        Time x probability of the choices that can be reached, their probability, and that of the
        others.
    compute : ComputeTimes
    batch : list of int
        Dimensions, B in all.
    """
    layers = sums.shape[1]
    layer_mean = np.full_like(sums, np.nan)
    np.divide(sums, reached, out=layer_mean, where=reached > 0.0)
    running = np.isfinite(compute.gateway_s)
    layer_mean += np.where(running, compute.gateway_s, np.nan)
    served = np.where(running, reached / (reached + lost), 0.0)
    return ExpectedLatency(
        mean_s=layer_mean.sum(axis=-1).reshape(batch),
        served_probability=served.prod(axis=-1).reshape(batch),
        layer_mean_s=layer_mean.reshape(*batch, layers),
    )


def expected_product(probability: FloatArray, top_k: int, factor: FloatArray) -> FloatArray:
    """Expectation of the product of a factor over the experts a token activates.

    With the availability of each expert as factor, the chance that all chosen ones are there.

    Parameters
    ----------
    probability : (L, E) float
        Router weights, at least K of them positive in each row.
    top_k : int
        Experts a token activates in each layer.
    factor : (L, E) float
        Of each expert.

    Returns
    -------
    (L,) float
    """
    times, lengths = race_nodes(probability, top_k)
    weights = np.array(probability, np.float64, order="C")
    density = race_density(weights, np.array(factor, np.float64, order="C"), times, top_k)
    return np.asarray(density @ lengths)


Sums = tuple[FloatArray, FloatArray, FloatArray]
"""Sum of time x probability, probability reached and probability lost, each (batch, L)."""


def _over_experts(path_s: FloatArray, weights: FloatArray, expert_s: FloatArray) -> Sums:
    time = path_s + expert_s
    reachable = np.isfinite(time)
    reached = (reachable * weights).sum(axis=-1)
    lost = (~reachable * weights).sum(axis=-1)
    return (np.where(reachable, time, 0.0) * weights).sum(axis=-1), reached, lost


@njit(cache=True)  # type: ignore[untyped-decorator]
def _over_pairs(
    path_s: FloatArray, host: IntArray, weights: FloatArray, odds: FloatArray, expert_s: FloatArray
) -> Sums:
    """Over pairs of probability odds_i p_j + odds_j p_i, see `selection.pair_probabilities`."""
    batch, layers, experts = path_s.shape
    sums = np.zeros((batch, layers))
    reached = np.zeros((batch, layers))
    lost = np.zeros((batch, layers))
    for b in range(batch):
        for layer in range(layers):
            p, o = weights[layer], odds[layer]
            for i in range(experts):
                for j in range(i):
                    sharing = 2.0 if host[b, layer, i] == host[b, layer, j] else 1.0
                    first = path_s[b, layer, i] + sharing * expert_s[layer, i]
                    second = path_s[b, layer, j] + sharing * expert_s[layer, j]
                    time = max(first, second)
                    chance = o[i] * p[j] + o[j] * p[i]
                    if np.isfinite(time):
                        reached[b, layer] += chance
                        sums[b, layer] += chance * time
                    else:
                        lost[b, layer] += chance
    return sums, reached, lost


def _over_sets(
    path_s: FloatArray, host: IntArray, weights: FloatArray, top_k: int, expert_s: FloatArray
) -> Sums:
    times, lengths = race_nodes(weights, top_k)
    terms = race_density(weights, np.ones_like(weights), times, top_k) * lengths
    result = np.empty((3, *path_s.shape[:2]))
    for b, layer in np.ndindex(path_s.shape[:2]):
        able = np.flatnonzero(weights[layer])
        _, group, size = np.unique(host[b, layer, able], return_inverse=True, return_counts=True)
        # An event for each expert and each number of them that its host may have to run.
        expert, others = np.nonzero(np.arange(top_k) < size[group][:, None])
        time = path_s[b, layer, able[expert]] + (others + 1) * expert_s[layer, able[expert]]
        order = np.argsort(time)
        nodes = terms[layer] > NEGLIGIBLE
        result[:, b, layer] = race_sums(
            weights[layer, able],
            group,
            expert[order],
            others[order] + 1,
            time[order],
            times[nodes],
            lengths[nodes],
            top_k,
        )
    return result[0], result[1], result[2]
