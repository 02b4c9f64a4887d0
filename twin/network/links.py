"""Laser inter-satellite links: whether each works at an instant, why not, and its delay."""

from math import cos, inf, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S, R_EARTH_KM
from twin.scenario.world import Links
from twin.space.compiled import compiled
from twin.vocabulary import LinkState

type Array = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type States = tuple[Array, Array]
type Row = int | np.int32


_UP, _RANGE, _GRAZING = int(LinkState.UP), int(LinkState.RANGE), int(LinkState.GRAZING)
_RATE, _RANDOM, _SUN = int(LinkState.RATE), int(LinkState.RANDOM), int(LinkState.SUN)
_POWER, _POLAR, _PAT = int(LinkState.POWER), int(LinkState.POLAR), int(LinkState.PAT)
_UNPAIRED = int(LinkState.UNPAIRED)

_HALVINGS = 12
_ROUNDING_S = 1e-6


class LinkLimits(NamedTuple):
    """What a link must respect; ``inf`` for a limit that is off."""

    minimum_radius_km: float
    max_range_km: float
    max_angular_rate_rad_s: float
    polar_sine: float
    sun_cosine: float


def limits(links: Links) -> LinkLimits:
    """Return the limits of a scenario's links table."""
    polar_deg, sun_deg = links.polar_shutoff_deg, links.sun_exclusion_deg
    return LinkLimits(
        minimum_radius_km=R_EARTH_KM + links.grazing_altitude_km,
        max_range_km=inf if links.max_range_km is None else links.max_range_km,
        max_angular_rate_rad_s=links.max_angular_rate_rad_s,
        polar_sine=inf if polar_deg is None else sin(radians(polar_deg)),
        sun_cosine=cos(radians(sun_deg)) if sun_deg > 0 else inf,
    )


def broken_limits(
    edges: NDArray[np.int32],
    across: NDArray[np.bool_],
    now: States,
    sun_km: Array,
    limit: LinkLimits,
) -> tuple[NDArray[np.uint8], Array]:
    """Which limit of geometry each link breaks at one instant, if any.

    The line of sight turns at ``|dr x dv| / |dr|^2`` in inertial axes, and passes the Earth's
    centre at ``|ra x rb| / |dr|`` where the closest point lies between the two satellites. The
    Sun blinds the end that has it behind its partner, unless the Earth hides it from there.

    Parameters
    ----------
    edges : (E, 2) int32
    across : (E,) bool
        Links between planes, which the polar shut-off concerns.
    now : two (N, 3) float64
        Positions in km and velocities in km/s, in one inertial frame whose z axis is the Earth's.
    sun_km : (3,) float64
        Direction of the Sun in that frame, of any length.
    limit : LinkLimits

    Returns
    -------
    code : (E,) uint8
        `LinkState` of the first limit broken, 0 for none.
    range_km : (E,) float64
    """
    code, range_km = np.empty(len(edges), np.uint8), np.empty(len(edges))
    _broken_limits(edges, across, now, sun_km / np.linalg.norm(sun_km), limit, code, range_km)
    return code, range_km


@compiled
def _broken_limits(
    edges: NDArray[np.int32],
    across: Flags,
    now: States,
    sun: Array,
    limit: LinkLimits,
    code: NDArray[np.uint8],
    range_km: Array,
) -> None:
    for e in range(edges.shape[0]):
        code[e], range_km[e] = _limit(now, edges[e, 0], edges[e, 1], sun, across[e], limit)


@compiled
def _limit(
    now: States, a: Row, b: Row, sun: Array, across: bool, limit: LinkLimits
) -> tuple[int, float]:
    """First limit that a link from a to b breaks, and its length in km."""
    r, v = now
    ax, ay, az, bx, by, bz = r[a, 0], r[a, 1], r[a, 2], r[b, 0], r[b, 1], r[b, 2]
    dx, dy, dz = bx - ax, by - ay, bz - az
    wx, wy, wz = v[b, 0] - v[a, 0], v[b, 1] - v[a, 1], v[b, 2] - v[a, 2]
    range2 = dx * dx + dy * dy + dz * dz
    # Where along a -> b the Earth's centre is closest, as a fraction of the link.
    along = -(ax * dx + ay * dy + az * dz) / range2
    along = min(1.0, max(0.0, along))
    px, py, pz = ax + along * dx, ay + along * dy, az + along * dz
    cx, cy, cz = dy * wz - dz * wy, dz * wx - dx * wz, dx * wy - dy * wx
    length = sqrt(range2)
    code = _UP
    if range2 > limit.max_range_km * limit.max_range_km:
        code = _RANGE
    elif px * px + py * py + pz * pz < limit.minimum_radius_km * limit.minimum_radius_km:
        code = _GRAZING
    elif cx * cx + cy * cy + cz * cz > (limit.max_angular_rate_rad_s * range2) ** 2:
        code = _RATE
    elif across and (_polar(r, a, limit.polar_sine) or _polar(r, b, limit.polar_sine)):
        code = _POLAR
    else:
        sunward = (dx * sun[0] + dy * sun[1] + dz * sun[2]) / length
        if abs(sunward) > limit.sun_cosine and _sees_sun(r, a if sunward > 0 else b, sun):
            code = _SUN
    return code, length


