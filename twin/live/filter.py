"""Estimate charge, capacity, array, load and sensor bias of every satellite from its telemetry."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.energy.bus import BusProfile
from twin.live import kernel

type Array = NDArray[np.float64]

_DAY_S = 86_400.0
PANEL: Final = (0.33, 265.0, 630.0)
"""A panel out of a long shadow gives so much more, and warms and cools with these time constants,
in s; of the datasheet of a light panel with triple-junction cells (assumption)."""


@dataclass(frozen=True, kw_only=True)
class Priors:
    """What is known before the first message, as standard deviations, and how sensors are.

    Attributes
    ----------
    soc, capacity, array, load : float
        Of the charge at the start, and of each factor over the design's.
    bias, bias_s : float
        Of the charge sensor's bias, and the time over which it drifts.
    soc_sigma, power_sigma : float
        Noise of measured charge, and of measured battery power as a share of the array's.
    wander : float
        Of each factor, within a day.
    unmodelled : float
        Power that no model knows, as a share of the array's, for five minutes at a time.
    """

    soc: float = 0.05
    capacity: float = 0.115
    array: float = 0.029
    load: float = 0.058
    bias: float = 0.01
    bias_s: float = 10_000.0
    soc_sigma: float = 0.02
    power_sigma: float = 0.02
    wander: float = 0.001
    unmodelled: float = 0.01


class Measures(NamedTuple):
    """K measurements of one step, by satellite and then by time."""

    first: NDArray[np.int64]
    """(N + 1,) Where each satellite's begin."""
    at_s: Array
    """(K,) Since the start of the step."""
    soc: Array
    """(K,) NaN where not measured; so for the next two."""
    power_w: Array
    """(K,) Into the battery."""
    load_w: Array
    """(K,) That the design would draw, with the links and the work that are reported."""
    sunlit: Array
    """(K,) Share of the Sun that the satellite reports to see."""


class Residuals(NamedTuple):
    """Innovations of K measurements, and their expected standard deviations; NaN where none."""

    soc: Array
    soc_sd: Array
    power_w: Array
    power_sd_w: Array
    lit: NDArray[np.bool_]
    """(K,) Whether the power was measured in sunlight."""


@dataclass(kw_only=True)
class FilterState:
    """What is believed of N satellites.

    Attributes
    ----------
    x : (N, 5), p : (N, 5, 5) float64
        As `twin.live.kernel` says.
    panel : (N,) float64
        How cold the panel is, 0 to 1.
    load_w : (N,) float64
        That the design would draw with what was reported last.
    powered : (N,) bool
        Whether a battery power has ever been measured.
    """

    x: Array
    p: Array
    panel: Array
    load_w: Array
    powered: NDArray[np.bool_]


class Estimates(NamedTuple):
    """Estimates of N satellites with standard deviations, (N,) each."""

    soc: Array
    soc_sd: Array
    capacity: Array
    capacity_sd: Array
    array: Array
    array_sd: Array
    load: Array
    load_sd: Array
    bias: Array


class Estimator:
    """An extended Kalman filter a satellite, all at once.

    Parameters
    ----------
    bus : BusProfile
        The design.
    n : int
    soc : float
        Charge at the start.
    priors : Priors
    state : FilterState, optional
        Where to go on.
    """

    def __init__(
        self,
        bus: BusProfile,
        n: int,
        *,
        soc: float,
        priors: Priors,
        state: FilterState | None = None,
    ) -> None:
        self._bus, self._priors = bus, priors
        self._figures = np.array([bus.battery_j, bus.eta_charge, bus.eta_discharge])
        self._panel = np.array(PANEL)
        self._sigma = np.array([priors.soc_sigma, priors.power_sigma * bus.array_w])
        wander = priors.wander**2 / _DAY_S
        self._noise = np.array(
            [power_noise(bus, priors), *[wander] * 3, priors.bias_s, priors.bias**2]
        )
        self.state = state or _at_start(n, soc, priors)

    def step(
        self,
        measures: Measures,
        *,
        sunlit: Array,
        lit_first: Array,
        array_w: Array,
        trusted: NDArray[np.bool_],
        step_s: float,
    ) -> Residuals:
        """Carry all satellites over one step, with what was measured in it.

        Parameters
        ----------
        measures : Measures
        sunlit, lit_first : (N,) float64
            As `twin.energy.solar.Surroundings` has them.
        array_w : (N,) float64
            Power of the design's array in the sunlit time.
        trusted : (N,) bool
            Whether measured power is taken in, or only compared.
        step_s : float
        """
        mine = self.state
        out = np.full((len(measures.at_s), 5), np.nan)
        out[:, 4] = 0.0
        kernel.follow(
            mine.x, mine.p, mine.panel, np.stack([sunlit, lit_first]), mine.load_w, array_w,
            self._figures, self._noise, self._panel, step_s, measures.first, measures.at_s,
            measures.soc, measures.power_w, measures.load_w, measures.sunlit, self._sigma, trusted,
            out,
        )  # fmt: skip
        row = np.repeat(np.arange(len(mine.x)), np.diff(measures.first))
        mine.powered[row[np.isfinite(measures.power_w)]] = True
        return Residuals(
            out[:, 0], np.sqrt(out[:, 1]), out[:, 2], np.sqrt(out[:, 3]), out[:, 4] == 1
        )

    def doubt(self, rows: NDArray[np.int64], part: str, width: float) -> None:
        """Let a factor of some satellites be learnt again: ``capacity``, ``array`` or ``load``."""
        column = {"capacity": 1, "array": 2, "load": 3}[part]
        self.state.p[rows, column, column] += width**2

    @property
    def estimates(self) -> Estimates:
        """What is believed now."""
        return estimates(self.state)


def power_noise(bus: BusProfile, priors: Priors) -> float:
    """Variance that power which no model knows adds to the charge, per second."""
    return (priors.unmodelled * bus.array_w) ** 2 * 300.0 / bus.battery_j**2


def estimates(state: FilterState) -> Estimates:
    """Estimates of a state, with capacity as its factor over the design's."""
    sd = np.sqrt(np.maximum(np.diagonal(state.p, axis1=1, axis2=2), 0.0))
    s, u, a, load, bias = state.x.T
    u = np.maximum(u, 0.05)
    return Estimates(
        s, sd[:, 0], 1 / u, sd[:, 1] / u**2, a, sd[:, 2], load, sd[:, 3], bias
    )  # fmt: skip


def ratios(state: FilterState) -> tuple[Array, Array]:
    """Array and load over capacity, relative to the design: all that charge alone can tell."""
    return state.x[:, 2] * state.x[:, 1], state.x[:, 3] * state.x[:, 1]


def _at_start(n: int, soc: float, priors: Priors) -> FilterState:
    x = np.tile([soc, 1.0, 1.0, 1.0, 0.0], (n, 1))
    sigma = (priors.soc, priors.capacity, priors.array, priors.load, priors.bias)
    return FilterState(
        x=x,
        p=np.tile(np.diag(np.square(sigma)), (n, 1, 1)),
        panel=np.zeros(n),
        load_w=np.full(n, np.nan),
        powered=np.zeros(n, bool),
    )
