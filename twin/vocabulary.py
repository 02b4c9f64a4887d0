"""The words of a run, each spelled once, with what they mean and how they are shown.

A cause, link state or kind of event is added here, by one entry. Tables, filters, report and page
follow; the page's scripts get `for_page` with the head of every run.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Self

from twin.registry import Registry


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


class _Numbered(IntEnum):
    """A word that arrays hold as its number."""

    meaning: Meaning

    def __new__(cls, number: int, meaning: Meaning = _UNSAID) -> Self:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    @property
    def word(self) -> str:
        """As tables spell it."""
        return self.name.lower()


class Cause(_Numbered):
    """Why a token was not served; the first reason on its way counts."""

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


CAUSES = tuple(Cause)[1:]
"""Why a token was lost."""


class LinkState(_Numbered):
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


class SatelliteState(_Numbered):
    """What a satellite is in; of several the worst, which is the last, is shown."""

    OK = 0, Meaning("ok", "", "#5b8fe8", "#2f6fd0")
    RESERVE = 1, Meaning("on reserve", "", "#ffe27a", "#d9a800")
    THROTTLED = 2, Meaning("throttled", "", "#ff9d4d", "#b04a00")
    FAULTY = 3, Meaning("faulty", "", "#ff5fa8", "#d0459a")
    UNPOWERED = 4, Meaning("without power", "", "#9aa3b5", "#3a4150")


class Lane(_Numbered):
    """Events that belong together: a row of ticks below the page's bar of time.

    `LINKS` has no row: links change too often.
    """

    SHADOW = 0, Meaning("shadow", "", "#8a9cff", "#27336b")
    GROUND = 1, Meaning("hand-over", "", "#8fe3c0", "#00795a")
    PLAN = 2, Meaning("re-plan", "", "#e9a8ff", "#8a1fb8")
    SATELLITE = 3, Meaning("fault", "", "#ff5fa8", "#d0459a")
    TOKENS = 4, Meaning("tokens", "", "#ff7f50", "#d55e00")
    LINKS = 5, Meaning("links", "", "#5f8fe0", "#5b86cf")


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a kind of event means.

    Attributes
    ----------
    sentence : str
    lane : Lane
    shown : str
        How the page's log shows one, with {satellite}, {other}, {cause} and, of its value, {site},
        {bytes}, {count} or {seconds}.
    begins, ends : SatelliteState, optional
        What the satellite is in from then on, or no longer.
    quiet : bool
        Whether there are too many to list them unasked.
    grave : bool
        Whether a summary should mention it.
    """

    sentence: str
    lane: Lane
    shown: str = "{satellite}"
    begins: SatelliteState | None = None
    ends: SatelliteState | None = None
    quiet: bool = False
    grave: bool = False


def _shadow(sentence: str) -> Event:
    return Event(sentence=sentence, lane=Lane.SHADOW, quiet=True)


def _begins(state: SatelliteState, sentence: str, *, grave: bool = True) -> Event:
    return Event(sentence=sentence, lane=Lane.SATELLITE, begins=state, grave=grave)


def _ends(state: SatelliteState, sentence: str) -> Event:
    return Event(sentence=sentence, lane=Lane.SATELLITE, ends=state)


def _ground(sentence: str, shown: str, *, grave: bool = False) -> Event:
    return Event(sentence=sentence, lane=Lane.GROUND, shown=shown, grave=grave)


def _links(sentence: str, shown: str) -> Event:
    return Event(sentence=sentence, lane=Lane.LINKS, shown=shown, quiet=True)


def _plan(sentence: str, shown: str, *, grave: bool = False) -> Event:
    return Event(sentence=sentence, lane=Lane.PLAN, shown=shown, grave=grave)


def _tokens(sentence: str) -> Event:
    return Event(sentence=sentence, lane=Lane.TOKENS, shown="{count}: {cause}")


_MOVE = "{cause}: {satellite} → {other}, {bytes}"


