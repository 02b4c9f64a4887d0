"""What the controller knows when it decides whether to plan again, and what it may propose."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from placement.problem import Placement


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """The state of the service as a policy sees it.

    Attributes
    ----------
    step : int
        The step about to be served.
    steps_since_plan : int
        Age of the current placement.
    latency_s : float
        Activation-weighted path latency of a token under the current placement, ``inf`` when a
        part of it cannot be reached, NaN while nothing is known of it.
    planned_latency_s : float
        The same when it was planned.
    promised_s : float
        Objective of the plan in force when it was adopted.
    events : frozenset of str
        What has happened to hosts, and to the ground, since the step before: "brown-out",
        "fault", "soc-low", "recovered", "shadow" (a host enters it), "outage" (a host cannot be
        reached), "ground-handover".
    migrating : bool
        Whether an earlier plan is still being carried out.
    repaired : bool
        Whether the placement in force has been repaired since it was planned.
    """

    step: int
    steps_since_plan: int
    latency_s: float
    planned_latency_s: float
    promised_s: float = math.nan
    events: frozenset[str] = frozenset()
    migrating: bool = False
    repaired: bool = False


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A placement that might be adopted.

    Attributes
    ----------
    reason : str
        Why it was asked for.
    placement : Placement
    objective_s, current_s : float
        `placement.cost.objective_s` of it, and of the placement in force, on the same forecast.
    moved_bytes : float
        What would have to arrive somewhere.
    horizon_tokens : float
        Tokens that will be asked until the horizon.
    repair : bool
        Whether it is the placement in force, repaired.
    free : bool
        Whether to put it in force at once, at no cost (only for an upper bound).
    """

    reason: str
    placement: Placement
    objective_s: float
    current_s: float
    moved_bytes: float
    horizon_tokens: float
    repair: bool = False
    free: bool = False


Propose = Callable[..., Proposal | None]
"""``propose(reason, *, repair=False, known_steps=None)``: make a new plan on a forecast, or only
move what sits badly (`placement.repair`); or plan on what will really happen in the next
`known_steps` steps, for which alone the plan is in force. None if there is no plan."""

Policy = Callable[[Telemetry, Propose], Proposal | None]
"""Returns what to adopt, or None to keep what is in force."""
