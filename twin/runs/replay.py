"""A run's topology gone through again, step by step.

A run keeps what happened, not the state of every link: that follows from the scenario and from
who had power and no fault, through the same functions that the model used.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.energy.bus import profile
from twin.runs.store import Run
from twin.vocabulary import EventKind
from twin.world.world import Snapshot, World


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
    scenario = run.scenario
    world = world or World(scenario)
    replicate, bus = scenario.simulation.replicate, scenario.bus
    network, faults = world.network(replicate), world.faults(replicate)
    powered = np.full(world.constellation.size, bus.initial_soc > profile(bus).brownout_soc)
    changes = _power_changes(run)
    for step in range(scenario.simulation.steps):
        up = powered & next(faults)
        yield network.advance(up), up
        for satellite, has_power in changes.get(step, ()):
            powered[satellite] = has_power


def _power_changes(run: Run) -> dict[int, list[tuple[int, bool]]]:
    """Satellites that lost or regained power in each step, which holds from the next on."""
    events = run.table("events", ["step", "kind", "satellite"])
    kinds = pa.array([EventKind.BROWN_OUT.value, EventKind.POWER_RECOVERED.value])
    mine = events.filter(pc.is_in(events["kind"].cast(pa.string()), kinds))
    changes: dict[int, list[tuple[int, bool]]] = {}
    for row in mine.to_pylist():
        change = row["satellite"], row["kind"] == EventKind.POWER_RECOVERED
        changes.setdefault(row["step"], []).append(change)
    return changes
