"""The twin: a Mesa model of a constellation that runs a language model."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import happenings, step_row
from agents.clock import SteppedModel
from agents.controller import Controller
from agents.controller_state import Observation
from agents.dispatcher import Dispatcher
from agents.fleet import fleet_at_start
from agents.ground_site import GroundSegment
from agents.instance import Instance
from agents.machines import Machines, routed, satellites
from agents.market import Market
from agents.requests import request_report, request_service, sending_w, serve_requests
from agents.rules.local import Locals
from agents.satellite import Satellite
from agents.state import TwinState
from agents.status import RequestReport, fleet_status
from agents.tokens import TokenService
from twin.energy.budget import EnergyReport
from twin.energy.solar import surroundings
from twin.errors import InputError
from twin.moe.inference import Inference, inference
from twin.moe.latency import ComputeTimes
from twin.network.terminals import LinkStatistics
from twin.runs import figures
from twin.runs.log import EventLog
from twin.scenario.schema import Scenario
from twin.serving.request_step import RequestStep
from twin.serving.service import RequestService
from twin.serving.tokens import Served
from twin.space.eclipse import StepLight
from twin.vocabulary import EventKind
from twin.world.sources import Source
from twin.world.topology import Network, Snapshot
from twin.world.world import World


class TwinModel(SteppedModel):
    """One run of one scenario.

    A step observes the sky, lets the ground and the controller decide, serves the step's tokens,
    moves energy and heat, and records. What does not depend on decisions comes from `World`.

    Parameters
    ----------
    scenario : Scenario
        What to run. (Mesa's own ``scenario`` is something else; ours is `config`.)
    recorder : Recorder, optional
        Called with the model after every step. A copy of the model has none.
    state : TwinState, optional
        Where to go on, and is from then on this model's; before the first step by default.
    source : Source, optional
        Where outages and faults come from; simulated by default.
    llm : Inference, optional
        The language model; as the scenario's replicate has it by default.
    satellite : type, optional
        A subclass of `Satellite`, whose `decide` is called for each.
    """

    snapshot: Snapshot
    light: StepLight
    compute: ComputeTimes
    served: Served
    requested: RequestStep
    machines: Machines

    def __init__(
        self,
        scenario: Scenario,
        recorder: "Callable[[TwinModel], None] | None" = None,
        *,
        state: TwinState | None = None,
        source: Source | None = None,
        llm: Inference | None = None,
        satellite: type[Satellite] = Satellite,
    ) -> None:
        self.config = scenario
        self.recorder = recorder
        self.world = World(scenario)
        super().__init__(seed=scenario.simulation.seed, step_s=self.world.step_s)
        self.source = source or self.world.simulated(scenario.simulation.replicate)
        self.inference = llm or inference(scenario)
        self.log = EventLog()
        n = self.world.constellation.size
        self.fleet = fleet_at_start(self.world.constellation, scenario)
        self.satellites = [satellite(self, row) for row in range(n)]
        self._locals = Locals(self)
        self.controller = Controller(self, None if state is None else state.controller)
        self.market = Market(self, None if state is None else state.market)
        self.ground = GroundSegment(self)
        self.requests = request_service(self, state)
        self.dispatcher = Dispatcher(self, None if state is None else state.dispatch)
        self.instances = [Instance(self, row) for row in range(self.dispatcher.instances)]
        self._report: RequestReport | None = None
        self.network = Network(self.world, self.source, None if state is None else state.network)
        self.tokens = TokenService(self)
        self.first_s = np.empty(0)
        self.link_statistics = LinkStatistics(
            self.world.skeleton, steps=scenario.simulation.longest_steps, step_s=self.world.step_s
        )
        self._sound: NDArray[np.bool_] | None = None
        self._link_state: NDArray[np.uint8] | None = None
        self.row: dict[str, Any] = {}
        self.datacollector = step_row.data_collector()
        if state is not None:
            self._go_on_from(state)

    @property
    def state(self) -> TwinState:
        """What is carried to the next step, by reference; `twin.world.state.write` saves it."""
        return TwinState(
            step=self.network.state.step,
            network=self.network.state,
            sound=self._sound,
            lost=self.fleet.lost,
            energy=self.fleet.energy.state,
            rule=self.fleet.rule,
            ground=self.ground.state,
            waiting=self.tokens.state,
            controller=self.controller.snapshot(),
            counts=self.link_statistics.state,
            link_state=self._link_state,
            choices=self.tokens.choices,
            requests=None if self.requests is None else self.requests.state,
            report=self._report,
            dispatch=self.dispatcher.state,
            market=self.market.state,
        )

    def step(self) -> None:
        """Advance one step of the scenario."""
        self.log.begin()
        self._observe()
        self._decide()
        self._serve()
        taken = None if self.requests is None else self.requested.link_share
        self.controller.carry(self.snapshot, self.fleet, taken)
        self._power()
        self._record()

    def run(self) -> None:
        """Run all steps that are left."""
        self.run_model()

    def rate_per_s(self) -> float:
        """Tokens a second that the placement in force keeps up with."""
        return float(self.controller.rates_per_s(self.inference).sum())

    def cut(self, a: int, b: int) -> None:
        """Take the link between two satellites away, for good; InputError if there is none."""
        if not self.network.cut(a, b):
            raise InputError(f"satellites {a} and {b} have no link in this constellation")
        self.log.add(EventKind.LINK_CUT, satellite=a, other=b)

    def __getstate__(self) -> dict[str, Any]:
        """A copy records nothing: its recorder stays behind, and what the page watches as well."""
        return self.__dict__ | {"recorder": None}

    def _go_on_from(self, state: TwinState) -> None:
        self._sound, self.fleet.lost = state.sound, state.lost
        self.fleet.sound = np.ones(self.fleet.size, bool) if state.sound is None else state.sound
        self.fleet.energy.state, self.fleet.rule = state.energy, state.rule
        self.ground.state = state.ground
        self.tokens.state, self.tokens.choices = state.waiting, state.choices
        self.link_statistics.state = state.counts
        self.link_statistics.make_room(self.config.simulation.longest_steps)
        for row in np.flatnonzero(state.lost):
            self.satellites[row].deregister()
        self._link_state = state.link_state
        self._report = None if self.requests is None else state.report
        if self.controller.version >= 0:
            self.fleet.host(self.controller.placement, self.inference.card.layers)
        self.go_to(state.step)

    def _observe(self) -> None:
        step, fleet = self.network.state.step, self.fleet
        happenings.lose_decayed(self.satellites, self.world.ephemeris.gone(step))
        before = fleet.sound
        self._sound = fleet.sound = self.source.sound(step, self._sound, fleet.size)
        happenings.tell_faults(self.satellites, (before != fleet.sound) & ~fleet.lost)
        self.snapshot = self.network.advance(fleet.linked)
        self.link_statistics.add(self.snapshot.link_state)
        self.inference = self.inference.at(self.snapshot.instant.t_s)
        paired = self.world.skeleton.edges[self.snapshot.up]
        fleet.degree = np.bincount(paired.ravel(), minlength=fleet.size)
        self.light = self.world.ephemeris.light(self.snapshot.step)
        fleet.sunlit = self.light.sunlit
        links, self._link_state = self._link_state, self.snapshot.link_state
        happenings.log_links(self.log, self.world.skeleton, links, self.snapshot.link_state)
        happenings.log_shadow(self.log, self.light.edges)

    def _route(self) -> None:
        self.all_delay_s, self.all_predecessor, self.all_hosts = routed(self)
        layers = self.inference.card.layers
        # Single tokens are followed on the first instance.
        self.delay_s, self.predecessor = self.all_delay_s[:layers], self.all_predecessor[:layers]
        self.hosts = self.all_hosts.of_instance(0, layers)

    def _decide(self) -> None:
        fleet, controller = self.fleet, self.controller
        on = fleet.energy.powered & ~fleet.lost & fleet.rule.terminals_on
        self.ground.step(self.snapshot.instant.t_s, on)
        version = controller.version
        if version < 0:
            controller.begin(self._observation(np.nan))
        else:
            controller.settle()
        self._host(version)
        self._route()
        if version < 0:
            return
        version = controller.version
        way_s = self.all_hosts.way_s(self.inference.activation, self.inference.card.top_k)
        if controller.decide(self._observation(way_s)):
            self._host(version)
            self._route()
        self.market.step(controller.bids)

    def _observation(self, latency_s: float) -> Observation:
        return Observation(
            step=self.snapshot.step,
            inference=self.inference,
            status=fleet_status(
                self.fleet,
                latency_s=latency_s,
                version=self.controller.version,
                handovers=self.ground.handovers,
                choices=self.tokens.choices,
                requests=self._report,
            ),
            hosting=self.fleet.hosting,
        )

    def _host(self, version: int) -> None:
        if self.controller.version != version:
            self.fleet.host(self.controller.placement, self.inference.card.layers)

    def _serve(self) -> None:
        hosts, fleet, speed = self.hosts, self.fleet, self.fleet.speed
        slowed = speed if speed.min() < 1.0 or speed.max() > 1.0 else None
        self.compute = self.inference.compute
        if slowed is not None:
            self.compute = self.compute.at_speed(speed[hosts.satellite], speed[hosts.gateway])
        done = self.tokens.step(self)
        self.served, self.first_s = done.served, done.first_s
        demand, fleet.utilisation = done.demand, done.utilisation
        if self.requests is not None:  # their work waits where it finds no time, and never lacks it
            self.serve_requests(self.requests, satellites(self))
            demand = fleet.utilisation = self.requested.busy_s / self.world.step_s / fleet.pace
        happenings.log_tokens(self.log, self.served)
        self.row = step_row.token_row(self.served, self.first_s)
        choose_from = self.config.serving.choose_from
        self.row |= step_row.expected_row(self.inference, hosts, slowed, choose_from=choose_from)
        full = self.inference.flops_per_s * self.world.step_s
        self.row |= self.ground.figures() | step_row.compute_row(fleet, demand, full)

    def serve_requests(self, service: RequestService, machines: Machines) -> None:
        """Serve the step's requests on some machines."""
        self.machines, self.requested = machines, serve_requests(self, service, machines)
        self._report = request_report(self.requested)
        happenings.log_instances(self.log, self.dispatcher.state.open, self.requested)
        self.dispatcher.state.open = self.requested.open

    def draw(self) -> EnergyReport:
        """Let the step's work draw power; a model with physics of its own replaces this."""
        fleet, now, step_s = self.fleet, self.snapshot.instant, self.world.step_s
        return fleet.energy.step(
            surroundings(now.r_km, now.v_km_s, now.sun_km, fleet.sunlit, step_s),
            terminals_on=fleet.degree,
            busy_share=fleet.utilisation,
            speed=fleet.rule.speed,
            sending_w=sending_w(self),
            step_s=step_s,
        )

    def _power(self) -> None:
        fleet, step_s = self.fleet, self.world.step_s
        report, end_s = self.draw(), self.snapshot.instant.t_s + step_s
        before, decision = fleet.rule, self._locals.decide()
        happenings.tell_satellites(self.satellites, report, before, fleet.rule, end_s)
        self._locals.take_over(decision)
        self.row |= step_row.energy_row(fleet, report, step_s)
        followed = self.row["tokens_served"] * self.tokens.weight
        self.row["tokens_represented"] = self.requested.tokens_made if self.requests else followed

    def _record(self) -> None:
        self.row |= step_row.state_row(self.snapshot, self.fleet, self.controller)
        self.row["throughput_per_s"] = self.rate_per_s()
        self.row |= figures.ratios(self.row)
        self.log.end()
        self.datacollector.collect(self)
        if self.recorder is not None:
            self.recorder(self)
        self.running = self.snapshot.step + 1 < self.config.simulation.steps
