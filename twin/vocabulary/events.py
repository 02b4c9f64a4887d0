"""Kinds of events, and what each means."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from twin.registry import Registry
from twin.vocabulary.states import Lane, SatelliteState


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
        _plan(
            "A satellite asks another to take over a part of the model.", "{satellite} → {other}"
        ),
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
    INSTANCE_SHUT = (
        "instance-shut",
        _plan("The first gateway of an instance is down; value: instance.", "{count}"),
    )
    INSTANCE_OPEN = (
        "instance-open",
        _plan("An instance lets requests in again; value: instance.", "{count}"),
    )
    INSTANCE_DRAINS = (
        "instance-drains",
        _plan(
            "An instance takes no more requests; value: instance.",
            "{count}",
        ),
    )
    INSTANCE_REOPENS = (
        "instance-reopens",
        _plan("An instance takes requests again; value: instance.", "{count}"),
    )
    REQUESTS_MOVED = (
        "requests-moved",
        _plan("Requests that waited go to other instances; value: how many.", "{count}"),
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


ALARM = "alarm"
"""Kind of an alarm of a live run; its cause is a word of `twin.vocabulary.live.AlarmKind`. Few runs
have it: it is no `EventKind`, so that the tables of all others stay as they were."""

_OF_LIVE_RUNS = {
    ALARM: Event(
        sentence="A mirrored satellite is not as it should be; value: how much, or since when.",
        lane=Lane.SATELLITE,
        shown="{satellite}: {cause}",
        grave=True,
    )
}

EVENTS: Registry[Event] = Registry(
    "event kind",
    {kind.value: kind.meaning for kind in EventKind} | _OF_LIVE_RUNS,
    purpose=lambda event: event.sentence,
)
"""Meaning of every kind of event, those of plug-ins included."""
