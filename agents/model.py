"""The twin: a Mesa model of a constellation that runs a language model."""

from collections.abc import Callable
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.controller import Controller
from agents.fleet import fleet_at_start
from agents.inference import inference, path_s
from agents.log import EventLog
from agents.satellite import LOW_BATTERY_HYSTERESIS, Satellite
from twin import metrics, seeding
from twin.energy import bus, power
from twin.moe.activations import SAMPLERS
from twin.moe.latency import SampledLatency, expected_latency, sampled_latency
from twin.network.links import LinkState
from twin.network.routing import shortest_paths
from twin.network.topology import Sky, Snapshot
from twin.scenario.schema import Scenario

REPORTED = (
    "latency_mean_s",
    "expected_latency_s",
    "tokens_served",
    "links_up",
    "sunlit_mean",
    "soc_min",
    "migrated_bytes",
)
"""Model-level quantities that Mesa's data collector keeps, one row a step."""


class TwinModel(mesa.Model):
    """One run of one scenario.

    A step observes the sky, lets the controller decide, serves the step's tokens, moves energy,
    and records. Orbits and outages do not depend on decisions and come from `Sky`; what agents
    decide lives here.

    Parameters
    ----------
    scenario : Scenario
        What to run. (Mesa's own ``scenario`` is something else; ours is `config`.)
    recorder : Recorder, optional
        Told the model after every step.
    """

    def __init__(
        self, scenario: Scenario, recorder: "Callable[[TwinModel], None] | None" = None
    ) -> None:
        super().__init__(rng=scenario.simulation.seed)
        self.config = scenario
        self.recorder = recorder
        self.sky = Sky(scenario)
        self.inference = inference(scenario)
        self.bus = bus.profile(scenario.bus)
        self.log = EventLog()
        self.fleet = fleet_at_start(
            self.sky.constellation.size,
            soc=scenario.bus.initial_soc,
            memory_bytes=scenario.compute.memory_gb * 1e9,
        )
        self.satellites = [Satellite(self, row) for row in range(self.fleet.size)]
        self.controller = Controller(self)
        self._snapshots = self.sky.snapshots(scenario.simulation.replicate)
        self._sampler = SAMPLERS[scenario.activations.sampler](
            scenario.activations, self.inference.probability, self.inference.card.top_k
        )
        simulation = scenario.simulation
        self._tokens_rng = seeding.stream(simulation.seed, simulation.replicate, "tokens")
        self.snapshot: Snapshot
        self.delay_s: NDArray[np.float64]
        self.predecessor: NDArray[np.int32]
        self.choices: NDArray[np.int32]
        self.tokens: SampledLatency
        self.row: dict[str, Any] = {}
        self.datacollector = mesa.DataCollector(
            model_reporters={name: lambda m, name=name: m.row[name] for name in REPORTED}
        )

    def step(self) -> None:
        """Advance one step of the scenario."""
        self.log.clear()
        self._observe()
        self._decide()
        self._serve()
        self._power()
        self._record()

    def run(self) -> None:
        """Run all steps that are left."""
        while self.running:
            self.step()

    def _observe(self) -> None:
        before = self.snapshot.link_state if self.steps > 1 else None
        self.snapshot = next(self._snapshots)
        up = self.snapshot.up
        edges = self.sky.skeleton.edges
        self.fleet.degree = np.bincount(edges[up].ravel(), minlength=self.fleet.size)
        sunlit = self.sky.ephemeris.sunlit(self.snapshot.step)
        if before is not None:
            self._log_links(before)
            was_lit, lit = self.fleet.sunlit >= 0.5, sunlit >= 0.5
            self.log.add("shadow-in", satellite=np.flatnonzero(was_lit & ~lit))
            self.log.add("shadow-out", satellite=np.flatnonzero(~was_lit & lit))
        self.fleet.sunlit = sunlit

    def _log_links(self, before: NDArray[np.uint8]) -> None:
        edges, state = self.sky.skeleton.edges, self.snapshot.link_state
        changed = before != state
        for cause in LinkState:
            rows = np.flatnonzero(changed & (state == cause))
            kind = "isl-up" if cause is LinkState.UP else "isl-down"
            name = "" if cause is LinkState.UP else cause.name.lower()
            self.log.add(kind, cause=name, satellite=edges[rows, 0], other=edges[rows, 1])

    def _route(self) -> None:
        skeleton = self.sky.skeleton
        self.delay_s, self.predecessor = shortest_paths(
            skeleton.indptr,
            skeleton.indices,
            self.snapshot.weight_s,
            self.controller.placement.gateway,
        )

    def _decide(self) -> None:
        step = self.snapshot.step
        if self.controller.version < 0:
            self.controller.step(step, None)
            self._route()
        else:
            self._route()
            if self.controller.step(step, self.delay_s):
                self._route()

    def _serve(self) -> None:
        model, placement = self.inference, self.controller.placement
        asked = self.config.workload.tokens_per_step
        paths = path_s(self.delay_s, placement, model.transfer_s)
        self.choices = self._sampler(asked, self._tokens_rng)
        self.tokens = sampled_latency(paths, placement.expert, self.choices, model.compute)
        served = self.tokens.served
        self.row = metrics.token_metrics(
            self.tokens.total_s, self.tokens.propagation_s, self.tokens.compute_s
        )
        if model.selection is None:
            self.row |= {"expected_latency_s": np.nan, "expected_served": np.nan}
        else:
            exact = expected_latency(paths, placement.expert, model.selection, model.compute)
            self.row["expected_latency_s"] = float(exact.mean_s)
            self.row["expected_served"] = float(exact.served_probability)
        if not served.all():
            self.log.add("token-lost", cause="unreachable", value=np.flatnonzero(~served))
        self.fleet.utilisation = self._busy_s(served) / self.sky.step_s

    def _busy_s(self, served: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Compute time that the served tokens take on each satellite, (N,)."""
        placement, compute = self.controller.placement, self.inference.compute
        layers, experts = placement.expert.shape
        choices = self.choices[served] + experts * np.arange(layers)[:, None]
        count = np.bincount(choices.ravel(), minlength=layers * experts)
        n = self.fleet.size
        busy_s = np.bincount(
            placement.expert.ravel(), weights=count * compute.expert_s, minlength=n
        )
        gateway_s = served.sum() * compute.gateway_s
        return busy_s + np.bincount(placement.gateway, weights=gateway_s, minlength=n)

    def _power(self) -> None:
        fleet = self.fleet
        change = power.advance(
            fleet.soc, fleet.sunlit, np.minimum(fleet.utilisation, 1.0), self.bus, self.sky.step_s
        )
        fleet.soc = change.soc
        limit = 1.0 - self.bus.dod_soft_limit
        sinking = ~fleet.low & (fleet.soc < limit)
        recovered = fleet.low & (fleet.soc > limit + LOW_BATTERY_HYSTERESIS)
        for row in np.flatnonzero(sinking | recovered):
            self.satellites[row].battery_crossed(low=bool(sinking[row]))
        short = np.flatnonzero(change.deficit_j > 0)
        self.log.add("power-deficit", satellite=short, value=change.deficit_j[short])
        self.row["deficit_j"] = float(change.deficit_j.sum())

    def _record(self) -> None:
        state = np.bincount(self.snapshot.link_state, minlength=len(LinkState))
        self.row |= {
            "step": self.snapshot.step,
            "t_s": self.snapshot.sky.t_s,
            "links_up": int(state[LinkState.UP]),
            "links_down_range": int(state[LinkState.RANGE]),
            "links_down_grazing": int(state[LinkState.GRAZING]),
            "links_down_rate": int(state[LinkState.RATE]),
            "links_down_random": int(state[LinkState.RANDOM]),
            "sunlit_mean": float(self.fleet.sunlit.mean()),
            "soc_mean": float(self.fleet.soc.mean()),
            "soc_min": float(self.fleet.soc.min()),
            "utilisation_max": float(self.fleet.utilisation.max()),
            "placement": self.controller.version,
            "migrated_bytes": self.controller.migrated_bytes,
        }
        self.datacollector.collect(self)
        if self.recorder is not None:
            self.recorder(self)
        self.running = self.snapshot.step + 1 < self.config.simulation.steps
