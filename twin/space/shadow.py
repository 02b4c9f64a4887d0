"""The shadow's compiled loops: discs as seen from a satellite, its arc over a step, its edges.

All in one file, because numba's cache notices a change only in the file of the outermost loop.
Angles as seen from the satellite: `sun` and `earth` are the angular radii of the two discs,
`apart` the distance of their centres. Where the discs touch from outside, the satellite is on the
cone of the penumbra; from inside, on that of the umbra. Edges are found by the distance from
these cones, which needs no inverse trigonometry; the share of the disc that shows, by the angles.

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
FASTER = 1.05
"""Bound on a satellite's speed within a step, in terms of its speeds at the ends."""


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
def _sun_angles(r: Array, v: Array, sun: Array) -> tuple[float, ...]:
    """Radius, climb rate, angular rate, and the Sun's cosines outward and forward."""
    radius, distance = sqrt(_dot(r, r)), sqrt(_dot(sun, sun))
    climb = _dot(r, v) / radius
    forward_speed = sqrt(max(_dot(v, v) - climb**2, 1e-30))
    outward = _dot(r, sun) / (radius * distance)
    forward = (_dot(v, sun) / distance - climb * outward) / forward_speed
    return radius, climb, forward_speed / radius, outward, forward


@compiled
def _outside(radius: float, cosine: float, distance: float, side: float, cone: bool) -> float:
    """Distance, km, from the cone of the penumbra (side 1) or the umbra (side -1).

    Negative in the shadow. On the day side it goes on growing with the radius, so that it is
    continuous and changes no faster than the satellite moves.
    """
    slope = (R_EARTH_KM + side * R_SUN_KM) / distance if cone else 0.0
    steep = sqrt(1 - slope**2)
    if cosine >= 0:
        return radius * steep - R_EARTH_KM
    off_axis = radius * sqrt(max(0.0, 1 - cosine**2))
    return off_axis * steep + radius * cosine * slope - R_EARTH_KM


@compiled
def _arc(r0: Array, v0: Array, r1: Array, v1: Array, sun: Array, step_s: float) -> Arc:
    """The step as cubics in s = t / step_s (angle, radius) and lines (the Sun's two cosines)."""
    distance = sqrt(_dot(sun[0], sun[0]))
    radius0, climb0, rate0, outward0, forward0 = _sun_angles(r0, v0, sun[0])
    radius1, climb1, rate1, outward1, forward1 = _sun_angles(r1, v1, sun[1])
    onward = _dot(r1, r0) / radius0
    turn = atan2((_dot(r1, v0) - climb0 * onward) / (rate0 * radius0), onward)
    turn += 2 * pi * floor(((rate0 + rate1) / 2 * step_s - turn) / (2 * pi) + 0.5)
    # The end's view of the Sun, turned back to the start: the Sun moves, the plane drifts.
    c, s = cos(turn), sin(turn)
    back_out, back_fwd = outward1 * c - forward1 * s, outward1 * s + forward1 * c
    w0, w1, q0, q1 = rate0 * step_s, rate1 * step_s, climb0 * step_s, climb1 * step_s
    # Velocities from mean elements are those without J2: give them the drift that the angle has,
    # by the trapezoidal rule with end corrections (the area law gives the accelerations).
    drift = turn - (w0 + w1) / 2 + (w0 * q0 / radius0 - w1 * q1 / radius1) / 6
    w0, w1 = w0 + drift, w1 + drift
    rise = radius1 - radius0
    return (
        step_s, distance, turn,
        w0, 3 * turn - 2 * w0 - w1, w0 + w1 - 2 * turn,
        radius0, q0, 3 * rise - 2 * q0 - q1, q0 + q1 - 2 * rise,
        outward0, back_out - outward0, forward0, back_fwd - forward0,
    )  # fmt: skip


@compiled
def _place(t: float, arc: Arc) -> tuple[float, float]:
    """Radius and cosine of the angle from the Sun, at a time inside the step."""
    step_s, _, _, a1, a2, a3, b0, b1, b2, b3, out, d_out, fwd, d_fwd = arc
    s = t / step_s
    angle = s * (a1 + s * (a2 + s * a3))
    radius = b0 + s * (b1 + s * (b2 + s * b3))
    return radius, (out + s * d_out) * cos(angle) + (fwd + s * d_fwd) * sin(angle)


@compiled
def _light_at(t: float, arc: Arc, cone: bool) -> float:
    """Visible share of the Sun's disc at a time inside the step."""
    radius, cosine = _place(t, arc)
    sun, earth, apart = _discs(radius, cosine, arc[1], cone)
    return _visible(sun, earth, apart)


@compiled
def _outside_at(t: float, side: float, arc: Arc, cone: bool) -> float:
    """`_outside` at a time inside the step."""
    radius, cosine = _place(t, arc)
    return _outside(radius, cosine, arc[1], side, cone)


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
def _edge(t0: float, f0: float, t1: float, f1: float, side: float, arc: Arc, cone: bool) -> float:
    """Time between t0 and t1 at which the distance, f0 and f1 of opposite signs there, is zero.

    By false position with the Illinois rule.
    """
    t = t1
    for _ in range(60):
        before, t = t, t1 - f1 * (t1 - t0) / (f1 - f0)
        f = _outside_at(t, side, arc, cone)
        if f == 0.0 or abs(t - before) < EDGE_TOLERANCE_S:
            break
        if (f > 0) != (f1 > 0):
            t0, f0 = t1, f1
        else:
            f0 /= 2
        t1, f1 = t, f
    return t


