"""Temperature of a fleet: each satellite is one node, warmed by its load, Sun and Earth.

m c dT/dt = Q + alpha S A_sun nu + alpha a S F A day + eps E F A - eps sigma A T^4, with the Sun's
irradiance S, sunlit share nu, albedo a, Earth's infrared E, and F = (R/r)^2.

References
----------
D. G. Gilmore (ed.), "Spacecraft Thermal Control Handbook", 2nd edition, 2002, chapter 2.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.constants import SOLAR_CONSTANT_W_M2
from twin.energy.bus import BusProfile
from twin.energy.solar import Surroundings

type Array = NDArray[np.float64]

STEFAN_BOLTZMANN_W_M2_K4: Final = 5.670374419e-8
"""CODATA 2018."""
EARTH_INFRARED_W_M2: Final = 237.0
"""Mean infrared that leaves Earth."""
ALBEDO: Final = 0.30
"""Mean share of sunlight that Earth reflects."""


def absorbed_w(around: Surroundings, bus: BusProfile) -> Array:
    """Heat from the Sun, from sunlight off Earth, and from Earth itself, in W, (N,)."""
    sun = bus.absorptivity * SOLAR_CONSTANT_W_M2 * around.sunshine
    per_view = (sun * ALBEDO) * around.day + bus.emissivity * EARTH_INFRARED_W_M2
    return (sun * bus.sun_m2) * around.sunlit + bus.radiator_m2 * around.earth_view * per_view


def equilibrium_k(heat_w: Array, bus: BusProfile) -> Array:
    """Temperature at which the radiator gives off `heat_w`, in K, same shape."""
    radiated_w_k4 = bus.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * bus.radiator_m2
    result: Array = np.sqrt(np.sqrt(heat_w / radiated_w_k4))
    return result


def advance(temperature_k: Array, heat_w: Array, bus: BusProfile, step_s: float) -> Array:
    """Temperature after a step of constant heat input, in K, (N,).

    T relaxes towards its equilibrium E at the rate eps sigma A (E + T)(E^2 + T^2) / (m c), exact
    but for the T in it, which is taken from the middle of the step. So T never passes E however
    long the step.

    Parameters
    ----------
    temperature_k : (N,) float64
        Before the step.
    heat_w : (N,) float64
        Own and absorbed heat.
    bus : BusProfile
    step_s : float
    """
    goal = equilibrium_k(heat_w, bus)
    radiated_w_k4 = bus.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * bus.radiator_m2
    scale = -step_s * radiated_w_k4 / bus.heat_capacity_j_k
    goal2, away = goal * goal, temperature_k - goal
    half = goal + away * np.exp(
        (scale / 2) * (goal + temperature_k) * (goal2 + temperature_k * temperature_k)
    )
    result: Array = goal + away * np.exp(scale * (goal + half) * (goal2 + half * half))
    return result


def throttle(
    temperature_k: Array, throttled: NDArray[np.bool_], bus: BusProfile
) -> NDArray[np.bool_]:
    """Whether the compute is to slow down: from above one temperature until below another."""
    return (temperature_k > bus.throttle_k) | (throttled & (temperature_k >= bus.resume_k))
