"""The scenario: one frozen model per TOML table, in human units, strict about every key.

A field tagged *assumption* in its description is a choice that the Space-XNet paper
(arXiv 2605.00515) does not state; reports list these.
"""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MAX_BRIDGE_PAIRS = 250_000
"""Links between shells that may exist: a step looks at every one of them."""


class Table(BaseModel):
    """Base of every table: no unknown keys, no silent conversions, no change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )


def _utc(text: str) -> str:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be an ISO 8601 date and time, e.g. 2026-03-20T00:00:00Z") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(value: Any) -> Any:
    """TOML has dates of its own, which mean the same as their text."""
    return value.isoformat() if isinstance(value, datetime) else value


UtcText = Annotated[str, BeforeValidator(_text), AfterValidator(_utc)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


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


class Shell(Table):
    """Walker geometry i: T/P/F (Walker, 1984) on circular orbits of one altitude."""

    planes: int = Field(ge=1, le=1000)
    satellites_per_plane: int = Field(ge=1, le=1000)
    altitude_km: float = Field(ge=150, le=40_000)
    inclination_deg: float = Field(ge=0, le=180)
    phasing: int = Field(
        0, ge=0, description="F: between neighbours in adjacent planes F*360/T deg; assumption"
    )
    raan_spread_deg: float = Field(
        360.0, gt=0, le=360, description="360: delta pattern, 180: star pattern; assumption"
    )
    raan_first_deg: float = Field(0.0, ge=0, lt=360)

    @model_validator(mode="after")
    def _phasing_below_planes(self) -> Self:
        if self.phasing >= self.planes:
            raise ValueError(f"phasing must be below planes ({self.planes}), not {self.phasing}")
        return self

    @property
    def size(self) -> int:
        """Number of satellites, T."""
        return self.planes * self.satellites_per_plane


class Walker(Shell):
    """A constellation of one shell."""

    kind: Literal["walker"] = "walker"


class Shells(Table):
    """A constellation of several shells, of which one hosts the model."""

    kind: Literal["shells"] = "shells"
    shells: tuple[Shell, ...] = Field(
        strict=False,
        description="two or more; neighbours in the list may link (links.cross_shell_every), so "
        "that it best goes by altitude",
    )
    host_shell: int = Field(
        0,
        ge=0,
        description="number, from 0, of the shell whose satellites may host the model; users "
        "connect to any shell where links.cross_shell_every joins them, else to this one only",
    )

    @model_validator(mode="after")
    def _host_is_one_of_several(self) -> Self:
        if len(self.shells) < 2:
            raise ValueError(f"shells must be two or more, not {len(self.shells)}")
        if self.host_shell >= len(self.shells):
            raise ValueError(
                f"host_shell must be below the number of shells ({len(self.shells)}), "
                f"not {self.host_shell}"
            )
        return self

    @property
    def size(self) -> int:
        """Number of satellites of all shells."""
        return sum(shell.size for shell in self.shells)


class ElementSets(Table):
    """A real constellation from two-line elements or OMM; planes and slots are recovered."""

    kind: Literal["tle"] = "tle"
    tle: str = Field(min_length=1, description="path of a TLE, OMM CSV, OMM JSON or OMM XML file")
    altitude_window_km: Positive = Field(
        17.0, description="keep satellites within this of the most populated mean altitude"
    )
    plane_gap_deg: Positive = Field(
        1.0, description="nodes further apart than this belong to different planes"
    )
    plane_minimum: int = Field(3, ge=1, description="planes with fewer satellites are left out")


class Propagation(Table):
    """How positions are computed."""

    model: Literal["kepler", "kepler-j2", "sgp4", "cowell-j2"] = "kepler-j2"
    chunk_steps: int = Field(256, ge=1, description="steps propagated at a time")


class Links(Table):
    """Laser inter-satellite links on a +Grid, and the limits of each."""

    seam: Literal["open", "closed", "fixed", "dynamic"] = Field(
        "open",
        description="whether the last plane links to the first: not, with the same partners for "
        "good (closed or fixed), or with the nearest that can be had (dynamic); assumption",
    )
    seam_hold_s: Positive = Field(
        120.0,
        description="dynamic seam, and links between shells: mean time between choices of "
        "partners; assumption",
    )
    cross_shell_every: int = Field(
        0,
        ge=0,
        description="every so many-th satellite of a shell has a fifth terminal, for the nearest "
        "such one of the shell before or after its own in the list; 0: no links between shells; "
        "assumption",
    )
    acquisition_s: NonNegative = Field(
        10.0,
        description="pointing, acquisition and tracking: from partners being new, or all limits "
        "holding again, to the link; assumption",
    )
    grazing_altitude_km: NonNegative = Field(
        80.0, description="the line of sight stays above this altitude; assumption"
    )
    max_range_km: Positive | None = None
    max_angular_rate_rad_s: Positive = 0.12
    sun_exclusion_deg: float = Field(
        3.0,
        ge=0,
        lt=90,
        description="a terminal that looks closer to the Sun than this is blind; 0: never; "
        "assumption",
    )
    polar_shutoff_deg: float | None = Field(
        None, gt=0, le=90, description="links between planes are off beyond this latitude"
    )
    rate_gbps: Positive = 100.0

    @model_validator(mode="after")
    def _hold_outlasts_acquisition(self) -> Self:
        chosen_anew = self.seam == "dynamic" or self.cross_shell_every > 0
        if chosen_anew and self.seam_hold_s < 2 * self.acquisition_s:
            raise ValueError(
                f"seam_hold_s must be at least twice acquisition_s ({self.acquisition_s}), "
                f"not {self.seam_hold_s}"
            )
        return self


class Outages(Table):
    """Random link outages, beside those of geometry; each includes its own re-acquisition."""

    model: Literal["none", "iid", "gilbert-elliott"] = "iid"
    availability: Fraction = 0.95
    mean_outage_s: Positive = Field(30.0, description="gilbert-elliott only; assumption")


class Faults(Table):
    """Satellites that fail and recover by themselves: no links and no compute meanwhile."""

    model: Literal["none", "exponential"] = "none"
    availability: float = Field(
        0.99, gt=0, le=1, description="share of the time that a satellite is without fault"
    )
    mean_down_s: Positive = Field(900.0, description="mean length of a fault; assumption")


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
        None, ge=1, description="every so many-th satellite of a plane is a larger one, a hub"
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
    sampler: Literal["plackett-luce", "sticky"] = "plackett-luce"
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
        None, ge=1, description="steps ahead that a plan averages over; default to the run's end"
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
        description="a token that is not served is tried again in the next steps, so often; "
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
    handover: str = Field("max-elevation", description="policy; max-elevation, longest-remaining")
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
    compute: Compute = Compute()
    model: Model = Model()
    activations: Activations = Activations()
    placement: PlacementTable = PlacementTable()
    controller: ControllerTable = ControllerTable()
    workload: Workload = Workload()
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
