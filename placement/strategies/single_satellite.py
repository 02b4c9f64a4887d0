"""Everything on one satellite: no propagation at all, where memory allows."""

import numpy as np

from placement.problem import Placement, PlacementProblem
from twin.errors import InputError


def single_satellite(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:  # noqa: ARG001
    """Put every layer and expert on the satellite with the most memory."""
    layers, experts = problem.activation.shape
    needed = problem.model_bytes
    host = int(np.argmax(problem.memory_bytes))
    if needed > problem.memory_bytes[host]:
        raise InputError(
            f"single-satellite: the model takes {needed / 1e9:.2f} GB, the largest satellite "
            f"has {problem.memory_bytes[host] / 1e9:.2f} GB"
        )
    return Placement(
        gateway=np.full(layers, host, np.int32), expert=np.full((layers, experts), host, np.int32)
    )
