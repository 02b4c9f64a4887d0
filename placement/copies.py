"""Standby gateways and further hosts of experts, near the ways that tokens take anyway."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from placement.delays import UNREACHABLE_S, mean_way_s
from placement.filling import Limits
from placement.problem import Placement, PlacementProblem
from twin.network.routing import shortest_paths


def mean_entry_s(problem: PlacementProblem) -> NDArray[np.float64]:
    """Mean delay from where requests enter to every satellite, (N,); 0 without ground."""
    total = np.zeros(problem.n_satellites)
    for weight_s, share in zip(problem.weight_s, problem.entry_share, strict=True):
        entries = np.flatnonzero(share).astype(np.int32)
        delay_s = shortest_paths(problem.indptr, problem.indices, weight_s, entries)[0]
        total += share[entries] @ np.minimum(delay_s, UNREACHABLE_S)
    return np.asarray(total / len(problem.weight_s))


def room_left(limit: Limits, problem: PlacementProblem, placement: Placement) -> Limits:
    """What satellites can still carry beside a placement; copies count in full."""
    capacity, slots = limit.capacity.copy(), limit.slots.copy()
    for layer, hosts in enumerate(placement.gateways):
        for s in hosts[hosts >= 0]:
            capacity[s] -= limit.gateway[layer]
            if not limit.experts_on_gateway:
                slots[s] = 0
    layers, experts, _ = np.nonzero(placement.copies >= 0)
    hosts = placement.copies[placement.copies >= 0]
    share = problem.activation[layers, experts]
    for r, (each, active) in enumerate(limit.expert):
        np.subtract.at(capacity[:, r], hosts, each + active * share)
    np.subtract.at(slots, hosts, 1)
    return dataclasses.replace(limit, capacity=capacity, slots=slots)


def add_copies(
    problem: PlacementProblem,
    limit: Limits,
    placement: Placement,
    *,
    standbys: int,
    copies: int,
    budget_bytes: float,
) -> Placement:
    """Add standbys to every layer, then further hosts to experts, most activated first.

    Each copy goes where the way through it is shortest, among satellites that have room and do not
    hold the same thing already. Where no room or budget is left, no copy is added.

    Parameters
    ----------
    problem : PlacementProblem
    limit : Limits
        What satellites can carry in all.
    placement : Placement
        The first copies, and any that are there already.
    standbys, copies : int
        Wanted for each layer, and hosts in all for each expert.
    budget_bytes : float
        What new copies may take together.
    """
    way_s = mean_way_s(problem, placement.gateway)
    through_s = way_s + np.roll(way_s, -1, axis=0)
    # A standby takes its layer's place in the ring: from the gateway before, to the one after.
    instead_s = np.roll(way_s, 1, axis=0) + np.roll(way_s, -1, axis=0)
    left = room_left(limit, problem, placement)
    gateways = _widened(placement.gateways, 1 + standbys)
    hosts = _widened(placement.copies, copies)
    for layer in range(problem.n_layers):
        for place in np.flatnonzero(gateways[layer] < 0):
            fits = (left.capacity >= limit.gateway[layer]).all(axis=1)
            fits[gateways[layer][gateways[layer] >= 0]] = False
            if not fits.any() or budget_bytes < problem.gateway_bytes:
                break
            standby = int(np.where(fits, instead_s[layer], np.inf).argmin())
            gateways[layer, place] = standby
            left.capacity[standby] -= limit.gateway[layer]
            budget_bytes -= problem.gateway_bytes
    order = np.argsort(-problem.activation, axis=None, kind="stable")
    for copy in range(hosts.shape[2]):
        for layer, e in (divmod(int(flat), problem.n_experts) for flat in order):
            if hosts[layer, e, copy] >= 0 or budget_bytes < problem.expert_bytes:
                continue
            takes = limit.expert @ [1.0, problem.activation[layer, e]]
            fits = (left.capacity >= takes).all(axis=1) & (left.slots > 0)
            fits[hosts[layer, e][hosts[layer, e] >= 0]] = False
            if not fits.any():
                continue
            host = int(np.where(fits, through_s[layer], np.inf).argmin())
            hosts[layer, e, copy] = host
            left.capacity[host] -= takes
            left.slots[host] -= 1
            budget_bytes -= problem.expert_bytes
    return Placement(
        gateway=gateways[:, 0],
        expert=np.ascontiguousarray(hosts[..., 0]),
        standby=gateways[:, 1:],
        replica=hosts[..., 1:],
    )


def _widened(hosts: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    """Copies with room for `width` of them in all, -1 where there is none yet."""
    missing = max(width - hosts.shape[-1], 0)
    padding = [(0, 0)] * (hosts.ndim - 1) + [(0, missing)]
    return np.pad(hosts, padding, constant_values=-1)
