"""What satellites usually draw: a running mean and spread of the load that is reported."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

MEMORY_S: Final = 14_400.0
"""Time over which the mean forgets."""
WANDER_S: Final = 1_800.0
"""Time over which a load comes back to its mean (assumption)."""
SMOOTH_S: Final = 900.0
"""What is shorter than this averages out in a battery, and is no wandering."""


@dataclass(kw_only=True)
class LoadState:
    """Loads of N satellites, of the design with what is reported, (N,) each.

    Attributes
    ----------
    mean_w : (N,) float64
    slow_w : (N,) float64
        Mean over the last quarter of an hour.
    variance_w2 : (N,) float64
        Of the load that wanders.
    weight : float
        How much has been heard, up to 1.
    """

    mean_w: Array
    slow_w: Array
    variance_w2: Array
    weight: float


def at_start(n: int) -> LoadState:
    """State before the first step."""
    return LoadState(mean_w=np.zeros(n), slow_w=np.zeros(n), variance_w2=np.zeros(n), weight=0.0)


def follow(state: LoadState, load_w: Array, step_s: float) -> LoadState:
    """Return the state after a step of loads (N,); the first steps count as all that there is."""
    gain, fast = (1.0 - np.exp(-step_s / time_s) for time_s in (MEMORY_S, SMOOTH_S))
    weight = state.weight + gain * (1.0 - state.weight)
    share = gain / weight
    fast = max(fast, share)
    mean_w = state.mean_w + share * (load_w - state.mean_w)
    slow_w = state.slow_w + fast * (load_w - state.slow_w)
    # Smoothing leaves this share of the variance of what wanders over WANDER_S.
    left = WANDER_S / (WANDER_S + SMOOTH_S)
    off_w2 = (slow_w - mean_w) ** 2 / left
    return LoadState(
        mean_w=mean_w,
        slow_w=slow_w,
        variance_w2=state.variance_w2 + share * (off_w2 - state.variance_w2),
        weight=float(weight),
    )
