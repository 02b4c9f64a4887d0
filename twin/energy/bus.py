"""Spacecraft profiles: solar array, battery, what each part draws, and how heat leaves."""

from dataclasses import dataclass, fields, replace
from typing import Final, Literal

from twin.constants import SOLAR_CONSTANT_W_M2
from twin.errors import InputError
from twin.registry import Registry
from twin.scenario.spacecraft import Bus

TERMINALS = 4
"""Laser terminals that the totals `idle_w` and `peak_w` count as on."""

ZERO_CELSIUS_K = 273.15


@dataclass(frozen=True, kw_only=True)
class BusProfile:
    """Power and heat figures of one class of spacecraft.

    Attributes
    ----------
    name : str
        Key of the profile.
    array_w : float
        Power of the solar array in full sunlight at normal incidence, 1 au from the Sun.
    array_m2 : float
        Its area; with `array_w` it gives the efficiency.
    pointing : {"sun-tracking", "one-axis", "body-fixed"}
        How the array follows the Sun, see `twin.energy.solar.array_w`.
    battery_wh : float
        Energy the battery holds when full.
    platform_w : float
        Draw of everything but terminals and compute.
    terminal_w : float
        Draw of each laser terminal that is on.
    compute_idle_w, compute_peak_w : float
        Draw of the compute without work and at full speed, linear in FLOP between.
    heat_capacity_j_k : float
        Mass times specific heat of the one thermal node.
    radiator_m2 : float
        Area that radiates, and sees Earth.
    sun_m2 : float
        Area that the Sun sees, array not counted.
    emissivity, absorptivity : float
        In the infrared, and for sunlight.
    eta_charge, eta_discharge : float
        Share of the energy that survives on its way into, and out of, the battery.
    dod_soft_limit : float
        Depth of discharge that a satellite should stay within, to spare its battery.
    reserve_hysteresis : float
        State of charge to regain above the soft limit before the reserve counts as restored.
    reserve_speed : float
        Compute speed of a satellite that lives on its reserve, 1 for full.
    brownout_soc, recovery_soc : float
        State of charge at which the bus drops its load, and at which it comes back.
    cycle_life : float
        Cycles of 30 % depth until the battery's end of life.
    throttle_c, resume_c : float
        Temperature above which the compute slows down, and below which it stops doing so.
    throttled_speed : float
        Compute speed when hot, 1 for full.
    """

    name: str
    array_w: float
    array_m2: float
    battery_wh: float
    platform_w: float
    terminal_w: float
    compute_idle_w: float
    compute_peak_w: float
    heat_capacity_j_k: float
    radiator_m2: float
    sun_m2: float
    emissivity: float = 0.85
    absorptivity: float = 0.20
    pointing: Literal["sun-tracking", "one-axis", "body-fixed"] = "sun-tracking"
    eta_charge: float = 0.95
    eta_discharge: float = 0.95
    dod_soft_limit: float = 0.30
    reserve_hysteresis: float = 0.05
    reserve_speed: float = 0.5
    brownout_soc: float = 0.05
    recovery_soc: float = 0.20
    cycle_life: float = 30_000.0
    throttle_c: float = 70.0
    resume_c: float = 60.0
    throttled_speed: float = 0.5

    @property
    def idle_w(self) -> float:
        """Total load with all terminals on and no work."""
        return self.platform_w + TERMINALS * self.terminal_w + self.compute_idle_w

    @property
    def peak_w(self) -> float:
        """Total load with all terminals on and the compute at full speed."""
        return self.idle_w + self.compute_peak_w - self.compute_idle_w

    @property
    def array_efficiency(self) -> float:
        """Share of the sunlight that falls on the array that it turns into power."""
        return self.array_w / (SOLAR_CONSTANT_W_M2 * self.array_m2)

    @property
    def battery_j(self) -> float:
        """Energy the battery holds when full, in J."""
        return 3600.0 * self.battery_wh

    @property
    def reserve_soc(self) -> float:
        """State of charge at the soft limit."""
        return 1.0 - self.dod_soft_limit

    @property
    def throttle_k(self) -> float:
        """`throttle_c` in K."""
        return self.throttle_c + ZERO_CELSIUS_K

    @property
    def resume_k(self) -> float:
        """`resume_c` in K."""
        return self.resume_c + ZERO_CELSIUS_K


