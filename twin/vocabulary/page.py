"""The words of a run as the page's scripts read them, with the head of every run."""

from typing import Any

from twin.vocabulary.events import EVENTS, EventKind
from twin.vocabulary.states import (
    CAUSES,
    Cause,
    Lane,
    LinkState,
    Numbered,
    SatelliteState,
    links_column,
    lost_column,
)


def for_page() -> dict[str, Any]:
    """All of this as the page's scripts read it, lists in the order of the numbers."""
    return {
        "causes": [
            _numbered(cause) | {"column": lost_column(cause)} for cause in (Cause.NONE, *CAUSES)
        ],
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


def _numbered(member: Numbered) -> dict[str, Any]:
    meaning = member.meaning
    return {
        "word": member.word,
        "label": meaning.label,
        "sentence": meaning.sentence,
        "dark": meaning.dark,
        "light": meaning.light,
    }
