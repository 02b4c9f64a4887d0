"""The shadow's compiled loops: discs as seen from a satellite, its arc over a step, its edges.

All in one file, because numba's cache notices a change only in the file of the outermost loop.
Angles as seen from the satellite: `sun` and `earth` are the angular radii of the two discs,
`apart` the distance of their centres. The satellite is in penumbra where ``apart < earth + sun``
and in umbra where ``apart < earth - sun``. The cylinder is the same with ``sun = 0`` and parallel
rays.

References
----------
O. Montenbruck and E. Gill, "Satellite Orbits", Springer 2000, section 3.4.2.
"""

from math import acos, asin, atan2, cos, floor, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from twin.constants import R_EARTH_KM, R_SUN_KM
from twin.space.compiled import compiled

type Array = NDArray[np.float64]
type Arc = tuple[float, ...]

EDGE_TOLERANCE_S = 1e-6
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(6)


@compiled
def _discs(radius: float, cosine: float, distance: float, cone: bool) -> tuple[float, float, float]:
    """Angular radii of Sun and Earth and their separation, from the satellite's radius, the
    cosine of its angle from the Sun at Earth's centre, and the Sun's distance.
    """  # noqa: D205
    earth = asin(min(1.0, R_EARTH_KM / radius))
    if not cone:
        return 0.0, earth, acos(max(-1.0, min(1.0, -cosine)))
    far = sqrt(distance**2 + radius**2 - 2 * distance * radius * cosine)
    apart = acos(max(-1.0, min(1.0, (radius - distance * cosine) / far)))
    return asin(R_SUN_KM / far), earth, apart


@compiled
def _visible(sun: float, earth: float, apart: float) -> float:
    """Share of the Sun's disc outside Earth's."""
    if apart >= sun + earth:
        return 1.0
    if apart <= earth - sun:
        return 0.0
    if apart <= sun - earth:
        return 1.0 - (earth / sun) ** 2
    x = (apart**2 + sun**2 - earth**2) / (2 * apart)
    y = sqrt(max(0.0, sun**2 - x**2))
    in_sun = sun**2 * acos(max(-1.0, min(1.0, x / sun)))
    in_earth = earth**2 * acos(max(-1.0, min(1.0, (apart - x) / earth)))
    return 1.0 - (in_sun + in_earth - apart * y) / (pi * sun**2)


@compiled
def _dot(a: Array, b: Array) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@compiled
def illuminate(r_km: Array, sun_km: Array, cone: bool, fraction: Array) -> None:
    """Write the visible fraction of the Sun for rows of positions and Suns, (N, 3) each."""
    for j in range(r_km.shape[0]):
        radius, distance = sqrt(_dot(r_km[j], r_km[j])), sqrt(_dot(sun_km[j], sun_km[j]))
        cosine = _dot(r_km[j], sun_km[j]) / (radius * distance)
        sun, earth, apart = _discs(radius, cosine, distance, cone)
        fraction[j] = _visible(sun, earth, apart)


@compiled
def _sun_angles(r: Array, v: Array, sun: Array, distance: float) -> tuple[float, ...]:
    """Radius, climb rate, angular rate, and the Sun's cosines outward and forward."""
    radius = sqrt(_dot(r, r))
    climb = _dot(r, v) / radius
    forward_speed = sqrt(max(_dot(v, v) - climb**2, 1e-30))
    outward = _dot(r, sun) / (radius * distance)
    forward = (_dot(v, sun) / distance - climb * outward) / forward_speed
    return radius, climb, forward_speed / radius, outward, forward


@compiled
def _arc(r0: Array, v0: Array, r1: Array, v1: Array, sun: Array, step_s: float) -> Arc:
    """The step as cubics in s = t / step_s (angle, radius) and lines (the Sun's two cosines)."""
    distance = sqrt(_dot(sun, sun))
    radius0, climb0, rate0, outward0, forward0 = _sun_angles(r0, v0, sun, distance)
    radius1, climb1, rate1, outward1, forward1 = _sun_angles(r1, v1, sun, distance)
    forward = (_dot(r1, v0) - climb0 * _dot(r1, r0) / radius0) / (rate0 * radius0)
    turn = atan2(forward, _dot(r1, r0) / radius0)
    turn += 2 * pi * floor(((rate0 + rate1) / 2 * step_s - turn) / (2 * pi) + 0.5)
    # The end's view of the Sun, turned back to the start: the plane itself drifts a little.
    c, s = cos(turn), sin(turn)
    back_out, back_fwd = outward1 * c - forward1 * s, outward1 * s + forward1 * c
    w0, w1, q0, q1 = rate0 * step_s, rate1 * step_s, climb0 * step_s, climb1 * step_s
    rise = radius1 - radius0
    return (
        step_s, distance, turn,
        w0, 3 * turn - 2 * w0 - w1, w0 + w1 - 2 * turn,
        radius0, q0, 3 * rise - 2 * q0 - q1, q0 + q1 - 2 * rise,
        outward0, back_out - outward0, forward0, back_fwd - forward0,
    )  # fmt: skip


