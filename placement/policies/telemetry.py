"""What the controller knows when it decides whether to plan again, and what it may propose."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.errors import InputError, shown

_PER_SATELLITE = ("taking", "up", "lit", "low", "sound", "soc")


def _no_flags() -> NDArray[np.bool_]:
    return np.zeros(0, bool)


@dataclass(frozen=True, kw_only=True, eq=False)
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
    taking, up, lit, low, sound : (N,) bool
        Satellites that would host something, that have links and compute, that are in the Sun at
        least in part, that live on their reserve, and that are free of faults. As old as the
        scenario's telemetry delay says; read-only.
    soc : (N,) float64
        State of charge of each battery, 0 to 1; as old, and read-only.
    serves_requests : bool
        Whether requests are served, not tokens alone.
    ttft_s : float
        Median time to first token of requests served since the plan was made, of the newest
        thousand of them; NaN while there are none. As old as the rest.
    queued : int
        Requests that wait to be let in; 0 where there are none. As old.
    """

    step: int
    steps_since_plan: int
    latency_s: float
    planned_latency_s: float
    promised_s: float = math.nan
    events: frozenset[str] = frozenset()
    migrating: bool = False
    repaired: bool = False
    taking: NDArray[np.bool_] = field(default_factory=_no_flags)
    up: NDArray[np.bool_] = field(default_factory=_no_flags)
    lit: NDArray[np.bool_] = field(default_factory=_no_flags)
    low: NDArray[np.bool_] = field(default_factory=_no_flags)
    sound: NDArray[np.bool_] = field(default_factory=_no_flags)
    soc: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    serves_requests: bool = False
    ttft_s: float = math.nan
    queued: int = 0

    def __post_init__(self) -> None:
        for name in _PER_SATELLITE:
            seen = np.asarray(getattr(self, name)).view()
            seen.flags.writeable = False
            object.__setattr__(self, name, seen)

    @classmethod
    def nothing_yet(cls, n: int, *, serves_requests: bool = False) -> "Telemetry":
        """Return what is known of `n` satellites before the first step: all is well with them."""
        every = np.ones(n, bool)
        return cls(
            step=0,
            steps_since_plan=0,
            latency_s=math.nan,
            planned_latency_s=math.nan,
            taking=every,
            up=every,
            lit=every,
            low=~every,
            sound=every,
            soc=np.ones(n),
            serves_requests=serves_requests,
        )


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


@dataclass(frozen=True, kw_only=True)
class Bids:
    """Leave it to the satellites: hosts move by bids in this step, the controller plans nothing.

    Attributes
    ----------
    every_steps : int
        Steps between looks at everything; what is in trouble is sold at once.
    min_gain : float
        Share of its present price that the move of a thing has to save: hysteresis.
    token_s_per_gb : float
        What moving a GB may cost, in seconds of waiting tokens.
    patience_s : float
        Time without word after which a satellite counts as lost: from 1 to 240 steps.
    """

    every_steps: int = 8
    min_gain: float = 0.05
    token_s_per_gb: float = 100.0
    patience_s: float = 15.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 0 <= value < math.inf:
                raise InputError(f"Bids: {each.name} must be a number >= 0 (got {shown(value)})")


Propose = Callable[..., Proposal | None]
"""``propose(reason, *, repair=False, known_steps=None)``: make a new plan on a forecast, or only
move what sits badly (`placement.repair`); or plan on what will really happen in the next
`known_steps` steps, for which alone the plan is in force. None if there is no plan."""

Policy = Callable[[Telemetry, Propose], Proposal | Bids | None]
"""Returns what to adopt, or bids, or None to keep what is in force."""
