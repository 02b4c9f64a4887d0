"""The mirror: a twin that goes on with the clock of the messages, and is corrected by them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.state import TwinState
from twin.energy import solar
from twin.energy.budget import Own
from twin.energy.bus import ZERO_CELSIUS_K, BusProfile
from twin.live import loads, orbits, reports, watch
from twin.live.filter import Estimates, Estimator, FilterState, Measures, Priors, Residuals
from twin.live.forecast import Basis
from twin.live.intake import Batch
from twin.live.loads import LoadState
from twin.live.message import Counts, Message
from twin.live.orbits import LiveEphemeris, SetsState
from twin.live.reports import Neighbours
from twin.live.watch import Alarm, Watch, WatchState
from twin.scenario.schema import Scenario
from twin.vocabulary.events import ALARM
from twin.vocabulary.live import AlarmKind, Remark
from twin.world import state as states
from twin.world.sources import Live
from twin.world.spacecraft import bus_profile

type Array = NDArray[np.float64]

_HEAT_SHARE = 0.3
"""How much of a measured temperature's difference is taken over at once."""


@dataclass(kw_only=True)
class MirrorState:
    """What the mirror carries beside the twin's own state."""

    filter: FilterState
    watch: WatchState
    sets: SetsState
    loads: LoadState


class Step(NamedTuple):
    """What a step of the mirror has found."""

    step: int
    measures: Measures
    residuals: Residuals
    estimates: Estimates
    alarms: list[Alarm]


