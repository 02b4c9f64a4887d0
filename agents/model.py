"""The twin: a Mesa model of a constellation that runs a language model."""

from collections.abc import Callable
from functools import partial
from typing import Any

import mesa
import numpy as np
from mesa.time import EventGenerator, Priority, Schedule
from numpy.typing import NDArray

from agents.controller import Controller
from agents.controller_state import Observation
from agents.fleet import fleet_at_start
from agents.ground_site import GroundSegment
from agents.rules.local import Locals
from agents.rules.view import RuleState
from agents.satellite import Satellite
from agents.state import TwinState
from agents.status import FleetStatus
from placement.problem import serving_gateways
from twin import seeding
from twin.energy import bus
from twin.energy.budget import EnergyReport, FleetEnergy
from twin.energy.solar import surroundings
from twin.errors import InputError
from twin.moe.expectation import expected_latency
from twin.moe.inference import inference
from twin.moe.latency import ComputeTimes
from twin.moe.sampling import SAMPLERS
from twin.network.routing import shortest_paths
from twin.network.terminals import LinkStatistics
from twin.runs import figures
from twin.runs import statistics as metrics
from twin.runs.log import EventLog
from twin.scenario.schema import Scenario
from twin.serving.capacity import capacity_per_s
from twin.serving.hosts import Hosts, resolve
from twin.serving.tokens import Served, TokenQueue, admit, nothing_waits
from twin.space.eclipse import EDGES, StepLight
from twin.vocabulary import CAUSES, Cause, EventKind, LinkState, links_column, lost_column
from twin.world.sources import Source
from twin.world.topology import Network, Snapshot
from twin.world.world import World

REPORTED = (
    "latency_mean_s",
    "expected_latency_s",
    "tokens_served",
    "tokens_lost",
    "links_up",
    "sunlit_mean",
    "soc_min",
    "migrated_bytes",
)
"""Model-level quantities that Mesa's data collector keeps, one row a step."""


def _reported(name: str, model: "TwinModel") -> Any:
    return model.row[name]