class EventKind(StrEnum):
    """What happened, as ``events.kind`` of a run spells it."""

    meaning: Event

    def __new__(cls, word: str, meaning: Event) -> Self:  # noqa: D102
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    PENUMBRA_IN = "penumbra-in", _shadow("A satellite enters penumbra.")
    UMBRA_IN = "umbra-in", _shadow("A satellite enters umbra.")
    UMBRA_OUT = "umbra-out", _shadow("A satellite leaves umbra.")
    PENUMBRA_OUT = "penumbra-out", _shadow("A satellite leaves penumbra.")
    SOC_LOW = (
        "soc-low",
        _begins(
            SatelliteState.RESERVE, "A battery falls to its reserve; value: charge.", grave=False
        ),
    )
    SOC_RECOVERED = (
        "soc-recovered",
        _ends(SatelliteState.RESERVE, "A battery is above its reserve again; value: charge."),
    )
    BROWN_OUT = (
        "brown-out",
        _begins(SatelliteState.UNPOWERED, "A satellite loses power; value: charge."),
    )
    POWER_RECOVERED = (
        "power-recovered",
        _ends(SatelliteState.UNPOWERED, "A satellite has power again; value: charge."),
    )
    THROTTLED = (
        "throttled",
        _begins(SatelliteState.THROTTLED, "A satellite computes slowly for heat; value: °C."),
    )
    COOLED = (
        "cooled",
        _ends(SatelliteState.THROTTLED, "A satellite computes at full speed again; value: °C."),
    )
    TERMINALS_OFF = (
        "terminals-off",
        Event(sentence="A satellite switches its terminals off.", lane=Lane.SATELLITE, quiet=True),
    )
    TERMINALS_ON = (
        "terminals-on",
        Event(sentence="A satellite switches its terminals on.", lane=Lane.SATELLITE, quiet=True),
    )
    TAKE_OVER = (
        "take-over",
        _plan("A satellite asks a neighbour to take an expert.", "{satellite} → {other}"),
    )
    ISL_DOWN = "isl-down", _links("A link goes down.", "{satellite} ↔ {other}: {cause}")
    ISL_UP = "isl-up", _links("A link comes up.", "{satellite} ↔ {other}")
    GROUND_HANDOVER = (
        "ground-handover",
        _ground("A site changes its satellite; value: site.", "{site}: {other} → {satellite}"),
    )
    SERVICE_BEGUN = (
        "service-begun",
        _ground("A site has a satellite again; value: site.", "{site}: {satellite}"),
    )
    SERVICE_LOST = (
        "service-lost",
        _ground("A site has no satellite; value: site.", "{site}: {other}", grave=True),
    )
    REPLAN = (
        "replan",
        _plan("A plan is adopted; value: the latency it promises.", "{cause}, promises {seconds}"),
    )
    REPLAN_FAILED = (
        "replan-failed",
        _plan("Too few satellites take experts for a plan.", "{cause}", grave=True),
    )
    MIGRATION_START = "migration-start", _plan("A move begins; value: bytes to carry.", _MOVE)
    MIGRATION_END = "migration-end", _plan("A move has ended; value: bytes carried.", _MOVE)
    FAULT = "fault", _begins(SatelliteState.FAULTY, "A satellite goes into safe mode.")
    LINK_CUT = (
        "link-cut",
        Event(
            sentence="A link is taken away for good.",
            lane=Lane.SATELLITE,
            shown="{satellite} ↔ {other}",
            grave=True,
        ),
    )
    FAULT_CLEARED = "fault-cleared", _ends(SatelliteState.FAULTY, "A fault is over.")
    SATELLITE_LOST = (
        "satellite-lost",
        _begins(SatelliteState.FAULTY, "A satellite is lost for good."),
    )
    TOKEN_LOST = "token-lost", _tokens("Tokens are given up; value: how many.")
    TOKEN_RETRIED = "token-retried", _tokens("Tokens will be tried again; value: how many.")


EVENTS: Registry[Event] = Registry(
    "event kind",
    {kind.value: kind.meaning for kind in EventKind},
    purpose=lambda event: event.sentence,
)
"""Meaning of every kind of event, those of plug-ins included."""


class Migration(StrEnum):
    """What is moved."""

    GATEWAY = "gateway"
    EXPERT = "expert"


class Reason(StrEnum):
    """Why a controller plans again; a policy of a user's may have others."""

    BROWN_OUT = EventKind.BROWN_OUT.value
    FAULT = EventKind.FAULT.value
    SOC_LOW = EventKind.SOC_LOW.value
    RECOVERED = "recovered"
    SHADOW = "shadow"
    OUTAGE = "outage"
    GROUND_HANDOVER = EventKind.GROUND_HANDOVER.value
    START = "start"
    FORK = "fork"
    PERIOD = "period"
    HORIZON = "horizon"
    LATENCY = "latency"
    UNREACHABLE = Cause.UNREACHABLE.word


TRIGGERS = tuple(Reason)[: tuple(Reason).index(Reason.START)]
"""What happens to hosts between two reports, for policies to react to."""

EVENT_CAUSES = tuple(
    dict.fromkeys(
        [
            *(cause.word for cause in CAUSES),
            *(state.word for state in LinkState if state.group in ("down", "acquiring")),
            *map(str, Migration),
            *map(str, Reason),
        ]
    )
)
"""Words of ``events.cause``, in the order of its dictionary."""


def lost_column(cause: Cause) -> str:
    """Column of a run's steps that counts tokens lost by a cause."""
    return f"lost_{cause.word}"


def links_column(state: LinkState) -> str:
    """Column of a run's steps that counts links in a state."""
    return "links_up" if state is LinkState.UP else f"links_down_{state.word}"


def for_page() -> dict[str, Any]:
    """All of this as the page's scripts read it, lists in the order of the numbers."""
    return {
        "causes": [_numbered(cause) | {"column": lost_column(cause)} for cause in Cause],
        "link_states": [
            _numbered(state) | {"group": state.group, "column": links_column(state)}
            for state in LinkState
        ],
        "states": [_numbered(state) for state in SatelliteState],
        "lanes": [_numbered(lane) | {"ticks": lane is not Lane.LINKS} for lane in Lane],
        "kinds": {
            kind: {
                "sentence": event.sentence,
                "shown": event.shown,
                "lane": int(event.lane),
                "quiet": event.quiet,
            }
            for kind, event in EVENTS.items()
        },
        "migration": [EventKind.MIGRATION_START.value, EventKind.MIGRATION_END.value],
    }


def _numbered(member: _Numbered) -> dict[str, Any]:
    meaning = member.meaning
    return {
        "word": member.word,
        "label": meaning.label,
        "sentence": meaning.sentence,
        "dark": meaning.dark,
        "light": meaning.light,
    }
