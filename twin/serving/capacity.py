"""How busy tokens keep satellites, and what a placement can keep up with."""

import numpy as np
from numpy.typing import NDArray

from placement.deployment import Deployment
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
