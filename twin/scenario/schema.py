"""The scenario: one frozen model per TOML table, in human units, strict about every key.

An *assumption* is a choice that the Space-XNet paper (arXiv 2605.00515) does not state.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twin.scenario import limits
from twin.scenario.fields import (
    Delay,
    Duration,
    Efficiency,
    Fraction,
    Instances,
    Name,
    Params,
    Path,
    Table,
)
from twin.scenario.ground import Ground
from twin.scenario.satellites import SatelliteTable
from twin.scenario.serving import Requests, ServingTable
from twin.scenario.simulation import DEFAULT_START_UTC, Simulation
from twin.scenario.spacecraft import Bus, Compute
from twin.scenario.world import (
    ElementSets,
    Faults,
    Links,
    Outages,
    Propagation,
    Shells,
    Walker,
    check_bridges,
)


class Model(Table):
    """The mixture-of-experts language model."""

    card: str = "llama-moe-3.5b-2of8"
    precision: Literal["fp16", "int8"] = "fp16"
    context_tokens: int = Field(
        0, ge=0, le=100_000_000, description="cached tokens that attention reads"
    )


class Activations(Table):
    """Which experts tokens activate."""

    kind: Literal["uniform", "zipf", "counts", "mixtral", "olmoe"] = Field(
        "zipf",
        description="olmoe: unmeasured layers have the shares of the nearest of three measured "
        "ones, experts in another order; assumption",
    )
    exponent: float = Field(0.5, ge=0, le=10_000, description="zipf only; assumption")
    file: Path | None = Field(None, description="counts only: JSON array, layers x experts")
    topic: str | None = Field(None, description="mixtral, olmoe: one of the measured topics")
    topics: tuple[str, ...] = Field(
        (),
        strict=False,
        max_length=1000,
        description="mixtral, olmoe: instead of topic, topics that follow each other round and "
        "round, each drifting into the next (router weights, linearly)",
    )
    topic_s: Duration = Field(3600.0, description="time from one of the topics to the next")
    sampler: str = "plackett-luce"
    repeat_probability: Fraction = Field(
        0.25, description="sticky only: chance that a layer's first choice repeats"
    )

    @model_validator(mode="after")
    def _source_given(self) -> Self:
        if self.kind == "counts" and self.file is None:
            raise ValueError("kind 'counts' needs file")
        if self.kind in ("mixtral", "olmoe") and (self.topic is None) == (not self.topics):
            raise ValueError(f"kind '{self.kind}' needs either topic or topics")
        return self


class PlacementTable(Table):
    """Where layers and experts sit."""

    strategy: str = "space-xnet"
    instances: Instances = Field(
        1, description="copies of the model, each of which serves; fill: as many as find room"
    )
    experts_per_satellite: int = Field(
        1, ge=1, le=1_000_000, description="at most, where memory allows"
    )
    experts_on_gateway: bool = Field(
        False, description="whether a gateway may host experts too; assumption"
    )
    planning_snapshots: int = Field(
        16,
        ge=1,
        le=100_000,
        description="topologies the planner averages over, with its own outage draws",
    )
    waiting: Literal["none", "m/g/1"] = Field(
        "none",
        description="what strategies that search for rings, and policies, add to each part of a "
        "token's way; m/g/1: the mean waiting at its satellite, an approximation: as if work came "
        "at random and was served piece by piece; assumption",
    )
    params: Params = Field(default_factory=dict)


class ControllerTable(Table):
    """When placement is planned again."""

    policy: str = "static"
    horizon_steps: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="steps ahead that a plan averages over; at most to the run's end",
    )
    telemetry_delay_s: Delay = Field(
        0.0, description="age of what the controller knows of the satellites; assumption"
    )
    migration_share: Efficiency = Field(
        0.5, description="share of a link's rate that migration may take; assumption"
    )
    store_gbps: float = Field(
        1.0,
        ge=0,
        le=1e9,
        description="rate at which weights without a living copy come up from the ground; 0: they "
        "do not; assumption",
    )
    activation_memory_s: Duration | None = Field(
        None,
        description="time constant of the controller's estimate of how often each expert is "
        "chosen; default: it knows the profile at the start, and does not learn",
    )
    params: Params = Field(default_factory=dict)


class Workload(Table):
    """Tokens asked of the constellation."""

    tokens_per_step: int = Field(
        256, ge=1, le=1_000_000, description="tokens followed; a sample of those asked"
    )
    rate_per_s: float | None = Field(
        None,
        ge=1e-9,
        le=1e15,
        description="tokens asked of the constellation; default: those followed and no more",
    )
    conversations: int = Field(
        1,
        ge=0,
        le=1_000_000_000,
        description="whose keys and values the gateways cache, model.context_tokens each",
    )
    retries: int = Field(
        1,
        ge=0,
        le=1000,
        description="a token that is not served is tried again in this number of next steps; "
        "assumption",
    )


class Scenario(Table):
    """Everything a run depends on."""

    name: Name
    description: str = ""
    simulation: Simulation
    constellation: Annotated[Walker | Shells | ElementSets, Field(discriminator="kind")]
    propagation: Propagation = Propagation()
    links: Links = Links()
    outages: Outages = Outages()
    faults: Faults = Faults()
    bus: Bus = Bus()
    satellites: SatelliteTable = SatelliteTable()
    compute: Compute = Compute()
    model: Model = Model()
    activations: Activations = Activations()
    placement: PlacementTable = PlacementTable()
    controller: ControllerTable = ControllerTable()
    workload: Workload = Workload()
    serving: ServingTable = ServingTable()
    requests: Requests = Requests()
    ground: Ground = Ground()

    @model_validator(mode="after")
    def _starts_somewhen(self) -> Self:
        if self.simulation.start_utc is None and self.constellation.kind != "tle":
            dated = {**dict(self.simulation), "start_utc": DEFAULT_START_UTC}
            object.__setattr__(self, "simulation", Simulation.model_validate(dated))
        return self

    @model_validator(mode="after")
    def _propagation_fits(self) -> Self:
        model = self.propagation.model
        if model in ("sgp4", "oem") and self.constellation.kind != "tle":
            raise ValueError(f"propagation.model '{model}' needs constellation.kind 'tle'")
        return self

    @model_validator(mode="after")
    def _shells_to_link(self) -> Self:
        every, body = self.links.cross_shell_every, self.constellation
        if every and body.kind == "walker":
            wanted = "needs constellation.kind 'shells' or 'tle', not 'walker'"
            raise ValueError(f"links.cross_shell_every {wanted}")
        if every and body.kind == "shells":
            check_bridges([shell.size for shell in body.shells], every)
        return self

    @model_validator(mode="after")
    def _computers_fit_serving(self) -> Self:
        compute, serving = self.compute, self.serving
        if compute.kernels is not None and serving.mode != "requests":
            raise ValueError("compute.kernels needs serving.mode 'requests'")
        if self.requests.prefix_reuse and self.requests.prefix_tokens % serving.block_tokens:
            of = f"of serving.block_tokens ({serving.block_tokens})"
            raise ValueError(
                f"requests.prefix_tokens must be a multiple {of}, not {self.requests.prefix_tokens}"
            )
        if compute.boards > 1:
            needed = {
                "serving.mode": (serving.mode, "requests"),
                "serving.batching": (serving.batching, "micro-batch"),
                "placement.strategy": (self.placement.strategy, "single-satellite"),
            }
            for field, (value, wanted) in needed.items():
                if value != wanted:
                    raise ValueError(f"compute.boards above 1 needs {field} '{wanted}'")
        return self

    @model_validator(mode="after")
    def _data_centre_serves(self) -> Self:
        if self.ground.data_centre is None:
            return self
        needed = {
            "serving.mode": (self.serving.mode, "requests"),
            "placement.instances": (self.placement.instances, 1),
            "compute.boards": (self.compute.boards, 1),
        }
        for field, (value, wanted) in needed.items():
            if value != wanted:
                raise ValueError(f"ground.data_centre needs {field} {wanted!r}, not {value!r}")
        if not (self.ground.sites or self.ground.users):
            raise ValueError("ground.data_centre needs ground.sites or ground.users")
        return self

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        wanted = self.requests.half_width
        if wanted and self.serving.mode != "requests":
            raise ValueError("requests.half_width needs serving.mode 'requests'")
        if wanted and not self.simulation.most_steps:
            raise ValueError("requests.half_width needs simulation.most_steps, where runs end")
        return self

    @model_validator(mode="after")
    def _waiting_foreseen(self) -> Self:
        asks_again = self.serving.mode == "requests" and self.requests.arrivals == "closed"
        if self.placement.waiting != "none" and asks_again:
            raise ValueError(
                "placement.waiting must be 'none' where requests.arrivals is 'closed': how much "
                "is asked depends on how soon it is answered"
            )
        return self

    @model_validator(mode="after")
    def _can_be_computed(self) -> Self:
        body = self.constellation
        if body.kind != "tle":
            shells = body.shells if body.kind == "shells" else (body,)
            limits.check(self, body.size, max(shell.altitude_km for shell in shells))
        return self
