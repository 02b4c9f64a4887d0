"""The words of a run, each spelled once, with what they mean and how they are shown.

A cause, link state or kind of event is added here, by one entry. Tables, filters, report and page
follow.
"""

from twin.vocabulary.events import EVENTS, Event, EventKind
from twin.vocabulary.page import for_page
from twin.vocabulary.reasons import DECAYED, EVENT_CAUSES, TRIGGERS, Migration, Reason
from twin.vocabulary.states import (
    CAUSES,
    REQUEST_CAUSES,
    Cause,
    Lane,
    LinkState,
    Meaning,
    SatelliteState,
    links_column,
    lost_column,
)

ALONE = (
    "Latency is of single tokens, each served as if it were alone: they never queue. Requests with "
    "prompts, queues and batches: serving.mode = 'requests'."
)
"""What every output of single tokens says."""

__all__ = [
    "ALONE",
    "CAUSES",
    "DECAYED",
    "EVENTS",
    "EVENT_CAUSES",
    "REQUEST_CAUSES",
    "TRIGGERS",
    "Cause",
    "Event",
    "EventKind",
    "Lane",
    "LinkState",
    "Meaning",
    "Migration",
    "Reason",
    "SatelliteState",
    "for_page",
    "links_column",
    "lost_column",
]