@compiled
def _lit_s(dark: float, bright: float, arc: Arc, cone: bool) -> float:
    """Seconds of full Sun that the light from one moment of the penumbra to another amounts to."""
    middle, half = (dark + bright) / 2, abs(bright - dark) / 2
    lit_s = 0.0
    for k in range(GAUSS_X.size):
        lit_s += half * GAUSS_W[k] * _light_at(middle + half * GAUSS_X[k], arc, cone)
    return lit_s


@compiled
def _add(found: Array, room: int, t_s: float, satellite: int, kind: float) -> int:
    """Write an edge into the last free row, if there is one left; return how many rows are."""
    room -= 1
    if room >= 0:
        found[room, 0], found[room, 1], found[room, 2] = t_s, satellite, kind
    return room


@compiled
def _follow(
    arc: Arc, ends: Arc, cone: bool, t_s: float, satellite: int, found: Array, room: int
) -> tuple[float, int]:
    """Seconds of full Sun in a step from `t_s`; adds its edges to `found`, as `_add` does.

    `ends` holds `_outside` of penumbra and umbra at the start and at the end. The step is cut
    where the satellite passes the axis of the shadow: in each piece an edge occurs once.
    """
    step_s, turn = arc[0], arc[2]
    lit_s, start, angle = 0.0, 0.0, _first_axis(arc)
    full0, dark0, full1, dark1 = ends
    while start < step_s:
        end, full1, dark1 = step_s, ends[2], ends[3]
        if angle < turn:
            end = _time_at(angle, arc)
            full1, dark1 = _outside_at(end, 1.0, arc, cone), _outside_at(end, -1.0, arc, cone)
        dims = full1 < full0
        bright, dark = (start, end) if dims else (end, start)
        if (full0 > 0) != (full1 > 0):
            bright = _edge(start, full0, end, full1, 1.0, arc, cone)
            lit_s += bright - start if dims else end - bright
            if cone:
                room = _add(found, room, t_s + bright, satellite, 0.0 if dims else 3.0)
        elif full0 > 0:
            lit_s += end - start
        if (dark0 > 0) != (dark1 > 0):
            dark = _edge(start, dark0, end, dark1, -1.0, arc, cone)
            room = _add(found, room, t_s + dark, satellite, 1.0 if dims else 2.0)
        if min(full0, full1) <= 0 and max(dark0, dark1) > 0:
            lit_s += _lit_s(dark, bright, arc, cone)
        start, full0, dark0, angle = end, full1, dark1, angle + pi
    return lit_s, room


@compiled
def step_light(
    t_s: Array, r: Array, v: Array, sun: Array, cone: bool, sunlit: Array, found: Array
) -> int:
    """Follow all satellites over a step, from states (2, N, 3) and Suns (2, 3) at its ends.

    Writes the mean share of the Sun where it is not 1, and edges as rows (time, satellite, kind)
    of `found`, the last row first. Returns how many rows are left; less than none if there were
    too few.
    """
    step_s, room = t_s[1] - t_s[0], len(found)
    distance0, distance1 = sqrt(_dot(sun[0], sun[0])), sqrt(_dot(sun[1], sun[1]))
    for j in range(r.shape[1]):
        speed = sqrt(max(_dot(v[0, j], v[0, j]), _dot(v[1, j], v[1, j])))
        way = FASTER * speed * step_s
        along0, along1, square0 = (
            _dot(r[0, j], sun[0]),
            _dot(r[1, j], sun[1]),
            _dot(r[0, j], r[0, j]),
        )
        # Day side at both ends of less than half a turn: no shadow in between.
        if along0 > 0 and along1 > 0 and way * way < 4 * square0:
            continue
        radius0, radius1 = sqrt(square0), sqrt(_dot(r[1, j], r[1, j]))
        cosine0, cosine1 = along0 / (radius0 * distance0), along1 / (radius1 * distance1)
        # Too far from the edge to get there and back.
        full0 = _outside(radius0, cosine0, distance0, 1.0, cone)
        full1 = _outside(radius1, cosine1, distance1, 1.0, cone)
        if full0 + full1 > way:
            continue
        dark0 = _outside(radius0, cosine0, distance0, -1.0, cone)
        dark1 = _outside(radius1, cosine1, distance1, -1.0, cone)
        if dark0 + dark1 < -way:
            sunlit[j] = 0.0
            continue
        arc = _arc(r[0, j], v[0, j], r[1, j], v[1, j], sun, step_s)
        ends = (full0, dark0, full1, dark1)
        lit_s, room = _follow(arc, ends, cone, t_s[0], j, found, room)
        sunlit[j] = min(1.0, max(0.0, lit_s / step_s))
    return room
