"""What it takes to get from one placement to another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, PlacementProblem


@dataclass(frozen=True, kw_only=True)
class Migration:
    """Everything that moves, one row a gateway or expert.

    Attributes
    ----------
    layer, expert : (M,) int32
        What moves; expert -1 is the layer's gateway.
    source, target : (M,) int32
        From which satellite to which.
    size_bytes : (M,) float64
        How much.
    """

    layer: NDArray[np.int32]
    expert: NDArray[np.int32]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    size_bytes: NDArray[np.float64]

    @property
    def total_bytes(self) -> float:
        """Sum over all moves."""
        return float(self.size_bytes.sum())


def migration(problem: PlacementProblem, old: Placement, new: Placement) -> Migration:
    """List the moves that turn `old` into `new`."""
    gateways = np.flatnonzero(old.gateway != new.gateway)
    layers, experts = np.nonzero(old.expert != new.expert)
    return Migration(
        layer=np.concatenate([gateways, layers]).astype(np.int32),
        expert=np.concatenate([np.full(len(gateways), -1), experts]).astype(np.int32),
        source=np.concatenate([old.gateway[gateways], old.expert[layers, experts]]),
        target=np.concatenate([new.gateway[gateways], new.expert[layers, experts]]),
        size_bytes=np.concatenate(
            [
                np.full(len(gateways), problem.gateway_bytes),
                np.full(len(layers), problem.expert_bytes),
            ]
        ),
    )
