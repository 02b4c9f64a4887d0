"""Random link outages: what geometry does not explain."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from twin.scenario.schema import Outages

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
    """Yield the states of a two-state Markov chain in continuous time, sampled at the steps.

    Outages last `mean_outage_s` on average and the long-run share of good time is
    `availability`, whatever the step (Gilbert, Bell Syst. Tech. J. 39, 1960).
    """
    good = outages.availability
    # Relaxation rate of the chain: 1/T_bad + 1/T_good with T_good = T_bad a / (1 - a).
    forget = 1.0 if good == 0 else -np.expm1(-step_s / (outages.mean_outage_s * good))
    unbroken = rng.random(n_links) < good
    while True:
        yield unbroken
        stay_or_recover = np.where(unbroken, 1 - (1 - good) * forget, good * forget)
        unbroken = rng.random(n_links) < stay_or_recover


OUTAGES: dict[str, Callable[[int, Outages, float, np.random.Generator], Unbroken]] = {
    "none": none,
    "iid": iid,
    "gilbert-elliott": gilbert_elliott,
}
