"""The scenario: one frozen model per TOML table, in human units, strict about every key.

An *assumption* is a choice that the Space-XNet paper (arXiv 2605.00515) does not state.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from twin.scenario.fields import Efficiency, Fraction, NonNegative, Positive, Table, UtcText
from twin.scenario.satellites import SatelliteTable
from twin.scenario.serving import Requests, ServingTable
from twin.scenario.world import ElementSets, Faults, Links, Outages, Propagation, Shells, Walker

MAX_BRIDGE_PAIRS = 250_000
"""Links between shells that may exist: a step looks at every one of them."""


class Simulation(Table):
    """Time axis, randomness and what is recorded."""

    start_utc: UtcText = "2026-03-20T00:00:00Z"
    steps: int = Field(200, ge=1, le=1_000_000)
    step_s: Positive | None = Field(
        None, description="length of a step; exactly one of step_s and orbits"
    )
    orbits: Positive | None = Field(
        None, description="the run spans this many orbital periods; exactly one of step_s, orbits"
    )
    seed: int = Field(0, ge=0)
    replicate: int = Field(0, ge=0, description="index of the independent repetition")
    record_satellites_every: int = Field(
        10, ge=1, description="steps between rows of the satellites table"
    )
    record_tokens_per_step: int = Field(
        2, ge=0, description="tokens a step recorded with every hop"
    )

    @model_validator(mode="after")
    def _one_time_axis(self) -> Self:
        if (self.step_s is None) == (self.orbits is None):
            raise ValueError("give exactly one of step_s and orbits")
        return self


class Bus(Table):
    """Spacecraft power and heat: a named profile, any figure of which may be overridden."""

    profile: str = "sbc-oct"
    initial_soc: Fraction = 1.0
    initial_c: float = Field(20.0, gt=-273.15, description="temperature at the start; assumption")
    eclipse: Literal["cone", "cylinder", "none"] = "cone"

    array_w: Positive | None = Field(
        None, description="array power in full sunlight; or array_m2 and array_efficiency"
    )
    array_m2: Positive | None = None
    array_efficiency: Efficiency | None = None
    pointing: Literal["sun-tracking", "one-axis", "body-fixed"] | None = Field(
        None,
        description="array: towards the Sun; turning about the orbit normal; on the zenith side",
    )

    battery_wh: Positive | None = None
    eta_charge: Efficiency | None = None
    eta_discharge: Efficiency | None = None
    dod_soft_limit: Efficiency | None = Field(None, description="depth of discharge to stay within")
    reserve_hysteresis: Fraction | None = None
    reserve_speed: Fraction | None = Field(
        None, description="compute speed beyond the soft limit, 1 for full"
    )
    brownout_soc: Fraction | None = Field(None, description="state of charge that drops all load")
    recovery_soc: Fraction | None = Field(None, description="state of charge that takes it again")
    cycle_life: Positive | None = Field(None, description="cycles of 30 % depth to end of life")

    idle_w: NonNegative | None = Field(
        None, description="total, four terminals on; stretches all idle parts"
    )
    peak_w: NonNegative | None = Field(None, description="total, four terminals on, full compute")
    platform_w: NonNegative | None = None
    terminal_w: NonNegative | None = Field(None, description="each laser terminal that is on")
    compute_idle_w: NonNegative | None = None
    compute_peak_w: NonNegative | None = None

    heat_capacity_j_k: Positive | None = None
    radiator_m2: Positive | None = Field(None, description="radiates, and sees Earth")
    sun_m2: NonNegative | None = Field(None, description="seen by the Sun, array not counted")
    emissivity: Efficiency | None = None
    absorptivity: Fraction | None = None
    throttle_c: float | None = Field(None, gt=-273.15, description="the compute slows down above")
    resume_c: float | None = Field(None, gt=-273.15, description="and is itself again below")
    throttled_speed: Fraction | None = Field(None, description="compute speed when hot, 1 for full")


class Compute(Table):
    """On-board computing."""

    gflops: Positive = 7.28
    memory_gb: Positive = Field(16.0, description="assumption")
    hub_every: int | None = Field(
        None, ge=1, description="every n-th satellite of a plane is a larger one, a hub"
    )
    hub_gflops: Positive | None = Field(None, description="of a hub; default: as the others")
    hub_memory_gb: Positive | None = Field(None, description="of a hub; default: as the others")
    accounting: Literal["experts-only", "full"] = Field(
        "experts-only", description="which work counts towards latency; assumption"
    )

    @model_validator(mode="after")
    def _hubs_told_where(self) -> Self:
        sized = self.hub_gflops is not None or self.hub_memory_gb is not None
        if sized != (self.hub_every is not None):
            raise ValueError("hub_every goes with hub_gflops or hub_memory_gb, or both")
        return self


class Model(Table):
    """The mixture-of-experts language model."""

    card: str = "llama-moe-3.5b-2of8"
    precision: Literal["fp16", "int8"] = "fp16"
    context_tokens: int = Field(0, ge=0, description="cached tokens that attention reads")


class Activations(Table):
    """Which experts tokens activate."""

    kind: Literal["uniform", "zipf", "counts", "mixtral", "olmoe"] = Field(
        "zipf",
        description="olmoe: unmeasured layers have the shares of the nearest of three measured "
        "ones, experts in another order; assumption",
    )
    exponent: NonNegative = Field(0.5, description="zipf only; assumption")
    file: str | None = Field(None, description="counts only: JSON array, layers x experts")
    topic: str | None = Field(None, description="mixtral, olmoe: one of the measured topics")
    topics: tuple[str, ...] = Field(
        (),
        strict=False,
        description="mixtral, olmoe: instead of topic, topics that follow each other round and "
        "round, each drifting into the next (router weights, linearly)",
    )
    topic_s: Positive = Field(3600.0, description="time from one of the topics to the next")
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
    experts_per_satellite: int = Field(1, ge=1, description="at most, where memory allows")
    experts_on_gateway: bool = Field(
        False, description="whether a gateway may host experts too; assumption"
    )
    planning_snapshots: int = Field(
        16, ge=1, description="topologies the planner averages over, with its own outage draws"
    )
    params: dict[str, Any] = Field(default_factory=dict)


class ControllerTable(Table):
    """When placement is planned again."""

    policy: str = "static"
    horizon_steps: int | None = Field(
        None, ge=1, description="steps ahead that a plan averages over; at most to the run's end"
    )
    telemetry_delay_s: NonNegative = Field(
        0.0, description="age of what the controller knows of the satellites; assumption"
    )
    migration_share: Efficiency = Field(
        0.5, description="share of a link's rate that migration may take; assumption"
    )
    store_gbps: NonNegative = Field(
        1.0,
        description="rate at which weights without a living copy come up from the ground; 0: they "
        "do not; assumption",
    )
    activation_memory_s: Positive | None = Field(
        None,
        description="time constant of the controller's estimate of how often each expert is "
        "chosen; default: it knows the profile at the start, and does not learn",
    )
    params: dict[str, Any] = Field(default_factory=dict)


class Workload(Table):
    """Tokens asked of the constellation."""

    tokens_per_step: int = Field(
        256, ge=1, le=1_000_000, description="tokens followed; a sample of those asked"
    )
    rate_per_s: Positive | None = Field(
        None,
        description="tokens asked of the constellation; default: those followed and no more",
    )
    conversations: int = Field(
        1, ge=0, description="whose keys and values the gateways cache, model.context_tokens each"
    )
    retries: int = Field(
        1,
        ge=0,
        description="a token that is not served is tried again in this number of next steps; "
        "assumption",
    )


class Site(Table):
    """A place on the ground whose users ask for tokens; latitude and longitude are geodetic."""

    name: str = Field(min_length=1)
    latitude_deg: float = Field(ge=-90, le=90)
    longitude_deg: float = Field(ge=-180, le=180)
    altitude_m: float = Field(0.0, ge=-500, le=100_000, description="above the WGS 84 ellipsoid")
    weight: Positive = Field(1.0, description="requests, relative to the other sites")


class Ground(Table):
    """Ground sites, and how each chooses the satellite that serves it."""

    sites: tuple[Site, ...] = Field(default=(), strict=False)
    users: Literal["cities"] | None = Field(
        None, description="instead of sites: the 50 largest cities, weighted by population"
    )
    minimum_elevation_deg: float = Field(25.0, ge=0, lt=90)
    handover: str = "max-elevation"
    handover_params: dict[str, Any] = Field(default_factory=dict)
    scheduling_epoch_s: float = Field(
        15.0, ge=1, le=600, description="sites change satellite only at multiples of this"
    )
    handover_interruption_s: NonNegative = Field(
        0.1, description="without service at each change of satellite; assumption"
    )

    @model_validator(mode="after")
    def _sites_told_apart(self) -> Self:
        if self.sites and self.users is not None:
            raise ValueError("give sites or users, not both")
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"site name {name!r} is given twice")
        return self


class Scenario(Table):
    """Everything a run depends on."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
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
    def _propagation_fits(self) -> Self:
        if self.propagation.model == "sgp4" and self.constellation.kind != "tle":
            raise ValueError("propagation.model 'sgp4' needs constellation.kind 'tle'")
        return self

    @model_validator(mode="after")
    def _shells_to_link(self) -> Self:
        every = self.links.cross_shell_every
        if not every:
            return self
        if self.constellation.kind != "shells":
            raise ValueError(
                "links.cross_shell_every needs constellation.kind 'shells', "
                f"not '{self.constellation.kind}'"
            )
        bridges = [-(-shell.size // every) for shell in self.constellation.shells]
        pairs = sum(a * b for a, b in pairwise(bridges))
        if pairs > MAX_BRIDGE_PAIRS:
            raise ValueError(
                f"links.cross_shell_every must be larger than {every}, which leaves {pairs:,} "
                f"pairs of satellites to choose from; allowed are {MAX_BRIDGE_PAIRS:,}"
            )
        return self
