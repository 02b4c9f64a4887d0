"""Paths between two places on the ground, step by step: up, from satellite to satellite, down."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export.ephemeris import utc
from twin.network import ground
from twin.network.grid import Skeleton
from twin.network.handover import NOBODY, Serving
from twin.network.places import place, slant_limit_km
from twin.network.routing import path, shortest_paths
from twin.runs import replay
from twin.runs.store import Run
from twin.scenario.ground import Site
from twin.scenario.schema import Scenario
from twin.space.frames import gcrs_to_itrs
from twin.world.topology import Network, Snapshot
from twin.world.world import World

type Flags = NDArray[np.bool_]
type Rows = NDArray[np.int32]

SERVING, BEST = "serving", "best"
"""How the satellites at the ends are chosen: by the hand-over rule, or for the shortest path."""


class Interruption(NamedTuple):
    """Steps in a row without a path, for one reason."""

    from_s: float
    to_s: float
    """The start of the first step that has a path again, or the end."""
    cause: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """The path from A to B, as it is at the start of each of T steps.

    Attributes
    ----------
    start, end : Site
        A and B.
    by : {"serving", "best"}
    epoch_utc : str
        What times count from.
    step_s : float
    step : (T,) int64
    t_s : (T,) float64
    rtt_s : (T,) float64
        Light time there and back, NaN where there is no path.
    paths : list of T tuples of int
        Satellites from A's to B's; none where there is no path.
    cause : list of T str
        Why there is no path; empty where there is one.
    names : tuple of str
        Of all satellites.
    """

    start: Site
    end: Site
    by: str
    epoch_utc: str
    step_s: float
    step: NDArray[np.int64]
    t_s: NDArray[np.float64]
    rtt_s: NDArray[np.float64]
    paths: list[tuple[int, ...]]
    cause: list[str]
    names: tuple[str, ...]

    @property
    def hops(self) -> NDArray[np.int64]:
        """Links of the path, those up and down included; 0 where there is none, (T,)."""
        return np.array([len(way) + 1 if way else 0 for way in self.paths], np.int64)

    @property
    def changes(self) -> list[int]:
        """Rows whose path is another than that of the last row that has one."""
        with_path = [row for row, way in enumerate(self.paths) if way]
        return [row for before, row in pairwise(with_path) if self.paths[row] != self.paths[before]]

    @property
    def interruptions(self) -> list[Interruption]:
        """Times without a path, in order."""
        found, row = [], 0
        for cause, rows in groupby(self.cause):
            first, row = row, row + len(list(rows))
            if cause:
                to_s = float(self.t_s[row]) if row < len(self.t_s) else self.t_s[-1] + self.step_s
                found.append(Interruption(float(self.t_s[first]), float(to_s), cause))
        return found

    @property
    def columns(self) -> dict[str, list[Any]]:
        """One value a step by name, as a data frame takes them; None where there is no path."""
        return {
            "step": self.step.tolist(),
            "t_s": self.t_s.tolist(),
            "utc": utc(self.epoch_utc, self.t_s).tolist(),
            "rtt_ms": [1e3 * s if s == s else None for s in self.rtt_s.tolist()],
            "hops": self.hops.tolist(),
            "path": [list(way) for way in self.paths],
            "cause": [cause or None for cause in self.cause],
        }

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        steps = self.columns
        known = self.rtt_s[np.isfinite(self.rtt_s)] * 1e3
        without_s = sum(gap.to_s - gap.from_s for gap in self.interruptions)
        met = sorted({satellite for way in self.paths for satellite in way})
        return {
            "from": self.start.model_dump(exclude={"weight"}),
            "to": self.end.model_dump(exclude={"weight"}),
            "by": self.by,
            "epoch_utc": self.epoch_utc,
            "step_s": self.step_s,
            "rtt_min_ms": float(known.min()) if known.size else None,
            "rtt_mean_ms": float(known.mean()) if known.size else None,
            "rtt_max_ms": float(known.max()) if known.size else None,
            "path_changes": len(self.changes),
            "interrupted_s": without_s,
            "changes": [{name: steps[name][row] for name in _OF_CHANGE} for row in self.changes],
            "interruptions": [gap._asdict() for gap in self.interruptions],
            "satellites": {str(satellite): self.names[satellite] for satellite in met},
            "steps": steps,
        }

    def as_csv(self) -> str:
        """A row a step; satellites of a path are joined by ``-``."""
        columns = self.columns
        columns["path"] = ["-".join(map(str, way)) for way in columns["path"]]
        return csv_text(columns)


_OF_CHANGE = ("t_s", "utc", "rtt_ms", "hops", "path")


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """Columns of equal length as CSV, empty where there is no value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def route(
    source: Scenario | Run,
    start: str,
    end: str,
    *,
    by: str = SERVING,
    max_slant_km: float | None = None,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
) -> Route:
    """Follow the path between two places over all steps of a scenario or a run.

    A run's links and satellites are up or down as the run met them. In a scenario that has not run
    all satellites have power; outages and faults are drawn as a run would draw them. Times are
    light times, at the start of each step.

    Parameters
    ----------
    source : Scenario or Run
    start, end : str
        Sites of the scenario, cities, or coordinates, see `twin.network.places.place`.
    by : {"serving", "best"}
        Whether the satellites at the ends are those that the scenario's hand-over rule chooses for
        each place by itself, or, of all pairs above the masks, the one with the shortest path.
    max_slant_km : float, optional
        How far a satellite at the ends may be from its place.
    progress : callable
        Called with (steps done, steps in all).

    Raises
    ------
    InputError
        If there is no such place, or the scenario's orbits cannot be computed.
    """
    if by not in (SERVING, BEST):
        raise InputError(f"--by {by}: must be {SERVING} or {BEST}")
    scenario = source.scenario if isinstance(source, Run) else source
    first = source.first_step if isinstance(source, Run) else 0
    steps = scenario.simulation.steps
    near_end = place(start, scenario.ground, option="--from")
    far_end = place(end, scenario.ground, option="--to")
    limit_km, world = slant_limit_km(max_slant_km), World(scenario)
    ends = _Ends(world, (near_end, far_end), by, limit_km, first)
    rtt_s, paths, causes = [], [], []
    for snapshot, up in _steps(source, world):
        near, far, slant_km = ends.at(snapshot, up & world.may_serve)
        one_way_s, way = _shortest(near, far, slant_km / C_KM_S, snapshot, world.skeleton)
        sightless = [s.name for s, found in ((near_end, near), (far_end, far)) if not len(found)]
        cause = (
            f"no satellite at {' and '.join(sightless)}" if sightless else "no path between them"
        )
        rtt_s.append(2 * one_way_s if way else np.nan)
        paths.append(way)
        causes.append("" if way else cause)
        progress(snapshot.step + 1 - first, steps - first)
    return Route(
        start=near_end,
        end=far_end,
        by=by,
        epoch_utc=world.constellation.epoch_utc,
        step_s=world.step_s,
        step=np.arange(first, steps),
        t_s=world.ephemeris.t_s[first:steps],
        rtt_s=np.array(rtt_s),
        paths=paths,
        cause=causes,
        names=world.constellation.names,
    )


