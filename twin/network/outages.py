"""Random outages of links, which geometry does not explain, and faults of satellites.

A model says which of n things hold in a step, from which held in the step before and from the
step's own random numbers. It has no other memory.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.registry import Registry
from twin.scenario.world import Faults, Outages

type Flags = NDArray[np.bool_]
type HoldModel = Callable[..., Flags]
"""``model(before, n, table, step_s, *, rng)``: which of n hold, (n,), in the next step of
``step_s``; ``before`` is None in a run's first step, ``table`` is the scenario's. Further
keyword-only parameters come from the table's ``params``."""


def none(before: Flags | None, n: int, table: Any, step_s: float, *, rng: Any) -> Flags:  # noqa: ARG001
    """Everything holds."""
    return np.ones(n, bool)


def iid(
    before: Flags | None,  # noqa: ARG001
    n: int,
    table: Outages,
    step_s: float,  # noqa: ARG001
    *,
    rng: np.random.Generator,
) -> Flags:
    """Draw each step by itself, as in the Space-XNet paper.

    The length of an outage then follows the length of the step; `gilbert_elliott` does not have
    this flaw.
    """
    return rng.random(n) < table.availability


def gilbert_elliott(
    before: Flags | None, n: int, table: Outages, step_s: float, *, rng: np.random.Generator
) -> Flags:
    """Links break for `mean_outage_s` at a time (`two_states`).

    Source: Gilbert, Bell Syst. Tech. J. 39, 1960.
    """
    return two_states(before, n, table.availability, table.mean_outage_s, step_s, rng=rng)


def exponential(
    before: Flags | None, n: int, table: Faults, step_s: float, *, rng: np.random.Generator
) -> Flags:
    """Satellites fail and recover at constant rates (`two_states`)."""
    return two_states(before, n, table.availability, table.mean_down_s, step_s, rng=rng)


def two_states(
    before: Flags | None,
    n: int,
    good: float,
    mean_bad_s: float,
    step_s: float,
    *,
    rng: np.random.Generator,
) -> Flags:
    """Sample n two-state Markov chains in continuous time at the next step.

    Bad times last `mean_bad_s` on average and the long-run share of good time is `good`,
    whatever the step.
    """
    if before is None:
        return rng.random(n) < good
    # Relaxation rate of the chain: 1/T_bad + 1/T_good with T_good = T_bad a / (1 - a).
    forget = 1.0 if good == 0 else -np.expm1(-step_s / (mean_bad_s * good))
    stay_or_recover = np.where(before, 1 - (1 - good) * forget, good * forget)
    return np.asarray(rng.random(n) < stay_or_recover)


OUTAGES: Registry[HoldModel] = Registry(
    "outage model",
    {"none": none, "iid": iid, "gilbert-elliott": gilbert_elliott},
    field="outages.model",
)
"""Models of link outages."""

FAULTS: Registry[HoldModel] = Registry(
    "fault model", {"none": none, "exponential": exponential}, field="faults.model"
)
"""Models of satellite faults."""
