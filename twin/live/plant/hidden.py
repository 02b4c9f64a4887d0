"""What nobody is told of the plant: how its satellites differ, what its sensors do, what fails."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin import seeding

type Array = NDArray[np.float64]
type Numbers = NDArray[np.int64]

NEVER_S = np.inf


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far the satellites of a plant are from their design, and what its telemetry is like.

    Attributes
    ----------
    capacity, array, load, heat : float
        Largest relative difference of battery, array, load, and heat capacity; uniform.
    soc_noise, soc_bias : float
        Standard deviation of the charge sensor's noise, and of its drifting bias.
    power_noise : float
        Of the battery's power, as a share of the array's.
    every_s : float
        Between two messages of a satellite, in whole minutes.
    jitter_s : float
        A message is measured up to this much after its time.
    lost : float
        Share of messages that never come.
    late : float
        Share of messages that come up to two minutes late.
    gaps_a_day : float
        Gaps of 10 to 25 minutes in a satellite's telemetry.
    elements_every_s : float
        Between two element sets of a satellite; 0: none.
    strings : int
        Of an array.
    """

    capacity: float = 0.20
    array: float = 0.05
    load: float = 0.10
    heat: float = 0.10
    soc_noise: float = 0.02
    soc_bias: float = 0.01
    power_noise: float = 0.02
    every_s: float = 60.0
    jitter_s: float = 10.0
    lost: float = 0.05
    late: float = 0.001
    gaps_a_day: float = 1.0
    elements_every_s: float = 21_600.0
    strings: int = 8


@dataclass(frozen=True, kw_only=True)
class Anomalies:
    """How many satellites have which anomaly, planted at random times of the middle of the flight.

    The last are none, and must not be taken for one.
    """

    lost_string: int = 0
    stuck_terminal: int = 0
    silent: int = 0
    wrong_elements: int = 0
    manoeuvre: int = 0
    load_surge: int = 0


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """The truth about N satellites; times in s since the epoch, inf for never.

    Attributes
    ----------
    capacity, array, load, heat : (N,) float64
        Over the design's.
    bstar : (N,) float64
        Drag term of SGP4.
    work : (N,) float64
        Mean share of the time that the computer works.
    bias_period_s, bias_phase_rad : (N, 2) float64
        Of the two waves of the charge sensor's bias.
    string_s, surge_s, silent_s, manoeuvre_s, wrong_s : (N,) float64
        When an array loses a string, a load surge of two hours begins, the satellite falls silent,
        its orbit changes, and from when on its next element set is another's.
    stuck_s : (E,) float64
        When a terminal of a link sticks.
    """

    capacity: Array
    array: Array
    load: Array
    heat: Array
    bstar: Array
    work: Array
    bias_period_s: Array
    bias_phase_rad: Array
    string_s: Array
    surge_s: Array
    silent_s: Array
    manoeuvre_s: Array
    wrong_s: Array
    stuck_s: Array


def draw(
    n: int, links: int, length_s: float, spread: Spread, anomalies: Anomalies, *, seed: int
) -> Hidden:
    """Draw the truth about n satellites and their links.

    Parameters
    ----------
    n, links : int
    length_s : float
        Of the flight; anomalies begin between its first quarter and three quarters.
    spread : Spread
    anomalies : Anomalies
    seed : int
        Of the plant; the scenario's has nothing to do with it.
    """
    rng = seeding.stream(seed, 0, "plant: hidden").at(0)

    def about_one(width: float) -> Array:
        return rng.uniform(1 - width, 1 + width, n)

    factors = [about_one(w) for w in (spread.capacity, spread.array, spread.load, spread.heat)]
    bstar, work = rng.uniform(1e-5, 2e-4, n), rng.uniform(0.1, 0.7, n)
    waves = rng.uniform(4 * 3600, 12 * 3600, (n, 2)), rng.uniform(0, 2 * np.pi, (n, 2))
    # A satellite has one anomaly of power or silence at most; orbits are drawn apart.
    power = _planted(
        n, (anomalies.lost_string, anomalies.silent, anomalies.load_surge), length_s, rng
    )
    orbit = _planted(n, (anomalies.wrong_elements, anomalies.manoeuvre), length_s, rng)
    stuck = _planted(links, (anomalies.stuck_terminal,), length_s, rng)
    return Hidden(
        capacity=factors[0],
        array=factors[1],
        load=factors[2],
        heat=factors[3],
        bstar=bstar,
        work=work,
        bias_period_s=waves[0],
        bias_phase_rad=waves[1],
        string_s=power[0],
        silent_s=power[1],
        surge_s=power[2],
        wrong_s=orbit[0],
        manoeuvre_s=orbit[1],
        stuck_s=stuck[0],
    )


def bias(hidden: Hidden, row: NDArray[np.int64], t_s: Array, size: float) -> Array:
    """Bias of the charge sensors of some satellites at some times, of standard deviation `size`."""
    turn = 2 * np.pi * t_s[:, None] / hidden.bias_period_s[row] + hidden.bias_phase_rad[row]
    result: Array = size * np.sin(turn).sum(axis=1)  # two waves of variance 1/2 each
    return result


def _planted(
    n: int, counts: tuple[int, ...], length_s: float, rng: np.random.Generator
) -> list[Array]:
    """Times at which each kind begins, (n,); nobody has two kinds."""
    order, first, out = rng.permutation(n), 0, []
    for count in counts:
        t_s = np.full(n, NEVER_S)
        rows = order[first : first + count]
        t_s[rows] = rng.uniform(0.25, 0.75, len(rows)) * length_s
        out.append(t_s)
        first += count
    return out
