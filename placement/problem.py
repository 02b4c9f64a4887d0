"""What a strategy is given and what it returns: frozen arrays, nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError


@dataclass(frozen=True, kw_only=True)
class PlacementProblem:
    """Where may layers and experts sit, and what is known of the network.

    N satellites, L layers, E experts a layer, K of them a token, T planning snapshots.

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
    entry_share : (T, N) float64
        Share of the requests that enters at each satellite in each snapshot; all zero without
        ground.
    probability : (L, E) float64
        Plackett-Luce weight of each expert, rows summing to 1.
    top_k : int
        Experts that a token activates in each layer.
    activation : (L, E) float64
        Probability that a token activates each expert; rows sum to `top_k`.
    memory_bytes : (N,) float64
        Memory of each satellite; 0 for one that may host nothing.
    gateway_bytes, expert_bytes : float
        What one layer's gateway with its cache of keys and values, and one expert, takes.
    kv_bytes : float
        The cache's part of `gateway_bytes`.
    expert_s : float
        Compute time of one expert at full speed.
    gateway_s : (L,) float64
        Compute time of each gateway that counts towards latency.
    stage_s : (L,) float64
        Compute time of each gateway that counts towards throughput: attention, router and shared
        experts, whatever the accounting of latency; the LM head is a stage of its own.
    head_s : float
        Compute time of the LM head on the first gateway; 0 where it is elsewhere, or not counted.
    head_share : float
        How often a token needs it.
    transfer_s : float
        Time to put one hidden state on a link.
    speed : (N,) float64
        Compute speed of each satellite, 1 for the one that `expert_s` and the others speak of.
    busy_limit : (N,) float64
        Share of its time that power lets each satellite compute until the horizon.
    sunlit : (N,) float64
        Share of the time until the horizon that each satellite spends in the Sun.
    rate_per_s : float
        Tokens asked of the constellation.
    group_tokens : float
        Tokens that go together, mean over tokens: a prompt's go in chunks; 1 where each goes alone.
    waiting : bool
        Whether the objective counts how long tokens are expected to wait for satellites that are
        busy (`placement.waiting`).
    compute_w : float
        What a satellite draws at full speed beyond what it draws idle.
    availability : float
        Share of the time that a satellite is free of faults.
    current : Placement or None
        The one in force, for strategies that move as little as possible.
    experts_per_satellite : int
        Spreading rule of the strategies that follow the paper: at most this many experts on one.
    experts_on_gateway : bool
        Whether those strategies may put experts on a gateway too.
    choose_from : int
        Copies of each expert, the nearest first, that tokens choose from (`twin.moe.copies`).
    taken_s : (N,) float64
        Compute time, at full speed, that other instances take of each satellite for each of their
        tokens, all of a layer's work counted. They serve as many tokens as this one. Zero unless
        given; `memory_bytes` is what they leave.
    """

    plane: NDArray[np.int32]
    ring_position: NDArray[np.float64]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weight_s: NDArray[np.float64]
    entry_share: NDArray[np.float64]
    probability: NDArray[np.float64]
    top_k: int
    activation: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    gateway_bytes: float
    expert_bytes: float
    kv_bytes: float
    expert_s: float
    gateway_s: NDArray[np.float64]
    stage_s: NDArray[np.float64]
    head_s: float
    head_share: float
    transfer_s: float
    speed: NDArray[np.float64]
    busy_limit: NDArray[np.float64]
    sunlit: NDArray[np.float64]
    rate_per_s: float
    group_tokens: float
    waiting: bool
    compute_w: float
    availability: float
    current: "Placement | None"
    experts_per_satellite: int
    experts_on_gateway: bool
    choose_from: int = 1
    taken_s: NDArray[np.float64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.taken_s is None:
            object.__setattr__(self, "taken_s", np.zeros(len(self.plane)))

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

    @property
    def layer_bytes(self) -> float:
        """Memory of a layer's gateway and all its experts."""
        return self.gateway_bytes + self.n_experts * self.expert_bytes

    @property
    def model_bytes(self) -> float:
        """Memory of all layers."""
        return self.n_layers * self.layer_bytes

    @property
    def demand_s(self) -> NDArray[np.float64]:
        """Compute time of each gateway that a token asked for takes of its satellite, (L,).

        What counts towards latency; where waiting counts, all of it, the LM head's included.
        """
        if not self.waiting:
            return self.gateway_s
        work_s = self.stage_s.copy()
        work_s[0] += self.head_share * self.head_s
        return work_s


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where everything sits: every layer's gateway, every expert, and further copies of both.

    Attributes
    ----------
    gateway : (L,) int32
        Satellite that runs attention and routing of each layer.
    expert : (L, E) int32
        Satellite that hosts each expert.
    standby : (L, S) int32
        Satellites that hold a layer's gateway too, cache mirrored, and take over in this order;
        -1 for none. No columns unless given.
    replica : (L, E, R) int32
        Further hosts of each expert, -1 for none. No columns unless given.
    """

    gateway: NDArray[np.int32]
    expert: NDArray[np.int32]
    standby: NDArray[np.int32] = None  # type: ignore[assignment]
    replica: NDArray[np.int32] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        layers, experts = self.expert.shape
        if self.standby is None:
            object.__setattr__(self, "standby", np.empty((layers, 0), np.int32))
        if self.replica is None:
            object.__setattr__(self, "replica", np.empty((layers, experts, 0), np.int32))

    @property
    def gateways(self) -> NDArray[np.int32]:
        """The gateway and its standbys in order, (L, 1+S)."""
        return np.concatenate([self.gateway[:, None], self.standby], axis=1)

    @property
    def copies(self) -> NDArray[np.int32]:
        """All hosts of each expert, the first one first, (L, E, 1+R)."""
        return np.concatenate([self.expert[..., None], self.replica], axis=2)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Placement)
            and _same_hosts(self.gateways, other.gateways)
            and _same_hosts(self.copies, other.copies)
        )

    __hash__ = None  # type: ignore[assignment]


def serving_copies(
    placement: Placement, choose_from: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Hosts that serve each expert, and the share of its tokens that each takes.

    The first `choose_from` copies, all of them evenly.

    Returns
    -------
    hosts : (L, E, C) int32
        Where there is no such copy, the first, with a share of 0.
    share : (L, E, C) float64
    """
    copies = placement.copies[..., :choose_from]
    there = copies >= 0
    share = there / np.maximum(there.sum(axis=2, keepdims=True), 1)
    return np.where(there, copies, copies[..., :1]), share


