"""The engine's state and tables: how they begin, grow, are advanced and saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from twin.serving.engine import arrivals, delivery, edge, groups, loop, outlook, records
from twin.serving.engine.core import CORE, TABLES
from twin.serving.engine.records import FREE, NONE, OUTCOME, THINKING, Rows
from twin.serving.engine.times import KINDS
from twin.vocabulary import Cause

DEAD = int(Cause.DEAD)
_CORE = tuple(CORE.names or ())

_LINKED = ("requests", "members", "groups", "jobs")
_TIMES = {
    "heap": ("t_s",),
    "requests": ("asked_s", "came_s", "admitted_s", "first_s", "last_s"),
    "groups": ("join_s", "there_s"),
    "jobs": ("since_s",),
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


class Engine:
    """The serving engine on one state, with the tables that hold in the present step.

    Parameters
    ----------
    state : EngineState
        Is changed.
    layers, experts, heads : int
        Heads of each instance.
    instances : int
    kernels : sequence of triples or None
        Of each kind (`twin.serving.engine.times`): tokens (R,), the other axis (C,), times (R, C).
    sites : int
        Places that requests come from.
    """

    def __init__(
        self,
        state: EngineState,
        *,
        layers: int,
        experts: int,
        heads: int = 1,
        instances: int = 1,
        kernels: Sequence[tuple[NDArray[np.float64], ...] | None] = (None,) * KINDS,
        sites: int = 1,
    ) -> None:
        self.state = state
        rows, on_rows = instances * layers, instances * (layers - 1 + heads)
        state.core["sites"] = sites
        shapes: dict[str, tuple[int, ...]] = {
            "out_s": (rows, experts),
            "on_s": (on_rows, experts),
            "back_s": (instances * heads,),
            "entry_s": (instances, sites),
            "exit_s": (instances * heads, sites),
            "reach_s": (len(state.satellites), instances * (layers + heads)),
            "local": (rows,),
            "weight": (layers, experts),
            "cumulated": (layers, experts),
            "activation": (layers, experts),
            "scratch": (experts,),
            "hash_first": (0,),
            "hash_piece": (0,),
            "listed": (experts + 1,),
            "grids": (KINDS,),
            "numbers": (sum(values.size for kernel in kernels if kernel for values in kernel),),
            "first": ((rows + on_rows) * experts + 1,),
            "passed": (rows + on_rows, experts),
        }
        self.step: dict[str, NDArray[Any]] = {
            name: np.zeros(shape, TABLES[name]) for name, shape in shapes.items()
        }
        at, grids = 0, self.step["grids"]
        for kind, kernel in enumerate(kernels):
            if kernel:
                tokens, second, _ = kernel
                grids[kind] = len(tokens), len(second), at
                for values in kernel:
                    self.step["numbers"][at : at + values.size] = values.ravel()
                    at += values.size

    def set_hashes(self, first: NDArray[np.int64], hashes: NDArray[np.int64]) -> None:
        """Let requests find prefixes of their prompts cached, by the hashes of their pieces.

        Parameters
        ----------
        first : (R + 1,) int64
            Where each request's hashes begin.
        hashes : (H,) int64
        """
        known, piece = np.unique(hashes, return_inverse=True)
        self.step["hash_first"] = first.astype(np.int64)
        self.step["hash_piece"] = piece.astype(np.int32)
        self.state.core["pieces"] = len(known)
        needed = len(known) * len(self.state.instances)
        if len(self.state.prefixes) < needed:
            self.state.grow("prefixes", needed - len(self.state.prefixes))

    def set(self, **rules: Any) -> None:
        """Set fields of the core, or of all instances."""
        for name, value in rules.items():
            table = self.state.core if name in _CORE else self.state.instances
            table[name] = value

    def advance(self, until_s: float) -> None:
        """Take all events before a time; the tables grow as they must."""
        outlook.settle(self.state, self.step, until_s)
        while (lacking := loop.advance(self._core(), until_s)) >= 0:
            name = groups.GROWING[lacking]
            self.state.grow(name, len(getattr(self.state, name)))
        edge.book_all(self._core(), len(self.state.satellites), until_s)
        self._forget_addresses()

    def add(
        self,
        requests: Mapping[str, NDArray[Any]],
        arrives_s: NDArray[np.float64],
        instance: NDArray[np.integer] | None = None,
    ) -> None:
        """Let requests be on their way; `arrives_s` is when they reach their first gateway."""
        count = len(arrives_s)
        self._make_room(count, count)
        names = ("number", "site", "prompt", "output", "asked_s")
        to = np.zeros(count, np.int32) if instance is None else instance
        arrivals.add_requests(self._core(), *(requests[name] for name in names), to, arrives_s)
        self._forget_addresses()

    def add_users(
        self,
        first: int,
        site: NDArray[np.integer],
        since_s: NDArray[np.float64],
        instance: NDArray[np.integer] | None = None,
    ) -> None:
        """Let users, from number `first` on, begin to think of what they ask, each at its time."""
        self._make_room(len(site), len(site))
        to = np.zeros(len(site), np.int32) if instance is None else instance
        arrivals.add_users(self._core(), first, site, to, since_s)
        self._forget_addresses()

    def _make_room(self, requests: int, events: int) -> None:
        """Let there be free rows for requests, and for events."""
        core = self.state.core
        for name, count, left in (
            ("requests", requests, core["left_requests"][0]),
            ("heap", events, core["size_heap"][0] - core["events"][0]),
        ):
            if left < count:
                self.state.grow(name, max(count, len(getattr(self.state, name))))

    def change(
        self,
        *,
        satellite: NDArray[np.int32],
        forward_s: NDArray[np.float64],
        speed: NDArray[np.float64],
        dead: NDArray[np.bool_],
        cache_lost: NDArray[np.bool_],
    ) -> None:
        """Take what a step's edge changes into account, at time 0.

        Parameters
        ----------
        satellite : (P,) int32
            Of each part from now on.
        forward_s : (P,) float64
            When jobs that wait at another satellite are there, where they are forwarded; ``inf``
            if there is no way.
        speed : (N,) float64
        dead : (N,) bool
            Satellites that lose what they have.
        cache_lost : (R,) bool
            Instances of which a gateway's cache is gone: every request that runs begins again.
        """
        self.state.core["now_s"] = 0.0
        self._make_room_for_an_edge()
        core, state = self._core(), self.state
        delivery.deliver_all(core, 0.0)
        busy = state.satellites["serving"] != NONE
        busy |= (state.satellites["first"] != NONE).any(axis=1)
        busy |= state.satellites["stay_first"] != NONE
        for s in np.flatnonzero(dead & busy):
            edge.lose_work(core, s, DEAD, 0.0)
        for i in np.flatnonzero(cache_lost):
            edge.fail_all(core, i, DEAD, 0.0)
        for p in np.flatnonzero(state.parts["satellite"] != satellite):
            edge.move(core, p, int(satellite[p]), float(forward_s[p]))
        for s in np.flatnonzero(state.satellites["speed"] != speed):
            edge.set_speed(core, s, float(speed[s]), 0.0)
        loop.begin_idle(core, len(state.satellites), 0.0)
        loop.try_again(core, 0.0)
        self._forget_addresses()

    def redirect(
        self,
        rows: NDArray[np.integer],
        instance: NDArray[np.integer],
        way_s: NDArray[np.float64],
    ) -> None:
        """Send requests that wait, by their rows, from their instance to another, at time 0."""
        self._make_room(0, len(rows))
        edge.redirect(self._core(), rows, instance, way_s)
        self._forget_addresses()

    def _make_room_for_an_edge(self) -> None:
        """Let there be free rows for whatever an edge may end, move and begin."""
        core, state = self.state.core, self.state
        inside = int(core["inside"][0]) + len(state.satellites)
        # Each job may be forwarded, its satellite go on, its request be asked again.
        flying = len(state.jobs) - int(core["left_jobs"][0])
        needed = {
            "heap": 2 * inside + 3 * flying + 2 * len(state.parts),
            "members": 2 * inside,
            "groups": inside,
            "jobs": inside,
            "outcomes": inside,
        }
        for name, count in needed.items():
            rows = len(getattr(state, name))
            used = {"heap": "events", "outcomes": "done"}.get(name)
            left = int(core[f"left_{name}"][0]) if used is None else rows - int(core[used][0])
            if left < count:
                state.grow(name, max(count, rows))

    def visits(self) -> Rows:
        """Take the rows of services that recorded requests were in since they were taken last."""
        count = int(self.state.core["visited"][0])
        self.state.core["visited"] = 0
        return self.state.visits[:count].copy()

    def outcomes(self) -> Rows:
        """Take the rows of requests that have ended since they were taken last."""
        count = int(self.state.core["done"][0])
        self.state.core["done"] = 0
        return self.state.outcomes[:count].copy()

    def inside(self) -> Rows:
        """Rows of requests that have been asked and have not ended, as if they ended unfinished."""
        rows = self.state.requests
        rows = rows[~np.isin(rows["phase"], (FREE, THINKING))]
        made = np.zeros(len(rows), OUTCOME)
        for name in set(OUTCOME.names or ()) & set(rows.dtype.names or ()):
            made[name] = rows[name]
        made["cause"] = Cause.UNFINISHED
        return made

    def _core(self) -> Any:
        """The core with the addresses of all tables, which are complete from here on."""
        core = self.state.core
        np.cumsum(self.step["weight"], axis=1, out=self.step["cumulated"])
        for field in fields(self.state):
            if field.name != "core":
                core[field.name] = getattr(self.state, field.name).ctypes.data
        for name, table in self.step.items():
            core[name] = table.ctypes.data
        return core[0]

    def _forget_addresses(self) -> None:
        """Addresses are no state."""
        for name in TABLES:
            self.state.core[name] = 0