def _steps(source: Scenario | Run, world: World) -> Iterator[tuple[Snapshot, Flags]]:
    """Topology of each step, and which satellites are up."""
    if isinstance(source, Run):
        yield from replay.snapshots(source, world)
        return
    drawn = world.simulated(source.simulation.replicate)
    network, sound = Network(world, drawn), None
    for step in range(source.simulation.steps):
        sound = drawn.sound(step, sound, world.constellation.size)
        yield network.advance(sound), sound


class _Ends:
    """Satellites that the two places may use in each step."""

    def __init__(
        self, world: World, places: Sequence[Site], by: str, max_slant_km: float, first_step: int
    ) -> None:
        scenario, body = world.scenario, world.constellation
        table = scenario.ground.model_copy(update={"sites": tuple(places), "users": None})
        self._sites = ground.sites(table, max_slant_km=max_slant_km)
        self._turn = gcrs_to_itrs(body.epoch_utc, world.ephemeris.t_s[first_step:])
        self._first, self._step_s = first_step, world.step_s
        self._serving: Serving | None = None
        if by == SERVING:
            model = scenario.propagation.model
            self._serving = Serving(table, body, model, max_slant_km=max_slant_km)
            for step in range(first_step):
                self._serving.advance(step * self._step_s, self._step_s, world.may_serve)

    def at(self, snapshot: Snapshot, usable: Flags) -> tuple[Rows, Rows, NDArray[np.float64]]:
        """Satellites of A and of B, of those usable, and all slant ranges in km, (2, N)."""
        now = snapshot.instant
        sine, slant_km = ground.look(
            self._sites, now.r_km @ self._turn[snapshot.step - self._first].T
        )
        if self._serving is None:
            seen = (sine >= np.sin(self._sites.minimum_elevation_rad)) & usable
            seen &= slant_km <= self._sites.max_slant_km
            near, far = (np.flatnonzero(row).astype(np.int32) for row in seen)
        else:
            chosen = self._serving.advance(now.t_s, self._step_s, usable).satellite
            near, far = (chosen[i : i + 1][chosen[i : i + 1] != NOBODY] for i in (0, 1))
        return near, far, slant_km


def _shortest(
    near: Rows, far: Rows, slant_s: NDArray[np.float64], snapshot: Snapshot, skeleton: Skeleton
) -> tuple[float, tuple[int, ...]]:
    """One-way time of the shortest path, and its satellites; ``inf`` and none if there is none."""
    if not (len(near) and len(far)):
        return np.inf, ()
    delay_s, before = shortest_paths(skeleton.indptr, skeleton.indices, snapshot.weight_s, near)
    way_s = slant_s[0, near][:, None] + delay_s[:, far] + slant_s[1, far]
    k, j = np.unravel_index(way_s.argmin(), way_s.shape)
    if not np.isfinite(way_s[k, j]):
        return np.inf, ()
    return float(way_s[k, j]), tuple(path(before[k], int(far[j])))
