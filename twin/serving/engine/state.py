"""The engine's state and tables: how they begin, grow, are advanced and saved."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.serving.engine import edge, loop
from twin.serving.engine.records import CORE, HELD, NEVER, NONE, TABLES, Rows
from twin.serving.ways import Ways
from twin.vocabulary import Cause

DEAD = int(Cause.DEAD)
_CORE = tuple(CORE.names or ())

_LINKED = ("requests", "members", "groups", "jobs")
_TIMES = {
    "heap": ("t_s",),
    "requests": ("asked_s", "came_s", "admitted_s", "first_s", "last_s"),
    "groups": ("join_s",),
    "jobs": ("since_s",),
    "satellites": ("started_s", "ends_s", "booked_s"),
    "links": ("free_s",),
    "core": ("clock_s",),
}


@dataclass
class EngineState:
    """All that the engine carries from one step to the next; times are from the step's start.

    Attributes
    ----------
    heap, requests, members, groups, jobs, satellites, parts, outcomes, links, ways, core : records
        Rows of each table; see `twin.serving.engine.records`.
    """

    heap: Rows
    requests: Rows
    members: Rows
    groups: Rows
    jobs: Rows
    satellites: Rows
    parts: Rows
    outcomes: Rows
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
    layers, experts : int
    """

    def __init__(self, state: EngineState, *, layers: int, experts: int) -> None:
        self.state = state
        shapes = {
            "out_s": (layers, experts),
            "on_s": (layers, experts),
            "local": (layers,),
            "weight": (layers, experts),
            "activation": (layers, experts),
            "scratch": (experts,),
            "first": (2 * layers * experts + 1,),
            "passed": (2, layers, experts),
        }
        self.step: dict[str, NDArray[Any]] = {
            name: np.zeros(shape, TABLES[name]) for name, shape in shapes.items()
        }

    def set(self, **rules: Any) -> None:
        """Set fields of the core."""
        for name, value in rules.items():
            self.state.core[name] = value

    def advance(self, until_s: float) -> None:
        """Take all events before a time; the tables grow as they must."""
        while (lacking := loop.advance(self._core(), until_s)) >= 0:
            name = loop.GROWING[lacking]
            self.state.grow(name, len(getattr(self.state, name)))
        edge.book_all(self._core(), len(self.state.satellites), until_s)
        self._forget_addresses()

    def set_ways(self, ways: Ways) -> None:
        """Let legs go over other links; who is under way goes on over those it set out for."""
        jobs, old = self.state.jobs, self.state.ways
        flying = np.flatnonzero(jobs["hop"] < jobs["last_hop"])
        first, last = jobs["hop"][flying], jobs["last_hop"][flying]
        ahead = [old[a:b] for a, b in zip(first, last, strict=True)]
        self.state.ways = np.concatenate([ways.links, *ahead])
        jobs["last_hop"][flying] = len(ways.links) + np.cumsum(last - first)
        jobs["hop"][flying] = jobs["last_hop"][flying] - (last - first)
        self.step["first"][:] = ways.first
        self.step["passed"][:] = 0

    def link_busy_s(self, before: Rows, step_s: float) -> NDArray[np.float64]:
        """Time of a step in which each link was taken, or passed by tokens that cut through.

        Parameters
        ----------
        before : (links,) records
            The links at the start of the step.
        step_s : float
        """
        links, passed = self.state.links, self.step["passed"].ravel()
        # What waits at the end keeps the link busy from then on, and did so from the start.
        left_s = [np.maximum(links["free_s"] - step_s, 0.0), np.maximum(before["free_s"], 0.0)]
        tokens = np.repeat(passed, np.diff(self.step["first"]))
        link = self.state.ways["link"][: len(tokens)]
        through = np.bincount(link, weights=tokens, minlength=len(links))
        through_s = through * float(self.state.core["transfer_s"][0])
        return np.asarray(links["taken_s"] + left_s[1] - left_s[0] + through_s)

    def add(self, requests: Mapping[str, NDArray[Any]], arrives_s: NDArray[np.float64]) -> None:
        """Let requests be on their way; `arrives_s` is when they reach the first gateway."""
        count = len(arrives_s)
        core = self.state.core
        for name, left in (
            ("requests", core["left_requests"][0]),
            ("heap", core["size_heap"][0] - core["events"][0]),
        ):
            if left < count:
                self.state.grow(name, max(count, len(getattr(self.state, name))))
        names = ("number", "site", "prompt", "output", "asked_s")
        loop.add_requests(self._core(), *(requests[name] for name in names), arrives_s)
        self._forget_addresses()

    def change(
        self,
        *,
        satellite: NDArray[np.int32],
        forward_s: NDArray[np.float64],
        speed: NDArray[np.float64],
        dead: NDArray[np.bool_],
        cache_lost: bool,
    ) -> None:
        """Take what a step's edge changes into account, at time 0.

        Parameters
        ----------
        satellite : (P,) int32
            Of each part from now on.
        forward_s : (P,) float64
            When jobs that wait at another satellite are there; ``inf`` if there is no way.
        speed : (N,) float64
        dead : (N,) bool
            Satellites that lose what they have.
        cache_lost : bool
            Whether a gateway's cache is gone, and every request that runs begins again.
        """
        core, state = self._core(), self.state
        busy = state.satellites["serving"] != NONE
        busy |= (state.satellites["first"] != NONE).any(axis=1)
        for s in np.flatnonzero(dead & busy):
            edge.lose_work(core, s, DEAD, 0.0)
        if cache_lost:
            edge.fail_all(core, DEAD, 0.0)
        for p in np.flatnonzero(state.parts["satellite"] != satellite):
            edge.move(core, p, int(satellite[p]), float(forward_s[p]))
        for s in np.flatnonzero(state.satellites["speed"] != speed):
            edge.set_speed(core, s, float(speed[s]), 0.0)
        loop.begin_idle(core, len(state.satellites), 0.0)
        loop.try_again(core, 0.0)
        self._forget_addresses()

    def outcomes(self) -> Rows:
        """Take the rows of requests that have ended since they were taken last."""
        count = int(self.state.core["done"][0])
        self.state.core["done"] = 0
        return self.state.outcomes[:count].copy()

    def held(self) -> int:
        """Number of requests that wait for the next step."""
        return int((self.state.requests["phase"] == HELD).sum())

    def _core(self) -> Any:
        """The core with the addresses of all tables."""
        core = self.state.core
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


