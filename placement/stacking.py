"""Several instances as one placement: the layers of one below those of another.

Whatever moves, weighs or resolves hosts thing by thing takes such a placement as it takes any.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from placement.cost import objective_s
from placement.deployment import Deployment, share_of_demand, without
from placement.problem import Placement, PlacementProblem
from placement.repair import repair


def stacked(deployment: Deployment) -> Placement:
    """One placement of R*L layers, from R instances of L layers."""
    some = deployment.instances
    standbys = max(p.standby.shape[1] for p in some)
    replicas = max(p.replica.shape[2] for p in some)
    return Placement(
        gateway=np.concatenate([p.gateway for p in some]),
        expert=np.concatenate([p.expert for p in some]),
        standby=np.concatenate([_wide(p.standby, standbys) for p in some]),
        replica=np.concatenate([_wide(p.replica, replicas) for p in some]),
    )


def unstacked(placement: Placement, layers: int) -> Deployment:
    """The instances, of so many layers each, of a stacked placement."""
    return Deployment(
        tuple(
            Placement(
                gateway=placement.gateway[mine],
                expert=placement.expert[mine],
                standby=placement.standby[mine],
                replica=placement.replica[mine],
            )
            for mine in (
                slice(first, first + layers) for first in range(0, len(placement.gateway), layers)
            )
        )
    )


def _wide(hosts: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    padding = [(0, 0)] * (hosts.ndim - 1) + [(0, width - hosts.shape[-1])]
    return np.pad(hosts, padding, constant_values=-1)


def matched(current: Deployment, wanted: Deployment) -> Deployment:
    """The wanted instances, each in the place of the present one that it shares most hosts with."""
    if len(current) == 1:
        return wanted
    same = np.array(
        [
            [
                (a.gateway == b.gateway).sum() + (a.expert == b.expert).sum()
                for b in wanted.instances
            ]
            for a in current.instances
        ]
    )
    _, take = linear_sum_assignment(same, maximize=True)
    return Deployment(tuple(wanted.instances[i] for i in take))


def mean_objective_s(problem: PlacementProblem, deployment: Deployment) -> float:
    """`placement.cost.objective_s`, mean of the instances, each of which serves an equal part."""
    mine = share_of_demand(problem, len(deployment))
    return float(np.mean([objective_s(mine, p) for p in deployment.instances]))


def repair_each(problem: PlacementProblem, current: Deployment) -> Deployment:
    """`placement.repair`, instance by instance, on what the others leave.

    Raises
    ------
    InputError
        If what has to move finds no room.
    """
    repaired = list(current.instances)
    shared = share_of_demand(problem, len(repaired))
    for i, mine in enumerate(repaired):
        left = dataclasses.replace(shared, current=mine)
        for other in repaired[:i] + repaired[i + 1 :]:
            left = without(left, other, alone=False)
        repaired[i] = repair(left)
    return Deployment(tuple(repaired))
