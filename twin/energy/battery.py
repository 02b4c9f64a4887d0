"""Battery of a fleet over one step that is cut at the edges of the shadow.

In a stretch of constant light the bus sees the power P = array - load, and the stored energy
changes by dE = eta_c max(P, 0) dt - max(-P, 0) / eta_d dt. When a battery falls to its brown-out
level, the bus goes down: from then on the load is zero and the array only charges. The bus comes
up again at the first end of a step at which the battery has regained its recovery level.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.energy.bus import BusProfile
from twin.space.compiled import compiled

type Array = NDArray[np.float64]


class PowerFlow(NamedTuple):
    """What one step did to N satellites; energies in J over the step.

    The books balance: offered - spilled = load - deficit + loss + change of stored.
    """

    soc: Array
    """(3, N) State of charge after the light before the shadow, after the shadow, and after the
    light behind it: every turning point of the step, its end last."""
    powered: NDArray[np.bool_]
    """(N,) Whether the bus is up after the step."""
    off_s: Array
    """(N,) Time without power; it lies at the end of the step."""
    offered_j: Array
    """(N,) What the array could give."""
    load_j: Array
    """(N,) Asked by the bus."""
    loss_j: Array
    """(N,) Lost on the way into and out of the battery, as heat."""
    deficit_j: Array
    """(N,) Part of the load that was not fed."""
    spilled_j: Array
    """(N,) Part of the array's energy that a full battery could not take."""


def advance(
    soc: Array,
    powered: NDArray[np.bool_],
    *,
    sunlit: Array,
    lit_first: Array,
    array_w: Array,
    load_w: Array,
    bus: BusProfile,
    step_s: float,
) -> PowerFlow:
    """Charge and discharge the batteries of N satellites over one step.

    Parameters
    ----------
    soc : (N,) float64
        State of charge before the step, 0 to 1.
    powered : (N,) bool
        Whether the bus is up before the step.
    sunlit : (N,) float64
        Share of the step in sunlight, 0 to 1.
    lit_first : (N,) float64
        Share of the sunlit time before the shadow: 1 if light comes first, 0 if shadow does;
        0.5 where unknown, which puts the shadow in the middle.
    array_w : (N,) float64
        Power of the array in the sunlit time.
    load_w : (N,) float64
        Power asked by the bus.
    bus : BusProfile
        Of all satellites.
    step_s : float
        Length of the step.
    """
    n = len(soc)
    edges = np.empty((3, n))
    up = np.empty(n, dtype=np.bool_)
    books = np.empty((5, n))
    inputs = (soc, powered, sunlit, lit_first, array_w, load_w)
    figures = (bus.battery_j, bus.brownout_soc, bus.recovery_soc, bus.eta_charge, bus.eta_discharge)
    _advance(*inputs, step_s, *figures, edges, up, books)
    off_s, offered_j, loss_j, deficit_j, spilled_j = books
    return PowerFlow(edges, up, off_s, offered_j, load_w * step_s, loss_j, deficit_j, spilled_j)


@compiled
def _stretch(
    stored_j: float,
    on: bool,
    array_w: float,
    load_w: float,
    stretch_s: float,
    capacity_j: float,
    floor_j: float,
    eta_c: float,
    eta_d: float,
) -> tuple[float, float, float, float]:
    """Constant light for a while: new store, time off, loss, spill."""
    off_s, loss_j = 0.0 if on else stretch_s, 0.0
    surplus_j = array_w * stretch_s if not on else max(array_w - load_w, 0.0) * stretch_s
    if on and array_w < load_w:
        need_j = (load_w - array_w) * stretch_s
        given_j = min(need_j, max(stored_j - floor_j, 0.0) * eta_d)
        # Rounding must not leave the state of charge a hair outside its range.
        stored_j = max(stored_j - given_j / eta_d, 0.0)
        loss_j = given_j / eta_d - given_j
        if given_j < need_j:
            off_s = stretch_s * (1.0 - given_j / need_j)
            surplus_j = array_w * off_s
    taken_j = min(surplus_j, (capacity_j - stored_j) / eta_c)
    stored_j = min(stored_j + taken_j * eta_c, capacity_j)
    return stored_j, off_s, loss_j + taken_j - taken_j * eta_c, surplus_j - taken_j


@compiled
def _advance(
    soc: Array,
    powered: NDArray[np.bool_],
    sunlit: Array,
    lit_first: Array,
    array_w: Array,
    load_w: Array,
    step_s: float,
    capacity_j: float,
    brownout_soc: float,
    recovery_soc: float,
    eta_c: float,
    eta_d: float,
    edges: Array,
    up: NDArray[np.bool_],
    books: Array,
) -> None:
    for j in range(soc.size):
        stored_j, on = soc[j] * capacity_j, powered[j]
        off_s = loss_j = spilled_j = 0.0
        lit_s = sunlit[j] * step_s
        for part in range(3):
            part_s = step_s - lit_s
            if part != 1:
                part_s = lit_s * (lit_first[j] if part == 0 else 1.0 - lit_first[j])
            light_w = 0.0 if part == 1 else array_w[j]
            stored_j, off, loss, spilled = _stretch(
                stored_j, on, light_w, load_w[j], part_s,
                capacity_j, brownout_soc * capacity_j, eta_c, eta_d,
            )  # fmt: skip
            on = on and off == 0.0
            off_s += off
            loss_j += loss
            spilled_j += spilled
            edges[part, j] = stored_j / capacity_j
        up[j] = on or edges[2, j] >= recovery_soc
        books[0, j], books[1, j] = off_s, array_w[j] * lit_s
        books[2, j], books[3, j], books[4, j] = loss_j, load_w[j] * off_s, spilled_j
