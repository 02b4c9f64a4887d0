"""How busy tokens keep satellites, and what a placement can keep up with."""

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.moe.inference import Inference
from twin.moe.latency import ComputeTimes
from twin.serving.hosts import Hosts


def capacity_per_s(placement: Placement, inference: Inference, pace: NDArray[np.float64]) -> float:
    """Tokens a second that the busiest satellite keeps up with, all work counted.

    First copies only, at full speed.

    Parameters
    ----------
    placement : Placement
    inference : Inference
    pace : (N,) float64
        Compute speed of each satellite relative to the scenario's.
    """
    expert_s = inference.activation.ravel() * inference.expert_s
    busy_s = np.bincount(placement.gateway, weights=inference.stage_s, minlength=len(pace))
    busy_s += np.bincount(placement.expert.ravel(), weights=expert_s, minlength=len(pace))
    return float(1.0 / (busy_s / pace).max())


class Capacity:
    """`capacity_per_s` of the placement in force, computed again only when a part of it changes."""

    def __init__(self) -> None:
        self._of: tuple[int, NDArray[np.float64] | None] = (-1, None)
        self._per_s = 0.0

    def per_s(
        self, version: int, placement: Placement, inference: Inference, pace: NDArray[np.float64]
    ) -> float:
        """Tokens a second; `version` is the placement's number."""
        known, activation = self._of
        if version != known or activation is not inference.activation:
            self._per_s = capacity_per_s(placement, inference, pace)
            self._of = version, inference.activation
        return self._per_s


def busy_s(
    hosts: Hosts, columns: NDArray[np.int32], compute: ComputeTimes, n: int
) -> NDArray[np.float64]:
    """Time that tokens keep each of n satellites busy at speed 1, (n,).

    Parameters
    ----------
    hosts : Hosts
    columns : (P, L, K) int32
        Columns of `hosts` that each token goes to.
    compute : ComputeTimes
        On satellites of speed 1.
    n : int
    """
    layers, width = hosts.satellite.shape
    flat = columns + width * np.arange(layers)[:, None]
    count = np.bincount(flat.ravel(), minlength=layers * width)
    found = np.bincount(hosts.satellite.ravel(), weights=count * compute.expert_s, minlength=n)
    gateway_s = len(columns) * compute.gateway_s
    return np.asarray(found + np.bincount(hosts.gateway, weights=gateway_s, minlength=n))
