"""The ring of layers: the constellation cut into one subnet a layer, neighbours side by side."""

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from twin.errors import InputError


def layer_ring(problem: PlacementProblem) -> NDArray[np.int32]:
    """Subnet (layer) of every satellite that may host something, -1 for the others.

    Satellites are cut along the orbiting direction into as many equal shares as there are layers
    (arXiv 2605.00515, layer placement). With as many layers as slots, subnet l is slot l of every
    plane. With more layers than slots the planes are split into bands, and the layers go round
    the first band, then the next: a helix, whose turns start and end at the same place.

    Returns
    -------
    subnet : (N,) int32
    """
    usable = np.flatnonzero(problem.memory_bytes > 0)
    layers = problem.n_layers
    if len(usable) < layers:
        raise InputError(f"{layers} layers need as many satellites, only {len(usable)} are usable")
    planes, per_plane = np.unique(problem.plane[usable], return_counts=True)
    n_bands = min(len(planes), int(np.ceil(layers / np.median(per_plane))))
    subnet = np.full(problem.n_satellites, -1, np.int32)
    first = 0
    for b, band in enumerate(np.array_split(planes, n_bands)):
        last = round(layers * (b + 1) / n_bands)
        rows = usable[np.isin(problem.plane[usable], band)]
        rows = rows[np.lexsort((problem.plane[rows], problem.ring_position[rows].round(9)))]
        for layer, members in enumerate(np.array_split(rows, last - first), start=first):
            subnet[members] = layer
        first = last
    return subnet


def central_gateways(problem: PlacementProblem, subnet: NDArray[np.int32]) -> NDArray[np.int32]:
    """The satellite in the middle plane of each subnet, (L,).

    All layers of a band share one plane, so that consecutive gateways are neighbours in it: of
    the planes that reach into the most subnets, the middle one. With equal planes that is the
    middle plane of all. A subnet that it does not reach takes its nearest plane; of several
    satellites there, the one in the middle of the subnet along the orbit is the gateway.

    Raises
    ------
    InputError
        If a subnet has no satellite with room for a gateway.
    """
    candidates = [gateway_candidates(problem, subnet, i) for i in range(problem.n_layers)]
    gateway = np.empty(problem.n_layers, np.int32)
    for band in _bands(problem, subnet):
        middle = _middle_plane([problem.plane[candidates[layer]] for layer in band])
        for layer in band:
            rows = candidates[layer]
            ring = problem.ring_position[rows]
            off_centre = np.abs(_circular(ring - _circular_mean(ring)))
            plane_gap = np.abs(problem.plane[rows] - middle)
            gateway[layer] = rows[np.lexsort((off_centre.round(9), plane_gap))[0]]
    return gateway


def gateway_candidates(
    problem: PlacementProblem, subnet: NDArray[np.int32], layer: int
) -> NDArray[np.int64]:
    """Satellites of a layer's subnet that have room for its gateway."""
    rows = np.flatnonzero((subnet == layer) & (problem.memory_bytes >= problem.gateway_bytes))
    if not len(rows):
        raise InputError(
            f"layer {layer}: no satellite of its subnet has the "
            f"{problem.gateway_bytes / 1e9:.3f} GB that a gateway needs; raise compute.memory_gb"
        )
    return rows


def _bands(problem: PlacementProblem, subnet: NDArray[np.int32]) -> list[list[int]]:
    """Layers grouped by the band of planes they lie in."""
    first_plane = [int(problem.plane[subnet == i].min()) for i in range(problem.n_layers)]
    last_plane = [int(problem.plane[subnet == i].max()) for i in range(problem.n_layers)]
    bands: list[list[int]] = [[0]]
    reach = last_plane[0]
    for layer in range(1, problem.n_layers):
        if first_plane[layer] > reach:
            bands.append([])
            reach = last_plane[layer]
        bands[-1].append(layer)
        reach = max(reach, last_plane[layer])
    return bands


def _middle_plane(planes_of_layers: list[NDArray[np.int32]]) -> int:
    """The middle one of the planes that have a satellite in the most of these layers."""
    everywhere = np.concatenate([np.unique(planes) for planes in planes_of_layers])
    planes, layers_reached = np.unique(everywhere, return_counts=True)
    middle = planes[len(planes) // 2]
    return int(planes[np.lexsort((np.abs(planes - middle), -layers_reached))[0]])


def _circular(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    return (turns + 0.5) % 1.0 - 0.5


def _circular_mean(turns: NDArray[np.float64]) -> float:
    return float(np.angle(np.exp(2j * np.pi * turns).mean()) / (2 * np.pi))
