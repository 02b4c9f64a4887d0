"""What a placement can keep up with."""

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.moe.inference import Inference


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
