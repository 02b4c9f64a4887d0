"""Fly a constellation with hidden differences, ten minutes at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.live.plant import hidden as hidden_truth
from twin.live.plant import power
from twin.live.plant.hidden import Anomalies, Hidden, Spread
from twin.live.plant.orbits import Orbits
from twin.live.plant.power import Design
from twin.scenario.schema import Scenario
from twin.space.sun import sun_gcrs_km
from twin.world.spacecraft import bus_profile
from twin.world.world import World

if TYPE_CHECKING:
    from twin.live.plant.service import Service

type Array = NDArray[np.float64]

MINUTES = 10
CHUNK_S = 60.0 * MINUTES
_NODE_S = 10.0
_WANDER_MIN = 30.0
"""Time over which the compute load of a satellite wanders."""
_WANDER = 0.15
_SURGE_S = 7200.0
_SURGE = 0.20
"""A load surge, over the design's idle load; no message says so."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Ten minutes of flight, M = 10, N satellites; what is true of a minute is known once it flew.

    Attributes
    ----------
    start_s : float
    sky : positions, velocities (K, N, 3) and the Sun (K, 3)
        Every ten seconds.
    strings, extra : (M, N) float64
        Share of the array that works, and what is drawn beside the work, as work.
    second : (M, N) int64
        Of each minute, when its message is measured.
    work, links : (M, N) float64
        Share of the time that the computer works, and terminals that hold a link.
    down : list of (E,) bool
        Links that are down by themselves, minute by minute.
    found : (9, M, N) float64
        As of `twin.live.plant.power.fly`.
    """

    start_s: float
    sky: tuple[Array, Array, Array]
    strings: Array
    extra: Array
    second: NDArray[np.int64]
    work: Array
    links: Array
    down: list[NDArray[np.bool_]]
    found: Array

    @property
    def measured_s(self) -> Array:
        """When each message is measured, (M, N), s since the epoch."""
        minute_s = 60.0 * np.arange(MINUTES, dtype=np.float64)[:, None]
        found: Array = self.start_s + minute_s + self.second + 1.0
        return found

    @property
    def soc(self) -> Array:
        """Charge when it is measured, (M, N)."""
        found: Array = self.found[0]
        return found

    @property
    def power_w(self) -> Array:
        """Power into the battery then, (M, N)."""
        found: Array = self.found[1]
        return found

    @property
    def temperature_k(self) -> Array:
        """Temperature of the body then, (M, N)."""
        found: Array = self.found[2]
        return found

    @property
    def sunlit(self) -> Array:
        """Share of the Sun's disc then, (M, N)."""
        found: Array = self.found[3]
        return found

    @property
    def powered(self) -> NDArray[np.bool_]:
        """Whether the bus is up then, (M, N)."""
        found: NDArray[np.bool_] = self.found[6] > 0.0
        return found


