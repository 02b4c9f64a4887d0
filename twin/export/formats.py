"""A run for other programs: orbits as CZML for Cesium, links of a step as a GraphML graph."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.compute as pc
from czml3 import CZML_VERSION, Clock, Color, Document, Packet, Path, Point, Position, TimeInterval
from czml3.enums import InterpolationAlgorithms, ReferenceFrames
from networkx.readwrite.graphml import generate_graphml
from numpy.typing import NDArray

from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export.ephemeris import utc
from twin.network import grid, ground
from twin.runs.replay import snapshots
from twin.runs.store import Run
from twin.space import propagation
from twin.vocabulary import LinkState
from twin.world.world import Snapshot, World

MOST_SAMPLES = 200
"""Of a satellite's positions, unless its orbit needs more."""

SAMPLES_PER_ORBIT = 15
"""At least so many where the run's steps allow: with `DEGREE`, within 100 m of a low orbit."""

DEGREE = 9
"""Of the polynomials that Cesium lays through the samples."""

GATEWAY_RGBA = [255, 180, 84, 255]
EXPERT_RGBA = [90, 169, 255, 255]
IDLE_RGBA = [86, 99, 132, 255]
SITE_RGBA = [109, 255, 206, 255]

_SHOWN_IN_S = 60.0
_TRAIL_ORBITS = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Hosting:
    """What each of N satellites hosts under one placement.

    Attributes
    ----------
    layer : (N,) int16
        A layer hosted here (a gateway's goes first, a standby's next), -1 for none.
    gateway : (N,) bool
        Whether it is a gateway, or stands by as one.
    experts : (N,) int64
        Experts hosted, copies included.
    """

    layer: NDArray[np.int16]
    gateway: NDArray[np.bool_]
    experts: NDArray[np.int64]


def czml(run: Run, *, every_s: float | None = None) -> str:
    """Return the orbits of a run as a CZML document, which Cesium shows.

    Every satellite is a point with its path, coloured by what it hosts at first; ground sites are
    points too. Positions are sampled in Cesium's inertial axes (ICRF), which are ours (GCRS).

    Parameters
    ----------
    run : Run
    every_s : float, optional
        At most so long between samples, to whole steps, but at least one step; by default so that
        there are at most `MOST_SAMPLES`, or `SAMPLES_PER_ORBIT` where that is more.

    Raises
    ------
    InputError
        If `every_s` is not positive, or the scenario's orbits cannot be computed.
    """
    world = World(run.scenario)
    body = world.constellation
    end_s = run.scenario.simulation.steps * world.step_s
    t_s = _sample_times_s(world, every_s)
    r_km, _ = propagation.propagate(body, run.scenario.propagation.model, t_s)
    interval = TimeInterval(start=body.epoch_utc, end=str(utc(body.epoch_utc, np.array(end_s))))
    document = Packet(
        id="document",
        name=str(run.manifest["run_id"]),
        version=CZML_VERSION,
        clock=Clock(
            interval=interval, currentTime=body.epoch_utc, multiplier=max(1, end_s / _SHOWN_IN_S)
        ),
    )
    satellites = _satellite_packets(world, t_s, r_km, _hosting(run, 0, body.size))
    return Document(packets=[document, *satellites, *_site_packets(run)]).dumps()


def graphml(
    run: Run,
    step: int,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
) -> str:
    """Return the topology of one step of a run as GraphML, which networkx and Gephi read.

    Satellites are nodes, numbered as in the run's tables. Links that exist in this step are
    edges, also those that are down, with the reason in ``state``; ``delay_s`` is the light time
    between the two ends, whether the link is up or not.

    Parameters
    ----------
    run : Run
    step : int
    progress : callable
        Told (steps done, steps in all): what came before decides which links are up.

    Raises
    ------
    InputError
        If the run has no such step.
    """
    steps = run.scenario.simulation.steps
    if not 0 <= step < steps:
        raise InputError(f"--step {step}: must be from 0 to {steps - 1}")
    world = World(run.scenario)
    for snapshot, up in islice(snapshots(run, world), step + 1):  # noqa: B007 (the last is used)
        progress(snapshot.step + 1, step + 1)
    graph = nx.Graph(run=run.manifest["run_id"], step=step, t_s=snapshot.instant.t_s)
    graph.add_nodes_from(enumerate(_rows(_nodes(run, world, snapshot, up))))
    paired = np.flatnonzero(snapshot.link_state != LinkState.UNPAIRED)
    ends = world.skeleton.edges[paired].tolist()
    links = _rows(_links(world, snapshot, paired))
    graph.add_edges_from((a, b, link) for (a, b), link in zip(ends, links, strict=True))
    return "\n".join(generate_graphml(graph, named_key_ids=True)) + "\n"


