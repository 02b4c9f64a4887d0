"""A run on stage, and what is left of those that no longer are."""

import ctypes
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.views.computing import Computed
from twin.views.following import Followed
from twin.views.growing import Growing
from twin.views.stream import Stream


@dataclass(frozen=True, eq=False)
class Shown:
    """A run on stage, or on its way there; `run` is None until it is complete.

    `forked` says of a branch what was changed, as its manifest does; `live` follows a run that
    another process mirrors; `growing` has the heat maps of one that is being computed.
    """

    stream: Stream
    run_id: str
    label: str
    scenario: Scenario
    run: Run | None = None
    forked: Mapping[str, Any] | None = None
    live: Followed | None = None
    growing: Growing | None = None


def named(shown: Sequence[Shown], run_id: object) -> Shown | None:
    """What is on stage by that name."""
    return next((s for s in shown if s.run_id == run_id), None)


def of(computed: Computed, before: Shown | None, key: str, live: Followed | None) -> Shown:
    """What is computed as a run on stage; `before` is what of it was there, else it gets a key."""
    if before is None:
        stream = Stream(key, computed.feed)
        name, label, scenario = computed.run_id, computed.label, computed.scenario
        forked, growing = computed.forked, computed.growing
        before = Shown(stream, name, label, scenario, forked=forked, live=live, growing=growing)
    if before.run is not computed.run:
        return replace(before, run=computed.run, label=computed.label, growing=None)
    return before


def complete(shown: Sequence[Shown], run_id: object) -> Run | None:
    """The run of that name on stage, if it is complete."""
    found = named(shown, run_id)
    return None if found is None else found.run


class StoppedError(Exception):
    """The viewer wants something else, or has gone."""


def give_back() -> None:
    """Return to the system what closed sessions used; the C library's allocator would keep it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need it less
    if trim is not None:
        trim(0)