class TwinModel(mesa.Model):
    """One run of one scenario.

    A step observes the sky, lets the ground and the controller decide, serves the step's tokens,
    moves energy and heat, and records. Orbits and outages do not depend on decisions and come
    from `World`; what agents decide lives here, and closes the loop through power: a satellite
    without it has neither links nor compute.

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
    satellite : type, optional
        A subclass of `Satellite`, whose `decide` is called for each.
    """

    snapshot: Snapshot
    light: StepLight
    delay_s: NDArray[np.float64]
    predecessor: NDArray[np.int32]
    hosts: Hosts
    compute: ComputeTimes
    served: Served

    def __init__(
        self,
        scenario: Scenario,
        recorder: "Callable[[TwinModel], None] | None" = None,
        *,
        state: TwinState | None = None,
        source: Source | None = None,
        satellite: type[Satellite] = Satellite,
    ) -> None:
        super().__init__(rng=scenario.simulation.seed)
        self.config = scenario
        self.recorder = recorder
        self.world = World(scenario)
        self.source = source or self.world.simulated(scenario.simulation.replicate)
        self.inference = inference(scenario)
        self.log = EventLog()
        n = self.world.constellation.size
        soc, temperature_c = scenario.bus.initial_soc, scenario.bus.initial_c
        energy = FleetEnergy(bus.profile(scenario.bus), n, soc=soc, temperature_c=temperature_c)
        self.fleet = fleet_at_start(self.world.constellation, scenario.compute, energy)
        self.satellites = [satellite(self, row) for row in range(n)]
        self._locals = Locals(self)
        self.controller = Controller(self, None if state is None else state.controller)
        self.ground = GroundSegment(self)
        self.network = Network(self.world, self.source, None if state is None else state.network)
        self._token_draws = self._stream("tokens")
        self.first_s = np.empty(0)
        self.link_statistics = LinkStatistics(
            self.world.skeleton, steps=scenario.simulation.steps, step_s=self.world.step_s
        )
        card, activations = self.inference.card, scenario.activations
        self.service = TokenQueue(
            SAMPLERS[activations.sampler](activations, card.top_k),
            retries=scenario.workload.retries,
            state=nothing_waits(card.layers, card.top_k),
        )
        self._sound: NDArray[np.bool_] | None = None
        self._link_state: NDArray[np.uint8] | None = None
        self._choices: NDArray[np.int32] | None = None
        self._capacity = 0.0
        self._capacity_of: tuple[int, NDArray[np.float64] | None] = (-1, None)
        self.row: dict[str, Any] = {}
        self.datacollector = mesa.DataCollector(
            model_reporters={name: partial(_reported, name) for name in REPORTED}
        )
        self._tick_in_seconds()
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
            waiting=self.service.state,
            controller=self.controller.snapshot(),
            counts=self.link_statistics.state,
            link_state=self._link_state,
            choices=self._choices,
        )

    def step(self) -> None:
        """Advance one step of the scenario."""
        self.log.begin()
        self._observe()
        self._decide()
        self._serve()
        self.controller.carry(self.snapshot, self.fleet.up, self.fleet.accepting)
        self._power()
        self._record()

    def run(self) -> None:
        """Run all steps that are left."""
        self.run_model()

    def cut(self, a: int, b: int) -> None:
        """Take the link between two satellites away, for good.

        Raises
        ------
        InputError
            If there is none.
        """
        if not self.network.cut(a, b):
            raise InputError(f"satellites {a} and {b} have no link in this constellation")
        self.log.add(EventKind.LINK_CUT, satellite=a, other=b)

    def __getstate__(self) -> dict[str, Any]:
        """A copy records nothing: its recorder stays behind, and what the page watches as well."""
        return self.__dict__ | {"recorder": None}

    def conclusion(self) -> dict[str, Any]:
        """What can be told of links and batteries only at the end."""
        wear = self.fleet.energy.wear()
        return {
            "links": self.link_statistics.summary(),
            "batteries": {
                "full_cycles_mean": float(wear.full_cycles.mean()),
                "full_cycles_max": float(wear.full_cycles.max()),
                "life_used_max": float(wear.life_used.max()),
                "cycles_by_depth": wear.histogram.sum(axis=0).tolist(),
            },
        }

    @property
    def weight(self) -> float:
        """Tokens asked of the constellation for each one followed."""
        workload = self.config.workload
        if workload.rate_per_s is None:
            return 1.0
        return workload.rate_per_s * self.world.step_s / workload.tokens_per_step

    def _stream(self, name: str) -> seeding.Stream:
        simulation = self.config.simulation
        return seeding.stream(simulation.seed, simulation.replicate, name)

    def _tick_in_seconds(self) -> None:
        """Let Mesa's clock count the seconds of the scenario, a step at a time."""
        self._default_schedule.stop()  # type: ignore[has-type]
        step_s = self.world.step_s
        self._default_schedule = EventGenerator(
            self,
            self._do_step,
            Schedule(interval=step_s, start=self.time + step_s),
            priority=Priority.HIGH,
        ).start()

    def _wrapped_step(self) -> None:
        self._advance_time(self.time + self.world.step_s)

    def _go_on_from(self, state: TwinState) -> None:
        self._sound, self.fleet.lost = state.sound, state.lost
        self.fleet.sound = np.ones(self.fleet.size, bool) if state.sound is None else state.sound
        self.fleet.energy.state, self.fleet.rule = state.energy, state.rule
        self.ground.state = state.ground
        self.service.state = state.waiting
        self.link_statistics.state = state.counts
        self.link_statistics.make_room(self.config.simulation.steps)
        for row in np.flatnonzero(state.lost):
            self.satellites[row].deregister()
        self._link_state, self._choices = state.link_state, state.choices
        if self.controller.version >= 0:
            self.fleet.host(self.controller.placement)
        self.steps = state.step
        self.time = state.step * self.world.step_s
        self._tick_in_seconds()

    def _observe(self) -> None:
        step, fleet = self.network.state.step, self.fleet
        before = fleet.sound
        self._sound = fleet.sound = self.source.sound(step, self._sound, fleet.size)
        if fleet.sound is not before:
            for row in np.flatnonzero((before != fleet.sound) & ~fleet.lost):
                self.satellites[row].fault_changed()
        self.snapshot = self.network.advance(fleet.linked)
        self.link_statistics.add(self.snapshot.link_state)
        self.inference = self.inference.at(self.snapshot.instant.t_s)
        paired = self.world.skeleton.edges[self.snapshot.up]
        fleet.degree = np.bincount(paired.ravel(), minlength=fleet.size)
        self.light = self.world.ephemeris.light(self.snapshot.step)
        fleet.sunlit = self.light.sunlit
        if self._link_state is not None:
            self._log_links(self._link_state)
        self._link_state = self.snapshot.link_state
        edges = self.light.edges
        for kind, name in enumerate(EDGES):
            rows = edges.kind == kind
            self.log.add(name, t_s=edges.t_s[rows], satellite=edges.satellite[rows])

    def _log_links(self, before: NDArray[np.uint8]) -> None:
        changed = np.flatnonzero(before != self.snapshot.link_state)
        edges, state = self.world.skeleton.edges[changed], self.snapshot.link_state[changed]
        for code in np.unique(state):
            cause = LinkState(code)
            if cause is LinkState.UNPAIRED:  # neither end wants it
                continue
            rows = state == code
            kind = EventKind.ISL_UP if cause is LinkState.UP else EventKind.ISL_DOWN
            name = "" if cause is LinkState.UP else cause.word
            self.log.add(kind, cause=name, satellite=edges[rows, 0], other=edges[rows, 1])

    def _route(self) -> None:
        placement, skeleton = self.controller.placement, self.world.skeleton
        gateway = serving_gateways(placement, self.fleet.up)
        self.delay_s, self.predecessor = shortest_paths(
            skeleton.indptr, skeleton.indices, self.snapshot.weight_s, gateway
        )
        self.hosts = resolve(
            placement,
            gateway,
            self.delay_s,
            self.inference.transfer_s,
            up=self.fleet.up,
            absent=self.controller.transfers.absent,
        )

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
        if controller.decide(self._observation(self._way_s())):
            self._host(version)
            self._route()

    def _host(self, version: int) -> None:
        if self.controller.version != version:
            self.fleet.host(self.controller.placement)

    def _way_s(self) -> float:
        """Activation-weighted path latency of a token, ``inf`` if a part cannot be reached."""
        nearest_s = self.hosts.of_nearest(self.hosts.path_s)
        activation, top_k = self.inference.activation, self.inference.card.top_k
        return float((nearest_s * activation).sum() / top_k)

    def _observation(self, latency_s: float) -> Observation:
        fleet = self.fleet
        status = FleetStatus(
            # A satellite that hosts nothing may refuse to begin; one that hosts goes on.
            taking=fleet.accepting | (fleet.up & fleet.hosting),
            up=fleet.up,
            lit=fleet.sunlit > 0.0,
            low=fleet.rule.low,
            sound=fleet.sound & ~fleet.lost,
            soc=fleet.energy.soc,
            latency_s=latency_s,
            version=self.controller.version,
            handovers=self.ground.handovers,
            choices=self._choices,
        )
        return Observation(
            step=self.snapshot.step,
            inference=self.inference,
            status=status,
            hosting=fleet.hosting,
        )

    def _serve(self) -> None:
        model, hosts, fleet, step = self.inference, self.hosts, self.fleet, self.snapshot.step
        speed = fleet.speed
        self.compute = model.compute
        if speed.min() < 1.0 or speed.max() > 1.0:
            self.compute = model.compute.at_speed(speed[hosts.satellite], speed[hosts.gateway])
        origin = self.ground.origins(step, self.config.workload.tokens_per_step)
        rng = self._token_draws.at(step)
        tokens = self.service.present(step, origin, model.probability, rng)
        layers = np.arange(len(hosts.gateway))[:, None]
        demand = self._busy_share(hosts.nearest[layers, tokens.choices])
        gateway_cause = np.where(fleet.up[hosts.gateway], Cause.NONE, Cause.DEAD)
        gateway_cause[self.controller.transfers.gateway_absent] = Cause.MOVING
        budget_s = speed * self.world.step_s / self.weight
        columns, cause = admit(
            tokens.choices, hosts, gateway_cause.astype(np.uint8), fleet.up, model.compute, budget_s
        )
        entry_s = self.ground.entry_s(tokens.origin, self.delay_s[0])
        cut_off = np.isinf(entry_s) | self.ground.interrupted(step, tokens)
        cause[cut_off] = Cause.UNSERVED
        self.served = self.service.serve(hosts, self.compute, columns, cause, self.world.step_s)
        if self.config.controller.activation_memory_s is not None:
            self._choices = tokens.choices
        fleet.utilisation = self._busy_share(columns[self.served.served])
        self._tell_tokens(demand, entry_s)

    def _busy_share(self, columns: NDArray[np.int32]) -> NDArray[np.float64]:
        """Share of a step that tokens keep each satellite busy at its full speed, (N,)."""
        hosts, compute, n = self.hosts, self.inference.compute, self.fleet.size
        layers, width = hosts.satellite.shape
        flat = columns + width * np.arange(layers)[:, None]
        count = np.bincount(flat.ravel(), minlength=layers * width)
        busy_s = np.bincount(hosts.satellite.ravel(), weights=count * compute.expert_s, minlength=n)
        gateway_s = len(columns) * compute.gateway_s
        busy_s += np.bincount(hosts.gateway, weights=gateway_s, minlength=n)
        return np.asarray(busy_s * (self.weight / self.world.step_s) / self.fleet.pace)

    def _tell_tokens(self, demand: NDArray[np.float64], entry_s: NDArray[np.float64]) -> None:
        served = self.served
        self.row = metrics.token_metrics(
            served.latency.total_s, served.latency.propagation_s, served.latency.compute_s
        )
        self.row["tokens_asked"] = served.asked
        self.row["tokens_retried"] = self.row["tokens_waiting"] = served.retried
        self.row["tokens_lost"] = int(served.lost.sum())
        for cause in CAUSES:
            self.row[lost_column(cause)] = int(served.lost[cause])
            missed = int((served.cause == cause).sum()) - int(served.lost[cause])
            for kind, count in (
                (EventKind.TOKEN_LOST, served.lost[cause]),
                (EventKind.TOKEN_RETRIED, missed),
            ):
                if count:
                    self.log.add(kind, cause=cause.word, value=count)
        self._expect()
        # A first token waits until it can be served, goes up, round once, and down again.
        first_s = (served.waited_s + 2 * entry_s)[served.served] + served.latency.total_s
        self.first_s = first_s if self.ground.sites.size else np.empty(0)
        ground = len(self.first_s) > 0
        p50, p99 = metrics.percentiles(first_s, (50, 99)) if ground else (np.nan, np.nan)
        self.row |= {"ttft_p50_s": p50, "ttft_p99_s": p99}
        self.row |= self.ground.figures()
        # Work that power, heat or load did not allow: asked of a satellite beyond its speed.
        fleet = self.fleet
        short = np.maximum(demand * fleet.pace - fleet.speed, 0.0).sum()
        flop = self.config.compute.gflops * 1e9 * self.world.step_s
        self.row["compute_deficit_flop"] = float(short * flop)
        self.row["compute_done_flop"] = float((fleet.utilisation * fleet.pace).sum() * flop)

    def _expect(self) -> None:
        """Latency of a token in expectation over its choice of experts."""
        model, hosts = self.inference, self.hosts
        self.row |= {"expected_latency_s": np.nan, "expected_served": np.nan}
        top_k = model.card.top_k
        if top_k <= 2:  # beyond, it costs more than all else in the step
            nearest_s = hosts.of_nearest(hosts.path_s)
            satellite = np.take_along_axis(hosts.satellite, hosts.nearest, axis=1)
            compute = self.compute
            if compute is not model.compute:
                speed = self.fleet.speed
                compute = model.compute.at_speed(speed[satellite], speed[hosts.gateway])
            exact = expected_latency(nearest_s, satellite, model.probability, top_k, compute)
            self.row["expected_latency_s"] = float(exact.mean_s)
            self.row["expected_served"] = float(exact.served_probability)

    def _power(self) -> None:
        fleet, now = self.fleet, self.snapshot.instant
        around = surroundings(now.r_km, now.v_km_s, now.sun_km, fleet.sunlit, self.world.step_s)
        report = fleet.energy.step(
            around,
            terminals_on=fleet.degree,
            busy_share=fleet.utilisation,
            speed=fleet.rule.speed,
            step_s=self.world.step_s,
        )
        before = fleet.rule
        decision = self._locals.decide()
        self._tell_satellites(report, before, fleet.rule)
        for asked in decision.take_over:
            _, _, satellite, neighbour = asked
            # Its message is a step old: the neighbour itself knows whether it still has room.
            if self._locals.has_room(neighbour) and self.controller.transfers.ask(*asked):
                self.log.add(EventKind.TAKE_OVER, satellite=satellite, other=neighbour)
        deficit_j, profile = report.flow.deficit_j.sum(), fleet.energy.bus
        peak_w = profile.compute_peak_w - profile.compute_idle_w
        self.row |= {
            "drawn_j": float(report.flow.load_j.sum() - deficit_j),
            "compute_j": float(peak_w * self.world.step_s * fleet.utilisation.sum()),
            "deficit_j": float(deficit_j),
            "tokens_represented": self.row["tokens_served"] * self.weight,
        }

    def _tell_satellites(self, report: EnergyReport, before: RuleState, now: RuleState) -> None:
        crossings = {
            EventKind.BROWN_OUT: report.browned_out,
            EventKind.POWER_RECOVERED: report.recovered,
            EventKind.SOC_LOW: ~before.low & now.low,
            EventKind.SOC_RECOVERED: before.low & ~now.low,
            EventKind.THROTTLED: ~before.throttled & now.throttled,
            EventKind.COOLED: before.throttled & ~now.throttled,
            EventKind.TERMINALS_OFF: before.terminals_on & ~now.terminals_on,
            EventKind.TERMINALS_ON: ~before.terminals_on & now.terminals_on,
        }
        end_s = self.snapshot.instant.t_s + self.world.step_s
        for kind, mask in crossings.items():
            for row in np.flatnonzero(mask):
                # Only the loss of power has an instant within the step.
                back_s = report.flow.off_s[row] if kind is EventKind.BROWN_OUT else 0.0
                self.satellites[row].power_changed(kind, end_s - back_s)

    def _capacity_per_s(self) -> float:
        """Tokens a second that the placement keeps up with; kept until a part of it changes."""
        version, activation = self._capacity_of
        if version != self.controller.version or activation is not self.inference.activation:
            placement, pace = self.controller.placement, self.fleet.pace
            self._capacity = capacity_per_s(placement, self.inference, pace)
            self._capacity_of = self.controller.version, self.inference.activation
        return self._capacity

    def _record(self) -> None:
        fleet, energy = self.fleet, self.fleet.energy
        state = np.bincount(self.snapshot.link_state, minlength=len(LinkState))
        self.row |= {
            links_column(s): int(state[s]) for s in LinkState if s is not LinkState.UNPAIRED
        }
        self.row |= {
            "step": self.snapshot.step,
            "t_s": self.snapshot.instant.t_s,
            "sunlit_mean": float(fleet.sunlit.mean()),
            "soc_mean": float(energy.soc.mean()),
            "soc_min": float(energy.soc.min()),
            "temperature_max_c": float(energy.temperature_k.max()) - bus.ZERO_CELSIUS_K,
            "unpowered": int((~energy.powered).sum()),
            "low": int(fleet.rule.low.sum()),
            "throttled": int(fleet.rule.throttled.sum()),
            "utilisation_max": float(fleet.utilisation.max()),
            "placement": self.controller.version,
            "migrated_bytes": self.controller.transfers.carried_bytes,
            "migrated_byte_hops": self.controller.transfers.hop_bytes,
            "under_way": len(self.controller.transfers.under_way),
            "faulty": int((~fleet.sound).sum()),
            "throughput_per_s": self._capacity_per_s(),
        }
        self.log.end()
        self.row |= figures.ratios(self.row)
        self.datacollector.collect(self)
        if self.recorder is not None:
            self.recorder(self)
        self.running = self.snapshot.step + 1 < self.config.simulation.steps
