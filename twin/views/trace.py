"""What the page shows of a run: a head with what never changes, then chunks of frames.

A frame is a step of the run, or one in every `stride`-th. The same frames come from a model that is
running (`twin.views.live`) and from a run on disk (`twin.views.replay`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin import vocabulary
from twin.export.ephemeris import utc
from twin.network.cities import city_sites
from twin.runs.distribution import Distribution
from twin.scenario.schema import Scenario
from twin.space.frames import gcrs_to_itrs
from twin.views import palette, schema, whatif
from twin.views.block import described
from twin.views.load import COPIES
from twin.world.world import World

MAX_FRAMES = 400
MAX_FRAME_BYTES = 64_000_000
MAX_HOPS = 1_500_000
"""Limits of what is sent to a browser: frames, their bytes, and hops of all drawn tokens."""

TEMPERATURE_RANGE_C = (-40.0, 100.0)

type Columns = dict[str, Any]
"""Arrays by name."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which steps of a run are shown.

    Attributes
    ----------
    first, steps, stride, frames : int
        First step and number of steps; one in `stride` is shown, `frames` in all.
    """

    first: int
    steps: int
    stride: int
    frames: int

    def shown(self, step: int) -> bool:
        """Whether a step is shown: the first of those that a frame stands for."""
        return (step - self.first) % self.stride == 0

    def complete(self, step: int) -> bool:
        """Whether a step is the last of those that a frame stands for."""
        return step + 1 == self.first + self.steps or self.shown(step + 1)


def plan(world: World, first: int = 0) -> Plan:
    """Choose the steps to show from `first` on, evenly, as many as the limits allow."""
    steps = world.scenario.simulation.steps - first
    each = 17 * world.constellation.size + len(world.skeleton.edges)
    most = max(2, min(MAX_FRAMES, MAX_FRAME_BYTES // each))
    stride = -(-steps // most)
    return Plan(first=first, steps=steps, stride=stride, frames=-(-steps // stride))


def head(world: World, planned: Plan, *, run_id: str, live: bool = False) -> bytes:
    """Pack what holds for the whole run.

    Parameters
    ----------
    world : World
        Of the run's scenario.
    planned : Plan
    run_id : str
    live : bool
        Whether it mirrors telemetry.
    """
    scenario, body = world.scenario, world.constellation
    shown_s = world.ephemeris.t_s[planned.first :][: planned.steps : planned.stride]
    rotation = gcrs_to_itrs(body.epoch_utc, shown_s)
    meta = _told(scenario) | {
        "run_id": run_id,
        "live": live,
        "n_satellites": body.size,
        "n_planes": body.n_planes,
        "first_step": planned.first,
        "step_s": world.step_s,
        "start_utc": str(utc(body.epoch_utc, shown_s[:1])[0]),
        "steps": planned.steps,
        "stride": planned.stride,
        "frames": planned.frames,
        "figures": described(),
        "vocabulary": vocabulary.for_page(),
        "temperature_range_c": TEMPERATURE_RANGE_C,
        "names": list(body.names),
        "sites": sites(scenario),
        "palette": palette.STAGE,
    }
    arrays: Columns = {
        "plane": body.plane.astype(np.int16),
        "slot": body.slot.astype(np.int16),
        "ring": body.ring_position.astype(np.float32),
        "edges": world.skeleton.edges.astype(np.int32),
        "earth_rotation": np.arctan2(rotation[:, 0, 1], rotation[:, 0, 0]).astype(np.float32),
    }
    return pack(meta, arrays)


def _told(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "description": scenario.description,
        "strategy": scenario.placement.strategy,
        "policy": scenario.controller.policy,
        "seed": scenario.simulation.seed,
        "replicate": scenario.simulation.replicate,
        "model": scenario.model.card,
        "accounting": scenario.compute.accounting,
        "steps": scenario.simulation.steps,
        "tokens_per_step": scenario.workload.tokens_per_step,
        "rate_gbps": scenario.links.rate_gbps,
        "requests": _requests(scenario),
        "what_if": whatif.offered(scenario),
        "about": schema.about(scenario),
        "glossary": schema.glossary(),
    }


def _requests(scenario: Scenario) -> dict[str, Any] | None:
    """What the page says of requests; None where only tokens are served."""
    if scenario.serving.mode == "tokens":
        return None
    return {
        "instances": scenario.placement.instances,
        "record_every": scenario.requests.record_every,
        "ttft_target_s": scenario.requests.ttft_target_s,
        "tpot_target_s": scenario.requests.tpot_target_s,
    }


def sites(scenario: Scenario) -> list[dict[str, Any]]:
    """Name, latitude and longitude of every ground site of a scenario."""
    table = city_sites() if scenario.ground.users == "cities" else scenario.ground.sites
    return [
        {"name": s.name, "latitude_deg": s.latitude_deg, "longitude_deg": s.longitude_deg}
        for s in table
    ]


@dataclass(kw_only=True)
class Frame:
    """One step as the page shows it, and all the steps until the next that is shown.

    N satellites, E links, G sites, L layers. Figures, durations, layers and events are of all
    those steps; everything else is as it was at the first of them.

    Attributes
    ----------
    positions : (N, 3), km
        Along the GCRS axes.
    sun : (3,)
        Towards the Sun, of any length.
    sunlit, soc, utilisation : (N,)
        Sunlit share of the step, state of charge, busy share; 0 to 1 (busy: 1 is all it can do).
    temperature_c : (N,)
    state : (N,) uint8
        `SatelliteState`.
    link_state : (E,) uint8
        `LinkState`.
    serving : (G,) int
        Satellite of each site, -1 for none.
    figures : sequence of float
        Of all steps, in the order of `twin.views.block.FIGURES`.
    steps : int
        How many the frame stands for.
    latency : Distribution
        Of the tokens of all steps, in bins.
    layer_propagation_s, layer_compute_s : (L,), s
        Of the mean token of all steps.
    quantiles_s : (Q,), s
        Latency of the tokens of all steps, from the fastest to the slowest, evenly spaced shares.
    tokens : dict
        ``token``, ``latency_s`` and ``cause`` of the drawn tokens, and their ``hops``: (token,
        layer, rank, source, target, start_s, end_s) as a dict of arrays.
    placement : dict or None
        ``instance, layer, expert, copy, satellite`` (rows), if it is new in this frame.
    copies : dict
        How each copy of the model was, by `COPIES`; empty arrays where there is one.
    events : list of dict
        Of all steps: t_s, kind, cause, satellite, other, value.
    """

    positions: NDArray[np.float64]
    sun: NDArray[np.float64]
    sunlit: NDArray[np.float64]
    soc: NDArray[np.float64]
    utilisation: NDArray[np.float64]
    temperature_c: NDArray[np.float64]
    state: NDArray[np.uint8]
    link_state: NDArray[np.uint8]
    serving: NDArray[np.int64]
    figures: Sequence[float]
    steps: int
    latency: Distribution
    layer_propagation_s: NDArray[np.float64]
    layer_compute_s: NDArray[np.float64]
    quantiles_s: NDArray[np.float64]
    tokens: Columns
    placement: Columns | None
    copies: Columns
    events: list[dict[str, Any]] = field(default_factory=list)


PLACEMENT = ("instance", "layer", "expert", "copy", "satellite")


def chunk(frames: Sequence[Frame], *, first: int, last: bool) -> bytes:
    """Pack consecutive frames, of which `first` is the number of the first."""
    meta, events = _events(frames)
    meta |= {"first": first, "count": len(frames), "last": last}
    low_c, high_c = TEMPERATURE_RANGE_C
    size = len(frames[0].soc)
    wide = np.uint16 if size < 2**16 else np.int32
    sun = np.stack([f.sun / np.linalg.norm(f.sun) for f in frames])
    placed = [(k, f.placement) for k, f in enumerate(frames) if f.placement is not None]
    arrays: Columns = {
        "positions": np.stack([f.positions for f in frames]).astype(np.float32),
        "sun": sun.astype(np.float32),
        "sunlit": _bytes([f.sunlit for f in frames]),
        "soc": _bytes([f.soc for f in frames]),
        "utilisation": _bytes([f.utilisation for f in frames]),
        "temperature": _bytes([(f.temperature_c - low_c) / (high_c - low_c) for f in frames]),
        "state": np.stack([f.state for f in frames]).astype(np.uint8),
        "link_state": np.stack([f.link_state for f in frames]).astype(np.uint8),
        "serving": np.stack([f.serving for f in frames]).astype(np.int32),
        "figures": np.array([f.figures for f in frames], np.float32),
        "layer_propagation_s": np.stack([f.layer_propagation_s for f in frames]).astype(np.float32),
        "layer_compute_s": np.stack([f.layer_compute_s for f in frames]).astype(np.float32),
        "quantiles_s": np.stack([f.quantiles_s for f in frames]).astype(np.float32),
        "steps": np.array([f.steps for f in frames], np.int32),
        "latency_bins": np.array([len(f.latency.count) for f in frames], np.int32),
        "bin_value_s": np.concatenate([f.latency.value_s for f in frames]).astype(np.float32),
        "bin_count": np.concatenate([f.latency.count for f in frames]).astype(np.int32),
        "soc_quantiles": np.stack(
            [np.quantile(f.soc, (0.0, 0.05, 0.5, 0.95, 1.0)) for f in frames]
        ).astype(np.float32),
        "token_count": np.array([len(f.tokens["token"]) for f in frames], np.int32),
        "hop_count": np.array([len(f.tokens["hop_token"]) for f in frames], np.int32),
        "token": _joined(frames, "token", np.uint16),
        "latency_s": _joined(frames, "latency_s", np.float32),
        "cause": _joined(frames, "cause", np.uint8),
        "hop_token": _joined(frames, "hop_token", np.uint16),
        "hop_layer": _joined(frames, "hop_layer", np.uint16),
        "hop_rank": _joined(frames, "hop_rank", np.uint8),
        "hop_source": _joined(frames, "hop_source", wide),
        "hop_target": _joined(frames, "hop_target", wide),
        "hop_start_s": _joined(frames, "hop_start_s", np.float32),
        "hop_end_s": _joined(frames, "hop_end_s", np.float32),
        "placement_frame": np.array([first + k for k, _ in placed], np.int32),
        "placement_count": np.array([len(p["layer"]) for _, p in placed], np.int32),
    }
    for name in PLACEMENT:
        columns = [np.asarray(p[name]) for _, p in placed]
        joined = np.concatenate(columns) if columns else np.empty(0)
        arrays[f"placement_{name}"] = joined.astype(np.int32)
    for name in COPIES:
        arrays[name] = np.stack([f.copies[name] for f in frames]).astype(np.float32)
    return pack(meta, arrays | events)


def _events(frames: Sequence[Frame]) -> tuple[dict[str, Any], Columns]:
    rows = [event for f in frames for event in f.events]
    kinds = sorted({e["kind"] for e in rows})
    causes = sorted({e["cause"] or "" for e in rows})

    def number(name: str) -> NDArray[np.int32]:
        return np.array([-1 if e[name] is None else e[name] for e in rows], np.int32)

    columns = {
        "event_t_s": np.array([e["t_s"] for e in rows], np.float64),
        "event_kind": np.array([kinds.index(e["kind"]) for e in rows], np.uint8),
        "event_cause": np.array([causes.index(e["cause"] or "") for e in rows], np.uint8),
        "event_satellite": number("satellite"),
        "event_other": number("other"),
        "event_value": np.array(
            [np.nan if e["value"] is None else e["value"] for e in rows], np.float64
        ),
    }
    return {"kinds": kinds, "event_causes": causes}, columns


def _bytes(shares: Sequence[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """Shares of 0 to 1 as bytes, 255 for all."""
    return np.rint(255 * np.clip(np.stack(shares), 0, 1)).astype(np.uint8)


def _joined(frames: Sequence[Frame], name: str, kind: Any) -> NDArray[Any]:
    return np.concatenate([np.asarray(f.tokens[name]) for f in frames]).astype(kind)


def drawn(recorded: int, hops_of_first: int, frames: int) -> int:
    """How many of the `recorded` tokens a step are drawn, all their hops within `MAX_HOPS`.

    Parameters
    ----------
    recorded : int
        Tokens a step whose hops are known.
    hops_of_first : int
        Hops of all of them in the first frame.
    frames : int
    """
    if hops_of_first * frames <= MAX_HOPS:
        return recorded
    return max(1, recorded * MAX_HOPS // (hops_of_first * frames))


def pack(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return one message for the browser.

    Little-endian: the header's length (uint32), the header (JSON: `meta`, and of each array name,
    type, offset and size), then the arrays, each at a multiple of 8 bytes.
    """
    # The header holds offsets, which depend on its length: leave room for their largest.
    room = _aligned(4 + len(json.dumps({"meta": meta}, ensure_ascii=False).encode()) + 100)
    room = _aligned(room + sum(100 + len(name) for name in arrays))
    offset, table, data = room, [], []
    for name, array in arrays.items():
        kept = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        table.append({"name": name, "type": kept.dtype.name, "offset": offset, "size": kept.size})
        data.append((offset, kept.tobytes()))
        offset = _aligned(offset + kept.nbytes)
    header = json.dumps({"meta": meta, "arrays": table}, ensure_ascii=False).encode()
    text = header.ljust(room - 4)
    packed = bytearray(offset)
    packed[:room] = np.uint32(len(text)).astype("<u4").tobytes() + text
    for at, part in data:
        packed[at : at + len(part)] = part
    return bytes(packed)


def _aligned(size: int) -> int:
    return -(-size // 8) * 8