_PROFILES = (
    # A single-board computer on a 20 kg satellite: too small to carry 100 Gbps terminals, so
    # links that a scenario gives it anyway draw no power.
    BusProfile(
        name="sbc",
        array_w=96.0,
        array_m2=0.36,
        battery_wh=80.0,
        platform_w=13.0,
        terminal_w=0.0,
        compute_idle_w=5.0,
        compute_peak_w=12.0,
        heat_capacity_j_k=1.8e4,
        radiator_m2=0.2,
        sun_m2=0.05,
    ),
    # The same computer with four optical terminals of 50-60 W, which dominate the load.
    BusProfile(
        name="sbc-oct",
        array_w=728.0,
        array_m2=2.2,
        battery_wh=800.0,
        platform_w=13.0,
        terminal_w=58.0,
        compute_idle_w=5.0,
        compute_peak_w=12.0,
        heat_capacity_j_k=1.0e5,
        radiator_m2=2.0,
        sun_m2=0.5,
    ),
    # A present-day broadband satellite of 800 kg that carries accelerators.
    BusProfile(
        name="v2mini",
        array_w=25_000.0,
        array_m2=105.0,
        battery_wh=20_000.0,
        platform_w=1_960.0,
        terminal_w=60.0,
        compute_idle_w=800.0,
        compute_peak_w=8_800.0,
        heat_capacity_j_k=7.2e5,
        radiator_m2=40.0,
        sun_m2=10.0,
    ),
    # An orbital data centre in a dawn-dusk orbit: little eclipse, so little battery, which runs
    # out in a full eclipse at peak; and a radiator that in steady sunlight holds about four fifths
    # of the peak work below its limit.
    BusProfile(
        name="suncatcher",
        array_w=7_300.0,
        array_m2=17.9,
        battery_wh=2_500.0,
        platform_w=660.0,
        terminal_w=60.0,
        compute_idle_w=600.0,
        compute_peak_w=4_100.0,
        heat_capacity_j_k=2.7e5,
        radiator_m2=10.0,
        sun_m2=2.5,
    ),
)

BUS_PROFILES: Final[Registry[BusProfile]] = Registry(
    "bus profile",
    {entry.name: entry for entry in _PROFILES},
    field="bus.profile",
    purpose=lambda bus: (
        f"array of {bus.array_w:g} W, battery of {bus.battery_wh:g} Wh, load of {bus.idle_w:g} W "
        f"idle and {bus.peak_w:g} W at full compute"
    ),
)
"""The known profiles by name; order-of-magnitude figures for classes of spacecraft, assumptions."""

_LOAD_PARTS = ("platform_w", "terminal_w", "compute_idle_w", "compute_peak_w")


def profile(bus: Bus, *, compute_w: tuple[float, float] | None = None) -> BusProfile:
    """Return the named profile with the scenario's own figures in place.

    `compute_w`, what a computer draws idle and at its peak, replaces the profile's.

    Any figure may be given. The array is given as `array_w`, or by `array_m2` and
    `array_efficiency`; the load by its parts, or by the totals `idle_w` (which stretches the
    platform's, the terminals' and the idle compute's share alike) and `peak_w`.

    Raises
    ------
    InputError
        If the name is unknown, or figures contradict each other.
    """
    base = BUS_PROFILES[bus.profile]
    if compute_w is not None:
        base = replace(base, compute_idle_w=compute_w[0], compute_peak_w=compute_w[1])
    own = {field.name for field in fields(BusProfile)} - {"name"}
    given = {key: value for key, value in bus.model_dump(exclude_none=True).items() if key in own}
    result = _with_array(replace(base, **given), bus, base)
    result = _with_totals(result, bus)
    check(result)
    return result


def _with_array(result: BusProfile, bus: Bus, base: BusProfile) -> BusProfile:
    if bus.array_m2 is None and bus.array_efficiency is None:
        return result
    if bus.array_w is not None:
        raise InputError(
            "bus.array_w: give it, or array_m2 and array_efficiency, not both "
            f"(got {bus.array_w:g} W)"
        )
    efficiency = bus.array_efficiency or base.array_efficiency
    return replace(result, array_w=SOLAR_CONSTANT_W_M2 * result.array_m2 * efficiency)


def _with_totals(result: BusProfile, bus: Bus) -> BusProfile:
    totals = [key for key in ("idle_w", "peak_w") if getattr(bus, key) is not None]
    if not totals:
        return result
    parts = [key for key in _LOAD_PARTS if getattr(bus, key) is not None]
    if parts:
        raise InputError(
            f"bus.{totals[0]}: a total; give totals or parts of the load, not both "
            f"(got {', '.join(totals + parts)})"
        )
    idle_w = result.idle_w if bus.idle_w is None else bus.idle_w
    peak_w = result.peak_w if bus.peak_w is None else bus.peak_w
    if idle_w > peak_w:
        raise InputError(f"bus.idle_w: must not exceed peak_w ({peak_w:g} W), not {idle_w:g} W")
    stretch = idle_w / result.idle_w
    compute_idle_w = result.compute_idle_w * stretch
    return replace(
        result,
        platform_w=result.platform_w * stretch,
        terminal_w=result.terminal_w * stretch,
        compute_idle_w=compute_idle_w,
        compute_peak_w=compute_idle_w + peak_w - idle_w,
    )


def check(entry: BusProfile) -> None:
    """Raise `InputError` where two figures of a profile contradict each other."""
    for low, high in (
        ("compute_idle_w", "compute_peak_w"),
        ("brownout_soc", "recovery_soc"),
        ("brownout_soc", "reserve_soc"),
        ("resume_c", "throttle_c"),
    ):
        below, above = getattr(entry, low), getattr(entry, high)
        if below > above or (below == above and low != "compute_idle_w"):
            what = "must not exceed" if low == "compute_idle_w" else "must be below"
            raise InputError(f"bus.{low}: {what} {high} ({above:g}), not {below:g}")
