"""Light, power and heat of the plant's satellites, second by second.

The array is two plates back to back in one: it heats in the Sun and cools by T^4, and gives more
when cold. The battery's losses and its capacity depend on the temperature of the body. Nothing of
this is shared with `twin.energy`, which takes minutes at once and knows no panel.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.constants import R_EARTH_KM, R_SUN_KM
from twin.live.plant.hidden import Hidden
from twin.space.compiled import compiled

type Array = NDArray[np.float64]

SOLAR_W_M2: Final = 1361.0
SIGMA: Final = 5.670374419e-8
EARTH_W_M2: Final = 237.0
AU_KM: Final = 149597870.7
PANEL_J_M2_K: Final = 2_600.0
"""Heat capacity of a panel, both faces."""
PANEL_LOSS: Final = 0.0022
"""Share of its power that a panel of triple-junction cells loses by K."""
PANEL_REFERENCE_K: Final = 323.0
"""Temperature at which it gives its rated power, about that of a panel long in the Sun."""
WARM_LOSS: Final = 3e-4
"""Efficiency that the battery gains by K above 20 °C, one way."""
COLD_LOSS: Final = 0.002
"""Share of its capacity that it loses by K below 10 °C."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """Figures of the bus that the plant is built to, in SI units; as `BusProfile` has them."""

    array_w: float
    battery_j: float
    base_w: float
    terminal_w: float
    work_w: float
    eta_charge: float
    eta_discharge: float
    brownout_soc: float
    recovery_soc: float
    heat_capacity_j_k: float
    radiator_m2: float
    sun_m2: float
    emissivity: float
    absorptivity: float

    @property
    def numbers(self) -> tuple[float, ...]:
        """All, in the order of the fields."""
        return tuple(float(value) for value in vars(self).values())


@dataclass(kw_only=True)
class PowerState:
    """What N satellites carry from second to second, (N,) each."""

    stored_j: Array
    panel_k: Array
    body_k: Array
    powered: NDArray[np.bool_]


def at_start(design: Design, hidden: Hidden, *, soc: float, temperature_k: float) -> PowerState:
    """State at the epoch."""
    n = len(hidden.capacity)
    return PowerState(
        stored_j=soc * design.battery_j * hidden.capacity,
        panel_k=np.full(n, PANEL_REFERENCE_K),
        body_k=np.full(n, temperature_k),
        powered=np.ones(n, bool),
    )


def fly(
    state: PowerState,
    design: Design,
    hidden: Hidden,
    nodes: tuple[Array, Array, Array],
    given: tuple[Array, Array, Array],
    sample_s: NDArray[np.int64],
    node_s: float,
    *,
    minute: int | None = None,
    into: Array | None = None,
) -> Array:
    """Fly M minutes, and return what is true at the times of the samples and at every minute's end.

    Parameters
    ----------
    state : PowerState
        Goes on.
    design : Design
    hidden : Hidden
    nodes : positions, velocities (K + 1, N, 3) and the Sun (K + 1, 3)
        In km and km/s, every `node_s` seconds.
    given : strings, work, links, (M, N) each
        Share of the array's strings that give power, share of the time that the computer works and
        terminals that are on, in each minute; a surge of load is work beyond 1.
    sample_s : (M, N) int64
        Second of each minute, 0 to 59, that is measured.
    node_s : float
    minute : int, optional
        Fly only this one; all by default.
    into : (9, M, N) float64, optional
        Where what is true is written.

    Returns
    -------
    (9, M, N) float64
        Charge, power into the battery in W, temperature in K, share of the Sun's disc at the
        sample; charge at the end of the minute, and the smallest in it; 1 if the bus is up at the
        sample; seconds of the minute without power, and energy drawn in J.
    """
    out = room(sample_s.shape) if into is None else into
    factors = np.stack([hidden.capacity, hidden.array, hidden.load, hidden.heat])
    carried = (state.stored_j, state.panel_k, state.body_k, state.powered)
    span = (0, len(sample_s)) if minute is None else (minute, minute + 1)
    _fly(*carried, design.numbers, factors, *nodes, *given, sample_s, node_s, *span, out)
    return out


def room(shape: tuple[int, ...]) -> Array:
    """Room for what `fly` finds in minutes of satellites, (M, N)."""
    return np.zeros((9, *shape))


@compiled
def _light(x: float, y: float, z: float, sun: Array, k: int, w: float) -> float:
    """Share of the disc: linear across the penumbra."""
    sx = sun[k, 0] + w * (sun[k + 1, 0] - sun[k, 0])
    sy = sun[k, 1] + w * (sun[k + 1, 1] - sun[k, 1])
    sz = sun[k, 2] + w * (sun[k + 1, 2] - sun[k, 2])
    distance = sqrt(sx * sx + sy * sy + sz * sz)
    along = (x * sx + y * sy + z * sz) / distance
    if along >= 0.0:
        return 1.0
    across = sqrt(max(x * x + y * y + z * z - along * along, 0.0))
    half = -along * R_SUN_KM / distance
    return float(min(max((across - R_EARTH_KM) / (2 * half) + 0.5, 0.0), 1.0))


@compiled
def _fly(
    stored: Array,
    panel: Array,
    body: Array,
    powered: NDArray[np.bool_],
    design: tuple[float, ...],
    factors: Array,
    r: Array,
    v: Array,
    sun: Array,
    strings: Array,
    work: Array,
    links: Array,
    sample_s: NDArray[np.int64],
    node_s: float,
    first: int,
    last: int,
    out: Array,
) -> None:
    (
        array_w, battery_j, base_w, terminal_w, work_w, eta_in, eta_out, low, back,
        heat_j_k, radiator_m2, sun_m2, emissivity, absorptivity,
    ) = design  # fmt: skip
    sunshine = (AU_KM / sqrt(sun[0, 0] ** 2 + sun[0, 1] ** 2 + sun[0, 2] ** 2)) ** 2
    for i in range(stored.size):
        capacity0 = battery_j * factors[0, i]
        full_w = array_w * factors[1, i] * sunshine
        for m in range(first, last):
            idle_w = base_w + terminal_w * links[m, i]
            load_w = factors[2, i] * (idle_w + work_w * work[m, i])
            lowest, off_s, drawn_j = 1.0, 0.0, 0.0
            for s in range(60):
                t = (60.0 * m + s + 0.5) / node_s
                k = int(t)
                w = t - k
                # Cubic Hermite between the nodes.
                a, b = (1 + 2 * w) * (1 - w) ** 2, w * w * (3 - 2 * w)
                c, d = node_s * w * (1 - w) ** 2, node_s * w * w * (w - 1)
                x = a * r[k, i, 0] + b * r[k + 1, i, 0] + c * v[k, i, 0] + d * v[k + 1, i, 0]
                y = a * r[k, i, 1] + b * r[k + 1, i, 1] + c * v[k, i, 1] + d * v[k + 1, i, 1]
                z = a * r[k, i, 2] + b * r[k + 1, i, 2] + c * v[k, i, 2] + d * v[k + 1, i, 2]
                light = _light(x, y, z, sun, k, w)
                gain = 1.0 + PANEL_LOSS * (PANEL_REFERENCE_K - panel[i])
                made_w = full_w * strings[m, i] * light * gain
                # 0.7 of the sunlight stays in the panel as heat; both faces radiate.
                panel_w = 0.7 * SOLAR_W_M2 * sunshine * light + 0.4 * EARTH_W_M2
                panel[i] += (panel_w - 1.7 * SIGMA * panel[i] ** 4) / PANEL_J_M2_K
                drawn_w = load_w if powered[i] else 0.0
                drawn_j += drawn_w
                off_s += 0.0 if powered[i] else 1.0
                warm = WARM_LOSS * (body[i] - 293.15)
                net_w, lost_w = made_w - drawn_w, 0.0
                capacity = capacity0 * (1 - COLD_LOSS * max(283.15 - body[i], 0.0))
                if net_w >= 0.0:
                    eta = min(eta_in + warm, 0.999)
                    net_w = min(net_w, max(capacity - stored[i], 0.0) / eta)
                    stored[i] += eta * net_w
                    lost_w = (1 - eta) * net_w
                else:
                    eta = min(eta_out + warm, 0.999)
                    stored[i] += net_w / eta
                    lost_w = -net_w * (1 / eta - 1)
                soc = stored[i] / capacity
                lowest = min(lowest, soc)
                if powered[i] and soc <= low:
                    powered[i] = False
                elif not powered[i] and soc >= back:
                    powered[i] = True
                heat_w = drawn_w + lost_w + absorptivity * SOLAR_W_M2 * sunshine * sun_m2 * light
                heat_w += 0.87 * emissivity * EARTH_W_M2 * radiator_m2
                heat_w -= emissivity * SIGMA * radiator_m2 * body[i] ** 4
                body[i] += heat_w / (heat_j_k * factors[3, i])
                if s == sample_s[m, i]:
                    out[0, m, i], out[1, m, i] = soc, net_w
                    out[2, m, i], out[3, m, i] = body[i], light
                    out[6, m, i] = 1.0 if powered[i] else 0.0
            out[4, m, i], out[5, m, i] = stored[i] / capacity, lowest
            out[7, m, i], out[8, m, i] = off_s, drawn_j
