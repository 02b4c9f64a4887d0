"""Latency of a token: the way through gateways and experts, layer by layer.

At layer l the gateway g_l runs attention and router, sends the hidden state to its top-K experts
in parallel, and each returns its result to the next gateway g_(l+1). The layer takes

    gateway_s[l] + max over the K chosen experts e of (path_s[l, e] + n_e * expert_s),

path_s[l, e] = d(g_l, host of e) + d(host of e, g_(l+1)), where n_e counts the chosen experts on
e's host, which share its compute (arXiv 2605.00515, with the sharing added). A token takes the
sum over its layers. A path of infinite length is no path: the token is not served, and no mean
here includes it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.moe.roofline import PartTimes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class ComputeTimes:
    """What a satellite needs for its part of one token.

    Attributes
    ----------
    expert_s : float or (L, E) float
        One expert, alone on its satellite; an array where satellites differ in speed.
    gateway_s : (L,) float
        The gateway of each layer.
    """

    expert_s: float | FloatArray
    gateway_s: FloatArray

    def at_speed(self, expert_speed: FloatArray, gateway_speed: FloatArray) -> "ComputeTimes":
        """Return the times on satellites that run at a share of their speed.

        Parameters
        ----------
        expert_speed : (L, E) float
            Of each expert's host, 1 for full speed; 0 makes its time infinite.
        gateway_speed : (L,) float
            Of each gateway.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            gateway_s = np.where(gateway_speed > 0.0, self.gateway_s / gateway_speed, np.inf)
            return ComputeTimes(expert_s=self.expert_s / expert_speed, gateway_s=gateway_s)


@dataclass(frozen=True, kw_only=True)
class SampledLatency:
    """Latency of drawn tokens.

    Attributes
    ----------
    total_s : (tokens,) float
        Infinite where a needed expert could not be reached.
    propagation_s, compute_s : (tokens,) float
        The two parts of `total_s` along the slowest expert of each layer; infinite as it is.
    layer_mean_s : (L,) float
        Mean over the tokens served, NaN if there are none; sums to `mean_s`.
    layer_propagation_mean_s : (L,) float
        The propagation in it, along the slowest expert.
    """

    total_s: FloatArray
    propagation_s: FloatArray
    compute_s: FloatArray
    layer_mean_s: FloatArray
    layer_propagation_mean_s: FloatArray

    @property
    def served(self) -> NDArray[np.bool_]:
        """Which tokens reached all their experts, (tokens,)."""
        return np.isfinite(self.total_s)

    @property
    def mean_s(self) -> float:
        """Mean latency of the tokens served, NaN if there are none."""
        served = self.served
        return float(self.total_s[served].mean()) if served.any() else float("nan")


def compute_times(
    times: PartTimes,
    *,
    accounting: Literal["experts-only", "full"],
    context_tokens: int = 0,
) -> ComputeTimes:
    """Return the compute times of a token that is alone.

    Parameters
    ----------
    times : PartTimes
        Of the model's parts on one kind of satellite.
    accounting : {"experts-only", "full"}
        Whether only activated experts take time, or the gateway too: attention with its
        context, router, shared experts and dense layers, and with the last layer the LM head
        (which runs on the first gateway, where the last layer returns to).
    context_tokens : int
        Cached tokens that attention reads.
    """
    *gateways, head_s, expert_s = times.one_token_s(context_tokens)
    gateway_s = np.array(gateways) if accounting == "full" else np.zeros(len(gateways))
    if accounting == "full":
        gateway_s[-1] += head_s
    return ComputeTimes(expert_s=float(expert_s), gateway_s=gateway_s)


def sampled_latency(
    path_s: FloatArray, host: IntArray, choices: IntArray, compute: ComputeTimes
) -> SampledLatency:
    """Latency of tokens whose experts were drawn.

    Parameters
    ----------
    path_s : (L, E) float
        Propagation delay gateway to expert to next gateway, inf where there is no path.
    host : (L, E) int
        Satellite of each expert; only equality matters.
    choices : (tokens, L, K) int
        Experts each token activates, distinct within a layer.
    compute : ComputeTimes
        Of the model on these satellites.
    """
    if not path_s.shape == host.shape == (choices.shape[1], path_s.shape[1]):
        raise ValueError(f"shapes differ: {path_s.shape=} {host.shape=} {choices.shape=}")
    if choices.size and (choices.min() < 0 or choices.max() >= path_s.shape[1]):
        raise ValueError(f"choices name experts outside 0..{path_s.shape[1] - 1}")
    total, propagation, layer_sum, layer_way_sum = _walk(
        # Copies, since numba would compile again for read-only or strided arrays.
        np.array(path_s, np.float64, order="C"),
        np.array(host, np.int64, order="C"),
        np.array(choices, np.int32, order="C"),
        np.array(np.broadcast_to(compute.expert_s, path_s.shape), np.float64, order="C"),
        np.array(compute.gateway_s),
    )
    served = np.isfinite(total)
    count = float(served.sum()) if served.any() else np.nan
    # inf - inf is not defined: a token not served has no parts.
    computing = np.full_like(total, np.inf)
    np.subtract(total, propagation, out=computing, where=served)
    return SampledLatency(
        total_s=total,
        propagation_s=propagation,
        compute_s=computing,
        layer_mean_s=layer_sum / count,
        layer_propagation_mean_s=layer_way_sum / count,
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def _walk(
    path_s: FloatArray,
    host: IntArray,
    choices: IntArray,
    expert_s: FloatArray,
    gateway_s: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Total and propagation of each token, and both by layer, summed over the tokens served."""
    tokens, layers, top_k = choices.shape
    total = np.zeros(tokens)
    propagation = np.zeros(tokens)
    layer_sum = np.zeros(layers)
    layer_way_sum = np.zeros(layers)
    layer_s = np.empty(layers)
    layer_way = np.empty(layers)
    for token in range(tokens):
        for layer in range(layers):
            slowest = -1.0
            way = 0.0
            for k in range(top_k):
                expert = choices[token, layer, k]
                sharing = 0
                for other in range(top_k):
                    sharing += host[layer, choices[token, layer, other]] == host[layer, expert]
                time = path_s[layer, expert] + sharing * expert_s[layer, expert]
                if time > slowest:
                    slowest = time
                    way = path_s[layer, expert]
            layer_s[layer] = gateway_s[layer] + slowest
            total[token] += layer_s[layer]
            layer_way[layer] = way
            propagation[token] += way
        if np.isfinite(total[token]):
            for layer in range(layers):
                layer_sum[layer] += layer_s[layer]
            layer_way_sum += layer_way
    return total, propagation, layer_sum, layer_way_sum
