"""Every hop of a token, for the record and for the page."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from twin.moe.latency import ComputeTimes
from twin.serving.hosts import Hosts


@dataclass(frozen=True, kw_only=True)
class Hops:
    """Hops of several tokens, token after token; times count from a token's own start.

    Attributes
    ----------
    offset : (tokens+1,) int32
        Where each token's hops begin.
    layer, rank : (H,) int16
        Layer, and which of the token's K activated experts the hop leads to or from.
    source, target : (H,) int32
        Satellites.
    start_s, end_s : (H,) float64
        When the hop is under way.
    """

    offset: NDArray[np.int32]
    layer: NDArray[np.int16]
    rank: NDArray[np.int16]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]


def trace(
    delay_s: NDArray[np.float64],
    predecessor: NDArray[np.int32],
    hosts: Hosts,
    choices: NDArray[np.int32],
    compute: ComputeTimes,
    transfer_s: float,
) -> Hops:
    """Follow tokens hop by hop along the shortest paths their latency was computed from.

    Parameters
    ----------
    delay_s, predecessor : (L, N)
        Shortest paths from each layer's gateway.
    hosts : Hosts
    choices : (tokens, L, K) int32
        Columns of `hosts` that the tokens go to; all must be reachable.
    compute : ComputeTimes
        Of these columns.
    transfer_s : float
        Time to put a hidden state on a link.
    """
    args = (
        delay_s,
        predecessor,
        hosts.gateway,
        hosts.satellite,
        choices,
        np.array(compute.gateway_s),
        np.array(np.broadcast_to(compute.expert_s, hosts.satellite.shape)),
        transfer_s,
    )
    count = np.zeros(len(choices), np.int32)
    nothing = np.empty((0, 4), np.int32), np.empty((0, 2))
    _follow(*args, count, *nothing)
    offset = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    ends = np.empty((offset[-1], 4), np.int32)
    when_s = np.empty((offset[-1], 2))
    _follow(*args, count, ends, when_s)
    return Hops(
        offset=offset,
        layer=ends[:, 0].astype(np.int16),
        rank=ends[:, 1].astype(np.int16),
        source=ends[:, 2],
        target=ends[:, 3],
        start_s=when_s[:, 0],
        end_s=when_s[:, 1],
    )


@numba.njit(cache=True)
def _follow(  # type: ignore[no-untyped-def]
    delay_s,
    predecessor,
    gateway,
    expert,
    choices,
    gateway_s,
    expert_s,
    transfer_s,
    count,
    ends,
    when_s,
):
    """Write hops if `ends` has room, else only count them; outward legs come in reverse order."""
    tokens, layers, top_k = choices.shape
    writing = ends.shape[0] > 0
    h = 0
    for t in range(tokens):
        first = h
        now = 0.0
        for layer in range(layers):
            following = layer + 1 if layer + 1 < layers else 0
            start = now + gateway_s[layer]
            finish = start
            for k in range(top_k):
                host = expert[layer, choices[t, layer, k]]
                sharing = 0
                for other in range(top_k):
                    sharing += expert[layer, choices[t, layer, other]] == host
                sent = start + (transfer_s if host != gateway[layer] else 0.0)
                node = host
                while predecessor[layer, node] >= 0:
                    before = predecessor[layer, node]
                    if writing:
                        ends[h, 0], ends[h, 1], ends[h, 2], ends[h, 3] = layer, k, before, node
                        when_s[h, 0] = sent + delay_s[layer, before]
                        when_s[h, 1] = sent + delay_s[layer, node]
                    h += 1
                    node = before
                back = sent + delay_s[layer, host]
                back += sharing * expert_s[layer, choices[t, layer, k]]
                back += transfer_s if host != gateway[following] else 0.0
                node = host
                total = delay_s[following, host]
                while predecessor[following, node] >= 0:
                    after = predecessor[following, node]
                    if writing:
                        ends[h, 0], ends[h, 1], ends[h, 2], ends[h, 3] = layer, k, node, after
                        when_s[h, 0] = back + total - delay_s[following, node]
                        when_s[h, 1] = back + total - delay_s[following, after]
                    h += 1
                    node = after
                finish = max(finish, back + total)
            now = finish
        count[t] = h - first
