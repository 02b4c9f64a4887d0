"""What is moved, why a controller plans again, and so what may stand in ``events.cause``."""

from enum import StrEnum

from twin.vocabulary.events import EventKind
from twin.vocabulary.states import CAUSES, Cause, LinkState


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
    TTFT = "ttft"
    QUEUE = "queue"
    COMMAND = "command"


DECAYED = "decayed"
"""Why a satellite is lost that SGP4 gives up. Few runs have it: it is no word of `EVENT_CAUSES`, so
that the tables of all others stay as they were."""

_RARE = (Reason.TTFT, Reason.QUEUE, Reason.COMMAND)
"""No words of it either, for the same reason."""

TRIGGERS = tuple(Reason)[: tuple(Reason).index(Reason.START)]
"""What happens to hosts between two reports, for policies to react to."""

EVENT_CAUSES = tuple(
    dict.fromkeys(
        [
            *(cause.word for cause in CAUSES),
            *(state.word for state in LinkState if state.group in ("down", "acquiring")),
            *map(str, Migration),
            *(str(reason) for reason in Reason if reason not in _RARE),
        ]
    )
)
"""Words of ``events.cause``, in the order of its dictionary."""
