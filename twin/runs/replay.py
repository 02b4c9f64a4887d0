"""A run's topology gone through again, step by step.

A run keeps what happened, not the state of every link: that follows from the scenario and from
outages, faults and power as the run met them, through the same functions that the model used.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.energy.budget import EnergyState, at_start
from twin.network.handover import ServingState
from twin.runs.store import START, Run
from twin.vocabulary import EventKind
from twin.world import state as states
from twin.world.sources import Recorded
from twin.world.spacecraft import bus_profile
from twin.world.topology import Network, NetworkState, Snapshot
from twin.world.world import World


@dataclass(kw_only=True)
class Rule:
    """What satellites had decided for themselves."""

    low: NDArray[np.bool_]
    throttled: NDArray[np.bool_]
    terminals_on: NDArray[np.bool_]


@dataclass(kw_only=True)
class Start:
    """The part of a fork's first state that a reader of the run needs."""

    network: NetworkState
    sound: NDArray[np.bool_] | None
    lost: NDArray[np.bool_]
    energy: EnergyState
    rule: Rule
    ground: ServingState


def start(run: Run) -> Start | None:
    """State that a fork began from; None for a run that began at its scenario's first step."""
    file = run.file(START)
    return None if file is None else states.read(file, Start, part=True)


def recorded(run: Run) -> Recorded:
    """Outages and faults of a run, from its tables."""
    outages = run.table("outages")
    events = run.table("events", ["step", "kind", "satellite"])
    faults = _of_kinds(events, [EventKind.FAULT, EventKind.FAULT_CLEARED])
    return Recorded(
        outage_step=outages["step"].to_numpy(),
        link=outages["link"].to_numpy(),
        fault_step=faults["step"].to_numpy(),
        satellite=faults["satellite"].to_numpy(),
    )


def snapshots(run: Run, world: World | None = None) -> Iterator[tuple[Snapshot, NDArray[np.bool_]]]:
    """Yield the topology of every step as the run met it, and which satellites were up, (N,).

    Up are those that have power and no fault; the others have neither links nor compute. Outages,
    faults and terminals have a memory, so that no step can be left out.

    Parameters
    ----------
    run : Run
    world : World, optional
        Of the run's scenario, where the caller has one already.
    """
    return Walk(run, world or World(run.scenario)).on(run)


class Walk:
    """Goes through a run's topology step by step, and on where the run has grown.

    Parameters
    ----------
    run : Run
    world : World
        Of the run's scenario.
    """

    def __init__(self, run: Run, world: World) -> None:
        begun, size, bus = start(run), world.constellation.size, run.scenario.bus
        self._network = Network(world, recorded(run), None if begun is None else begun.network)
        self._sound = None if begun is None else begun.sound
        fresh = at_start(
            bus_profile(run.scenario), soc=bus.initial_soc, temperature_c=bus.initial_c
        )
        self._powered = np.full(size, fresh.powered)
        self._alive, self._terminals_on = np.ones(size, bool), np.ones(size, bool)
        if begun is not None:
            self._powered, self._alive = begun.energy.powered, ~begun.lost
            self._terminals_on = begun.rule.terminals_on
        self._next = run.first_step

    def on(self, run: Run) -> Iterator[tuple[Snapshot, NDArray[np.bool_]]]:
        """Yield what `snapshots` does of the steps that a run has and that were not yet reached.

        What it yields must all be taken.
        """
        source = self._network.source = recorded(run)
        switched = _switches(run)
        power, losses = _power_changes(run), _losses(run)
        for step in range(self._next, run.scenario.simulation.steps):
            for satellite, other in losses.get(step, ()):
                if other is None:
                    self._alive[satellite] = False
                else:
                    self._network.cut(satellite, other)
            self._sound = source.sound(step, self._sound, len(self._alive))
            up = self._powered & self._sound & self._alive
            yield self._network.advance(up & self._terminals_on), up
            self._terminals_on[switched.get(step, [])] ^= True
            for satellite, has_power in power.get(step, ()):
                self._powered[satellite] = has_power
            self._next = step + 1


def _power_changes(run: Run) -> dict[int, list[tuple[int, bool]]]:
    """Satellites that lost or regained power in each step, which holds from the next on."""
    events = run.table("events", ["step", "kind", "satellite"])
    mine = _of_kinds(events, [EventKind.BROWN_OUT, EventKind.POWER_RECOVERED])
    changes: dict[int, list[tuple[int, bool]]] = {}
    for row in mine.to_pylist():
        change = row["satellite"], row["kind"] == EventKind.POWER_RECOVERED
        changes.setdefault(row["step"], []).append(change)
    return changes


def _switches(run: Run) -> dict[int, list[int]]:
    """Satellites that switched their terminals at the end of each step."""
    events = run.table("events", ["step", "kind", "satellite"])
    found: dict[int, list[int]] = {}
    for row in _of_kinds(events, [EventKind.TERMINALS_OFF, EventKind.TERMINALS_ON]).to_pylist():
        found.setdefault(row["step"], []).append(row["satellite"])
    return found


def _losses(run: Run) -> dict[int, list[tuple[int, int | None]]]:
    """Satellites and links, by their two ends, that were taken away for good, by step."""
    events = run.table("events", ["step", "kind", "satellite", "other"])
    found: dict[int, list[tuple[int, int | None]]] = {}
    for row in _of_kinds(events, [EventKind.SATELLITE_LOST, EventKind.LINK_CUT]).to_pylist():
        found.setdefault(row["step"], []).append((row["satellite"], row["other"]))
    return found


def _of_kinds(events: pa.Table, kinds: list[EventKind]) -> pa.Table:
    return events.filter(
        pc.is_in(events["kind"].cast(pa.string()), pa.array([kind.value for kind in kinds]))
    )
