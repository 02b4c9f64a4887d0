"""How busy tokens keep satellites, and what a placement can keep up with."""

import numpy as np
from numpy.typing import NDArray

from placement.deployment import Deployment
from placement.problem import Placement, serving_copies
from placement.stacking import unstacked
from twin.moe.inference import Inference
from twin.moe.latency import ComputeTimes
from twin.serving.hosts import Hosts


def instance_rates_per_s(
    deployment: Deployment,
    inference: Inference,
    pace: NDArray[np.float64],
    *,
    choose_from: int = 1,
) -> NDArray[np.float64]:
    """Tokens a second that each instance keeps up with, all work counted, (R,).

    First copies only, or evenly those that tokens choose from, at full speed. Where instances share
    a satellite, all serve equally many.
    """
    expert_s = inference.activation[..., None] * inference.expert_s
    busy_s = np.zeros(len(pace))
    slowest, serving = [], [serving_copies(p, choose_from) for p in deployment.instances]
    for p, (hosts, part) in zip(deployment.instances, serving, strict=True):
        busy_s += np.bincount(p.gateway, weights=inference.stage_s, minlength=len(pace))
        weights = (expert_s * part).ravel()
        busy_s += np.bincount(hosts.ravel(), weights=weights, minlength=len(pace))
    share = busy_s / pace
    for p, (hosts, _) in zip(deployment.instances, serving, strict=True):
        slowest.append(max(share[p.gateway].max(), share[hosts].max()))
    return 1.0 / np.array(slowest)


class Instances:
    """Instances of the placement in force, worked out again only when it changes.

    Parameters
    ----------
    layers : int
        Of each instance.
    pace : (N,) float64
    choose_from : int
        Copies of each expert that tokens choose from.
    """

    def __init__(self, layers: int, pace: NDArray[np.float64], *, choose_from: int = 1) -> None:
        self._layers, self._pace, self._choose_from = layers, pace, choose_from
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
            self._rates_per_s = instance_rates_per_s(
                deployment, inference, self._pace, choose_from=self._choose_from
            )
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
