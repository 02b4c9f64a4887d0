"""The network step by step: geometry, limits and outages of every link, as one snapshot a step."""

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin import registry, seeding
from twin.constants import C_KM_S, MU_EARTH_KM3_S2
from twin.network import grid, links
from twin.network.outages import OUTAGES, sound
from twin.network.seam import Seam
from twin.network.terminals import Terminals
from twin.scenario.schema import Scenario
from twin.space import constellation as constellations
from twin.space.constellation import Constellation
from twin.space.ephemeris import Ephemeris, Instant
from twin.space.sun import sun_gcrs_km
from twin.vocabulary import LinkState


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The topology during one step.

    Attributes
    ----------
    step : int
    instant : Instant
        Positions the delays were computed from.
    link_state : (E,) uint8
        `twin.network.links.LinkState` of each link of the skeleton.
    weight_s : (2E,) float64
        Delay of each CSR entry, ``inf`` where the link is not up.
    """

    step: int
    instant: Instant
    link_state: NDArray[np.uint8]
    weight_s: NDArray[np.float64]

    @property
    def up(self) -> NDArray[np.bool_]:
        """Which links are up, (E,)."""
        return np.equal(self.link_state, LinkState.UP)


class World:
    """What no decision changes: orbits, Sun, geometry and random outages of one scenario.

    Building it lays out the constellation and the link skeleton once; `network` then gives the
    topology step by step.

    Attributes
    ----------
    may_host : (N,) bool
        Satellites that may host a part of the model: those of the host shell.
    may_serve : (N,) bool
        Satellites that users may connect to: those from which links may lead to hosts.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.constellation: Constellation = constellations.build(scenario)
        self.may_host = self.constellation.shell == _host_shell(scenario)
        self.may_serve = self.may_host | (scenario.links.cross_shell_every > 0)
        self.ephemeris = Ephemeris(scenario, self.constellation)
        self._limits = links.limits(scenario.links)
        self.skeleton = grid.plus_grid(
            self.constellation,
            seam=scenario.links.seam,
            minimum_radius_km=self._limits.minimum_radius_km,
            seam_shift=_seam_shift(scenario),
            cross_shell_every=scenario.links.cross_shell_every,
        )
        self._seam: Seam | None = None
        if self.skeleton.changing.any():
            self._seam = Seam(
                self.constellation,
                model=scenario.propagation.model,
                skeleton=self.skeleton,
                limit=self._limits,
                hold_s=scenario.links.seam_hold_s,
            )

    @property
    def step_s(self) -> float:
        """Length of a step."""
        return self.ephemeris.step_s

    @property
    def period_s(self) -> float:
        """Keplerian period of the median orbit."""
        return float(2 * np.pi * np.sqrt(np.median(self.constellation.a_km) ** 3 / MU_EARTH_KM3_S2))

    def network(self, replicate: int) -> "Network":
        """Return the network before its first step, under one replicate's outages."""
        return Network(self, replicate)

    def snapshots(self, replicate: int) -> Iterator[Snapshot]:
        """Yield the topology of every step under one replicate's outages, all with power."""
        network = self.network(replicate)
        for _ in range(self.scenario.simulation.steps):
            yield network.advance()

    def faults(self, replicate: int) -> Iterator[NDArray[np.bool_]]:
        """Yield for every step which satellites are free of faults in one replicate, (N,)."""
        rng = seeding.stream(self.scenario.simulation.seed, replicate, "faults")
        return sound(self.constellation.size, self.scenario.faults, self.step_s, rng)

    def truth(self, replicate: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
        """Yield for every step link delays, (2E,), and who is free of faults, all with power."""
        network = self.network(replicate)
        for free in self.faults(replicate):
            yield network.advance(free).weight_s, free

    def planning_weights(
        self, steps: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Snapshot weights a planner may expect at given steps, (len(steps), 2E).

        Geometry, and who pairs across the seam or between shells, is what the ephemeris predicts
        for satellites that all have power; links that geometry just gave back count as acquired.
        Outages are drawn from `rng` with the scenario's statistics, independently for each step,
        and have nothing to do with those of a run.
        """
        t_s = self.ephemeris.t_s[steps]
        sun_km = sun_gcrs_km(self.constellation.epoch_utc, t_s)
        powered = np.ones(self.constellation.size, bool)
        weights = []
        for t, r, v, sun in zip(t_s, *self.ephemeris.states(steps), sun_km, strict=True):
            now = Instant(t_s=float(t), r_km=r, v_km_s=v, sun_km=sun)
            unbroken = next(self.outages(rng))
            weights.append(self.terminals().advance(now, unbroken, powered)[1])
        return np.stack(weights)

    def terminals(self) -> Terminals:
        """Return the terminals before their first step."""
        return Terminals(
            self.skeleton,
            limit=self._limits,
            acquisition_s=self.scenario.links.acquisition_s,
            step_s=self.step_s,
            seam=self._seam,
        )

    def outages(self, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        """Yield for each step which links no random outage holds down, (E,)."""
        outages = self.scenario.outages
        model = registry.build("outage model", OUTAGES, outages.model, {})
        return model(len(self.skeleton.edges), outages, self.step_s, rng)


class Network:
    """The topology of one run, step by step, as its satellites have power or not."""

    def __init__(self, world: World, replicate: int) -> None:
        self._world = world
        self._terminals = world.terminals()
        self._outages = world.outages(
            seeding.stream(world.scenario.simulation.seed, replicate, "outages")
        )
        self._everybody = np.ones(world.constellation.size, bool)
        self._step = 0

    def advance(self, powered: NDArray[np.bool_] | None = None) -> Snapshot:
        """Return the topology of the next step.

        Parameters
        ----------
        powered : (N,) bool, optional
            Satellites whose terminals are on; all by default.
        """
        step = self._step
        self._step += 1
        instant = self._world.ephemeris.at(step)
        state, weight_s = self._terminals.advance(
            instant, next(self._outages), self._everybody if powered is None else powered
        )
        return Snapshot(step=step, instant=instant, link_state=state, weight_s=weight_s)


def to_networkx(world: World, snapshot: Snapshot) -> nx.Graph:
    """Return a snapshot as an undirected networkx graph.

    Nodes carry ``name``, ``plane``, ``slot`` and position ``x_km, y_km, z_km`` (GCRS); edges, of
    the links that are up, carry ``delay_s``, ``range_km`` and ``kind``.
    """
    graph = nx.Graph(step=snapshot.step, t_s=snapshot.instant.t_s)
    body = world.constellation
    for i, (name, plane, slot, r) in enumerate(
        zip(body.names, body.plane, body.slot, snapshot.instant.r_km, strict=True)
    ):
        x, y, z = map(float, r)
        graph.add_node(i, name=name, plane=int(plane), slot=int(slot), x_km=x, y_km=y, z_km=z)
    skeleton = world.skeleton
    delay_s = snapshot.weight_s[skeleton.entry[:, 0]]
    for e in np.flatnonzero(snapshot.up):
        a, b = map(int, skeleton.edges[e])
        kind = grid.LinkKind(int(skeleton.kind[e])).name.lower().replace("_", "-")
        delay = float(delay_s[e])
        graph.add_edge(a, b, delay_s=delay, range_km=delay * C_KM_S, kind=kind)
    return graph


def _host_shell(scenario: Scenario) -> int:
    body = scenario.constellation
    return body.host_shell if body.kind == "shells" else 0


def _seam_shift(scenario: Scenario) -> list[float]:
    """Phasing built up once around each shell, in turns: P neighbours, each F/T of a turn.

    It is of a delta only, whose last plane is a neighbour of its first.
    """
    body = scenario.constellation
    if body.kind == "tle":
        return [0.0]
    shells = body.shells if body.kind == "shells" else (body,)
    return [
        shell.phasing / shell.satellites_per_plane if shell.raan_spread_deg == 360.0 else 0.0
        for shell in shells
    ]
