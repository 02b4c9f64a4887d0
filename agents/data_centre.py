"""A data centre on the ground that serves what users ask through the constellation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import step_row
from agents.machines import Machines
from agents.model import TwinModel
from agents.requests import prices
from placement.problem import Placement, PlacementProblem
from placement.stacking import stacked
from twin import seeding
from twin.constants import C_KM_S
from twin.errors import InputError
from twin.moe.boards import memory_gb
from twin.moe.inference import Inference
from twin.moe.latency import SampledLatency
from twin.network.ground import look, sites
from twin.network.routing import shortest_paths
from twin.planning.problems import asked_per_s, plan_deployment
from twin.scenario.ground import DataCentre, Site
from twin.scenario.schema import Scenario
from twin.serving.capacity import Instances
from twin.serving.demand import asked_by_requests
from twin.serving.hosts import resolve
from twin.serving.shipments import terms
from twin.serving.tokens import Served
from twin.serving.transfer_state import in_force
from twin.serving.transfers import Transfers
from twin.space.frames import gcrs_to_itrs
from twin.vocabulary import Cause
from twin.world.world import World

type Floats = NDArray[np.float64]


class DataCentreModel(TwinModel):
    """A run whose requests are served on the ground.

    Satellites carry prompts and answers, and host nothing. Boards are linked to each other, wait
    for nobody's light, and draw their power, times the centre's PUE, beside the satellites.
    """

    def __init__(
        self,
        scenario: Scenario,
        recorder: "Callable[[TwinModel], None] | None" = None,
        **rest: Any,
    ) -> None:
        assert scenario.ground.data_centre is not None
        self.centre: DataCentre = scenario.ground.data_centre
        super().__init__(scenario, recorder, **rest)
        here = Site(
            name=self.centre.name,
            latitude_deg=self.centre.latitude_deg,
            longitude_deg=self.centre.longitude_deg,
        )
        self._site = sites(scenario.ground.model_copy(update={"sites": (here,), "users": None}))
        self._plan()

    def _plan(self) -> None:
        """Place the model on the boards, for good; satellites have nothing to plan."""
        scenario, seed = self.config, self.config.simulation.seed
        problem = rack_problem(scenario, self.inference, self.world)
        rng = seeding.stream(seed, scenario.simulation.replicate, "strategy").at(0)
        try:
            placement = stacked(plan_deployment(scenario, problem, rng, instances=1))
        except InputError as error:
            raise InputError(
                f"ground.data_centre.boards: {self.centre.boards} do not hold the model ({error})"
            ) from None
        indptr, indices, boards = problem.indptr, problem.indices, problem.n_satellites
        weight_s = problem.weight_s[0]
        delay_s, predecessor = shortest_paths(indptr, indices, weight_s, placement.gateway)
        up = np.ones(boards, bool)
        hosts = resolve(placement, placement.gateway, delay_s, self.inference.transfer_s, up=up)
        self.machines = Machines(
            indptr=indptr,
            indices=indices,
            weight_s=weight_s,
            placement=placement,
            hosts=hosts,
            delay_s=delay_s,
            predecessor=predecessor,
            up=up,
            speed=np.ones(boards),
            pace=np.ones(boards),
            memory_bytes=problem.memory_bytes,
            from_site_s=self._from_site_s,
        )
        self.delay_s, self.predecessor, self.hosts = delay_s, predecessor, hosts
        nothing = np.full((0, problem.n_experts), -1, np.int32)
        shipping = terms(scenario, self.inference, self.world.step_s)
        empty = Placement(gateway=np.zeros(0, np.int32), expert=nothing)
        self.controller.transfers = Transfers(in_force(empty), self.fleet.memory_bytes, shipping)
        self._rate_per_s = float(
            Instances(problem.n_layers, np.ones(boards))
            .rates_per_s(placement, self.inference)
            .sum()
        )

    def rate_per_s(self) -> float:
        """Tokens a second that the boards keep up with."""
        return self._rate_per_s

    def _decide(self) -> None:
        fleet = self.fleet
        on = fleet.energy.powered & ~fleet.lost & fleet.rule.terminals_on
        self.ground.step(self.snapshot.instant.t_s, on)
        self._down_s = self._from_centre_s()

    def _from_centre_s(self) -> Floats:
        """Delay from the data centre to every satellite, (N,): up to one in sight, and on."""
        now, skeleton, n = self.snapshot.instant, self.world.skeleton, self.fleet.size
        turned = gcrs_to_itrs(self.world.constellation.epoch_utc, np.array([now.t_s]))[0]
        sine, slant_km = look(self._site, now.r_km @ turned.T)
        seen = (sine[0] >= np.sin(self._site.minimum_elevation_rad)) & self.fleet.linked
        # One more node, which is linked to every satellite in sight.
        indptr = np.append(skeleton.indptr, len(skeleton.indices) + n).astype(np.int32)
        indices = np.append(skeleton.indices, np.arange(n)).astype(np.int32)
        up_s = np.where(seen, slant_km[0] / C_KM_S, np.inf)
        weight_s = np.append(self.snapshot.weight_s, up_s)
        delay_s, _ = shortest_paths(indptr, indices, weight_s, np.array([n], np.int32))
        return np.asarray(delay_s[0, :n])

    def _from_site_s(self, delay_s: Floats) -> Floats:
        """Ways from sites to boards, whichever they are, (K, S)."""
        site = np.arange(self.ground.sites.size)
        return np.tile(self.ground.entry_s(site, self._down_s), (len(delay_s), 1))

    def _serve(self) -> None:
        assert self.requests is not None
        fleet, card = self.fleet, self.inference.card
        self.compute = self.inference.compute
        self.served, self.first_s = no_tokens(card.layers, card.top_k), np.empty(0)
        self.serve_requests(self.requests, self.machines)
        fleet.utilisation = np.zeros(fleet.size)
        self.row = step_row.token_row(self.served, self.first_s)
        self.row |= {"expected_latency_s": np.nan, "expected_served": np.nan}
        self.row |= self.ground.figures()
        full = self.inference.flops_per_s * self.world.step_s
        self.row |= step_row.compute_row(fleet, fleet.utilisation, full)
        self.row["compute_done_flop"] = self._busy_s * self.inference.flops_per_s

    @property
    def _busy_s(self) -> float:
        return float(self.requested.busy_s.sum())

    def _power(self) -> None:
        super()._power()
        bus, idle_s = self.fleet.energy.bus, self.centre.boards * self.world.step_s
        computed_j = self._busy_s * prices(self)[0]
        idle_j = idle_s * bus.compute_idle_w * self.centre.pue
        self.row["compute_j"] = computed_j
        self.row["idle_drawn_j"] += idle_j
        self.row["drawn_j"] += computed_j + idle_j


def rack_problem(scenario: Scenario, model: Inference, world: World) -> PlacementProblem:
    """The problem of placing a model on the boards of a data centre, each linked to each."""
    centre, card, precision = scenario.ground.data_centre, model.card, scenario.model.precision
    assert centre is not None
    table, asked = scenario.placement, asked_by_requests(scenario, world.step_s)
    kv_bytes = float(
        scenario.workload.conversations
        * scenario.model.context_tokens
        * card.kv_bytes_per_token_per_layer
    )
    return PlacementProblem(
        **_boards(centre.boards, centre.exchange_us * 1e-6, memory_gb(scenario.compute) * 1e9),
        probability=model.probability,
        top_k=card.top_k,
        activation=model.activation,
        gateway_bytes=card.gateway_bytes(precision) + kv_bytes,
        expert_bytes=float(card.expert_bytes(precision)),
        kv_bytes=kv_bytes,
        expert_s=model.expert_s,
        gateway_s=model.compute.gateway_s,
        stage_s=model.stage_s,
        head_s=model.head_s if asked and not scenario.serving.head_satellites else 0.0,
        head_share=asked.made_share if asked else 0.0,
        transfer_s=model.transfer_s,
        rate_per_s=asked.tokens_per_s if asked else asked_per_s(scenario, world),
        group_tokens=asked.group_tokens if asked else 1.0,
        waiting=table.waiting != "none",
        compute_w=0.0,
        availability=1.0,
        current=None,
        experts_per_satellite=table.experts_per_satellite,
        experts_on_gateway=table.experts_on_gateway,
    )


def _boards(n: int, exchange_s: float, memory_bytes: float) -> dict[str, Any]:
    """What a problem says of n boards that are all linked to each other."""
    others = ~np.eye(n, dtype=bool)
    return {
        "plane": np.zeros(n, np.int32),
        "ring_position": np.arange(n) / n,
        "indptr": np.arange(n + 1, dtype=np.int32) * (n - 1),
        "indices": np.nonzero(others)[1].astype(np.int32),
        "weight_s": np.full((1, n * (n - 1)), exchange_s),
        "entry_share": np.zeros((1, n)),
        "memory_bytes": np.full(n, memory_bytes),
        "speed": np.ones(n),
        "busy_limit": np.ones(n),
        "sunlit": np.ones(n),
    }


def no_tokens(layers: int, top_k: int) -> Served:
    """A step in which no single token is followed."""
    nobody, nothing = np.empty(0), np.empty((0, layers, top_k), np.int32)
    return Served(
        choices=nothing,
        columns=nothing,
        latency=SampledLatency(
            total_s=nobody,
            propagation_s=nobody,
            compute_s=nobody,
            layer_mean_s=np.full(layers, np.nan),
            layer_propagation_mean_s=np.full(layers, np.nan),
        ),
        waited_s=nobody,
        cause=np.empty(0, np.uint8),
        asked=0,
        retried=0,
        lost=np.zeros(len(Cause), np.int64),
    )


def model_of(scenario: Scenario, **rest: Any) -> TwinModel:
    """Return the model that a scenario asks for."""
    if scenario.ground.data_centre is not None:
        return DataCentreModel(scenario, **rest)
    return TwinModel(scenario, **rest)
