"""Single tokens sent to the copies that have time for them, first come, first served."""

import numba
import numpy as np
from numpy.typing import NDArray

from twin.moe.latency import ComputeTimes
from twin.serving.hosts import Hosts
from twin.vocabulary import Cause

# Plain numbers, for compiled functions.
_NONE, _REFUSED = int(Cause.NONE), int(Cause.REFUSED)


def admit(
    choices: NDArray[np.int32],
    wanted: NDArray[np.int32],
    hosts: Hosts,
    gateway_cause: NDArray[np.uint8],
    up: NDArray[np.bool_],
    compute: ComputeTimes,
    budget_s: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Send each token to the copies it wants, or the nearest with time left; else say why not.

    Tokens are admitted first come, first served: one goes on its way only if every gateway and
    a host of each expert it needs have time left in this step, and takes that time from them.

    Parameters
    ----------
    choices : (P, L, K) int32
        Experts each token needs.
    wanted : (P, L, K) int32
        Columns of `hosts` that they would go to if nothing hindered them.
    hosts : Hosts
    gateway_cause : (L,) uint8
        What hinders each layer's gateway.
    up : (N,) bool
        Satellites that compute.
    compute : ComputeTimes
        On satellites of speed 1.
    budget_s : (N,) float64
        Time at speed 1 that each satellite gives to these tokens.

    Returns
    -------
    columns : (P, L, K) int32
        Columns of `hosts`; of no meaning where hindered.
    cause : (P,) uint8
        `Cause`.
    """
    off = np.maximum(gateway_cause, np.roll(gateway_cause, -1))[:, None]
    block = np.where(np.isinf(hosts.path_s), Cause.UNREACHABLE, Cause.NONE)
    block = np.where(up[hosts.satellite], block, Cause.DEAD)
    block = np.where(hosts.absent, Cause.MOVING, block)
    block = np.where(off != Cause.NONE, off, block)
    columns = np.empty_like(choices)
    cause = np.zeros(len(choices), np.uint8)
    _admit(
        choices,
        wanted,
        hosts.gateway,
        hosts.satellite,
        hosts.order,
        np.array(compute.gateway_s),
        float(compute.expert_s),
        budget_s.copy(),
        block.astype(np.uint8),
        columns,
        cause,
    )
    return columns, cause


@numba.njit(cache=True)
def _admit(  # type: ignore[no-untyped-def]
    choices, wanted, gateway, satellite, order, gateway_s, expert_s, budget_s, block, columns, cause
):
    tokens, layers, _ = choices.shape
    for t in range(tokens):
        # Take what the token needs; give it back if it cannot go all the way.
        reached = 0
        while reached < layers and cause[t] == _NONE:
            layer = reached
            host = satellite[layer]
            budget_s[gateway[layer]] -= gateway_s[layer]
            refused = budget_s[gateway[layer]] < 0.0
            for k, e in enumerate(choices[t, layer]):
                column, why = wanted[t, layer, k], _NONE
                if block[layer][column] != _NONE or budget_s[host[column]] < expert_s:
                    column, why = _pick(order[layer, e], host, block[layer], budget_s, expert_s)
                columns[t, layer, k] = column
                if column >= 0:
                    budget_s[host[column]] -= expert_s
                elif why == _REFUSED:
                    refused = True
                elif cause[t] == _NONE:
                    cause[t] = why
            if cause[t] == _NONE and refused:
                cause[t] = _REFUSED
            reached += 1
        if cause[t] != _NONE:
            _give_back(columns[t], gateway, satellite, gateway_s, expert_s, budget_s, reached)


@numba.njit(cache=True)
def _give_back(columns, gateway, satellite, gateway_s, expert_s, budget_s, layers):  # type: ignore[no-untyped-def]
    for layer in range(layers):
        budget_s[gateway[layer]] += gateway_s[layer]
        for column in columns[layer]:
            if column >= 0:
                budget_s[satellite[layer, column]] += expert_s


@numba.njit(cache=True)
def _pick(order, satellite, block, budget_s, expert_s):  # type: ignore[no-untyped-def]
    """The first copy with time left; or -1, and `Cause.REFUSED` if some copy only lacks time."""
    hindered = _NONE
    for c in range(order.shape[0]):
        column = order[c]
        if block[column] != _NONE:
            if hindered == _NONE:
                hindered = block[column]
        elif budget_s[satellite[column]] < expert_s:
            hindered = _REFUSED
        else:
            return column, _NONE
    return -1, hindered
