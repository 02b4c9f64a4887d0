"""The network step by step: geometry, limits and outages of every link, as one snapshot a step."""

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin import registry, seeding
from twin.constants import C_KM_S
from twin.network import grid, links
from twin.network.outages import OUTAGES
from twin.scenario.schema import Scenario
from twin.space import constellation as constellations
from twin.space.constellation import Constellation
from twin.space.ephemeris import Ephemeris, Instant


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The topology during one step.

    Attributes
    ----------
    step : int
    sky : Instant
        Positions the delays were computed from.
    link_state : (E,) uint8
        `twin.network.links.LinkState` of each link of the skeleton.
    weight_s : (2E,) float64
        Delay of each CSR entry, ``inf`` where the link is not up.
    """

    step: int
    sky: Instant
    link_state: NDArray[np.uint8]
    weight_s: NDArray[np.float64]

    @property
    def up(self) -> NDArray[np.bool_]:
        """Which links are up, (E,)."""
        return np.equal(self.link_state, links.LinkState.UP)


class Sky:
    """What no decision changes: orbits, Sun, geometry and random outages of one scenario.

    Building it lays out the constellation and the link skeleton once; `snapshots` then yields the
    topology step by step.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.constellation: Constellation = constellations.build(scenario)
        self.ephemeris = Ephemeris(scenario, self.constellation)
        self._limits = links.limits(scenario.links)
        self.skeleton = grid.plus_grid(
            self.constellation,
            seam=scenario.links.seam,
            minimum_radius_km=self._limits.minimum_radius_km,
            seam_shift=_seam_shift(scenario),
        )

    @property
    def step_s(self) -> float:
        """Length of a step."""
        return self.ephemeris.step_s

    def snapshots(self, replicate: int) -> Iterator[Snapshot]:
        """Yield the topology of every step under one replicate's outages."""
        unbroken = self._outages(
            seeding.stream(self.scenario.simulation.seed, replicate, "outages")
        )
        for step in range(self.scenario.simulation.steps):
            sky = self.ephemeris.at(step)
            state, weight_s = links.link_states(
                self.skeleton, sky.r_km, sky.v_km_s, next(unbroken), self._limits
            )
            yield Snapshot(step=step, sky=sky, link_state=state, weight_s=weight_s)

    def planning_weights(
        self, steps: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Snapshot weights a planner may expect at given steps, (len(steps), 2E).

        Geometry is what the ephemeris predicts; outages are drawn from `rng` with the scenario's
        statistics, independently for each step, and have nothing to do with those of a run.
        """
        weights = []
        for r_km, v_km_s in zip(*self.ephemeris.states(steps), strict=True):
            unbroken = next(self._outages(rng))
            weights.append(
                links.link_states(self.skeleton, r_km, v_km_s, unbroken, self._limits)[1]
            )
        return np.stack(weights)

    def _outages(self, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        outages = self.scenario.outages
        model = registry.build("outage model", OUTAGES, outages.model, {})
        return model(len(self.skeleton.edges), outages, self.step_s, rng)


def to_networkx(sky: Sky, snapshot: Snapshot) -> nx.Graph:
    """Return a snapshot as an undirected networkx graph.

    Nodes carry ``name``, ``plane``, ``slot`` and position ``x_km, y_km, z_km`` (GCRS); edges, of
    the links that are up, carry ``delay_s``, ``range_km`` and ``kind``.
    """
    graph = nx.Graph(step=snapshot.step, t_s=snapshot.sky.t_s)
    body = sky.constellation
    for i, (name, plane, slot, r) in enumerate(
        zip(body.names, body.plane, body.slot, snapshot.sky.r_km, strict=True)
    ):
        x, y, z = map(float, r)
        graph.add_node(i, name=name, plane=int(plane), slot=int(slot), x_km=x, y_km=y, z_km=z)
    skeleton = sky.skeleton
    delay_s = snapshot.weight_s[skeleton.entry[:, 0]]
    for e in np.flatnonzero(snapshot.up):
        a, b = map(int, skeleton.edges[e])
        kind = grid.LinkKind(int(skeleton.kind[e])).name.lower().replace("_", "-")
        delay = float(delay_s[e])
        graph.add_edge(a, b, delay_s=delay, range_km=delay * C_KM_S, kind=kind)
    return graph


def _seam_shift(scenario: Scenario) -> float:
    """Phasing built up once around a Walker delta, in turns: P neighbours, each F/T of a turn."""
    body = scenario.constellation
    if body.kind == "walker" and body.raan_spread_deg == 360.0:
        return body.phasing / body.satellites_per_plane
    return 0.0
