"""Rebuild from a finished run what the page shows.

A run keeps what happened, not every position: orbits, light and links follow from the scenario
through the same functions that the model used, so they are computed again here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.energy.bus import profile
from twin.network.topology import Sky
from twin.runs import Run
from twin.space.frames import gcrs_to_itrs
from twin.views.trace import Trace, TraceMeta

MAX_FRAMES = 400
MAX_HOPS = 800_000
"""Limits of what is sent to a browser: frames, and hops of all recorded tokens."""

NO_ROLE, EXPERT, GATEWAY = range(3)


type Columns = dict[str, Any]
"""Arrays by the name of their field in `Trace`."""


class ReplayCancelledError(Exception):
    """Somebody asked for the rebuilding to stop."""


def from_run(
    run: Run,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
    cancelled: Callable[[], bool] = lambda: False,
) -> Trace:
    """Return the trace of a run, with at most `MAX_FRAMES` evenly spaced steps.

    Parameters
    ----------
    run : Run
    progress : callable
        Told (steps done, steps in all).
    cancelled : callable
        Asked before every step whether to stop.

    Raises
    ------
    ReplayCancelledError
        If `cancelled` said so.
    """
    scenario, sky = run.scenario, Sky(run.scenario)
    steps = scenario.simulation.steps
    stride = -(-steps // MAX_FRAMES)
    shown = np.arange(0, steps, stride)
    moving = _moving(sky, run, stride, progress, cancelled)
    hops, tokens_drawn = _hops(run, stride)
    figures = _figures(run, shown, sky.skeleton.pairings)
    body = sky.constellation
    return Trace(
        meta=TraceMeta(
            name=scenario.name,
            strategy=scenario.placement.strategy,
            n_satellites=body.size,
            n_steps=steps,
            step_s=sky.step_s,
            start_utc=body.epoch_utc,
            model=scenario.model.card,
            n_layers=figures["layer_compute_s"].shape[1],
            n_planes=body.n_planes,
            stride=stride,
            tokens_drawn=tokens_drawn,
            tokens_per_step=scenario.workload.tokens_per_step,
        ),
        earth_rotation=_earth_rotation(body.epoch_utc, sky.ephemeris.t_s[shown]),
        soc=_state_of_charge(run, shown, body.size),
        plane=body.plane.astype(np.int16),
        slot=body.slot.astype(np.int16),
        edges=sky.skeleton.edges.astype(np.int32),
        **moving,
        **_placements(run, stride, body.size),
        **hops,
        **figures,
    )


def _moving(
    sky: Sky,
    run: Run,
    stride: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Columns:
    """Positions, Sun, light and links; outages have a memory, so every step is gone through."""
    positions, sun, sunlit, up = [], [], [], []
    simulation, bus = run.scenario.simulation, run.scenario.bus
    steps, network = simulation.steps, sky.network(simulation.replicate)
    powered = np.full(sky.constellation.size, bus.initial_soc > profile(bus).brownout_soc)
    changes = _power_changes(run)
    for _ in range(steps):
        if cancelled():
            raise ReplayCancelledError
        snapshot = network.advance(powered)
        for satellite, has_power in changes.get(snapshot.step, ()):
            powered[satellite] = has_power
        if snapshot.step % stride == 0:
            positions.append(snapshot.sky.r_km.astype(np.float32))
            sun.append(snapshot.sky.sun_km / np.linalg.norm(snapshot.sky.sun_km))
            sunlit.append(_byte(sky.ephemeris.sunlit(snapshot.step)))
            up.append(np.packbits(snapshot.up, bitorder="little"))
        progress(snapshot.step + 1, steps)
    return {
        "positions": np.stack(positions),
        "sun": np.stack(sun).astype(np.float32),
        "sunlit": np.stack(sunlit),
        "edge_up": np.stack(up),
    }


def _power_changes(run: Run) -> dict[int, list[tuple[int, bool]]]:
    """Satellites that lost or regained power in each step, which holds from the next on."""
    events = run.table("events", ["step", "kind", "satellite"])
    kinds = pa.array(["brown-out", "power-recovered"])
    mine = events.filter(pc.is_in(events["kind"].cast(pa.string()), kinds))
    changes: dict[int, list[tuple[int, bool]]] = {}
    for row in mine.to_pylist():
        change = row["satellite"], row["kind"] == "power-recovered"
        changes.setdefault(row["step"], []).append(change)
    return changes


def _byte(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _earth_rotation(epoch_utc: str, t_s: NDArray[np.float64]) -> NDArray[np.float32]:
    rotation = gcrs_to_itrs(epoch_utc, t_s)
    return np.arctan2(rotation[:, 0, 1], rotation[:, 0, 0]).astype(np.float32)


def _state_of_charge(run: Run, shown: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Recorded every few steps; in between, on the straight line from record to record."""
    table = run.table("satellites", ["step", "soc"])
    at = np.unique(table["step"].to_numpy())
    soc = table["soc"].to_numpy().reshape(len(at), size)
    right = np.clip(np.searchsorted(at, shown, side="right"), 1, len(at) - 1) if len(at) > 1 else 0
    left = np.maximum(np.asarray(right) - 1, 0)
    span = np.maximum(at[right] - at[left], 1)
    mix = np.clip((shown - at[left]) / span, 0, 1)[:, None]
    return _byte(soc[left] * (1 - mix) + soc[right] * mix)


