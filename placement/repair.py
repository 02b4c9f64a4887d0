"""Move only what has to move: off satellites that are off, or cannot carry what they host."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from placement.copies import add_copies, room_left
from placement.delays import mean_way_s, nearest
from placement.filling import Limits, fill, limits
from placement.problem import Placement, PlacementProblem
from twin.errors import InputError

_NEAREST = 64
"""Satellites around a gateway that are looked at first; all, where that leaves no room."""


def repair(problem: PlacementProblem, *, busy_margin: float = 0.9) -> Placement:
    """Return the placement in force with everything that sits badly moved, the rest untouched.

    Copies that live on take over first places at once; new copies replace the lost ones. What is
    too much for a satellite leaves it, least activated first.

    Parameters
    ----------
    problem : PlacementProblem
        With `current`; memory 0 and `busy_limit` 0 mark satellites that can host nothing.
    busy_margin : float
        Share of its time that a satellite may be kept busy by the demand.

    Raises
    ------
    InputError
        If what has to move finds no room.
    """
    current = problem.current
    if current is None:
        raise InputError("there is no placement to repair")
    limit = limits(problem, min_tokens_per_s=0.0, busy_margin=busy_margin, spread=False)
    usable = (limit.capacity[:, 0] > 0) & (problem.busy_limit > 0)
    gateways = _alive_first(current.gateways, usable)
    hosts = _alive_first(current.copies, usable)
    kept = Placement(
        gateway=np.ascontiguousarray(gateways[:, 0]),
        expert=np.ascontiguousarray(hosts[..., 0]),
        standby=gateways[:, 1:],
        replica=hosts[..., 1:],
    )
    gateway = _place_gateways(problem, limit, kept, usable)
    kept = dataclasses.replace(kept, gateway=gateway)
    hosts = _lighten(problem, limit, kept)
    way_s = mean_way_s(problem, kept.gateway)
    for reach in (_NEAREST, problem.n_satellites):
        near = nearest(way_s, usable, reach)
        expert = fill(problem, limit, way_s, near, kept.gateway, host=hosts[..., 0])
        if expert is not None:
            break
    else:
        raise InputError("repair: no room for what has to move")
    hosts[..., 0] = expert
    # A further copy must not be where the first one has just gone.
    hosts[..., 1:][hosts[..., 1:] == expert[..., None]] = -1
    whole = Placement(
        gateway=kept.gateway, expert=expert, standby=kept.standby, replica=hosts[..., 1:]
    )
    return add_copies(
        problem,
        limit,
        whole,
        standbys=current.standby.shape[1],
        copies=current.copies.shape[2],
        budget_bytes=np.inf,
    )


def _alive_first(hosts: NDArray[np.int32], usable: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Copies on usable satellites, in their order; the others become -1 and go to the end."""
    alive = np.where((hosts >= 0) & usable[hosts], hosts, -1)
    order = np.argsort(alive < 0, axis=-1, kind="stable")
    return np.take_along_axis(alive, order, axis=-1)


def _place_gateways(
    problem: PlacementProblem, limit: Limits, kept: Placement, usable: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Find a place for each missing gateway (-1): where the ring stays shortest."""
    gateway = kept.gateway.copy()
    missing = np.flatnonzero(gateway < 0)
    if not len(missing):
        return gateway
    assert problem.current is not None  # repair() has seen to it
    # Neighbours in the ring; a missing one counts where it was.
    around = np.where(gateway >= 0, gateway, problem.current.gateway)
    way_s = mean_way_s(problem, around)
    left = room_left(limit, problem, kept).capacity
    for layer in missing:
        fits = usable & (left >= limit.gateway[layer]).all(axis=1)
        if not fits.any():
            raise InputError(f"repair: no room for the gateway of layer {layer}")
        detour_s = way_s[layer - 1] + way_s[(layer + 1) % problem.n_layers]
        gateway[layer] = np.where(fits, detour_s, np.inf).argmin()
        left[gateway[layer]] -= limit.gateway[layer]
    return gateway


def _lighten(problem: PlacementProblem, limit: Limits, placement: Placement) -> NDArray[np.int32]:
    """Hosts of all experts without those that are too much for their satellite, (L, E, C)."""
    hosts = placement.copies.copy()
    left = room_left(limit, problem, placement).capacity
    takes = np.einsum(
        "rk,kle->ler", limit.expert, [np.ones_like(problem.activation), problem.activation]
    )
    for s in np.flatnonzero((left < -1e-9 * (1 + limit.capacity)).any(axis=1)):
        places = np.argwhere(hosts == s)
        for layer, e, copy in places[np.argsort(problem.activation[places[:, 0], places[:, 1]])]:
            if (left[s] >= -1e-9).all():
                break
            hosts[layer, e, copy] = -1
            left[s] += takes[layer, e]
    order = np.argsort(hosts < 0, axis=-1, kind="stable")
    return np.take_along_axis(hosts, order, axis=-1)
