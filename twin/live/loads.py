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


@dataclass(kw_only=True)
class LoadState:
    """Loads of N satellites, of the design with what is reported, (N,) each.

    Attributes
    ----------
    mean_w, variance_w2 : (N,) float64
    weight : float
        How much has been heard, up to 1.
    """

    mean_w: Array
    variance_w2: Array
    weight: float


def at_start(n: int) -> LoadState:
    """State before the first step."""
    return LoadState(mean_w=np.zeros(n), variance_w2=np.zeros(n), weight=0.0)


def follow(state: LoadState, load_w: Array, step_s: float) -> LoadState:
    """Return the state after a step of loads (N,); the first steps count as all that there is."""
    gain = 1.0 - np.exp(-step_s / MEMORY_S)
    weight = state.weight + gain * (1.0 - state.weight)
    share = gain / weight
    off_w = load_w - state.mean_w
    return LoadState(
        mean_w=state.mean_w + share * off_w,
        variance_w2=(1 - share) * (state.variance_w2 + share * off_w**2),
        weight=float(weight),
    )
