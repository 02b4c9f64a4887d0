"""The estimator's compiled loop: an extended Kalman filter over five numbers a satellite.

State x = (s, u, a, l, b): charge, design capacity over true capacity, array and load over the
design's, and bias of the charge sensor. Between measurements

    ds/dt = u k (a A g - l L),  k = eta_c / C while that charges, 1 / (eta_d C) while it discharges,
    db/dt = -b / tau,

with array A, load L and capacity C of the design; u, a and l wander slowly. In u, not 1/u, the
motion of s is linear in each. g is how much more a cold panel gives. A full battery takes no more:
s is cut at 1, by the mean and variance of the cut normal distribution and with the gain of
statistical linearisation (probability that it is not full).

Measured are s + b, and the battery's power a A g - l L while it is not full. Measurements of one
message are taken in one after the other, which gives the same as at once.

References
----------
A. Gelb (ed.), "Applied Optimal Estimation", MIT Press 1974: table 6.1-1 (continuous-discrete
extended Kalman filter), section 6.2 (statistical linearisation). D. Simon, "Optimal State
Estimation", Wiley 2006: section 6.1 (measurements in sequence), section 13.2.
"""

from math import erf, exp, pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.space.compiled import compiled

type Array = NDArray[np.float64]

SIZE: Final = 5
PIECE_S: Final = 20.0
"""Longest piece of time that is taken at once."""
EDGE_S: Final = 15.0
"""Power measured this close to an edge of the shadow says nothing: the edge is not that sure."""
FAR: Final = 6.0
"""Innovations of power beyond so many standard deviations are not taken in, but seen."""
CLEAR_W_SIGMA: Final = 6.0
"""A surplus must be this clear for a battery that takes none to be a full one."""
NOTHING_SIGMA: Final = 5.0
"""Measured power within so many standard deviations of none is none."""
FULL_SIGMA: Final = 0.004
COLD_DOUBT: Final = 0.05


@compiled
def _cut(x: Array, p: Array) -> float:
    """Cut the charge at 1; return the probability that the battery is not full."""
    mean, deviation = x[0], sqrt(max(p[0, 0], 1e-14))
    at = (1.0 - mean) / deviation
    if at > 5.0:
        return 1.0
    below = 0.5 * (1.0 + erf(at / sqrt(2.0)))
    density = exp(-0.5 * at * at) / sqrt(2.0 * pi)
    cut = mean * below - deviation * density + (1.0 - below)
    square = (mean * mean + p[0, 0]) * below - (mean + 1.0) * deviation * density + (1.0 - below)
    x[0] = cut
    p[0, 0] = max(square - cut * cut, 1e-12)
    for j in range(1, SIZE):
        p[0, j] *= below
        p[j, 0] = p[0, j]
    return below


@compiled
def _move(
    x: Array, p: Array, span_s: float, made_w: float, load_w: float, bus: Array, noise: Array
) -> float:
    """Predict over a piece of constant light; return the probability that it is not full."""
    capacity_j, eta_c, eta_d = bus[0], bus[1], bus[2]
    net_w = x[2] * made_w - x[3] * load_w
    k = span_s * (eta_c if net_w > 0.0 else 1.0 / eta_d) / capacity_j
    row = (1.0, k * net_w, k * x[1] * made_w, -k * x[1] * load_w, 0.0)
    fade = exp(-span_s / noise[4])
    x[0] += x[1] * k * net_w
    x[4] *= fade
    for j in range(1, SIZE):
        carried = 0.0
        for i in range(SIZE):
            carried += row[i] * p[i, j]
        p[0, j] = carried
    moved = p[0, 0]
    for i in range(1, SIZE):
        moved += row[i] * (p[i, 0] + p[0, i])
    # p[0, i] is new and p[i, 0] old, so that the sum is row P row^T.
    for j in range(1, SIZE):
        p[j, 0] = p[0, j]
    p[0, 0] = moved
    for i in range(SIZE):
        p[i, 4] *= fade
        p[4, i] *= fade
    p[0, 0] += noise[0] * span_s
    p[1, 1] += noise[1] * span_s
    p[2, 2] += noise[2] * span_s
    p[3, 3] += noise[3] * span_s
    p[4, 4] += noise[5] * (1.0 - fade * fade)
    x[0] = max(x[0], 0.0)
    return _cut(x, p)


