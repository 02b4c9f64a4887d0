"""Spacecraft power profiles: solar array, battery, and what the bus draws."""

from dataclasses import dataclass, replace
from typing import Final

from twin.errors import InputError
from twin.scenario.schema import Bus


@dataclass(frozen=True, kw_only=True)
class BusProfile:
    """Power figures of one class of spacecraft.

    Attributes
    ----------
    name : str
        Key of the profile.
    array_w : float
        Power of the solar array in full sunlight.
    battery_wh : float
        Energy the battery holds when full.
    idle_w, peak_w : float
        Load at utilisation 0 and 1, linear between.
    eta_charge, eta_discharge : float
        Share of the energy that survives on its way into, and out of, the battery.
    dod_soft_limit : float
        Depth of discharge that planning should stay within, to spare the battery.
    """

    name: str
    array_w: float
    battery_wh: float
    idle_w: float
    peak_w: float
    eta_charge: float = 0.95
    eta_discharge: float = 0.95
    dod_soft_limit: float = 0.30

    @property
    def battery_j(self) -> float:
        """Energy the battery holds when full, in J."""
        return 3600.0 * self.battery_wh


_PROFILES = (
    # A single-board computer: too small to carry 100 Gbps optical terminals.
    BusProfile(name="sbc", array_w=96.0, battery_wh=80.0, idle_w=18.0, peak_w=25.0),
    # The same computer with four optical terminals of 50-60 W, which dominate the load.
    BusProfile(name="sbc-oct", array_w=728.0, battery_wh=800.0, idle_w=250.0, peak_w=257.0),
    # A present-day broadband satellite: 105 m2 of array.
    BusProfile(
        name="v2mini", array_w=25_000.0, battery_wh=20_000.0, idle_w=3_000.0, peak_w=11_000.0
    ),
    # An orbital data centre in a dawn-dusk orbit: little eclipse, so little battery; through a
    # full eclipse at peak it runs out and must throttle.
    BusProfile(
        name="suncatcher", array_w=7_300.0, battery_wh=2_500.0, idle_w=1_500.0, peak_w=5_000.0
    ),
)

BUS_PROFILES: Final[dict[str, BusProfile]] = {entry.name: entry for entry in _PROFILES}
"""The known profiles by name; order-of-magnitude figures for classes of spacecraft, assumptions."""


def profile(bus: Bus) -> BusProfile:
    """Return the named profile with the scenario's own figures in place.

    Raises
    ------
    InputError
        If the name is unknown, or the bus would draw more idle than at peak.
    """
    if bus.profile not in BUS_PROFILES:
        known = ", ".join(sorted(BUS_PROFILES))
        raise InputError(f"bus.profile: unknown {bus.profile!r}; known: {known}")
    fields = ("array_w", "battery_wh", "idle_w", "peak_w")
    given = {field: getattr(bus, field) for field in fields if getattr(bus, field) is not None}
    result = replace(BUS_PROFILES[bus.profile], **given)
    if result.idle_w > result.peak_w:
        raise InputError(
            f"bus.idle_w: must not exceed peak_w ({result.peak_w:g} W), not {result.idle_w:g} W"
        )
    return result
