"""What Sun and Earth do to each satellite in a step: angles, order of light and shadow, array."""

from math import atan2, floor, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.constants import R_EARTH_KM
from twin.energy.bus import BusProfile
from twin.space.compiled import compiled
from twin.space.sun import AU_KM

type Array = NDArray[np.float64]


class Surroundings(NamedTuple):
    """N satellites under the Sun over a step; all (N,) but the last."""

    sunlit: Array
    """Share of the step in sunlight, 0 to 1 (penumbra by its illumination)."""
    lit_first: Array
    """Share of the sunlit time that comes before the shadow: 1 if it enters, 0 if it leaves,
    between if the shadow lies inside the step."""
    day: Array
    """Mean of the cosine of the Sun's zenith angle at the satellite, 0 where negative."""
    cos_beta: Array
    """Cosine of the angle between the Sun and the orbital plane."""
    earth_view: Array
    """(R/r)^2, the share of the sky that Earth fills for a plate that faces it."""
    sunshine: float
    """Irradiance over that at 1 au: 1.034 in the first days of January, 0.967 in July's."""


def surroundings(
    r_km: Array, v_km_s: Array, sun_km: Array, sunlit: Array, step_s: float
) -> Surroundings:
    """Angles to the Sun over a step of motion on a circle.

    The shadow is taken as symmetric about the antisolar direction, which the time of passing
    that direction and the length of the shadow then place within the step.

    Parameters
    ----------
    r_km, v_km_s : (N, 3) float64
        States at the start of the step, geocentric.
    sun_km : (3,) float64
        The Sun in the same axes; its distance is taken as Earth's.
    sunlit : (N,) float64
        Share of the step in sunlight.
    step_s : float
        Length of the step, shorter than an orbit.
    """
    lit_first, day, cos_beta, earth_view = out = np.empty((4, len(r_km)))
    distance_km = float(np.linalg.norm(sun_km))
    _look_up(r_km, v_km_s, sun_km / distance_km, sunlit, step_s, out)
    sunshine = (AU_KM / distance_km) ** 2
    return Surroundings(sunlit, lit_first, day, cos_beta, earth_view, sunshine)


def array_w(around: Surroundings, bus: BusProfile) -> Array:
    """Power of the array while it is sunlit, averaged over that time, in W, (N,).

    ``sun-tracking`` always faces the Sun. ``one-axis`` turns about the orbit normal and
    loses the cosine of the beta angle. ``body-fixed`` lies on the zenith side of a satellite
    that points to nadir and loses the cosine of the Sun's zenith angle, which over an orbit
    leaves cos(beta)/pi.
    """
    full_w = bus.array_w * around.sunshine
    match bus.pointing:
        case "sun-tracking":
            return np.full(len(around.day), full_w)
        case "one-axis":
            return full_w * around.cos_beta
        case "body-fixed":
            # By day the Sun is up, so all of the mean falls into the sunlit time.
            lit = np.where(around.sunlit > 0.0, around.sunlit, np.inf)
            return full_w * np.minimum(around.day / lit, 1.0)


@compiled
def _daylight(angle: float) -> float:
    """Integral of max(cos, 0) from -pi/2: 2 for every day, nothing at night."""
    turns = floor(angle / (2 * pi) + 0.25)
    angle -= 2 * pi * turns
    return 2.0 * turns + (1.0 + sin(angle) if angle < pi / 2 else 2.0)


@compiled
def _look_up(r: Array, v: Array, sun: Array, sunlit: Array, step_s: float, out: Array) -> None:
    """Write the rows of `Surroundings` after the first; `sun` is a unit vector."""
    for j in range(r.shape[0]):
        radius2 = r[j, 0] ** 2 + r[j, 1] ** 2 + r[j, 2] ** 2
        radius = sqrt(radius2)
        climb = (r[j, 0] * v[j, 0] + r[j, 1] * v[j, 1] + r[j, 2] * v[j, 2]) / radius
        speed2 = v[j, 0] ** 2 + v[j, 1] ** 2 + v[j, 2] ** 2
        across = sqrt(speed2 - climb * climb)
        outward = (r[j, 0] * sun[0] + r[j, 1] * sun[1] + r[j, 2] * sun[2]) / radius
        forward = v[j, 0] * sun[0] + v[j, 1] * sun[1] + v[j, 2] * sun[2]
        forward = (forward - climb * outward) / across
        cos_beta = min(sqrt(outward**2 + forward**2), 1.0)
        turn = across / radius * step_s
        out[0, j], out[1, j], out[2, j], out[3, j] = 1.0, 0.0, cos_beta, R_EARTH_KM**2 / radius2
        # Night throughout, for a cosine cannot gain more than the angle turned, and no edge.
        if outward + turn < 0.0 and (sunlit[j] == 0.0 or sunlit[j] == 1.0):
            continue
        start = -atan2(forward, outward)  # angle from the orbit's noon
        end = start + turn
        out[1, j] = cos_beta * (_daylight(end) - _daylight(start)) / turn
        if 0.0 < sunlit[j] < 1.0:
            midnight = pi + 2 * pi * floor((start + end) / (4 * pi))
            before = (midnight - start) / turn - (1.0 - sunlit[j]) / 2
            out[0, j] = min(max(before / sunlit[j], 0.0), 1.0)
