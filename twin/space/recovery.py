"""From a file of element sets to its shells and planes, whatever the day it is looked at.

All is decided at one epoch, the middle one of the file: shells, planes, the order of satellites in
them, and how planes move against each other. Satellites in service are kept where they are, so
that their order lasts; element sets carried on for weeks do not show that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.space import planes, shells
from twin.space.frames import DAY_S, teme_to_gcrs

type Array = NDArray[np.float64]

TAU = 2 * np.pi


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What was found in M usable element sets.

    Attributes
    ----------
    epoch_utc : str
        When all else holds.
    mean : (M, 6) float64
        a_km, ecc, inc_rad, raan_rad, argp_rad, nu_rad, in the axes of the GCRS.
    rate_deg_day, inc_rad : (M,) float64
        Rate of the argument of latitude, and inclination to the equator of the time.
    structure : Structure
    """

    epoch_utc: str
    mean: Array
    rate_deg_day: Array
    inc_rad: Array
    structure: shells.Structure


@dataclass(frozen=True, kw_only=True, eq=False)
class Phases:
    """Where satellites of element sets stand along their planes, for good or drifting.

    Attributes
    ----------
    turns : (N,) float64
        In [0, 1): place along the plane at the middle epoch of the file.
    drift_turns_s : (N,) float64
        How fast places in a plane change against those in the first plane of its shell;
        the same to the last bit where planes are locked in phase.
    normal : (N, 3) float64
        Unit normal of each satellite's plane then.
    a_km : (N,) float64
        Mean semi-major axis then.
    age_s : float
        From that epoch to the start of the simulation.
    """

    turns: NDArray[np.float64]
    drift_turns_s: NDArray[np.float64]
    normal: NDArray[np.float64]
    a_km: NDArray[np.float64]
    age_s: float


def recover(mean: Array, epoch_utc: str) -> Recovered:
    """Find shells and planes among satellites.

    Parameters
    ----------
    mean : (M, 6) float64
        a_km, ecc, inc_rad, raan_rad, argp_rad, nu_rad, in the axes of the GCRS, M >= 1.
    epoch_utc : str
        ISO 8601, when they hold.
    """
    from twin.space.propagation import j2_rates  # it imports constellations, which import this

    a_km, ecc, inc_rad, raan_rad, argp_rad, nu_rad = mean.T
    _, argp, anomaly = j2_rates(a_km, ecc, inc_rad)
    rate_deg_day = np.degrees(argp + anomaly) * DAY_S
    normal = planes.normals(inc_rad, raan_rad)
    # The pole of the time, about which nodes turn: seen from that of 2000, planes of one shell
    # lean by up to a tenth of a degree to either side.
    pole = teme_to_gcrs(epoch_utc, np.zeros(1))[0][:, 2]
    equatorial_rad = np.arccos(np.clip(normal @ pole, -1.0, 1.0))
    direction = planes.directions(inc_rad, raan_rad, argp_rad + nu_rad)
    return Recovered(
        epoch_utc=epoch_utc,
        mean=mean,
        rate_deg_day=rate_deg_day,
        inc_rad=equatorial_rad,
        structure=shells.find(a_km, rate_deg_day, equatorial_rad, normal, direction),
    )


def turns(mean: Array, plane: NDArray[np.int32]) -> Array:
    """Place of each satellite along its plane, in turns from the plane's node, (N,)."""
    inc_rad, raan_rad, argp_rad, nu_rad = mean[:, 2:].T
    direction = planes.directions(inc_rad, raan_rad, argp_rad + nu_rad)
    return planes.places(plane, planes.normals(inc_rad, raan_rad), direction)


def plane_normals(mean: Array, plane: NDArray[np.int32]) -> Array:
    """Unit normal of the plane of each satellite, (N, 3)."""
    return planes.mean_normals(plane, planes.normals(mean[:, 2], mean[:, 3]))[plane]


def drift_turns_s(rate_deg_day: Array, shell: NDArray[np.int32], plane: NDArray[np.int32]) -> Array:
    """How fast each satellite's plane moves along against the first plane of its shell, (N,).

    The rate is that of the middle satellite of the plane. Planes that are locked in phase have
    the same rate to the last bit.
    """
    rate = np.array([np.median(rate_deg_day[plane == p]) for p in range(int(plane.max()) + 1)])
    size = np.bincount(plane)
    for number in np.unique(shell):
        mine = np.unique(plane[shell == number])
        group = shells.locked(rate[mine], int(size[mine].max()))
        rate[mine] = np.array([np.median(rate[mine][group == g]) for g in group])
        rate[mine] -= rate[mine[0]]
    return rate[plane] / (360.0 * DAY_S)


def along(
    plane: NDArray[np.int32], phase: NDArray[np.float64], ring: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Order of satellites by plane and along it by phase, from the first past the node."""
    count = int(plane.max()) + 1
    first = np.array([np.flatnonzero(plane == p)[ring[plane == p].argmin()] for p in range(count)])
    order = np.lexsort(((phase - phase[first][plane]) % 1.0, plane))
    in_order = plane[order]
    slot = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    return order, slot.astype(np.int32)