def nothing_served(*, satellites: int, layers: int, experts: int, links: int = 0) -> EngineState:
    """Return the state before the first request."""
    sizes = {"satellites": satellites, "parts": layers + 1 + layers * experts, "links": links}
    names = [field.name for field in fields(EngineState) if field.name != "core"]
    core = np.zeros(1, CORE)
    for name in _CORE:
        if name.startswith(("free_", "waiting_", "running_")):
            core[name] = NONE
    core["layers"], core["experts"], core["open"] = layers, experts, 1
    core["waiting_tokens"] = NEVER
    rows = {name: np.zeros(sizes.get(name, 0), TABLES[name]) for name in names}
    for name in ("satellites", "parts"):
        rows[name]["first"] = rows[name]["last"] = NONE
    rows["satellites"]["serving"] = rows["satellites"]["done_order"] = NONE
    rows["satellites"]["speed"] = 1.0
    parts = rows["parts"]
    parts["next"] = parts["stamp"] = NONE
    parts["layer"][:layers] = np.arange(layers)
    parts["layer"][layers] = layers
    parts["layer"][layers + 1 :] = np.repeat(np.arange(layers), experts)
    made = EngineState(**rows, core=core)
    for name in ("requests", *loop.GROWING):
        made.grow(name, 64)
    return made