@compiled
def _view(t: float, arc: Arc, cone: bool) -> tuple[float, float, float]:
    """`_discs` at a time inside the step."""
    step_s, distance, _, a1, a2, a3, b0, b1, b2, b3, out, d_out, fwd, d_fwd = arc
    s = t / step_s
    angle = s * (a1 + s * (a2 + s * a3))
    radius = b0 + s * (b1 + s * (b2 + s * b3))
    cosine = (out + s * d_out) * cos(angle) + (fwd + s * d_fwd) * sin(angle)
    return _discs(radius, cosine, distance, cone)


@compiled
def _first_axis(arc: Arc) -> float:
    """Angle, from the start, at which the satellite first passes the Sun's or shadow's axis."""
    out, d_out, fwd, d_fwd = arc[10:]
    return atan2(fwd + d_fwd / 2, out + d_out / 2) % pi


@compiled
def _time_at(angle: float, arc: Arc) -> float:
    """Time at which the satellite has turned by an angle (Newton)."""
    step_s, _, turn, a1, a2, a3 = arc[:6]
    s = angle / turn
    for _ in range(4):
        s -= (s * (a1 + s * (a2 + s * a3)) - angle) / (a1 + s * (2 * a2 + s * 3 * a3))
    return s * step_s


@compiled
def _margin(t: float, side: float, arc: Arc, cone: bool) -> float:
    """Angle outside the penumbra (side 1) or the umbra (side -1); negative inside."""
    sun, earth, apart = _view(t, arc, cone)
    return apart - earth - side * sun


@compiled
def _edge(t0: float, t1: float, side: float, arc: Arc, cone: bool) -> float:
    """Time between t0 and t1 at which the margin, of opposite signs there, is zero (Illinois)."""
    f0, f1 = _margin(t0, side, arc, cone), _margin(t1, side, arc, cone)
    t = t1
    for _ in range(60):
        before, t = t, t1 - f1 * (t1 - t0) / (f1 - f0)
        f = _margin(t, side, arc, cone)
        if f == 0.0 or abs(t - before) < EDGE_TOLERANCE_S:
            break
        if (f > 0) != (f1 > 0):
            t0, f0 = t1, f1
        else:
            f0 /= 2
        t1, f1 = t, f
    return t


@compiled
def _lit_s(t0: float, t1: float, arc: Arc, cone: bool) -> float:
    """Seconds of full Sun between times without a turning in between."""
    sun0, earth0, apart0 = _view(t0, arc, cone)
    sun1, earth1, apart1 = _view(t1, arc, cone)
    margin0, margin1 = apart0 - earth0, apart1 - earth1
    if margin0 >= sun0 and margin1 >= sun1:
        return t1 - t0
    if margin0 <= -sun0 and margin1 <= -sun1:
        return 0.0
    dark, bright = (t0, t1) if margin0 < margin1 else (t1, t0)
    penumbra, umbra = bright, dark
    if max(margin0 - sun0, margin1 - sun1) > 0:
        penumbra = _edge(dark, bright, 1.0, arc, cone)
    if min(margin0 + sun0, margin1 + sun1) < 0:
        umbra = _edge(dark, bright, -1.0, arc, cone)
    middle, half = (penumbra + umbra) / 2, abs(penumbra - umbra) / 2
    lit = abs(bright - penumbra)
    for k in range(GAUSS_X.size):
        sun, earth, apart = _view(middle + half * GAUSS_X[k], arc, cone)
        lit += half * GAUSS_W[k] * _visible(sun, earth, apart)
    return lit


@compiled
def mean_light(
    r0: Array, v0: Array, r1: Array, v1: Array, sun: Array, step_s: float, cone: bool, out: Array
) -> None:
    """Write the mean visible fraction over a step, from states at its ends, to `out` (N,)."""
    for j in range(r0.shape[0]):
        # Day side at both ends of less than half a turn: no shadow in between.
        short = step_s * step_s * _dot(v0[j], v0[j]) < 4 * _dot(r0[j], r0[j])
        if short and _dot(r0[j], sun) > 0 and _dot(r1[j], sun) > 0:
            continue
        arc = _arc(r0[j], v0[j], r1[j], v1[j], sun, step_s)
        lit, start, angle = 0.0, 0.0, _first_axis(arc)
        while start < step_s:
            end = _time_at(angle, arc) if angle < arc[2] else step_s
            lit += _lit_s(start, end, arc, cone)
            start, angle = end, angle + pi
        out[j] = min(1.0, max(0.0, lit / step_s))


@compiled
def find_edges(t_s: Array, r: Array, v: Array, sun: Array, cone: bool, found: Array) -> int:
    """Write (time, satellite, kind) rows while there is room; return how many there are."""
    count = 0
    for i in range(t_s.size - 1):
        step_s = t_s[i + 1] - t_s[i]
        for j in range(r.shape[1]):
            arc = _arc(r[i, j], v[i, j], r[i + 1, j], v[i + 1, j], sun[i], step_s)
            start, angle = 0.0, _first_axis(arc)
            while start < step_s:
                end = _time_at(angle, arc) if angle < arc[2] else step_s
                for side in (1.0, -1.0):
                    entering = _margin(start, side, arc, cone) > 0
                    if entering == (_margin(end, side, arc, cone) > 0) or (side > 0 and not cone):
                        continue
                    if count < found.shape[0]:
                        found[count, 0] = t_s[i] + _edge(start, end, side, arc, cone)
                        found[count, 1] = j
                        found[count, 2] = (1 - side) / 2 if entering else (5 + side) / 2
                    count += 1
                start, angle = end, angle + pi
    return count
