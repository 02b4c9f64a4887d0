"""The world: what no decision changes of a scenario."""

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from twin.constants import MU_EARTH_KM3_S2, R_EARTH_KM
from twin.errors import InputError
from twin.network import grid, links, phasing
from twin.network.outages import OUTAGES
from twin.network.seam import Seam
from twin.network.terminals import Terminals, TerminalState
from twin.scenario import limits
from twin.scenario.schema import Scenario
from twin.scenario.world import check_bridges
from twin.space import constellation as constellations
from twin.space.constellation import Constellation
from twin.space.ephemeris import Ephemeris, Instant
from twin.space.frames import DAY_S
from twin.space.sun import sun_gcrs_km
from twin.world.sources import Simulated
from twin.world.topology import Network, Snapshot


class World:
    """What no decision changes: orbits, Sun, geometry and random outages of one scenario.

    Building it lays out the constellation and the link skeleton once; a `Network` then gives
    the topology step by step.

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
        highest_km = float(self.constellation.a_km.max()) - R_EARTH_KM
        limits.check(scenario, self.constellation.size, highest_km)
        self.may_host = self.constellation.shell == _host_shell(scenario, self.constellation)
        self.may_serve = self.may_host | (scenario.links.cross_shell_every > 0)
        _check_bridges(scenario, self.constellation)
        self.ephemeris = Ephemeris(scenario, self.constellation)
        self._limits = links.limits(scenario.links)
        self.skeleton = grid.plus_grid(
            self.constellation,
            seam=scenario.links.seam,
            minimum_radius_km=self._limits.minimum_radius_km,
            alignments=phasing.alignments(
                scenario.constellation,
                self.constellation,
                linked_span_s(self.step_s, scenario.simulation.longest_steps),
            ),
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

    def simulated(self, replicate: int) -> Simulated:
        """Return the source that draws one replicate's outages and faults."""
        return Simulated(self.scenario, step_s=self.step_s, replicate=replicate)

    def network(self, replicate: int) -> Network:
        """Return the network before its first step, under one replicate's outages."""
        return Network(self, self.simulated(replicate))

    def snapshots(self, replicate: int) -> Iterator[Snapshot]:
        """Yield the topology of every step under one replicate's outages, all with power."""
        network = self.network(replicate)
        for _ in range(self.scenario.simulation.steps):
            yield network.advance()

    def planning_weights(
        self, steps: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Snapshot weights a planner may expect at given steps, (len(steps), 2E).

        Geometry, and the pairs across the seam or between shells, are what the ephemeris predicts
        for satellites that all have power; links that geometry just gave back count as acquired.
        Outages are drawn from `rng` with the scenario's statistics, independently for each step,
        and have nothing to do with those of a run.
        """
        t_s = self.ephemeris.t_s[steps]
        sun_km = sun_gcrs_km(self.constellation.epoch_utc, t_s)
        powered = np.ones(self.constellation.size, bool)
        outages = self.scenario.outages
        hold = OUTAGES.build(outages.model, outages.params)
        weights = []
        for t, r, v, sun in zip(t_s, *self.ephemeris.states(steps), sun_km, strict=True):
            now = Instant(t_s=float(t), r_km=r, v_km_s=v, sun_km=sun)
            unbroken = hold(None, len(self.skeleton.edges), outages, self.step_s, rng=rng)
            weights.append(self.terminals().advance(None, now, unbroken, powered)[1])
        return np.stack(weights)

    def terminals(self, state: TerminalState | None = None) -> Terminals:
        """Return the terminals where `state` says, or before their first step."""
        return Terminals(
            self.skeleton,
            limit=self._limits,
            acquisition_s=self.scenario.links.acquisition_s,
            step_s=self.step_s,
            seam=self._seam,
            state=state,
        )


def linked_span_s(step_s: float, steps: int) -> float:
    """How long the links of a run are known for, s: whole days, so that forks may be longer."""
    return ceil(step_s * steps / DAY_S) * DAY_S


def _host_shell(scenario: Scenario, body: Constellation) -> int:
    table = scenario.constellation
    if table.kind == "walker":
        return 0
    if table.host_shell is None:
        return int(np.bincount(body.shell).argmax())
    if table.host_shell >= body.n_shells:
        raise InputError(
            f"constellation.host_shell: must be below the number of shells ({body.n_shells}), "
            f"not {table.host_shell}"
        )
    return table.host_shell


def _check_bridges(scenario: Scenario, body: Constellation) -> None:
    """The schema checks shells given by fields; those of a file show only here."""
    if scenario.links.cross_shell_every:
        try:
            check_bridges(np.bincount(body.shell).tolist(), scenario.links.cross_shell_every)
        except ValueError as error:
            raise InputError(str(error)) from None
