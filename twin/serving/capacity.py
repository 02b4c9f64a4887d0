"""How busy tokens keep satellites, and what a placement can keep up with."""

import numpy as np
from numpy.typing import NDArray

from placement.deployment import Deployment
from placement.problem import Placement
from placement.stacking import unstacked
from twin.moe.inference import Inference
from twin.moe.latency import ComputeTimes
from twin.serving.hosts import Hosts


def instance_rates_per_s(
    deployment: Deployment, inference: Inference, pace: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Tokens a second that each instance keeps up with, all work counted, (R,).

    First copies only, at full speed. Where instances share a satellite, all serve equally many.
    """
    expert_s = inference.activation.ravel() * inference.expert_s
    busy_s = np.zeros(len(pace))
    for p in deployment.instances:
        busy_s += np.bincount(p.gateway, weights=inference.stage_s, minlength=len(pace))
        busy_s += np.bincount(p.expert.ravel(), weights=expert_s, minlength=len(pace))
    share = busy_s / pace
    slowest = [max(share[p.gateway].max(), share[p.expert].max()) for p in deployment.instances]
    return 1.0 / np.array(slowest)


class Instances:
    """Instances of the placement in force, worked out again only when it changes.

    Parameters
    ----------
    layers : int
        Of each instance.
    pace : (N,) float64
    """

    def __init__(self, layers: int, pace: NDArray[np.float64]) -> None:
        self._layers, self._pace = layers, pace
        self._of: Placement | None = None
        self._found = Deployment(())
        self._activation: NDArray[np.float64] | None = None
        self._rates_per_s = np.empty(0)

    def of(self, placement: Placement) -> Deployment:
        """The instances of a placement."""
        if placement is not self._of:
            self._of, self._found = placement, unstacked(placement, self._layers)
            self._activation = None
        return self._found

    def rates_per_s(self, placement: Placement, inference: Inference) -> NDArray[np.float64]:
        """`instance_rates_per_s` of a placement."""
        deployment = self.of(placement)
        if self._activation is not inference.activation:
            self._rates_per_s = instance_rates_per_s(deployment, inference, self._pace)
            self._activation = inference.activation
        return self._rates_per_s


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