def serving_gateways(placement: Placement, up: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The first gateway of each layer that is up, (L,); the first of all where none is.

    Standbys mirror the cache of keys and values token by token, which is a thousandth of the
    hidden states' traffic and neglected, so that one takes over at once.
    """
    gateways = placement.gateways
    alive = (gateways >= 0) & up[gateways]
    return np.ascontiguousarray(gateways[np.arange(len(gateways)), alive.argmax(axis=1)])


def _same_hosts(a: NDArray[np.int32], b: NDArray[np.int32]) -> bool:
    """Whether hosts are the same in the same order; columns without any do not count."""
    if a.shape[:-1] != b.shape[:-1]:
        return False
    width = min(a.shape[-1], b.shape[-1])
    rest = (a[..., width:] >= 0).any() or (b[..., width:] >= 0).any()
    return np.array_equal(a[..., :width], b[..., :width]) and not rest


def memory_used_bytes(problem: PlacementProblem, placement: Placement) -> NDArray[np.float64]:
    """Memory that a placement takes on each satellite, (N,)."""
    n = problem.n_satellites
    gateways, copies = placement.gateways.ravel(), placement.copies.ravel()
    return (
        np.bincount(gateways[gateways >= 0], minlength=n) * problem.gateway_bytes
        + np.bincount(copies[copies >= 0], minlength=n) * problem.expert_bytes
    )


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
    if (
        placement.standby.ndim != 2
        or placement.replica.ndim != 3
        or len(placement.standby) != layers
        or placement.replica.shape[:2] != (layers, experts)
    ):
        raise InputError(
            f"placement has copies of shapes {placement.standby.shape} and "
            f"{placement.replica.shape}, needs ({layers}, S) and ({layers}, {experts}, R)"
        )
    first = np.concatenate([placement.gateway, placement.expert.ravel()])
    hosts = np.concatenate([placement.gateways.ravel(), placement.copies.ravel()])
    if first.min() < 0 or hosts.min() < -1 or hosts.max() >= problem.n_satellites:
        raise InputError(f"placement names a satellite outside 0..{problem.n_satellites - 1}")
    for names in (placement.gateways, placement.copies):
        ordered = np.sort(names, axis=-1)
        if np.any((ordered[..., 1:] == ordered[..., :-1]) & (ordered[..., 1:] >= 0)):
            raise InputError("placement puts two copies of the same thing on one satellite")
    over = np.flatnonzero(memory_used_bytes(problem, placement) > problem.memory_bytes * (1 + 1e-9))
    if len(over):
        used = memory_used_bytes(problem, placement)[over[0]]
        raise InputError(
            f"satellite {over[0]} would need {used / 1e9:.3f} GB of memory, "
            f"has {problem.memory_bytes[over[0]] / 1e9:.3f} GB"
        )
