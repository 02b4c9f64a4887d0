"""Where each layer runs in a step: the placement resolved, given which satellites are up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.moe.copies import expected_soonest, soonest
from twin.moe.expectation import ExpectedLatency, expected_latency
from twin.moe.inference import Inference


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """Gateways that serve, and all copies of each expert as columns.

    With C copies an expert, column ``e * C + c`` is copy c of expert e. Several instances of the
    model are below each other, L layers of each.

    Attributes
    ----------
    gateway : (L,) int32
        The first of each layer's gateway and standbys that is up.
    satellite : (L, E*C) int32
        Host of each column; where there is no such copy, that of the first.
    path_s : (L, E*C) float64
        Way through each column, ``inf`` where there is none, or no such copy.
    order : (L, E, C) int32
        Columns of each expert, the one with the shortest way first.
    absent : (L, E*C) bool
        Copies that are not there yet.
    """

    gateway: NDArray[np.int32]
    satellite: NDArray[np.int32]
    path_s: NDArray[np.float64]
    order: NDArray[np.int32]
    absent: NDArray[np.bool_]

    def of_instance(self, instance: int, layers: int) -> "Hosts":
        """Return those of one instance."""
        mine = slice(instance * layers, (instance + 1) * layers)
        return Hosts(
            gateway=self.gateway[mine],
            satellite=self.satellite[mine],
            path_s=self.path_s[mine],
            order=self.order[mine],
            absent=self.absent[mine],
        )

    @property
    def nearest(self) -> NDArray[np.int32]:
        """Column of each expert's nearest copy, (L, E)."""
        return np.ascontiguousarray(self.order[..., 0])

    def choice(self, most: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Hosts of the nearest copies of each expert, and whether they are there, (L, E*most).

        Copies stay in the order of the placement, so that a part moves only with its host.
        """
        layers, experts, _ = self.order.shape
        columns = np.sort(self.order[..., :most], axis=2)
        there = np.isfinite(np.take_along_axis(self.path_s, columns.reshape(layers, -1), axis=1))
        there &= ~np.take_along_axis(self.absent, columns.reshape(layers, -1), axis=1)
        lacking = ((0, 0), (0, 0), (0, most - columns.shape[2]))
        columns = np.concatenate(
            [columns, np.broadcast_to(columns[..., :1], (layers, experts, lacking[2][1]))], axis=2
        )
        there = np.pad(there.reshape(layers, experts, -1), lacking)
        hosts = np.take_along_axis(self.satellite, columns.reshape(layers, -1), axis=1)
        return hosts, there.reshape(layers, -1)

    def wanted(
        self,
        choices: NDArray[np.int32],
        expert_s: float,
        *,
        speed: NDArray[np.float64],
        choose_from: int,
    ) -> NDArray[np.int32]:
        """Columns that tokens' experts would go to if all had time for them, (P, L, K).

        Parameters
        ----------
        choices : (P, L, K) int32
        expert_s : float
            Of an expert on a satellite of speed 1.
        speed : (N,) float64
            Of each satellite now; 0 if it is down.
        choose_from : int
            Copies of each expert that tokens choose from.
        """
        layers, _, copies = self.order.shape
        if min(copies, choose_from) == 1:
            return np.asarray(self.nearest[np.arange(layers)[:, None], choices])
        order, path_s = self.order[..., :choose_from], np.where(self.absent, np.inf, self.path_s)
        with np.errstate(divide="ignore"):
            each_s = expert_s / speed[self.satellite]
        return soonest(choices, order, path_s, self.satellite, each_s)

    def of_nearest[T: np.generic](self, values: NDArray[T]) -> NDArray[T]:
        """Values of the nearest copies, (L, E), from those of all columns, (L, E*C)."""
        return np.take_along_axis(values, self.nearest, axis=1)

    def way_s(self, activation: NDArray[np.float64], top_k: int) -> float:
        """Activation-weighted way of a token, ``inf`` if a part cannot be reached.

        `activation` is that of one instance's layers; the way is the mean of all instances'.
        """
        nearest_s = self.of_nearest(self.path_s)
        instances = len(nearest_s) // len(activation)
        activation = np.tile(activation, (instances, 1))
        # A part that no token ever chooses may be out of reach.
        chosen_s = np.multiply(
            nearest_s, activation, where=activation > 0.0, out=np.zeros_like(nearest_s)
        )
        return float(chosen_s.sum() / (top_k * instances))


def resolve(
    placement: Placement,
    gateway: NDArray[np.int32],
    delay_s: NDArray[np.float64],
    transfer_s: float,
    *,
    up: NDArray[np.bool_],
    absent: NDArray[np.bool_] | None = None,
    instances: int = 1,
) -> Hosts:
    """Order every expert's copies by their way gateway l -> copy -> gateway l+1.

    Links are cut-through: a hidden state is put on the way once a leg, whatever the hops.

    Parameters
    ----------
    placement : Placement
    gateway : (L,) int32
        Those that serve.
    delay_s : (L, N) float64
        Delay from each of them to every satellite, ``inf`` if unreachable.
    transfer_s : float
        Time to put a hidden state on a link.
    up : (N,) bool
        Satellites that compute; others come last.
    absent : (L, E) bool, optional
        Experts whose first copy is not there yet.
    instances : int
        How many are below each other.
    """
    copies = placement.copies
    layers, experts, c = copies.shape
    there = np.where(copies < 0, copies[..., :1], copies)
    satellite = np.ascontiguousarray(there.reshape(layers, experts * c))
    path_s = path_through_s(delay_s, satellite, transfer_s, instances)
    path_s[copies.reshape(layers, -1) < 0] = np.inf
    missing = np.zeros((layers, experts, c), bool)
    if absent is not None:
        missing[..., 0] = absent
    columns = np.arange(experts * c, dtype=np.int32).reshape(experts, c)
    order = np.broadcast_to(columns, copies.shape)
    if c > 1:
        late_s = np.where(up[satellite].reshape(copies.shape) & ~missing, 0.0, np.inf)
        by_way = np.argsort(path_s.reshape(copies.shape) + late_s, axis=2, kind="stable")
        order = np.take_along_axis(order, by_way, axis=2)
    return Hosts(
        gateway=gateway,
        satellite=satellite,
        path_s=path_s,
        order=np.ascontiguousarray(order),
        absent=missing.reshape(layers, -1),
    )


def expected_on(
    hosts: Hosts, inference: Inference, speed: NDArray[np.float64] | None, *, choose_from: int
) -> ExpectedLatency:
    """Expected latency of a token on the hosts that its experts go to.

    Parameters
    ----------
    hosts : Hosts
    inference : Inference
    speed : (N,) float64 or None
        Compute speed of each satellite; None if all have full speed.
    choose_from : int
        Copies of each expert that tokens choose from.
    """
    model, compute = (inference.probability, inference.card.top_k), inference.compute
    chooses = min(choose_from, hosts.order.shape[2]) > 1
    host = hosts.satellite if chooses else hosts.of_nearest(hosts.satellite)
    if speed is not None:
        compute = compute.at_speed(speed[host], speed[hosts.gateway])
    if not chooses:
        return expected_latency(hosts.of_nearest(hosts.path_s), host, *model, compute)
    order = hosts.order[..., :choose_from]
    path_s = np.where(hosts.absent, np.inf, hosts.path_s)
    return expected_soonest(path_s, host, order, *model, compute)


def path_through_s(
    delay_s: NDArray[np.float64], host: NDArray[np.int32], transfer_s: float, instances: int = 1
) -> NDArray[np.float64]:
    """Time on the way gateway l -> host -> gateway l+1, (L, X), for X hosts a layer."""
    rows = np.arange(len(delay_s)).reshape(instances, -1)
    following = np.roll(rows, -1, axis=1).reshape(-1, 1)
    out_s = delay_s[rows.reshape(-1, 1), host]
    back_s = delay_s[following, host]
    legs = (out_s > 0).astype(np.float64) + (back_s > 0)
    return np.asarray(out_s + back_s + legs * transfer_s)