@compiled
def _take(x: Array, p: Array, h: Array, innovation: float, variance: float) -> float:
    """Take one measurement in; return the variance that its innovation was expected to have."""
    ph = np.zeros(SIZE)
    for i in range(SIZE):
        for j in range(SIZE):
            ph[i] += p[i, j] * h[j]
    spread = variance
    for i in range(SIZE):
        spread += h[i] * ph[i]
    for i in range(SIZE):
        x[i] += ph[i] * innovation / spread
    for i in range(SIZE):
        for j in range(SIZE):
            p[i, j] -= ph[i] * ph[j] / spread
    return spread


@compiled
def _spread(p: Array, h: Array, variance: float) -> float:
    total = variance
    for i in range(SIZE):
        for j in range(SIZE):
            total += h[i] * p[i, j] * h[j]
    return total


@compiled
def _panel(panel: float, span_s: float, lit: float, figures: Array) -> float:
    """How far a panel is from its warm state, 0 to 1, after a piece of time."""
    goal, time_s = (0.0, figures[1]) if lit > 0.5 else (1.0, figures[2])
    return goal + (panel - goal) * exp(-span_s / time_s)


@compiled
def _hear_charge(x: Array, p: Array, reading: float, sigma: float, out: Array) -> None:
    h = np.array([1.0, 0.0, 0.0, 0.0, 1.0])
    out[0] = reading - x[0] - x[4]
    out[1] = _take(x, p, h, out[0], sigma * sigma)


@compiled
def _hear_power(
    x: Array,
    p: Array,
    reading: float,
    sigma: float,
    made_w: float,
    load_w: float,
    open_share: float,
    rate: float,
    trusted: bool,
    out: Array,
) -> None:
    """Take a measured power in; `out` has innovation, its variance, and 1 in light, 2 in shadow.

    In light, a battery that is full takes nothing, whatever array and load; one that takes nothing
    and may be full is.
    """
    h = np.array([0.0, 0.0, made_w, -load_w, 0.0])
    net_w = x[2] * made_w - x[3] * load_w
    spread = _spread(p, h, sigma * sigma)
    if made_w > 0.0 and net_w > 0.0:
        near_full = 1.0 - x[0] < 4.0 * sqrt(p[0, 0]) + 0.05
        if net_w < CLEAR_W_SIGMA * sqrt(spread):
            if open_share < 0.99 or x[0] > 0.97:
                return  # full or not cannot be told
        elif near_full and abs(reading) < NOTHING_SIGMA * sigma:
            if open_share > 0.01:
                full = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
                _take(x, p, full, 1.0 - x[0], FULL_SIGMA * FULL_SIGMA)
                _cut(x, p)
            return
        elif near_full and (reading - net_w) ** 2 > FAR * FAR * spread:
            return  # it fills up in this very second
        elif open_share < 0.5:
            # It still charges: it cannot have been full.
            x[0] = 1.0 - min(rate, 0.02)
            p[0, 0] += min(rate, 0.02) ** 2
    out[0], out[1] = reading - net_w, spread
    out[2] = 1.0 if made_w > 0.0 else 2.0
    if trusted and out[0] * out[0] < FAR * FAR * spread:
        _take(x, p, h, out[0], sigma * sigma)