@compiled
def _polar(r: Array, i: Row, sine: float) -> bool:
    return bool(abs(r[i, 2]) > sine * sqrt(r[i, 0] ** 2 + r[i, 1] ** 2 + r[i, 2] ** 2))


@compiled
def _sees_sun(r: Array, i: Row, sun: Array) -> bool:
    towards = r[i, 0] * sun[0] + r[i, 1] * sun[1] + r[i, 2] * sun[2]
    aside2 = r[i, 0] ** 2 + r[i, 1] ** 2 + r[i, 2] ** 2 - towards**2
    return bool(towards > 0 or aside2 > R_EARTH_KM**2)


@compiled
def settle(
    skeleton: tuple[NDArray[np.int32], NDArray[np.int32], Flags],
    asked: tuple[Flags, Flags, Flags],
    motion: tuple[States, States, Array],
    clock: tuple[float, float, float],
    limit: LinkLimits,
    memory: tuple[NDArray[np.uint8], Array],
    result: tuple[NDArray[np.uint8], Array],
) -> None:
    """Work out every link's state and delay at the start of a step; see `Terminals`.

    Parameters
    ----------
    skeleton : edges (E, 2), entry (E, 2), across (E,)
    asked : paired (E,), powered (N,), unbroken (E,)
    motion : states a step ago, states now, unit vector to the Sun
    clock : now, length of a step and of an acquisition, s
    limit : LinkLimits
    memory : broken (E,), since_s (E,)
        Read and written: what kept each link from working a step ago, 0 for nothing; the instant
        since when nothing has.
    result : state (E,), weight_s (2E,)
        Written.
    """
    edges, entry, across = skeleton
    paired, powered, unbroken = asked
    before, now, sun = motion
    t_s, step_s, acquisition_s = clock
    broken, since_s = memory
    state, weight_s = result
    for e in range(edges.shape[0]):
        a, b = edges[e, 0], edges[e, 1]
        code, delay = _UNPAIRED, np.inf
        if paired[e]:
            code, length = _limit(now, a, b, sun, across[e], limit)
            dark = not (powered[a] and powered[b])
            if code == _UP and dark:
                code = _POWER
            if code == _UP and broken[e] == _POWER:
                since_s[e] = t_s
            elif code == _UP and broken[e] != _UP and acquisition_s > 0:
                fraction = _recovery(before, now, a, b, sun, across[e], limit, step_s)
                since_s[e] = t_s - (1 - fraction) * step_s
            broken[e] = _POWER if dark else code
            if code == _UP and t_s - since_s[e] < acquisition_s - _ROUNDING_S:
                code = _PAT
            if code == _UP and not unbroken[e]:
                code = _RANDOM
            if code == _UP:
                delay = length / C_KM_S
        state[e] = code
        weight_s[entry[e, 0]] = delay
        weight_s[entry[e, 1]] = delay


@compiled
def _recovery(
    before: States,
    now: States,
    a: int,
    b: int,
    sun: Array,
    across: bool,
    limit: LinkLimits,
    step_s: float,
) -> float:
    """When the limits began to hold, as a fraction of the step that ends now, by bisection."""
    between = np.empty((2, 3)), np.empty((2, 3))
    # Typed like a and b: for literals numba would compile `_limit` a second time.
    first, second = np.int32(0), np.int32(1)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        _interpolate(before, now, (a, b), middle, step_s, between)
        if _limit(between, first, second, sun, across, limit)[0] == _UP:
            high = middle
        else:
            low = middle
    return high


@compiled
def _interpolate(
    before: States, now: States, pair: tuple[int, int], x: float, step_s: float, between: States
) -> None:
    """Cubic Hermite positions and velocities of two satellites, a fraction x into a step."""
    r, v = between
    for row in range(2):
        for k in range(3):
            i = pair[row]
            r0, v0, r1, v1 = before[0][i, k], before[1][i, k], now[0][i, k], now[1][i, k]
            r[row, k] = r0 + x * x * (3 - 2 * x) * (r1 - r0)
            r[row, k] += step_s * x * (1 - x) * ((1 - x) * v0 - x * v1)
            v[row, k] = 6 * x * (1 - x) * (r1 - r0) / step_s
            v[row, k] += (1 - x) * (1 - 3 * x) * v0 + x * (3 * x - 2) * v1
