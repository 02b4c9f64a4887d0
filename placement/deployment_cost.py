"""What a deployment costs in expectation: all instances together, and the worst of them."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from placement.cost import Cost, busy_s, cost
from placement.deployment import Deployment
from placement.problem import PlacementProblem, memory_used_bytes


@dataclass(frozen=True, kw_only=True)
class DeploymentCost(Cost):
    """`Cost` of a deployment: means over instances, but throughput and memory of all together.

    Attributes
    ----------
    instances : int
    worst_s : float
        Latency of the slowest instance.
    least_per_s : float
        Tokens a second of the instance that keeps up with the fewest.
    satellites : int
        How many host something.
    """

    instances: int
    worst_s: float
    least_per_s: float
    satellites: int


def rates_per_s(problem: PlacementProblem, deployment: Deployment) -> NDArray[np.float64]:
    """Tokens a second that each instance keeps up with, all of a layer's work counted, (R,).

    Instances that share a satellite serve equally many.
    """
    each = [busy_s(problem, placement, problem.stage_s) for placement in deployment.instances]
    busy = np.sum(each, axis=0)
    return np.array([1.0 / float(busy[mine > 0].max()) for mine in each])


def deployment_cost(problem: PlacementProblem, deployment: Deployment) -> DeploymentCost:
    """Evaluate a deployment in full."""
    costs = [cost(problem, placement) for placement in deployment.instances]
    rate_per_s = rates_per_s(problem, deployment)
    used = np.sum([memory_used_bytes(problem, p) for p in deployment.instances], axis=0)
    has = problem.memory_bytes
    mean = {name: float(np.mean([getattr(c, name) for c in costs])) for name in asdict(costs[0])}
    mean |= {
        "throughput_per_s": float(rate_per_s.sum()),
        "memory_bytes": float(used.sum()),
        "fullest": float((used[has > 0] / has[has > 0]).max()),
    }
    return DeploymentCost(
        **mean,
        instances=len(deployment),
        worst_s=max(c.latency_s for c in costs),
        least_per_s=float(rate_per_s.min()),
        satellites=int((used > 0).sum()),
    )