def _placements(run: Run, stride: int, size: int) -> Columns:
    table = run.table("placements", ["placement", "step", "layer", "expert", "satellite"])
    number, step, layer, expert, satellite = (c.to_numpy() for c in table.columns)
    _, first = np.unique(number, return_index=True)
    rows = len(first)
    row = np.searchsorted(number[first], number)
    hosted = np.full((rows, size), -1, np.int16)
    role = np.full((rows, size), NO_ROLE, np.uint8)
    # Later writes win: gateways over experts, and among those the first layer.
    for kind, mine in ((EXPERT, expert >= 0), (GATEWAY, expert < 0)):
        chosen = np.flatnonzero(mine)[::-1]
        hosted[row[chosen], satellite[chosen]] = layer[chosen]
        role[row[chosen], satellite[chosen]] = kind
    return {
        "placement_step": (-(-step[first] // stride)).astype(np.int32),
        "placement_layer": hosted,
        "placement_role": role,
    }


def _hops(run: Run, stride: int) -> tuple[Columns, int]:
    """Hops of the recorded tokens, of as many per step as `MAX_HOPS` allows."""
    table = run.table("tokens", ["step", "token", "hops"])
    table = table.filter(pa.array(table["step"].to_numpy() % stride == 0))
    total = int(pc.sum(pc.list_value_length(table["hops"])).as_py() or 0)
    recorded = 1 + (pc.max(table["token"]).as_py() if len(table) else -1)
    drawn = recorded if total <= MAX_HOPS else max(1, recorded * MAX_HOPS // total)
    table = table.filter(pa.array(table["token"].to_numpy() < drawn)).combine_chunks()
    lists = table["hops"].combine_chunks()
    length = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    hop = lists.flatten()
    columns = {
        "hop_step": np.repeat(table["step"].to_numpy() // stride, length).astype(np.int32),
        "hop_token": np.repeat(table["token"].to_numpy(), length).astype(np.int32),
        "hop_layer": _field(hop, "layer", np.int16),
        "hop_source": _field(hop, "source", np.int32),
        "hop_target": _field(hop, "target", np.int32),
        "hop_start_s": _field(hop, "start_s", np.float32),
        "hop_end_s": _field(hop, "end_s", np.float32),
    }
    return columns, drawn


def _field[T: np.generic](hop: pa.StructArray, name: str, kind: type[T]) -> NDArray[T]:
    values: NDArray[T] = hop.field(name).to_numpy(zero_copy_only=False).astype(kind)
    return values


def _figures(run: Run, shown: NDArray[np.int64], links: int) -> Columns:
    steps, layers = run.table("steps"), run.table("layers")

    def column(table: pa.Table, name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = table[name].to_numpy().astype(np.float64)
        return values

    depth = len(layers) // len(steps)
    by_layer = {
        name: column(layers, source).reshape(-1, depth)[shown]
        for name, source in (
            ("layer_propagation_s", "propagation_mean_s"),
            ("layer_compute_s", "compute_mean_s"),
        )
    }
    served = column(steps, "tokens_served") / column(steps, "tokens_asked")
    return by_layer | {
        "latency_s": column(steps, "latency_mean_s")[shown],
        "latency_p95_s": column(steps, "latency_p95_s")[shown],
        "served": served[shown],
        "availability": column(steps, "links_up")[shown] / links,
        "sunlit_share": column(steps, "sunlit_mean")[shown],
    }
