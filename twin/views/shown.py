"""A run on stage, and what is left of those that no longer are."""

import ctypes
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.views.stream import Stream


@dataclass(frozen=True, eq=False)
class Shown:
    """A run on stage, or on its way there; `run` is None until it is complete.

    `forked` says of a branch what was changed, as its manifest does.
    """

    stream: Stream
    run_id: str
    label: str
    scenario: Scenario
    run: Run | None = None
    forked: Mapping[str, Any] | None = None


def complete(shown: Sequence[Shown], run_id: object) -> Run | None:
    """The run of that name on stage, if it is complete."""
    return next((s.run for s in shown if s.run_id == run_id), None)


class StoppedError(Exception):
    """The viewer wants something else, or has gone."""


def give_back() -> None:
    """Return to the system what closed sessions used; the C library's allocator would keep it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need it less
    if trim is not None:
        trim(0)
