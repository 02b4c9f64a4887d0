"""Words that arrays hold as numbers: causes, states of links and satellites, lanes of events."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self


@dataclass(frozen=True)
class Meaning:
    """How a word is shown.

    Attributes
    ----------
    label : str
        In a few words.
    sentence : str
        What it means.
    dark, light : str
        Colour on a dark and on a light page; empty where it is never painted.
    phrase : str
        What follows "tokens lost" or "links down".
    """

    label: str
    sentence: str = ""
    dark: str = ""
    light: str = ""
    phrase: str = ""


_UNSAID = Meaning("")


class Numbered(IntEnum):
    """A word that arrays hold as its number."""

    meaning: Meaning

    def __new__(cls, number: int, meaning: Meaning = _UNSAID) -> Self:  # noqa: D102
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    @property
    def word(self) -> str:
        """As tables spell it."""
        return self.name.lower()


class Cause(Numbered):
    """Why a token or a request was not served; the first reason on its way counts."""

    NONE = 0, Meaning("served")
    DEAD = (
        1,
        Meaning(
            "host dead",
            "a satellite that hosts a part of the model had no power, or a fault",
            "#ff7f50",
            "#d55e00",
            "at a dead host",
        ),
    )
    UNREACHABLE = (
        2,
        Meaning(
            "no path",
            "no path of working links led from one part of the model to the next",
            "#ffb347",
            "#b38600",
            "for want of a path",
        ),
    )
    REFUSED = (
        3,
        Meaning(
            "refused",
            "a host was asked for more compute than it had left in the step",
            "#f08fc4",
            "#a8457f",
            "at a host with no compute left",
        ),
    )
    UNSERVED = (
        4,
        Meaning(
            "no service",
            "the site on the ground had no satellite, or was changing it",
            "#56b4e9",
            "#0072b2",
            "on the ground",
        ),
    )
    MOVING = (
        5,
        Meaning(
            "moving",
            "a part of the model was on its way to a new host and had none meanwhile",
            "#f0e442",
            "#7d7400",
            "while a part moved",
        ),
    )
    QUEUE_FULL = 6, Meaning("queue full", "as many requests waited as may")
    TOO_LONG = 7, Meaning("too long", "the caches could not hold the prompt and the answer")
    IMPATIENT = 8, Meaning("user left", "the user left before the first token came")
    TOO_LATE = 9, Meaning("too late", "it still waited when its first token was late")
    UNFINISHED = 10, Meaning("unfinished", "the run ended first")
    HANDED_OVER = 11, Meaning("handed over", "a part of the model moved away while it waited there")


CAUSES = tuple(cause for cause in Cause if Cause.NONE < cause <= Cause.MOVING)
"""Why a token was lost."""
REQUEST_CAUSES = (Cause.DEAD, Cause.UNREACHABLE, Cause.UNSERVED, *tuple(Cause)[len(CAUSES) + 1 :])
"""Why a request was not served."""


class LinkState(Numbered):
    """State of a link in a snapshot; anything but `UP` is why it is not, checked in this order.

    First `UNPAIRED`: neither end wants the link, so that it does not count as down.
    Then geometry: `RANGE`, `GRAZING` (the line of sight meets the Earth or its air), `RATE` (it
    turns too fast), `POLAR` (switched off near the poles), `SUN` (an end looks into the Sun).
    Then what geometry does not explain: `POWER` (a satellite is off), `PAT` (all limits hold
    again, or partners are new: pointing, acquisition and tracking are under way), `RANDOM`, and
    `CUT` (somebody asked what happens without the link).
    """

    UP = 0, Meaning("live")
    RANGE = 1, Meaning("too far", "out of range")
    GRAZING = 2, Meaning("Earth between", "through the Earth or its air")
    RATE = 3, Meaning("turning too fast", "turning too fast")
    RANDOM = 4, Meaning("random outage", "by a random outage")
    SUN = 5, Meaning("Sun in the receiver", "looking into the Sun")
    POWER = 6, Meaning("no power", "for want of power")
    POLAR = 7, Meaning("off near the pole", "switched off near a pole")
    PAT = 8, Meaning("acquiring", "while terminals acquire each other")
    UNPAIRED = 9, Meaning("not wanted", "neither end wants it")
    CUT = 10, Meaning("cut", "cut on purpose")

    @property
    def group(self) -> str:
        """How the page draws it: live, acquiring, down or none."""
        special = {"UP": "live", "PAT": "acquiring", "UNPAIRED": "none"}
        return special.get(self.name, "down")


class SatelliteState(Numbered):
    """What a satellite is in; of several the worst, which is the last, is shown."""

    OK = 0, Meaning("ok", "", "#5b8fe8", "#2f6fd0")
    RESERVE = 1, Meaning("on reserve", "", "#ffe27a", "#d9a800")
    THROTTLED = 2, Meaning("throttled", "", "#ff9d4d", "#b04a00")
    FAULTY = 3, Meaning("faulty", "", "#ff5fa8", "#d0459a")
    UNPOWERED = 4, Meaning("without power", "", "#9aa3b5", "#3a4150")


class Lane(Numbered):
    """Events that belong together: a row of ticks below the page's bar of time.

    `LINKS` has no row: links change too often.
    """

    SHADOW = 0, Meaning("shadow", "", "#8a9cff", "#27336b")
    GROUND = 1, Meaning("hand-over", "", "#8fe3c0", "#00795a")
    PLAN = 2, Meaning("re-plan", "", "#e9a8ff", "#8a1fb8")
    SATELLITE = 3, Meaning("fault", "", "#ff5fa8", "#d0459a")
    TOKENS = 4, Meaning("tokens", "", "#ff7f50", "#d55e00")
    LINKS = 5, Meaning("links", "", "#5f8fe0", "#5b86cf")


def lost_column(cause: Cause) -> str:
    """Column of a run's steps that counts tokens lost by a cause."""
    return f"lost_{cause.word}"


def links_column(state: LinkState) -> str:
    """Column of a run's steps that counts links in a state."""
    return "links_up" if state is LinkState.UP else f"links_down_{state.word}"
