"""The placement in force and what is under way to change it, as data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, PlacementProblem
from twin.serving.shipments import Shipment, Thing, Wanted


@dataclass(kw_only=True)
class TransferState:
    """The placement in force and what is under way to change it, carried from step to step.

    Attributes
    ----------
    placement : Placement
        In force: what serves.
    absent : (L, E) bool
        Experts dropped before their new copy arrived: no satellite serves them.
    gateway_absent : (L,) bool
        The same for gateways.
    under_way : list of Shipment
    wanted : list of Wanted
        Hosts that are wanted for things which change.
    gateway_bytes, expert_bytes, kv_bytes : float
        Sizes of what moves.
    now_s : float
        End of the last step.
    carried_bytes, hop_bytes : float
        Of the last step: bytes, and bytes times hops.
    """

    placement: Placement
    absent: NDArray[np.bool_]
    gateway_absent: NDArray[np.bool_]
    under_way: list[Shipment]
    wanted: list[Wanted]
    gateway_bytes: float = 0.0
    expert_bytes: float = 0.0
    kv_bytes: float = 0.0
    now_s: float = 0.0
    carried_bytes: float = 0.0
    hop_bytes: float = 0.0


def in_force(placement: Placement, sizes: PlacementProblem | None = None) -> TransferState:
    """Return a placement with nothing under way, and what its parts weigh, if that is known."""
    layers, experts = placement.expert.shape
    return TransferState(
        gateway_bytes=0.0 if sizes is None else sizes.gateway_bytes,
        expert_bytes=0.0 if sizes is None else sizes.expert_bytes,
        kv_bytes=0.0 if sizes is None else sizes.kv_bytes,
        placement=placement,
        absent=np.zeros((layers, experts), bool),
        gateway_absent=np.zeros(layers, bool),
        under_way=[],
        wanted=[],
    )


def shipment_of(state: TransferState, thing: Thing, target: int) -> Shipment:
    """Return what has to come to a satellite for it to host a thing."""
    gateway = thing[1] < 0
    size_bytes = state.gateway_bytes if gateway else state.expert_bytes
    return Shipment(
        thing=thing,
        target=target,
        size_bytes=size_bytes,
        left_bytes=size_bytes,
        cache_bytes=state.kv_bytes if gateway else 0.0,
    )


def used_bytes(state: TransferState, satellites: int) -> NDArray[np.float64]:
    """Memory taken by the placement in force and by transfers that have started, (N,)."""
    used = np.zeros(satellites)
    for hosts, size, absent in (
        (state.placement.gateways, state.gateway_bytes, state.gateway_absent[:, None]),
        (state.placement.copies, state.expert_bytes, state.absent[..., None]),
    ):
        there = (hosts >= 0) & ~absent
        used += np.bincount(hosts[there], minlength=satellites) * size
    for shipment in state.under_way:
        if shipment.source is not None:
            used[shipment.target] += shipment.size_bytes
    return used


def with_rows(placement: Placement, rows: dict[Thing, list[int]]) -> Placement:
    """Return a placement with other hosts for some things."""
    width = [1, 1]
    for (_, expert), hosts in rows.items():
        width[expert >= 0] = max(width[expert >= 0], len(hosts))
    gateways = wide(placement.gateways, max(width[0], placement.gateways.shape[-1])).copy()
    copies = wide(placement.copies, max(width[1], placement.copies.shape[-1])).copy()
    for (layer, expert), hosts in rows.items():
        row = gateways[layer] if expert < 0 else copies[layer, expert]
        row[:] = -1
        row[: len(hosts)] = hosts
    # No wider than what is there: columns cost time in every step.
    gateways = gateways[:, : max(int((gateways >= 0).sum(axis=-1).max()), 1)]
    copies = copies[..., : max(int((copies >= 0).sum(axis=-1).max()), 1)]
    return Placement(
        gateway=np.ascontiguousarray(gateways[:, 0]),
        expert=np.ascontiguousarray(copies[..., 0]),
        standby=gateways[:, 1:],
        replica=copies[..., 1:],
    )


def wide(hosts: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    """Hosts with more columns, of -1."""
    padding = [(0, 0)] * (hosts.ndim - 1) + [(0, width - hosts.shape[-1])]
    return np.pad(hosts, padding, constant_values=-1)