class Flight:
    """The plant itself: what is true, and what happens.

    Parameters
    ----------
    scenario : Scenario
        The design: constellation, bus, computer, how available links are.
    spread : Spread
    anomalies : Anomalies
    seed : int

    Attributes
    ----------
    service : Service or None
        What serves on its satellites; None: their computers work at random.
    """

    def __init__(
        self, scenario: Scenario, *, spread: Spread, anomalies: Anomalies, seed: int
    ) -> None:
        world = World(scenario)
        self.scenario, self.spread = scenario, spread
        self.length_s = world.step_s * scenario.simulation.steps
        self.body, self.edges = world.constellation, world.skeleton.edges
        n = self.body.size
        self.hidden: Hidden = hidden_truth.draw(
            n, len(self.edges), self.length_s, spread, anomalies, seed=seed
        )
        self.orbits = Orbits(self.body, self.hidden.bstar)
        self.design = design_of(scenario)
        self.power = power.at_start(
            self.design,
            self.hidden,
            soc=scenario.bus.initial_soc,
            temperature_k=scenario.bus.initial_c + 273.15,
        )
        self.service: Service | None = None
        self._phase_s = np.random.default_rng(seed).uniform(0, 50, n)
        self._degree = np.bincount(self.edges.ravel(), minlength=n).astype(float)
        self._draws = seeding.stream(seed, 0, "plant: flight")
        self._wander = np.zeros(n)
        self._down = np.zeros(len(self.edges), bool)
        self._number = 0

    @property
    def flown_s(self) -> float:
        """How long the whole flight is: the scenario's length in whole chunks."""
        return CHUNK_S * max(round(self.length_s / CHUNK_S), 1)

    @property
    def now_s(self) -> float:
        """How far it has flown."""
        return self._number * CHUNK_S

    def fly(self) -> Chunk:
        """Fly the next ten minutes."""
        chunk = self.begin()
        for m in range(MINUTES):
            self.advance(chunk, m)
        return chunk

    def begin(self) -> Chunk:
        """Draw what the next ten minutes bring; nothing of it depends on what is served."""
        start_s, n = self.now_s, self.body.size
        rng = self._draws.at(self._number)
        self._number += 1
        pushed = (start_s <= self.hidden.manoeuvre_s) & (self.hidden.manoeuvre_s < self.now_s)
        self.orbits.manoeuvre(np.flatnonzero(pushed).tolist(), start_s)
        t_s = start_s + _NODE_S * np.arange(int(CHUNK_S / _NODE_S) + 1, dtype=np.float64)
        minute_s = start_s + 60.0 * np.arange(MINUTES)[:, None]
        work = self._work(rng)
        down = [self._links(s, rng) for s in minute_s[:, 0]]
        surge = (minute_s >= self.hidden.surge_s) & (minute_s < self.hidden.surge_s + _SURGE_S)
        idle_w = self.design.base_w + self.design.terminal_w * self._degree
        second = (self._phase_s + rng.uniform(0, self.spread.jitter_s, (MINUTES, n))).astype(int)
        return Chunk(
            start_s=start_s,
            sky=(*self.orbits.states(t_s), sun_gcrs_km(self.body.epoch_utc, t_s)),
            strings=1.0 - (minute_s >= self.hidden.string_s) / self.spread.strings,
            extra=surge * (_SURGE * idle_w / max(self.design.work_w, 1e-9)),
            second=second % 60,
            work=work,
            links=np.stack([self._degree - self._counted(each) for each in down]),
            down=down,
            found=power.room((MINUTES, n)),
        )

    def advance(self, chunk: Chunk, m: int) -> None:
        """Go one minute of a chunk on; where the flight serves, that decides work and links."""
        if self.service is None:
            self.fly_minute(chunk, m)
        else:
            self.service.serve(chunk, m)

    def fly_minute(self, chunk: Chunk, m: int) -> None:
        """Fly one minute with the work and the links that a chunk has for it."""
        given = chunk.strings, chunk.work + chunk.extra, chunk.links
        power.fly(
            self.power, self.design, self.hidden, chunk.sky, given, chunk.second, _NODE_S,
            minute=m, into=chunk.found,
        )  # fmt: skip

    def _work(self, rng: np.random.Generator) -> Array:
        keep = np.exp(-1 / _WANDER_MIN)
        out = np.empty((MINUTES, self.body.size))
        for m in range(MINUTES):
            kick = rng.standard_normal(self.body.size)
            self._wander = keep * self._wander + _WANDER * np.sqrt(1 - keep**2) * kick
            out[m] = np.clip(self.hidden.work + self._wander, 0.0, 1.0)
        return out

    def _links(self, t_s: float, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Links that are down in a minute: by chance, or since a terminal sticks."""
        outages = self.scenario.outages
        good, mean_s = outages.availability, getattr(outages, "mean_outage_s", 60.0)
        forget = 1 - np.exp(-60.0 / (mean_s * max(good, 1e-9)))
        fails = np.where(self._down, 1 - good * forget, (1 - good) * forget)
        self._down = rng.random(len(fails)) < fails
        return self._down | (t_s >= self.hidden.stuck_s)

    def _counted(self, down: NDArray[np.bool_]) -> Array:
        return np.bincount(self.edges[down].ravel(), minlength=self.body.size).astype(float)


def design_of(scenario: Scenario) -> Design:
    """Design figures of a scenario's bus."""
    bus = bus_profile(scenario)
    return Design(
        array_w=bus.array_w,
        battery_j=bus.battery_j,
        base_w=bus.platform_w + bus.compute_idle_w,
        terminal_w=bus.terminal_w,
        work_w=bus.compute_peak_w - bus.compute_idle_w,
        eta_charge=bus.eta_charge,
        eta_discharge=bus.eta_discharge,
        brownout_soc=bus.brownout_soc,
        recovery_soc=bus.recovery_soc,
        heat_capacity_j_k=bus.heat_capacity_j_k,
        radiator_m2=bus.radiator_m2,
        sun_m2=bus.sun_m2,
        emissivity=bus.emissivity,
        absorptivity=bus.absorptivity,
    )
