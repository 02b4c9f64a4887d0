"""A run on stage, and what is left of those that no longer are."""

import ctypes
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.views import whatif
from twin.views.asked import Asked
from twin.views.computing import Computed
from twin.views.following import Followed
from twin.views.growing import Growing
from twin.views.stream import Stream
from twin.views.whatif import Change


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


def stays(shown: Shown) -> bool:
    """Whether it stays on stage while something else is computed: it is whole, or followed."""
    return shown.live is not None or (shown.run is not None and shown.stream.whole)


def branch_of(parent: Shown | None, change: Change) -> Asked:
    """Ask for a branch of what is on stage: of a run that is mirrored, from now on.

    Raises
    ------
    InputError
        If it cannot be branched yet.
    """
    if parent is not None and parent.run is not None:
        return whatif.branch(parent.run, change)
    if parent is None or parent.live is None:
        raise InputError(whatif.NOT_YET)
    return whatif.branch_now(parent.live.folder, change)


def hold(now: Sequence[Shown], before: Sequence[Shown]) -> None:
    """Have live runs that are on stage followed on, and those no longer there not."""
    for shown in now:
        if shown.live is not None and shown.live not in [s.live for s in before]:
            shown.live.join()
    for shown in before:
        if shown.live is not None and shown.live not in [s.live for s in now]:
            shown.live.leave()


class StoppedError(Exception):
    """The viewer wants something else, or has gone."""


def give_back() -> None:
    """Return to the system what closed sessions used; the C library's allocator would keep it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need it less
    if trim is not None:
        trim(0)