class Mirror:
    """Mirrors one constellation.

    Parameters
    ----------
    scenario : Scenario
        The design, and what runs on it.
    counts : Counts
        Where element sets that cannot be read are counted.
    priors : Priors
    twin, state : TwinState, MirrorState, optional
        Where to go on.

    Attributes
    ----------
    model : TwinModel
    alarms : list of Alarm
        Those of the last step.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        counts: Counts,
        priors: Priors,
        twin: TwinState | None = None,
        state: MirrorState | None = None,
    ) -> None:
        self._live = Live(held=np.empty(0, np.int8), free=np.empty(0, np.int8))
        self.model = model = TwinModel(scenario, state=twin, source=self._live)
        self._counts, self._n = counts, model.fleet.size
        edges = model.world.skeleton.edges
        self._neighbours = Neighbours(edges, self._n)
        self.bus: BusProfile = bus_profile(scenario)
        state = state or MirrorState(
            filter=Estimator(self.bus, self._n, soc=scenario.bus.initial_soc, priors=priors).state,
            watch=watch.at_start(self._n, len(edges)),
            sets=orbits.at_start(self._n),
            loads=loads.at_start(self._n),
        )
        self._estimator = Estimator(
            self.bus, self._n, soc=scenario.bus.initial_soc, priors=priors, state=state.filter
        )
        self._watch = Watch(
            state.watch,
            edges,
            array_w=self.bus.array_w,
            stuck_s=watch.stuck_after_s(scenario.outages.mean_outage_s),
        )
        world = model.world
        self._loads = state.loads
        self._ephemeris = LiveEphemeris(scenario, world.constellation, state.sets)
        world.ephemeris = self._ephemeris

    @property
    def state(self) -> MirrorState:
        """What is carried to the next step, by reference."""
        return MirrorState(
            filter=self._estimator.state,
            watch=self._watch.state,
            sets=self._ephemeris.sets,
            loads=self._loads,
        )

    @property
    def basis(self) -> Basis:
        """What a forecast from here rests on; nothing of it changes later."""
        mine = states.copy(self.state)
        return Basis(
            step=self.model.network.state.step,
            filter=mine.filter,
            loads=mine.loads,
            sets=mine.sets,
            powered=self.model.fleet.energy.powered.copy(),
        )

    def step(self, batch: Batch) -> Step:
        """Go one step on, with what came of it."""
        model, step_s = self.model, self.model.world.step_s
        start_s = batch.step * step_s
        alarms = self._follow_sets([*batch.late, *batch.messages], start_s)
        self._live.held = self._neighbours.held(batch.messages)
        self._live.free = reports.free_of_faults(batch.messages, self._n)
        model.fleet.energy.own = own_of(self._estimator.estimates)
        model.fleet.energy.powered = reports.powered(batch.messages, model.fleet.energy.powered)
        self._follow_placement(batch.messages)
        model.step()
        found = reports.measures(batch.messages, self._n, start_s, self.bus)
        residuals = self._estimate(found, start_s + step_s)
        self._take_over(batch.messages)
        self._loads = loads.follow(self._loads, self._estimator.state.load_w, step_s)
        rows = np.repeat(np.arange(self._n), np.diff(found.first))
        end_s = start_s + step_s
        alarms += self._watch.power(rows, residuals, self._estimator, end_s)
        alarms += self._watch.silence(rows, start_s + found.at_s, end_s)
        alarms += self._watch.links(self._live.held, end_s)
        self._tell(alarms)
        return Step(batch.step, found, residuals, self._estimator.estimates, alarms)

    def _estimate(self, found: Measures, end_s: float) -> Residuals:
        model, now = self.model, self.model.snapshot.instant
        state, energy = self._estimator.state, model.fleet.energy
        # Where no message says what is drawn, the twin's own load stands for it.
        design_w = energy.drawn_w if energy.own is None else energy.drawn_w / energy.own.load
        quiet = np.isnan(state.load_w) | (end_s - self._watch.state.heard_s > watch.SILENT_S)
        state.load_w = np.where(quiet, design_w, state.load_w)
        around = solar.surroundings(
            now.r_km, now.v_km_s, now.sun_km, model.light.sunlit, model.world.step_s
        )
        return self._estimator.step(
            found,
            sunlit=around.sunlit,
            lit_first=around.lit_first,
            array_w=solar.array_w(around, self.bus),
            trusted=self._watch.trusted,
            step_s=model.world.step_s,
        )

    def _take_over(self, messages: list[Message]) -> None:
        """Set the twin's charges and temperatures to what is believed now."""
        energy = self.model.fleet.energy
        energy.correct(np.clip(self._estimator.state.x[:, 0], 0.0, 1.0))
        measured_k = reports.temperatures_c(messages, self._n) + ZERO_CELSIUS_K
        off_k = np.where(np.isnan(measured_k), 0.0, measured_k - energy.temperature_k)
        energy.temperature_k = energy.temperature_k + _HEAT_SHARE * off_k

    def _follow_placement(self, messages: list[Message]) -> None:
        """Serve as the constellation's own controller says it does, if it says so and it can be."""
        said, controller = reports.placed(messages), self.model.controller
        if said is None or said.placement is None:
            return
        layers, experts = self.model.inference.activation.shape
        rows = len(said.placement.gateway)
        fits = rows % layers == 0
        if controller.version >= 0:
            fits = rows == len(controller.placement.gateway)
        if fits and said.placement.expert.shape[1] == experts:
            controller.state.ordered, controller.state.reported = said.placement, True
            controller.state.led |= said.commanded
        else:
            self._counts.add(Remark.IMPOSSIBLE)

    def _follow_sets(self, messages: list[Message], now_s: float) -> list[Alarm]:
        alarms = []
        for m in messages:
            if m.tle is None:
                continue
            numbers = orbits.numbers_of(m.tle)
            if numbers is None:
                self._counts.add(Remark.BAD_ELEMENTS)
                continue
            found = self._ephemeris.judge(m.row, numbers, now_s)
            if found.alarm is not None:
                alarms.append(Alarm(now_s, found.alarm, m.row, -1, found.along_km))
        return alarms

    def _tell(self, alarms: list[Alarm]) -> None:
        for kind in AlarmKind:
            some = [alarm for alarm in alarms if alarm.kind is kind]
            self.model.log.add(
                ALARM,
                cause=kind,
                t_s=np.array([a.t_s for a in some]),
                satellite=np.array([a.satellite for a in some], np.int32),
                other=np.array([a.other for a in some], np.int32),
                value=np.array([a.value for a in some]),
            )


def own_of(found: Estimates) -> Own:
    """How satellites differ from their bus, as far as a bus can differ at all."""
    return Own(
        capacity=np.clip(found.capacity, 0.2, 5.0),
        array=np.clip(found.array, 0.0, 5.0),
        load=np.clip(found.load, 0.05, 5.0),
    )
