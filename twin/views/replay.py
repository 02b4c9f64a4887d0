"""Frames of a run on disk.

A run keeps what happened, not every position: orbits, light and links follow from the scenario
through the same functions that the model used, so they are computed again here.
"""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.energy.budget import at_start
from twin.energy.bus import ZERO_CELSIUS_K
from twin.network.handover import NOBODY
from twin.runs import distribution
from twin.runs.distribution import Distribution
from twin.runs.figures import QUANTITIES, STEP_FIGURES
from twin.runs.replay import Walk, start
from twin.runs.store import Run
from twin.views import load, trace
from twin.views.block import Block
from twin.views.load import COPIES
from twin.views.trace import Columns, Frame, Plan
from twin.vocabulary import CAUSES, EVENTS, EventKind, Lane, SatelliteState
from twin.world.spacecraft import bus_profile
from twin.world.world import World

_SERVICE_EVENTS = frozenset(kind.value for kind in EventKind if kind.meaning.lane is Lane.GROUND)
_ROUNDING_S = 1e-6


def frames(run: Run, world: World, planned: Plan) -> Iterator[Frame]:
    """Yield the frames of a run, in order.

    Parameters
    ----------
    run : Run
    world : World
        Of the run's scenario.
    planned : Plan
    """
    return Player(run, world, planned).on(run)


class Player:
    """Makes frames of a run, and more of them where the run has grown.

    Parameters
    ----------
    run : Run
    world : World
        Of the run's scenario.
    planned : Plan
    """

    def __init__(self, run: Run, world: World, planned: Plan) -> None:
        self._world, self._planned, self._walk = world, planned, Walk(run, world)
        sites = len(trace.sites(run.scenario))
        self._inside, self._serving = _at_first(run, world.constellation.size, sites)
        self._start_s = float(world.ephemeris.t_s[planned.first])
        self._block, self._first = Block(start_s=self._start_s), dict[str, Any]()
        self._hand_overs: deque[dict[str, Any]] = deque()

    def on(self, run: Run) -> Iterator[Frame]:
        """Yield the frames that the steps of a run complete which were not yet reached."""
        record = _Record(run, self._world.constellation.size, self._planned)
        for snapshot, _ in self._walk.on(run):
            step = snapshot.step
            self._follow(record.events(step), snapshot.instant.t_s)
            if self._planned.shown(step):
                worst = np.where(self._inside, np.arange(len(self._inside))[:, None], 0)
                self._first = {
                    "positions": snapshot.instant.r_km,
                    "sun": snapshot.instant.sun_km,
                    "sunlit": self._world.ephemeris.sunlit(step),
                    "state": worst.max(axis=0).astype(np.uint8),
                    "link_state": snapshot.link_state.copy(),
                    "serving": self._serving.copy(),
                    **record.satellites(step),
                    **record.step(step),
                }
            record.add(step, self._block)
            if self._planned.complete(step):
                yield from self.rest()

    def rest(self) -> Iterator[Frame]:
        """Yield a frame of the steps since the last one, if any."""
        if self._block.rows:
            yield Frame(**self._first, **self._block.merged())
            self._block = Block(start_s=self._start_s)

    def _follow(self, events: list[dict[str, Any]], t_s: float) -> None:
        """Note what events of a step changed: states of satellites, and who serves whom."""
        for event in events:
            meaning = EVENTS[event["kind"]]
            for state, begins in ((meaning.begins, True), (meaning.ends, False)):
                if state is not None:
                    self._inside[state, event["satellite"]] = begins
        waiting = self._hand_overs
        waiting += [event for event in events if event["kind"] in _SERVICE_EVENTS]
        # Requests of a step enter through the satellite that serves at its start.
        while waiting and waiting[0]["t_s"] <= t_s + _ROUNDING_S:
            event = waiting.popleft()
            satellite = event["satellite"]
            self._serving[int(event["value"])] = NOBODY if satellite is None else satellite


