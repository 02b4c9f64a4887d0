"""Random outages of links, which geometry does not explain, and faults of satellites."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from twin.registry import Registry
from twin.scenario.world import Faults, Outages

Unbroken = Iterator[NDArray[np.bool_]]


def none(n_links: int, outages: Outages, step_s: float, rng: np.random.Generator) -> Unbroken:  # noqa: ARG001
    """Yield for each step that every link holds."""
    while True:
        yield np.ones(n_links, bool)


def iid(n_links: int, outages: Outages, step_s: float, rng: np.random.Generator) -> Unbroken:  # noqa: ARG001
    """Yield an independent draw a step, as in the Space-XNet paper.

    The length of an outage then follows the length of the step; `gilbert_elliott` does not have
    this flaw.
    """
    while True:
        yield rng.random(n_links) < outages.availability


def gilbert_elliott(
    n_links: int, outages: Outages, step_s: float, rng: np.random.Generator
) -> Unbroken:
    """Yield the states of links that break for `mean_outage_s` at a time (`two_states`).

    Source: Gilbert, Bell Syst. Tech. J. 39, 1960.
    """
    return two_states(n_links, outages.availability, outages.mean_outage_s, step_s, rng)


def two_states(
    n: int, good: float, mean_bad_s: float, step_s: float, rng: np.random.Generator
) -> Unbroken:
    """Yield the states of n two-state Markov chains in continuous time, sampled at the steps.

    Bad times last `mean_bad_s` on average and the long-run share of good time is `good`,
    whatever the step.
    """
    # Relaxation rate of the chain: 1/T_bad + 1/T_good with T_good = T_bad a / (1 - a).
    forget = 1.0 if good == 0 else -np.expm1(-step_s / (mean_bad_s * good))
    unbroken = rng.random(n) < good
    while True:
        yield unbroken
        stay_or_recover = np.where(unbroken, 1 - (1 - good) * forget, good * forget)
        unbroken = rng.random(n) < stay_or_recover


def never(n: int, faults: Faults, step_s: float, rng: np.random.Generator) -> Unbroken:  # noqa: ARG001
    """Yield for each step that no satellite has a fault."""
    return none(n, Outages(), step_s, rng)


def exponential(n: int, faults: Faults, step_s: float, rng: np.random.Generator) -> Unbroken:
    """Yield the states of satellites that fail and recover at constant rates (`two_states`)."""
    return two_states(n, faults.availability, faults.mean_down_s, step_s, rng)


def sound(n: int, faults: Faults, step_s: float, rng: np.random.Generator) -> Unbroken:
    """Yield for each step which of n satellites are free of faults, (n,)."""
    return FAULTS[faults.model](n, faults, step_s, rng)


OUTAGES: Registry[Callable[..., Unbroken]] = Registry(
    "outage model",
    {"none": none, "iid": iid, "gilbert-elliott": gilbert_elliott},
    field="outages.model",
)
"""Models of link outages."""

FAULTS: Registry[Callable[..., Unbroken]] = Registry(
    "fault model", {"none": never, "exponential": exponential}, field="faults.model"
)
"""Models of satellite faults."""
