"""What it takes to get from one placement to another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, PlacementProblem


@dataclass(frozen=True, kw_only=True)
class Migration:
    """Everything that has to arrive somewhere, one row a gateway or expert and satellite.

    Attributes
    ----------
    layer, expert : (M,) int32
        What arrives; expert -1 is the layer's gateway.
    source, target : (M,) int32
        From the first host so far, to which satellite.
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
        """Sum over all arrivals."""
        return float(self.size_bytes.sum())


def migration(problem: PlacementProblem, old: Placement, new: Placement) -> Migration:
    """List what has to arrive so that `old` becomes `new`.

    A satellite that holds any copy of a thing needs nothing; dropping a copy costs nothing.
    """
    layer, _, target = _arrivals(old.gateways[:, None], new.gateways[:, None])
    row, expert, host = _arrivals(old.copies, new.copies)
    return Migration(
        layer=np.concatenate([layer, row]).astype(np.int32),
        expert=np.concatenate([np.full(len(layer), -1), expert]).astype(np.int32),
        source=np.concatenate([old.gateway[layer], old.expert[row, expert]]),
        target=np.concatenate([target, host]),
        size_bytes=np.concatenate(
            [
                np.full(len(layer), problem.gateway_bytes),
                np.full(len(row), problem.expert_bytes),
            ]
        ),
    )


def _arrivals(
    old: NDArray[np.int32], new: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """First two indices of things, and satellites that come to hold them; (A, B, copies) each."""
    there = (new[..., :, None] == old[..., None, :]).any(axis=-1)
    a, b, c = np.nonzero((new >= 0) & ~there)
    return a, b, new[a, b, c]
