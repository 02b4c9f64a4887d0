"""Hosts for experts around given gateways: cheapest way first, within what satellites can carry.

There are two ways to go about it. *Spread*: layers take turns, most activated expert first, so that
none of them finds all good places gone, and a satellite that already hosts an expert of the layer
is dearer by the time that the two are expected to compute at once. *Tight*: layer after layer fills
up the satellites on its way one by one, those between its gateways first, which serve no other,
and leaves the next ones to the next layer: where compute is scarce that needs the fewest.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem

MEMORY, DEMAND, FLOOR = range(3)
"""What is limited on a satellite: bytes, its time at the demand, its time at the floor."""

_PLENTY = 1e30
"""Of what is not limited."""

_BETWEEN = 0.1
"""Detour that counts as none, as a share of the way between two gateways."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What satellites can carry, and what gateways and experts take of it.

    Attributes
    ----------
    capacity : (N, 3) float64
        Bytes; seconds of compute a token at the demand; the same at the floor.
    slots : (N,) int64
        Experts that a satellite may host.
    gateway : (L, 3) float64
        What each layer's gateway takes.
    expert : (3, 2) float64
        What an expert takes: by itself, and for each time it is activated.
    experts_on_gateway : bool
        Whether a gateway may host experts.
    """

    capacity: NDArray[np.float64]
    slots: NDArray[np.int64]
    gateway: NDArray[np.float64]
    expert: NDArray[np.float64]
    experts_on_gateway: bool


def limits(
    problem: PlacementProblem,
    *,
    min_tokens_per_s: float,
    busy_margin: float,
    spread: bool,
) -> Limits:
    """Limits of a problem.

    Parameters
    ----------
    problem : PlacementProblem
    min_tokens_per_s : float
        Throughput that no satellite's compute may fall below, all of a layer's work counted
        (`PlacementProblem.stage_s`); 0 for none.
    busy_margin : float
        Share of the time that power leaves for computing which the demand may take on average;
        the rest is for tokens that come in crowds.
    spread : bool
        Whether the scenario's spreading rule holds.
    """
    n, layers = problem.n_satellites, problem.n_layers
    rate, floor = problem.rate_per_s, min_tokens_per_s
    everything = np.full(n, _PLENTY)
    demand_s = busy_margin * problem.busy_limit * problem.speed / rate if rate else everything
    floor_s = problem.speed / floor if floor else everything
    demand_s, floor_s = demand_s - problem.taken_s, floor_s - problem.taken_s
    gateway = np.column_stack(
        [np.full(layers, problem.gateway_bytes), problem.demand_s, problem.stage_s]
    )
    most = problem.experts_per_satellite if spread else problem.n_experts * layers
    return Limits(
        capacity=np.column_stack([problem.memory_bytes, demand_s, floor_s]),
        slots=np.full(n, most, np.int64),
        gateway=gateway,
        expert=np.array(
            [[problem.expert_bytes, 0.0], [0.0, problem.expert_s], [0.0, problem.expert_s]]
        ),
        experts_on_gateway=problem.experts_on_gateway or not spread,
    )


def fill(
    problem: PlacementProblem,
    limit: Limits,
    way_s: NDArray[np.float64],
    near: NDArray[np.int32],
    gateway: NDArray[np.int32],
    *,
    tight: bool = False,
    host: NDArray[np.int32] | None = None,
) -> NDArray[np.int32] | None:
    """Host every expert that has no host yet; None where something finds no room.

    Parameters
    ----------
    problem : PlacementProblem
    limit : Limits
    way_s : (L, N) float64
        Mean delay from each gateway to every satellite.
    near : (L, M) int32
        Satellites to look at around each gateway.
    gateway : (L,) int32
    tight : bool
        Which of the two ways.
    host : (L, E) int32, optional
        Hosts that stay, -1 for experts without.
    """
    filled = (
        np.full(problem.activation.shape, -1, np.int32) if host is None else host.astype(np.int32)
    )
    order = np.argsort(-problem.activation, axis=1, kind="stable")
    ok: bool = _fill(
        way_s,
        near,
        gateway,
        order,
        problem.activation,
        0.0 if tight else (problem.top_k - 1) / problem.top_k,
        tight,
        problem.expert_s / np.maximum(problem.speed, 1e-12),
        limit.gateway,
        limit.expert,
        limit.capacity.copy(),
        limit.slots.copy(),
        limit.experts_on_gateway,
        filled,
    )
    return filled if ok else None


@numba.njit(cache=True)
def _fill(  # type: ignore[no-untyped-def]
    way_s,
    near,
    gateway,
    order,
    activation,
    together,
    tight,
    expert_s,
    gateway_takes,
    expert_takes,
    capacity,
    slots,
    experts_on_gateway,
    host,
):
    layers, experts = host.shape
    for layer in range(layers):
        g = gateway[layer]
        capacity[g] -= gateway_takes[layer]
        if (capacity[g] < -1e-9 * (1.0 + gateway_takes[layer])).any():
            return False
        if not experts_on_gateway:
            slots[g] = 0
    candidate, cost = _candidates(way_s, near, gateway, expert_s, _BETWEEN if tight else 0.0)
    for layer in range(layers):
        for e in range(experts):
            s = host[layer, e]
            if s >= 0:
                _take(capacity, slots, s, expert_takes, activation[layer, e])
                cost[layer][candidate[layer] == s] += activation[layer, e] * together * expert_s[s]
    for turn in range(layers * experts):
        layer = turn // experts if tight else turn % layers
        e = order[layer, turn % experts if tight else turn // layers]
        if host[layer, e] >= 0:
            continue
        share = activation[layer, e]
        best = _cheapest(candidate[layer], cost[layer], capacity, slots, expert_takes, share)
        if best < 0:
            return False
        s = candidate[layer, best]
        host[layer, e] = s
        _take(capacity, slots, s, expert_takes, share)
        cost[layer, best] += share * together * expert_s[s]
    return True


@numba.njit(cache=True)
def _cheapest(candidate, cost, capacity, slots, takes, share):  # type: ignore[no-untyped-def]
    """Which candidate with room costs least, -1 if none has."""
    best = -1
    for j in range(candidate.shape[0]):
        s = candidate[j]
        if s < 0 or (best >= 0 and cost[j] >= cost[best]):
            continue
        fits = slots[s] > 0
        for r in range(capacity.shape[1]):
            fits &= capacity[s, r] >= (takes[r, 0] + share * takes[r, 1]) * (1.0 - 1e-9)
        if fits:
            best = j
    return best


@numba.njit(cache=True)
def _candidates(way_s, near, gateway, expert_s, between):  # type: ignore[no-untyped-def]
    """Satellites around both gateways of each layer, -1 for none, and the cost of each way."""
    layers, m = near.shape
    candidate = np.full((layers, 2 * m), -1, np.int32)
    cost = np.full((layers, 2 * m), np.inf)
    seen = np.full(way_s.shape[1], -1, np.int32)
    for layer in range(layers):
        following = layer + 1 if layer + 1 < layers else 0
        a, b = gateway[layer], gateway[following]
        for j in range(2 * m):
            s = near[layer, j] if j < m else near[following, j - m]
            if seen[s] == layer:
                continue
            seen[s] = layer
            candidate[layer, j] = s
            cost[layer, j] = way_s[layer, s] + way_s[following, s] + expert_s[s]
            if s not in (a, b):
                cost[layer, j] -= between * way_s[layer, b]
    return candidate, cost


@numba.njit(cache=True)
def _take(capacity, slots, s, takes, share):  # type: ignore[no-untyped-def]
    slots[s] -= 1
    for r in range(capacity.shape[1]):
        capacity[s, r] -= takes[r, 0] + share * takes[r, 1]
