"""Tables of what flies: the bus of every satellite, and its computer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from twin.scenario.fields import (
    Area,
    Celsius,
    Efficiency,
    Fraction,
    Memory,
    Path,
    Power,
    Rate,
    Speed,
    Table,
)


class Bus(Table):
    """Spacecraft power and heat: a named profile, any figure of which may be overridden."""

    profile: str = "sbc-oct"
    initial_soc: Fraction = 1.0
    initial_c: Celsius = Field(20.0, description="temperature at the start; assumption")
    eclipse: Literal["cone", "cylinder", "none"] = "cone"

    array_w: float | None = Field(
        None,
        ge=1e-6,
        le=1e9,
        description="array power in full sunlight at 1 au; or array_m2 and array_efficiency",
    )
    array_m2: Area | None = None
    array_efficiency: Efficiency | None = None
    pointing: Literal["sun-tracking", "one-axis", "body-fixed"] | None = Field(
        None,
        description="array: towards the Sun; turning about the orbit normal; on the zenith side",
    )

    battery_wh: float | None = Field(None, ge=1e-3, le=1e9)
    eta_charge: Efficiency | None = None
    eta_discharge: Efficiency | None = None
    dod_soft_limit: Efficiency | None = Field(None, description="depth of discharge to stay within")
    reserve_hysteresis: Fraction | None = None
    reserve_speed: Fraction | None = Field(
        None, description="compute speed beyond the soft limit, 1 for full"
    )
    brownout_soc: Fraction | None = Field(None, description="state of charge that drops all load")
    recovery_soc: Fraction | None = Field(None, description="state of charge that takes it again")
    cycle_life: float | None = Field(
        None, ge=1, le=1e9, description="cycles of 30 % depth to end of life"
    )

    idle_w: Power | None = Field(
        None, description="total, four terminals on; stretches all idle parts"
    )
    peak_w: Power | None = Field(None, description="total, four terminals on, full compute")
    platform_w: Power | None = None
    terminal_w: Power | None = Field(None, description="each laser terminal that is on")
    compute_idle_w: Power | None = None
    compute_peak_w: Power | None = None

    heat_capacity_j_k: float | None = Field(None, ge=1, le=1e12)
    radiator_m2: Area | None = Field(None, description="radiates, and sees Earth")
    sun_m2: float | None = Field(
        None, ge=0, le=1e6, description="seen by the Sun, array not counted"
    )
    emissivity: Efficiency | None = None
    absorptivity: Fraction | None = None
    throttle_c: Celsius | None = Field(None, description="the compute slows down above")
    resume_c: Celsius | None = Field(None, description="and is itself again below")
    throttled_speed: Fraction | None = Field(None, description="compute speed when hot, 1 for full")


class Compute(Table):
    """On-board computing."""

    board: str = Field(
        "paper",
        description="named computer, any figure of which may be overridden; assumption",
    )
    gflops: Speed | None = Field(None, description="peak; default: the board's")
    memory_gb: Memory | None = Field(None, description="default: the board's")
    memory_gb_per_s: float | None = Field(
        None, ge=1e-6, le=1e9, description="bandwidth of the memory; default: the board's"
    )
    efficiency: Efficiency = Field(
        1.0, description="share of peak and bandwidth that is reached; assumption"
    )
    overhead_us: float = Field(
        0.0, ge=0, le=1e9, description="of each part of the model that is worked on; assumption"
    )
    kernels: Path | None = Field(
        None,
        description="CSV of measured times (part, tokens, microseconds), instead of the roofline; "
        "requests only",
    )
    boards: int = Field(
        1,
        ge=1,
        le=64,
        description="boards of a satellite that serve requests together: each attends to its own "
        "ones, the experts are shared out, and all wait for the slowest in every layer",
    )
    exchange_gbps: Rate = Field(
        128.0, description="at which a board's hidden states go to the others; assumption"
    )
    exchange_us: float = Field(20.0, ge=0, le=1e9, description="latency of that; assumption")
    hub_every: int | None = Field(
        None, ge=1, le=1000, description="every n-th satellite of a plane is a larger one, a hub"
    )
    hub_gflops: Speed | None = Field(None, description="of a hub; default: as the others")
    hub_memory_gb: Memory | None = Field(None, description="of a hub; default: as the others")
    accounting: Literal["experts-only", "full"] = Field(
        "experts-only", description="which work counts towards latency; assumption"
    )

    @model_validator(mode="after")
    def _hubs_told_where(self) -> Self:
        sized = self.hub_gflops is not None or self.hub_memory_gb is not None
        if sized != (self.hub_every is not None):
            raise ValueError("hub_every goes with hub_gflops or hub_memory_gb, or both")
        return self
