"""The engine's state and tables: how they grow and are saved."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from twin.serving.engine import records
from twin.serving.engine.core import CORE, TABLES
from twin.serving.engine.records import Rows

_CORE = tuple(CORE.names or ())

_LINKED = ("requests", "members", "groups", "jobs")
_TIMES = {
    "heap": ("t_s",),
    "requests": ("asked_s", "came_s", "admitted_s", "first_s", "last_s"),
    "groups": ("join_s", "there_s"),
    "jobs": ("since_s",),
    "parts": ("reckoned_s",),
    "satellites": ("started_s", "ends_s", "booked_s", "free_s"),
    "links": ("free_s",),
    "core": ("clock_s", "now_s"),
}


@dataclass
class EngineState:
    """All that the engine carries from one step to the next; times are from the step's start.

    Attributes
    ----------
    heap, requests, members, groups, jobs, satellites, parts : records
    instances, outcomes, visits, prefixes, links, ways, core : records
        Rows of each table; see `twin.serving.engine.records`.
    """

    LAYOUT: ClassVar = [
        [[name, kind.descr] for name, kind in TABLES.items()],
        CORE.descr,
        {name: value for name, value in vars(records).items() if isinstance(value, int)},
    ]
    """Fields of all records, and the numbers of phases and events: part of a saved state's kind."""

    heap: Rows
    requests: Rows
    members: Rows
    groups: Rows
    jobs: Rows
    satellites: Rows
    parts: Rows
    instances: Rows
    outcomes: Rows
    visits: Rows
    prefixes: Rows
    links: Rows
    ways: Rows
    core: Rows

    def grow(self, name: str, count: int) -> None:
        """Add free rows to a table."""
        old = getattr(self, name)
        new = np.zeros(len(old) + count, old.dtype)
        new[: len(old)] = old
        if name in _LINKED:
            new["next"][len(old) :] = np.arange(len(old) + 1, len(new) + 1)
            new["next"][-1] = self.core[f"free_{name}"][0]
            self.core[f"free_{name}"] = len(old)
            self.core[f"left_{name}"] += count
        if f"size_{name}" in _CORE:
            self.core[f"size_{name}"] = len(new)
        setattr(self, name, new)

    def shift(self, by_s: float) -> None:
        """Measure times from a moment `by_s` later; the clock stays fine over any run's length."""
        for name, columns in _TIMES.items():
            for column in columns:
                getattr(self, name)[column] -= by_s
        # Two times may have become one: events then go by their order again.
        count = int(self.core["events"][0])
        now = self.heap[:count]
        self.heap[:count] = now[np.lexsort((now["order"], now["t_s"]))]
