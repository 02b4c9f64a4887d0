"""Experts moved between satellites near their gateways until none is overloaded and none gains.

`placement.filling` hosts experts one by one and never moves one again. Where satellites are filled
to the brim that finds no room though there is some, or leaves experts far away.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from placement.filling import Limits
from placement.problem import PlacementProblem
from placement.scoring import Choices

_HOSTS = 8
"""Satellites with the shortest ways that a layer's experts may go to."""

_PASSES = 12
"""Times that all experts are looked at, at most."""

_PAIRS = 64
"""Experts of a layer up to which they are looked at more than once, and change places."""

_OVERLOAD_S = 1e3
"""Cost of a satellite that is asked for twice what it has: more than any way."""

_OWN_S = 1e-6
"""Detour that a gateway's satellite may be, and still goes before others."""

_NOWHERE_S = 1e6
"""Way over a satellite that cannot host an expert: longer than any other."""

_LEAST = 1e-12
"""What counts as a gain."""


def shared_out(
    problem: PlacementProblem,
    way_s: NDArray[np.float64],
    gateway: NDArray[np.int32],
    hosts: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Experts shared out evenly over the two satellites with the shortest ways, (L, E).

    Over one, where the way over the second takes longer than sharing compute could save. Of several
    on the way, those of the two gateways, which serve fewer other layers.

    Parameters
    ----------
    problem : PlacementProblem
    way_s : (L, N) float64
        Mean delay from each gateway to every satellite.
    gateway : (L,) int32
    hosts : (N,) bool
        Satellites that can host an expert beside what gateways take of them.
    """
    through_s = np.where(hosts, way_s + np.roll(way_s, -1, axis=0), _NOWHERE_S)
    layers = np.arange(len(gateway))
    # Always in this order, so that what one layer puts first another puts second.
    through_s[layers, gateway] -= 2 * _OWN_S
    through_s[layers, np.roll(gateway, -1)] -= _OWN_S
    order = np.argsort(through_s, axis=1, kind="stable")
    both = order[:, [0, min(1, order.shape[1] - 1)]]
    first_s, second_s = np.take_along_axis(through_s, both, axis=1).T
    far = second_s - first_s > problem.expert_s
    both[far, 1] = both[far, 0]
    host = np.empty(problem.activation.shape, np.int32)
    for layer, share in enumerate(problem.activation):
        load = [0.0, 0.0]
        for e in np.argsort(-share, kind="stable").tolist():
            lighter = 1 if load[1] < load[0] else 0
            host[layer, e] = both[layer, lighter]
            load[lighter] += share[e]
    return host


def balance(
    problem: PlacementProblem,
    limit: Limits,
    chosen: Choices,
    way_s: NDArray[np.float64],
    gateway: NDArray[np.int32],
    host: NDArray[np.int32],
) -> tuple[NDArray[np.int32], bool]:
    """Move experts, and swap them, while that takes load off overloaded satellites or saves time.

    Waiting for busy satellites is not looked at.

    Parameters
    ----------
    problem : PlacementProblem
    limit : Limits
    chosen : Choices
    way_s : (L, N) float64
        Mean delay from each gateway to every satellite.
    gateway : (L,) int32
    host : (L, E) int32
        Where to start.

    Returns
    -------
    host : (L, E) int32
    fits : bool
        Whether no satellite is overloaded.
    """
    legs_s = way_s + problem.transfer_s * (way_s > 0)
    through_s = legs_s + np.roll(legs_s, -1, axis=0)
    near = np.argsort(through_s, axis=1, kind="stable")[:, :_HOSTS].astype(np.int32)
    found = host.astype(np.int32)
    load = _loads(problem, limit, gateway, found)
    expert_s = problem.expert_s / np.maximum(problem.speed, 1e-12)
    _balance(
        (through_s, *chosen, expert_s),
        (problem.activation, limit.expert, np.maximum(limit.capacity, 1e-300)),
        near,
        load,
        found,
        _PASSES if problem.n_experts <= _PAIRS else 1,
    )
    return found, bool((load <= limit.capacity * (1 + 1e-9)).all())


def _loads(
    problem: PlacementProblem, limit: Limits, gateway: NDArray[np.int32], host: NDArray[np.int32]
) -> NDArray[np.float64]:
    """What satellites are asked for, (N, 3)."""
    load = np.zeros_like(limit.capacity)
    np.add.at(load, gateway, limit.gateway)
    takes = limit.expert[:, 0] + limit.expert[:, 1] * problem.activation[..., None]
    np.add.at(load, host, takes)
    return load


@numba.njit(cache=True)
def _balance(times, sizes, near, load, host, passes):  # type: ignore[no-untyped-def]
    layers = host.shape[0]
    layer_s = np.empty(layers)
    for layer in range(layers):
        layer_s[layer] = _layer_s(times, host, layer)
    # Layers that are worth a look: they or their neighbours have changed since the last one.
    fresh = np.ones(layers, np.bool_)
    for _ in range(passes):
        look, fresh = fresh, np.zeros(layers, np.bool_)
        for layer in range(layers):
            if look[layer] and _rearrange(
                times, sizes, near, load, host, layer_s, layer, passes > 1
            ):
                fresh[layer - 1] = fresh[layer] = fresh[(layer + 1) % layers] = True
        if not fresh.any():
            break


@numba.njit(cache=True)
def _rearrange(times, sizes, near, load, host, layer_s, layer, swaps):  # type: ignore[no-untyped-def]
    """Move a layer's experts, and swap them with each other and the next layer's."""
    layers, experts = host.shape
    following = (layer + 1) % layers
    helped = False
    for e in range(experts):
        for s in near[layer]:
            helped |= _move(times, sizes, load, host, layer_s, layer, e, s)
        if not swaps:
            continue
        for f in range(experts):
            if f > e:
                helped |= _swap(times, sizes, load, host, layer_s, layer, e, layer, f)
            if layers > 1:
                helped |= _swap(times, sizes, load, host, layer_s, layer, e, following, f)
    return helped


@numba.njit(cache=True)
def _move(times, sizes, load, host, layer_s, layer, e, s):  # type: ignore[no-untyped-def]
    """Move an expert to a satellite if that helps; whether it does."""
    share, takes, capacity = sizes
    a = host[layer, e]
    if a == s:
        return False
    before = _over(load, capacity, a) + _over(load, capacity, s)
    for r in range(load.shape[1]):
        size = takes[r, 0] + takes[r, 1] * share[layer, e]
        load[a, r] -= size
        load[s, r] += size
    after = _over(load, capacity, a) + _over(load, capacity, s)
    if after <= before + _LEAST:
        host[layer, e] = s
        found_s = _layer_s(times, host, layer)
        if found_s - layer_s[layer] + _OVERLOAD_S * (after - before) < -_LEAST:
            layer_s[layer] = found_s
            return True
        host[layer, e] = a
    for r in range(load.shape[1]):
        size = takes[r, 0] + takes[r, 1] * share[layer, e]
        load[a, r] += size
        load[s, r] -= size
    return False


@numba.njit(cache=True)
def _swap(times, sizes, load, host, layer_s, one, e, other, f):  # type: ignore[no-untyped-def]
    """Let two experts change places if that helps; whether it does."""
    share, takes, capacity = sizes
    a, b = host[one, e], host[other, f]
    if a == b:
        return False
    before = _over(load, capacity, a) + _over(load, capacity, b)
    more = share[other, f] - share[one, e]
    for r in range(load.shape[1]):
        load[a, r] += takes[r, 1] * more
        load[b, r] -= takes[r, 1] * more
    after = _over(load, capacity, a) + _over(load, capacity, b)
    if after <= before + _LEAST:
        host[one, e], host[other, f] = b, a
        one_s, other_s = _layer_s(times, host, one), _layer_s(times, host, other)
        gain_s = layer_s[one] - one_s
        if one != other:
            gain_s += layer_s[other] - other_s
        if gain_s + _OVERLOAD_S * (before - after) > _LEAST:
            layer_s[one], layer_s[other] = one_s, other_s
            return True
        host[one, e], host[other, f] = a, b
    for r in range(load.shape[1]):
        load[a, r] -= takes[r, 1] * more
        load[b, r] += takes[r, 1] * more
    return False


@numba.njit(cache=True)
def _over(load, capacity, s):  # type: ignore[no-untyped-def]
    """By how much a satellite is overloaded, as a share of what it has."""
    over = 0.0
    for r in range(load.shape[1]):
        over += max(load[s, r] / capacity[s, r] - 1.0, 0.0)
    return over


@numba.njit(cache=True)
def _layer_s(times, host, layer):  # type: ignore[no-untyped-def]
    """Time that a layer's experts take on average, the way there and on included."""
    through_s, chosen, weight, expert_s = times
    total_s = 0.0
    for c in range(chosen.shape[0]):
        slowest_s = 0.0
        for k in range(chosen.shape[2]):
            s = host[layer, chosen[c, layer, k]]
            sharing = 0
            for other in range(chosen.shape[2]):
                sharing += host[layer, chosen[c, layer, other]] == s
            slowest_s = max(slowest_s, through_s[layer, s] + sharing * expert_s[s])
        total_s += weight[c, layer] * slowest_s
    return total_s