def _at_first(run: Run, size: int, sites: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which satellite is in which state, and the satellite of each site, before the first step."""
    inside = np.zeros((len(SatelliteState), size), bool)
    begun, bus = start(run), run.scenario.bus
    if begun is None:
        fresh = at_start(
            bus_profile(run.scenario), soc=bus.initial_soc, temperature_c=bus.initial_c
        )
        inside[SatelliteState.RESERVE] = fresh.low
        inside[SatelliteState.THROTTLED] = fresh.throttled
        inside[SatelliteState.UNPOWERED] = not fresh.powered
        return inside, np.full(sites, NOBODY)
    inside[SatelliteState.RESERVE] = begun.rule.low
    inside[SatelliteState.THROTTLED] = begun.rule.throttled
    inside[SatelliteState.UNPOWERED] = ~begun.energy.powered
    inside[SatelliteState.FAULTY] = begun.lost
    if begun.sound is not None:
        inside[SatelliteState.FAULTY] |= ~begun.sound
    return inside, begun.ground.satellite.astype(np.int64)


class _Record:
    """The run's tables, ready to be looked up by step."""

    def __init__(self, run: Run, size: int, planned: Plan) -> None:
        self._first = first = run.first_step
        count = run.scenario.simulation.steps - first
        steps = run.table("steps", list(STEP_FIGURES))
        self._rows = {name: _column(steps, name) for name in STEP_FIGURES}
        self._rows |= load.of_run(run, first, count)
        self._copies = load.copies_of_run(run, count)
        layers = run.table("layers")
        depth = len(layers) // count
        self._layers = {
            name: _column(layers, column).reshape(-1, depth)
            for name, column in (
                ("propagation_s", "propagation_mean_s"),
                ("compute_s", "compute_mean_s"),
            )
        }
        self._durations = {
            name: _durations(run, name, first + np.arange(count)) for name in QUANTITIES
        }
        self._satellites = _Satellites(run, size)
        self._tokens = _Tokens(run, planned)
        self._placements = _placements(run, planned)
        self.events = _Events(run).at

    def satellites(self, step: int) -> Columns:
        return self._satellites.at(step)

    def step(self, step: int) -> Columns:
        i = step - self._first
        return {
            "tokens": self._tokens.at(step),
            "placement": self._placements.get(step),
            "copies": {name: self._copies[name][i] for name in COPIES},
        }

    def add(self, step: int, block: Block) -> None:
        """Add what the tables hold of a step to a block."""
        i = step - self._first
        block.rows.append({name: column[i] for name, column in self._rows.items()})
        block.durations.append({name: found[i] for name, found in self._durations.items()})
        block.propagation_s.append(self._layers["propagation_s"][i])
        block.compute_s.append(self._layers["compute_s"][i])
        block.events += self.events(step)


def _durations(run: Run, quantity: str, steps: NDArray[np.int64]) -> list[Distribution]:
    kept = run.table(quantity)
    return distribution.blocks(
        kept["step"].to_numpy(),
        kept["value_s"].to_numpy(),
        kept["count"].to_numpy(),
        steps,
    )


class _Satellites:
    """Recorded every few steps: in between, on the straight line from record to record."""

    def __init__(self, run: Run, size: int) -> None:
        names = ["soc", "temperature_c", "utilisation"]
        table = run.table("satellites", ["step", *names])
        self._at = np.unique(_column(table, "step")).astype(np.int64)
        self._values = {name: _column(table, name).reshape(len(self._at), size) for name in names}
        begun = start(run)
        if not len(self._at) and begun is not None:
            # A fork too short for a record has the one that it began with.
            self._at = np.array([run.first_step])
            kelvin = begun.energy.temperature_k
            found = begun.energy.soc, kelvin - ZERO_CELSIUS_K, np.zeros(size)
            self._values = {n: v[None] for n, v in zip(names, found, strict=True)}

    def at(self, step: int) -> Columns:
        right = min(int(np.searchsorted(self._at, step, side="right")), len(self._at) - 1)
        left = max(right - 1, 0) if self._at[right] > step else right
        span = max(int(self._at[right] - self._at[left]), 1)
        mix = min((step - self._at[left]) / span, 1.0)
        between = {n: v[left] * (1 - mix) + v[right] * mix for n, v in self._values.items()}
        # Load jumps from step to step: the last record says more than a line to the next.
        return between | {"utilisation": self._values["utilisation"][left]}


class _Tokens:
    """The recorded tokens, of which as many are drawn as the limit of hops allows."""

    def __init__(self, run: Run, planned: Plan) -> None:
        table = run.table("tokens").combine_chunks()
        self._step = table["step"].to_numpy()
        self._token = table["token"].to_numpy()
        self._latency_s = table["latency_s"].to_numpy()
        found = table["cause"].cast(pa.string()).combine_chunks().dictionary_encode()
        words = [cause.word for cause in CAUSES]
        numbers = np.array([0, *(1 + words.index(word) for word in found.dictionary.to_pylist())])
        # No cause is number 0.
        self._cause = numbers[1 + found.indices.fill_null(-1).to_numpy()].astype(np.uint8)
        lists = table["hops"].combine_chunks()
        self._offset = np.append(lists.offsets.to_numpy(), 0)[: len(lists) + 1]
        hop = lists.values
        self._hops = {
            f"hop_{name}": hop.field(name).to_numpy(zero_copy_only=False)
            for name in ("layer", "rank", "source", "target", "start_s", "end_s")
        }
        recorded = int(self._token.max(initial=-1)) + 1
        first = slice(*self._rows(run.first_step, recorded))
        hops_of_first = int(self._offset[first.stop] - self._offset[first.start])
        self._drawn = trace.drawn(recorded, hops_of_first, planned.frames)

    def _rows(self, step: int, count: int) -> tuple[int, int]:
        start, end = np.searchsorted(self._step, [step, step + 1])
        return int(start), int(min(end, start + count))

    def at(self, step: int) -> Columns:
        first, last = self._rows(step, self._drawn)
        hops = slice(self._offset[first], self._offset[last])
        each = np.diff(self._offset[first : last + 1])
        return {
            "token": self._token[first:last],
            "latency_s": self._latency_s[first:last],
            "cause": self._cause[first:last],
            "hop_token": np.repeat(self._token[first:last], each),
        } | {name: column[hops] for name, column in self._hops.items()}


def _placements(run: Run, planned: Plan) -> dict[int, Columns]:
    """Placements by the first shown step that they are in force in; a later one replaces."""
    table = run.placements()
    columns = {name: table[name].to_numpy() for name in table.column_names}
    _, first = np.unique(columns["placement"], return_index=True)
    found = {}
    for begin, end in pairwise([*first, len(table)]):
        after = int(columns["step"][begin]) - planned.first
        shown = planned.first - (-after // planned.stride) * planned.stride
        found[shown] = {name: columns[name][begin:end] for name in trace.PLACEMENT}
    return found


class _Events:
    """The recorded events: rows are made of those of one step at a time, when it is shown."""

    def __init__(self, run: Run) -> None:
        table = run.table("events")
        step = table["step"].to_numpy()
        order = np.argsort(step, kind="stable")
        self._step = step[order]
        self._table = table.take(order).drop_columns("step").combine_chunks()
        self._last: tuple[int, list[dict[str, Any]]] = (-1, [])

    def at(self, step: int) -> list[dict[str, Any]]:
        if self._last[0] != step:
            first, last = np.searchsorted(self._step, [step, step + 1])
            rows = (
                self._table.slice(int(first), int(last - first)).to_pylist() if last > first else []
            )
            self._last = step, rows
        return self._last[1]


def _column(table: pa.Table, name: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = table[name].to_numpy().astype(np.float64)
    return values
