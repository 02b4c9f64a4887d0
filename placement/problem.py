"""What a strategy is given and what it returns: frozen arrays, nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError


@dataclass(frozen=True, kw_only=True)
class PlacementProblem:
    """Where may layers and experts sit, and what is known of the network.

    N satellites, L layers, E experts a layer, T planning snapshots.

    Attributes
    ----------
    plane : (N,) int32
        Orbital plane, neighbours next to each other.
    ring_position : (N,) float64
        Place along the orbit in [0, 1), comparable across planes.
    indptr, indices : (N+1,), (nnz,) int32
        CSR skeleton of the network.
    weight_s : (T, nnz) float64
        Link delays of the planning snapshots, ``inf`` when down.
    activation : (L, E) float64
        Probability that a token activates each expert.
    memory_bytes : (N,) float64
        Memory of each satellite; 0 for one that may host nothing.
    gateway_bytes, expert_bytes : float
        What one layer's gateway, and one expert, takes.
    experts_per_satellite : int
        Spreading rule of the strategies that follow the paper: at most this many experts on one.
    experts_on_gateway : bool
        Whether those strategies may put experts on a gateway too.
    """

    plane: NDArray[np.int32]
    ring_position: NDArray[np.float64]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weight_s: NDArray[np.float64]
    activation: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    gateway_bytes: float
    expert_bytes: float
    experts_per_satellite: int
    experts_on_gateway: bool

    @property
    def n_satellites(self) -> int:
        """N."""
        return len(self.plane)

    @property
    def n_layers(self) -> int:
        """L."""
        return int(self.activation.shape[0])

    @property
    def n_experts(self) -> int:
        """E, experts a layer."""
        return int(self.activation.shape[1])


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where everything sits.

    Attributes
    ----------
    gateway : (L,) int32
        Satellite that runs attention and routing of each layer.
    expert : (L, E) int32
        Satellite that hosts each expert.
    """

    gateway: NDArray[np.int32]
    expert: NDArray[np.int32]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Placement)
            and np.array_equal(self.gateway, other.gateway)
            and np.array_equal(self.expert, other.expert)
        )

    __hash__ = None  # type: ignore[assignment]


def memory_used_bytes(problem: PlacementProblem, placement: Placement) -> NDArray[np.float64]:
    """Memory that a placement takes on each satellite, (N,)."""
    n = problem.n_satellites
    gateways = np.bincount(placement.gateway, minlength=n)
    experts = np.bincount(placement.expert.ravel(), minlength=n)
    return gateways * problem.gateway_bytes + experts * problem.expert_bytes


def check(problem: PlacementProblem, placement: Placement) -> None:
    """Raise unless every gateway and expert is hosted, within memory.

    Raises
    ------
    InputError
        Names the first thing that is wrong; a strategy of the user's own may cause it.
    """
    layers, experts = problem.activation.shape
    if placement.gateway.shape != (layers,) or placement.expert.shape != (layers, experts):
        raise InputError(
            f"placement has shapes {placement.gateway.shape} and {placement.expert.shape}, "
            f"needs ({layers},) and ({layers}, {experts})"
        )
    hosts = np.concatenate([placement.gateway, placement.expert.ravel()])
    if hosts.min() < 0 or hosts.max() >= problem.n_satellites:
        raise InputError(f"placement names a satellite outside 0..{problem.n_satellites - 1}")
    over = np.flatnonzero(memory_used_bytes(problem, placement) > problem.memory_bytes)
    if len(over):
        used = memory_used_bytes(problem, placement)[over[0]]
        raise InputError(
            f"satellite {over[0]} would need {used / 1e9:.3f} GB of memory, "
            f"has {problem.memory_bytes[over[0]] / 1e9:.3f} GB"
        )
