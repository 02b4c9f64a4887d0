"""Space-XNet's placement, and the ablation that keeps its footprint but not its order."""

import numpy as np
from numpy.typing import NDArray

from placement.cost import expected_path_s
from placement.hosting import expert_room, places
from placement.problem import Placement, PlacementProblem
from placement.rings import central_gateways, layer_ring


def space_xnet(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:  # noqa: ARG001
    """Match experts, most activated first, to satellites, shortest expected path first.

    Source: arXiv 2605.00515, expert placement with central gateways; proven optimal there for
    one expert a satellite.
    """
    gateway, nearest = _nearest_places(problem)
    order = np.argsort(-problem.activation, axis=1, kind="stable")
    expert = np.empty_like(nearest)
    np.put_along_axis(expert, order, nearest, axis=1)
    return Placement(gateway=gateway, expert=expert)


def compact_random(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:
    """Use the satellites `space_xnet` uses, in random order: how much does the order matter."""
    gateway, nearest = _nearest_places(problem)
    return Placement(gateway=gateway, expert=rng.permuted(nearest, axis=1))


def _nearest_places(
    problem: PlacementProblem,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Central gateways, and each layer's E best places in order of expected path latency.

    The latency is the mean over the planning snapshots in which the path exists; how often it does
    decides between equals only, and a place without any path comes last.
    """
    subnet = layer_ring(problem)
    gateway = central_gateways(problem, subnet)
    room = expert_room(problem, gateway)
    mean_s, reachable = expected_path_s(problem, gateway)
    nearest = np.empty(problem.activation.shape, np.int32)
    for layer in range(problem.n_layers):
        rows = np.flatnonzero(subnet == layer)
        rows = rows[np.lexsort((-reachable[layer, rows], mean_s[layer, rows]))]
        ordered = places(room, rows, problem.n_experts, f"layer {layer}'s subnet")
        nearest[layer] = ordered[: problem.n_experts]
    return gateway, nearest