@compiled
def follow(
    x: Array,
    p: Array,
    panel: Array,
    light: Array,
    load_w: Array,
    array_w: Array,
    bus: Array,
    noise: Array,
    panel_figures: Array,
    step_s: float,
    first: NDArray[np.int64],
    at_s: Array,
    charge: Array,
    power_w: Array,
    message_load_w: Array,
    seen: Array,
    sigma: Array,
    trusted: NDArray[np.bool_],
    out: Array,
) -> None:
    """Carry N satellites over one step, with K measurements.

    Parameters
    ----------
    x : (N, 5), p : (N, 5, 5), panel : (N,)
        Estimates, their covariances, how cold the panels are; all go on.
    light : (2, N)
        Share of the step in sunlight, and share of that before the shadow.
    load_w : (N,)
        Of the design, where messages do not say better; goes on with the last message's.
    array_w : (N,)
        Of the design in full light.
    bus : (3,)
        Capacity in J, efficiencies of charge and discharge.
    noise : (6,)
        Per s: variance rates of charge, u, a and l; the bias's time constant in s and variance.
    panel_figures : (3,)
        Gain of a cold panel, time constants of warming and cooling in s.
    step_s : float
    first : (N + 1,) int64
        Where each satellite's measurements begin.
    at_s : (K,)
        Since the start of the step, ascending for each satellite.
    charge, power_w, message_load_w, seen : (K,)
        `seen` is the share of the Sun that is reported. NaN where not measured.
    sigma : (2,)
        Standard deviations of charge and power.
    trusted : (N,) bool
        Whether measured power is taken in, or only compared.
    out : (K, 5)
        Innovation and variance of charge; of power; 1 in light, 2 in shadow, 0 not used.
    """
    for n in range(x.shape[0]):
        lit_s = light[0, n] * step_s
        dark0 = lit_s * light[1, n]
        dark1 = dark0 + step_s - lit_s
        t, k, share = 0.0, first[n], 1.0 if x[n, 0] < 0.999 else 0.0
        while True:
            stop = min(at_s[k], step_s) if k < first[n + 1] else step_s
            while t < stop - 1e-9:
                dark = dark0 <= t + 1e-9 and t + 1e-9 < dark1
                edge = dark1 if dark else (dark0 if t + 1e-9 < dark0 else step_s)
                piece = min(min(stop - t, PIECE_S), max(edge - t, 1e-6))
                lit = 0.0 if dark else 1.0
                middle = _panel(panel[n], piece / 2, lit, panel_figures)
                made_w = lit * array_w[n] * (1.0 + panel_figures[0] * middle)
                share = _move(x[n], p[n], piece, made_w, load_w[n], bus, noise)
                panel[n] = _panel(panel[n], piece, lit, panel_figures)
                t += piece
            if k >= first[n + 1]:
                break
            if message_load_w[k] == message_load_w[k]:
                load_w[n] = message_load_w[k]
            dark = dark0 <= t and t < dark1
            partly = seen[k] > 0.02 and seen[k] < 0.98
            if seen[k] == seen[k]:
                dark = seen[k] < 0.5  # the satellite knows best
            made_w = 0.0 if dark else array_w[n] * (1.0 + panel_figures[0] * panel[n])
            edge_near = lit_s > 0.0 and lit_s < step_s
            edge_near = edge_near and min(abs(t - dark0), abs(t - dark1)) < EDGE_S
            if power_w[k] == power_w[k] and not edge_near and not partly:
                rate = 60.0 * bus[1] * max(x[n, 2] * made_w, 0.0) * x[n, 1] / bus[0]
                # How much a cold panel gives is known to a tenth or so.
                cold_w = COLD_DOUBT * panel_figures[0] * panel[n] * made_w
                sigma_w = sqrt(sigma[1] ** 2 + cold_w**2)
                _hear_power(
                    x[n], p[n], power_w[k], sigma_w, made_w, load_w[n], share, rate, trusted[n],
                    out[k, 2:],
                )  # fmt: skip
            if charge[k] == charge[k]:
                _hear_charge(x[n], p[n], charge[k], sigma[0], out[k, :2])
                share = _cut(x[n], p[n])
            k += 1
