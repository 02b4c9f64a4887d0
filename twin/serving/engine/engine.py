"""The engine on its state: what compiled code does with the tables of the present step."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.serving.engine import arrivals, begin, delivery, edge, groups, loop, outlook, waiting
from twin.serving.engine.core import CORE, TABLES
from twin.serving.engine.records import (
    FREE,
    NONE,
    OUTCOME,
    THINKING,
    Rows,
)
from twin.serving.engine.state import EngineState
from twin.serving.engine.step import step_tables
from twin.serving.engine.times import KINDS
from twin.vocabulary import Cause

DEAD = int(Cause.DEAD)
_CORE = tuple(CORE.names or ())


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
        state.core["sites"] = sites
        self.step = step_tables(
            layers=layers,
            experts=experts,
            columns=int(state.core["columns"][0]),
            heads=heads,
            instances=instances,
            satellites=len(state.satellites),
            sites=sites,
            kernels=kernels,
        )

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
        begin.begin_idle(core, len(state.satellites), 0.0)
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

    def waiting_tokens(self) -> NDArray[np.int64]:
        """Tokens that wait at each satellite, (N,)."""
        tokens = np.zeros(len(self.state.satellites), np.int64)
        waiting.add_waiting_tokens(self._core(), tokens)
        self._forget_addresses()
        return tokens

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
