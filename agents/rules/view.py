"""What satellites know of themselves when they decide, and what they may decide; N rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.energy.bus import BusProfile

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


@dataclass(kw_only=True)
class Messages:
    """What each satellite has last told its neighbours, all (N,).

    Attributes
    ----------
    dark_in_s : float64
        Time until its next shadow; 0 in shadow.
    accepting : bool
        Whether it takes on experts.
    room_bytes : float64
        Memory to spare.
    """

    dark_in_s: Floats
    accepting: Flags
    room_bytes: Floats


@dataclass(kw_only=True)
class RuleState:
    """What satellites have decided, in force for the next step, and what they carry; all (N,).

    Attributes
    ----------
    low, throttled : bool
        Living on the reserve; slowed down for heat.
    speed : float64
        Compute speed that each allows itself, 1 for full, 0 without power.
    accepting : bool
        Whether it takes on experts.
    terminals_on : bool
    messages : Messages or None
        What neighbours were told; None where the rule does not ask for it.
    """

    low: Flags
    throttled: Flags
    speed: Floats
    accepting: Flags
    terminals_on: Flags
    messages: Messages | None = None


class Ahead(NamedTuple):
    """Shadow ahead of each satellite, both (N,)."""

    dark_in_s: Floats
    """Time until the next shadow; 0 in shadow, ``inf`` if there is none."""
    dark_for_s: Floats
    """How long that shadow lasts, or the rest of the present one."""


class TakeOver(NamedTuple):
    """A satellite asks a neighbour to take over an expert."""

    layer: int
    expert: int
    satellite: int
    neighbour: int


@dataclass(frozen=True, kw_only=True)
class LocalView:
    """What each satellite knows at the end of a step: itself, and its neighbours' last messages.

    Attributes
    ----------
    bus : BusProfile
    soc, temperature_k, sunlit, load, load_w : (N,) float64
        Charge, temperature, sunlit share of the step, busy share of the computer, power drawn.
    powered, hosting, gateway : (N,) bool
        Bus up; hosts something; hosts a gateway.
    expert_bytes : float
        What an expert takes.
    last : RuleState
        What was decided the step before.
    ahead_of, carried_by, experts_of, neighbours_of, serving_of, room_of : callable
        Give what only some rules ask for, when it is first asked for.
    """

    bus: BusProfile
    soc: Floats
    temperature_k: Floats
    sunlit: Floats
    load: Floats
    load_w: Floats
    powered: Flags
    hosting: Flags
    gateway: Flags
    expert_bytes: float
    last: RuleState
    ahead_of: Callable[[], Ahead]
    carried_by: Callable[[], Flags]
    experts_of: Callable[[int], list[tuple[int, int]]]
    neighbours_of: Callable[[], NDArray[np.int64]]
    serving_of: Callable[[], Flags]
    room_of: Callable[[], Floats]

    @cached_property
    def ahead(self) -> Ahead:
        """Shadow ahead, which follows from a satellite's own orbit."""
        return self.ahead_of()

    @cached_property
    def serving(self) -> Flags:
        """Satellites through which a ground site enters, (N,)."""
        return self.serving_of()

    @cached_property
    def room_bytes(self) -> Floats:
        """Memory for further experts, within the limits of placement, (N,)."""
        return self.room_of()

    @cached_property
    def carried(self) -> Flags:
        """Satellites through which tokens passed in the step, (N,)."""
        return self.carried_by()

    @cached_property
    def neighbours(self) -> NDArray[np.int64]:
        """Satellites at the other ends of working grid links, -1 for none, (N, 4)."""
        return self.neighbours_of()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What all satellites decide at the end of a step."""

    state: RuleState
    take_over: tuple[TakeOver, ...] = ()


class OwnView(NamedTuple):
    """What one satellite knows of itself, for a `decide` of a subclass."""

    soc: float
    temperature_k: float
    sunlit: float
    load: float
    powered: bool
    hosting: bool


class OwnDecision(NamedTuple):
    """What one satellite decides, over what the rule says of it; None leaves that."""

    speed: float | None = None
    accepting: bool | None = None
    terminals_on: bool | None = None
