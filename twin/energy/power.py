"""Battery and array of a fleet over one step.

Within the sunlit part of a step the bus sees the power P = array - load, in shadow P = -load.
The stored energy changes by dE = eta_c max(P, 0) dt - max(-P, 0) / eta_d dt, with the two parts
taken apart, since a mean P would hide charging losses against discharging ones.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.energy.bus import BusProfile

FloatArray = NDArray[np.float64]


class PowerStep(NamedTuple):
    """What one step did to N satellites; energies in J over the step, all (N,).

    The books balance: sunlight offered - spilled = load - deficit + loss + change of stored.
    """

    soc: FloatArray
    """State of charge after the step, 0 to 1."""
    load_j: FloatArray
    """Asked by the bus."""
    loss_j: FloatArray
    """Lost on the way into and out of the battery."""
    deficit_j: FloatArray
    """Part of the load that neither array nor battery could feed."""
    spilled_j: FloatArray
    """Part of the array's energy that a full battery could not take."""


def load_w(utilisation: FloatArray, profile: BusProfile) -> FloatArray:
    """Power the bus draws at a `utilisation` of 0 to 1, in W, same shape."""
    return profile.idle_w + utilisation * (profile.peak_w - profile.idle_w)


def advance(
    soc: FloatArray,
    sunlit: FloatArray,
    utilisation: FloatArray,
    profile: BusProfile,
    step_s: float,
    *,
    out: FloatArray | None = None,
) -> PowerStep:
    """Charge and discharge the batteries of N satellites over one step.

    A step that is only partly sunlit does not say which part came first. That matters only when
    the battery fills up or runs dry within the step, and then the unfavourable order is taken:
    it fills up before the shadow, or runs dry before the Sun.

    Parameters
    ----------
    soc : (N,) float
        State of charge before the step, 0 to 1.
    sunlit : (N,) float
        Fraction of the step in sunlight, 0 to 1 (penumbra by its illumination).
    utilisation : (N,) float
        Share of the compute in use over the step, 0 to 1.
    profile : BusProfile
        Of all satellites.
    step_s : float
        Length of the step.
    out : (N,) float, optional
        Where the new state of charge goes; may be `soc` itself.

    Returns
    -------
    PowerStep
        New state of charge and the energies of the step.
    """
    capacity_j = profile.battery_j
    load = load_w(utilisation, profile)
    net_sun_j = sunlit * step_s * (profile.array_w - load)
    surplus_j = np.maximum(net_sun_j, 0.0)
    load_j = load * step_s
    # Net of the sunlit part if negative, and the whole load of the part in shadow.
    demand_j = load_j * (1.0 - sunlit) - np.minimum(net_sun_j, 0.0)

    # The limits come first, so that what was not hit is exactly zero.
    stored_j = soc * capacity_j
    spilled_j = np.maximum(surplus_j - (capacity_j - stored_j) / profile.eta_charge, 0.0)
    deficit_j = np.maximum(demand_j - stored_j * profile.eta_discharge, 0.0)
    taken_j = surplus_j - spilled_j
    given_j = demand_j - deficit_j
    charge_j = taken_j * profile.eta_charge
    discharge_j = given_j / profile.eta_discharge
    # Rounding must not leave the state of charge a hair outside its range.
    after = np.clip((stored_j + charge_j - discharge_j) / capacity_j, 0.0, 1.0, out=out)
    return PowerStep(
        soc=after,
        load_j=load_j,
        loss_j=(taken_j - charge_j) + (discharge_j - given_j),
        deficit_j=deficit_j,
        spilled_j=spilled_j,
    )
