"""Telemetry of a run that was recorded: what its satellites would have said."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin.live.fields import NO_POWER
from twin.runs.store import Run
from twin.world.world import World


def lines(run: Run) -> Iterator[tuple[float, str]]:
    """Yield (time in s since the epoch, line) of every satellite at every recorded step.

    A run holds charges, temperatures and links at the ends of steps, and no currents: so its
    messages have charge, temperature, sunlight, compute load and links, without noise.
    """
    world = World(run.scenario)
    names, step_s = world.constellation.names, world.step_s
    start = datetime.fromisoformat(world.constellation.epoch_utc)
    start = start.replace(tzinfo=start.tzinfo or UTC).astimezone(UTC)
    outages = run.table("outages")
    turned = outages["step"].to_numpy(), outages["link"].to_numpy()
    down = np.zeros(len(world.skeleton.edges), bool)
    done = 0
    table = run.table("satellites")
    columns = ("soc", "temperature_c", "sunlit", "utilisation", "degree", "powered")
    found = {name: table[name].to_numpy() for name in columns}
    steps, rows = table["step"].to_numpy(), table["satellite"].to_numpy()
    for number, first in enumerate(np.flatnonzero(np.diff(steps, prepend=-1)).tolist()):
        step = int(steps[first])
        last = int(np.searchsorted(turned[0], step, side="right"))
        np.logical_xor.at(down, turned[1][done:last], True)
        done = last
        broken = _links(down, world.skeleton.edges, names)
        t_s = (step + 1) * step_s - 1e-3  # the end of the step still belongs to it
        when = (start + timedelta(seconds=t_s)).isoformat(timespec="milliseconds")
        for k in range(first, first + len(names)):
            said = {
                "version": 1,
                "time_utc": when,
                "satellite": names[rows[k]],
                "sequence": number,
                "soc": round(float(found["soc"][k]), 6),
                "temperature_c": round(float(found["temperature_c"][k]), 3),
                "sunlit": round(float(found["sunlit"][k]), 4),
                "compute_load": round(min(float(found["utilisation"][k]), 1.0), 4),
                "links_up": int(found["degree"][k]),
                "links_down": broken.get(int(rows[k]), {}),
                "faults": [] if found["powered"][k] else [NO_POWER],
            }
            yield t_s, json.dumps(said, separators=(",", ":"))


def _links(
    down: NDArray[np.bool_], edges: NDArray[np.int32], names: Sequence[str]
) -> dict[int, dict[str, str]]:
    """Links that are down, by satellite: the other end, and why."""
    found: dict[int, dict[str, str]] = {}
    for a, b in edges[down].tolist():
        found.setdefault(a, {})[names[b]] = "outage"
        found.setdefault(b, {})[names[a]] = "outage"
    return found