def _sample_times_s(world: World, every_s: float | None) -> NDArray[np.float64]:
    """Starts of steps at even distances, and the end of the run."""
    steps, step_s = world.scenario.simulation.steps, world.step_s
    if every_s is not None and not every_s > 0:
        raise InputError(f"time between samples: must be above 0 s, not {every_s:g}")
    if every_s is None:
        every_s = min(-(-steps // MOST_SAMPLES) * step_s, world.period_s / SAMPLES_PER_ORBIT)
    # Rounding must not cost a step.
    stride = int(min(every_s / step_s * (1 + 1e-9), steps))
    return np.append(np.arange(0, steps, max(stride, 1)), steps) * step_s


def _satellite_packets(
    world: World, t_s: NDArray[np.float64], r_km: NDArray[np.float64], hosting: Hosting
) -> Iterator[Packet]:
    body = world.constellation
    path = Path(
        leadTime=0,
        trailTime=_TRAIL_ORBITS * world.period_s,
        width=1,
        resolution=world.period_s / 90,
    )
    sampling: dict[str, Any] = {
        "epoch": body.epoch_utc,
        "referenceFrame": ReferenceFrames.INERTIAL,
        "interpolationAlgorithm": InterpolationAlgorithms.LAGRANGE,
        "interpolationDegree": DEGREE,
    }
    for i, name in enumerate(body.names):
        samples = np.column_stack([t_s.round(6), (r_km[:, i] * 1000).round(1)])
        rgba = (
            GATEWAY_RGBA if hosting.gateway[i]
            else EXPERT_RGBA if hosting.experts[i]
            else IDLE_RGBA
        )  # fmt: skip
        yield Packet(
            id=f"satellite-{i}",
            name=name,
            description=f"plane {body.plane[i]}, slot {body.slot[i]}<br>{_told(hosting, i)}",
            position=Position(cartesian=samples.ravel().tolist(), **sampling),
            point=Point(pixelSize=5, color=Color(rgba=rgba)),
            path=path,
        )


def _site_packets(run: Run) -> Iterator[Packet]:
    sites = ground.sites(run.scenario.ground)
    for i, (name, r_km) in enumerate(zip(sites.names, sites.r_km, strict=True)):
        yield Packet(
            id=f"site-{i}",
            name=name,
            position=Position(cartesian=(r_km * 1000).round(1).tolist()),
            point=Point(pixelSize=7, color=Color(rgba=SITE_RGBA)),
        )


def _told(hosting: Hosting, i: int) -> str:
    """What a satellite hosts, in words."""
    layer, experts = hosting.layer[i], hosting.experts[i]
    if layer < 0:
        return "hosts nothing"
    gateway = ["gateway"] if hosting.gateway[i] else []
    several = [f"{experts} expert{'s' if experts > 1 else ''}"] if experts else []
    return f"layer {layer}: {' and '.join(gateway + several)}"


def _hosting(run: Run, step: int, size: int) -> Hosting:
    """What satellites host under the placement of a step."""
    number = run.table("steps", ["placement"])["placement"][step].as_py()
    table = run.table("placements", filters=pc.field("placement") == number)
    names = ("layer", "expert", "copy", "satellite")
    of_layer, expert, copy, satellite = (table[name].to_numpy() for name in names)
    # Later writes win: first experts, then gateways that stand by, then those that serve.
    order = np.argsort(np.where(expert >= 0, 0, np.where(copy > 0, 1, 2)), kind="stable")
    layer, gateway = np.full(size, -1, np.int16), np.zeros(size, bool)
    layer[satellite[order]] = of_layer[order]
    gateway[satellite[expert < 0]] = True
    experts = np.bincount(satellite[expert >= 0], minlength=size)
    return Hosting(layer=layer, gateway=gateway, experts=experts)


def _nodes(
    run: Run, world: World, snapshot: Snapshot, up: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Node attributes, one array each; charge only where the run recorded it in this step."""
    body, step = world.constellation, snapshot.step
    hosting = _hosting(run, step, body.size)
    recorded = run.table("satellites", ["soc"], filters=pc.field("step") == step)
    return {
        "name": np.array(body.names),
        "plane": body.plane,
        "slot": body.slot,
        **{f"{axis}_km": snapshot.instant.r_km[:, k] for k, axis in enumerate("xyz")},
        "up": up,
        "sunlit": world.ephemeris.sunlit(step),
        **({"soc": recorded["soc"].to_numpy()} if recorded.num_rows else {}),
        "layer": hosting.layer,
        "gateway": hosting.gateway,
        "experts": hosting.experts,
    }


def _links(world: World, snapshot: Snapshot, paired: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Edge attributes of chosen links, one array each."""
    a, b = world.skeleton.edges[paired].T
    distance_km = np.linalg.norm(snapshot.instant.r_km[a] - snapshot.instant.r_km[b], axis=1)
    states = np.array([state.word for state in LinkState])
    kinds = np.array([kind.name.lower().replace("_", "-") for kind in grid.LinkKind])
    return {
        "delay_s": distance_km / C_KM_S,
        "distance_km": distance_km,
        "up": snapshot.up[paired],
        "state": states[snapshot.link_state[paired]],
        "kind": kinds[world.skeleton.kind[paired]],
    }


def _rows(columns: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, Any]]:
    """Columns as plain values row by row."""
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        yield dict(zip(columns, row, strict=True))
