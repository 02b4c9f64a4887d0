"""The orbits of a run as CZML, for Cesium."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from czml3 import CZML_VERSION, Clock, Color, Document, Packet, Path, Point, Position, TimeInterval
from czml3.enums import InterpolationAlgorithms, ReferenceFrames
from numpy.typing import NDArray

from placement.hosting import Hosting
from twin.errors import InputError
from twin.export.ephemeris import utc
from twin.export.hosted import hosted
from twin.network import ground
from twin.runs.store import Run
from twin.space import propagation
from twin.world.world import World

MOST_SAMPLES = 200
"""Most samples of a satellite's positions, unless its orbit needs more."""

SAMPLES_PER_ORBIT = 15
"""Fewest samples, where the run's steps allow: with `DEGREE`, within 100 m of a low orbit."""

DEGREE = 9
"""Degree of the polynomials that Cesium fits through the samples."""

GATEWAY_RGBA = [255, 180, 84, 255]
EXPERT_RGBA = [90, 169, 255, 255]
IDLE_RGBA = [86, 99, 132, 255]
SITE_RGBA = [109, 255, 206, 255]

_SHOWN_IN_S = 60.0
_TRAIL_ORBITS = 0.1


def czml(run: Run, *, every_s: float | None = None) -> str:
    """Return the orbits of a run as a CZML document, which Cesium shows.

    Every satellite is a point with its path, coloured by what it hosts at first; ground sites are
    points too. Positions are sampled in Cesium's inertial axes (ICRF), which are ours (GCRS).

    Parameters
    ----------
    run : Run
    every_s : float, optional
        Longest time between samples, to whole steps, but at least one step. By default there are
        at most `MOST_SAMPLES`, or `SAMPLES_PER_ORBIT` where that is more.

    Raises
    ------
    InputError
        If `every_s` is not positive, or the scenario's orbits cannot be computed.
    """
    world = World(run.scenario)
    body = world.constellation
    end_s = run.scenario.simulation.steps * world.step_s
    t_s = _sample_times_s(world, every_s)
    r_km, _, gone = propagation.tracked(body, run.scenario.propagation.model, t_s)
    interval = TimeInterval(start=body.epoch_utc, end=str(utc(body.epoch_utc, np.array(end_s))))
    document = Packet(
        id="document",
        name=str(run.manifest["run_id"]),
        version=CZML_VERSION,
        clock=Clock(
            interval=interval, currentTime=body.epoch_utc, multiplier=max(1, end_s / _SHOWN_IN_S)
        ),
    )
    hosting = hosted(run, run.first_step, body.size)
    satellites = _satellite_packets(world, t_s, (r_km, gone), hosting)
    return Document(packets=[document, *satellites, *_site_packets(run)]).dumps()


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
    world: World,
    t_s: NDArray[np.float64],
    track: tuple[NDArray[np.float64], NDArray[np.bool_]],
    hosting: Hosting,
) -> Iterator[Packet]:
    """A point and path of each satellite, which end where it comes down."""
    body = world.constellation
    r_km, gone = track
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
        ends = int(np.argmax(gone[:, i])) if gone[:, i].any() else None
        samples = np.column_stack([t_s.round(6), (r_km[:, i] * 1000).round(1)])[:ends]
        last_utc = str(utc(body.epoch_utc, samples[-1:, 0])[0])
        there = None if ends is None else TimeInterval(start=body.epoch_utc, end=last_utc)
        rgba = (
            GATEWAY_RGBA if hosting.gateway[i]
            else EXPERT_RGBA if hosting.experts[i]
            else IDLE_RGBA
        )  # fmt: skip
        yield Packet(
            id=f"satellite-{i}",
            name=name,
            description=f"plane {body.plane[i]}, slot {body.slot[i]}<br>{_described(hosting, i)}",
            availability=there,
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


def _described(hosting: Hosting, i: int) -> str:
    """What a satellite hosts, in words."""
    layer, experts = hosting.layer[i], hosting.experts[i]
    if layer < 0:
        return "hosts nothing"
    gateway = ["gateway"] if hosting.gateway[i] else []
    several = [f"{experts} expert{'s' if experts > 1 else ''}"] if experts else []
    return f"layer {layer}: {' and '.join(gateway + several)}"
