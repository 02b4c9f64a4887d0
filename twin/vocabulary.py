"""The words of a run, each spelled once: why a token was lost, why a link is down."""

from enum import IntEnum


class Cause(IntEnum):
    """Why a token was not served; the first reason on its way counts."""

    NONE = 0
    DEAD = 1
    """A gateway or host without power, or with a fault."""
    UNREACHABLE = 2
    """No path between gateway and host."""
    REFUSED = 3
    """A host or gateway that was asked more than it can or will do."""
    UNSERVED = 4
    """A site without a satellite, or in the middle of a hand-over."""
    MOVING = 5
    """A gateway or expert that is on its way to a new host and has none until it is there."""


class LinkState(IntEnum):
    """State of a link in a snapshot; anything but `UP` is why it is not, told in this order.

    First `UNPAIRED`: neither end means the link to exist, so that it does not count as down.
    Then geometry: `RANGE`, `GRAZING` (the line of sight meets the Earth or its air), `RATE` (it
    turns too fast), `POLAR` (switched off near the poles), `SUN` (an end looks into the Sun).
    Then what geometry does not explain: `POWER` (a satellite is off), `PAT` (all limits hold
    again, or partners are new: pointing, acquisition and tracking are under way), `RANDOM`, and
    `CUT` (somebody asked what happens without the link).
    """

    UP = 0
    RANGE = 1
    GRAZING = 2
    RATE = 3
    RANDOM = 4
    SUN = 5
    POWER = 6
    POLAR = 7
    PAT = 8
    UNPAIRED = 9
    CUT = 10
