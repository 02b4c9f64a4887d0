"""Look ahead: charges over the next orbits, from what is believed now and how sure that is.

Each member of the ensemble draws charge, capacity, array and load of every satellite from the
estimator's covariance, and a load that wanders about its mean as it has been seen to. Light is
that of the element sets. So the bands hold what the estimates leave open, and what loads do.

References
----------
T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", J.
American Statistical Association 102, 2007, equation 21 (CRPS of an ensemble).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.energy import battery, solar
from twin.energy.bus import BusProfile
from twin.live.filter import PANEL, FilterState, Priors, power_noise
from twin.live.loads import WANDER_S, LoadState
from twin.live.orbits import LiveEphemeris, SetsState
from twin.scenario.schema import Scenario
from twin.space import constellation
from twin.world.spacecraft import bus_profile

type Array = NDArray[np.float64]

LEVELS: Final = (0.05, 0.5, 0.95)
"""Quantiles that bands are drawn at."""
MEMBERS: Final = 64


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a forecast rests on, as it was before a step."""

    step: int
    filter: FilterState
    loads: LoadState
    sets: SetsState
    powered: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Charges of N satellites over the T steps from `step` on.

    Attributes
    ----------
    step, steps : int
    lowest : (M, N) float64
        Smallest charge that each member comes to.
    fleet : (3, T) float64
        Quantiles of the fleet's smallest charge at the end of each step, as `LEVELS`.
    dark : (N,) float64
        Share of the members in which a satellite loses power.
    """

    step: int
    steps: int
    lowest: Array
    fleet: Array
    dark: Array

    @property
    def bands(self) -> Array:
        """Quantiles of the smallest charge of each satellite, (3, N)."""
        found: Array = np.quantile(self.lowest, LEVELS, axis=0)
        return found


def look_ahead(
    scenario: Scenario,
    basis: Basis,
    *,
    steps: int,
    priors: Priors,
    members: int = MEMBERS,
    seed: int = 0,
) -> Outlook:
    """Forecast charges from a basis.

    Parameters
    ----------
    scenario : Scenario
    basis : Basis
    steps : int
        How far ahead; no further than the scenario goes.
    priors : Priors
    members : int
        Of the ensemble; one is the estimate itself, without any doubt.
    seed : int
    """
    bus, n = bus_profile(scenario), len(basis.powered)
    sky = LiveEphemeris(scenario, constellation.build(scenario), basis.sets)
    steps = max(min(steps, len(sky.t_s) - 1 - basis.step), 0)
    rng = seeding.stream(seed, 0, "outlook").at(basis.step)
    flying = _Members(bus, basis, priors, members, rng)
    lowest, dark = np.ones((members, n)), np.zeros((members, n), bool)
    fleet = np.empty((3, steps))
    for k in range(steps):
        now, light = sky.at(basis.step + k), sky.light(basis.step + k)
        around = solar.surroundings(now.r_km, now.v_km_s, now.sun_km, light.sunlit, sky.step_s)
        turning, end, off = flying.step(around, sky.step_s)
        lowest = np.minimum(lowest, turning)
        dark |= off
        fleet[:, k] = np.quantile(end.min(axis=1), LEVELS)
    return Outlook(step=basis.step, steps=steps, lowest=lowest, fleet=fleet, dark=dark.mean(axis=0))


class _Members:
    """M members of N satellites each, as one fleet of M N."""

    def __init__(
        self, bus: BusProfile, basis: Basis, priors: Priors, m: int, rng: np.random.Generator
    ) -> None:
        mine, self._bus, self._rng, self._m = basis.filter, bus, rng, m
        n = len(mine.x)
        self._shape = m, n
        drawn = np.repeat(mine.x[None], m, axis=0)
        self._doubt = m > 1
        if self._doubt:
            root = np.linalg.cholesky(mine.p + 1e-12 * np.eye(5))
            drawn = drawn + np.einsum("nij,mnj->mni", root, rng.standard_normal((m, n, 5)))
        self.soc = np.clip(drawn[..., 0], 0.0, 1.0)
        self._inverse, self._array, self._load = np.maximum(drawn[..., 1:4], 0.05).transpose(
            2, 0, 1
        )
        self._powered = np.repeat(basis.powered[None], m, axis=0)
        self._panel = mine.panel.copy()
        self._mean_w = basis.loads.mean_w
        self._sd_w = np.sqrt(basis.loads.variance_w2)
        self._off_w = np.repeat((basis.loads.slow_w - self._mean_w)[None], m, axis=0)
        self._noise = power_noise(bus, priors)

    def step(
        self, around: solar.Surroundings, step_s: float
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Go one step on: smallest charge in it, charge at its end, whether power was lost."""
        m, n = self._shape
        keep = np.exp(-step_s / WANDER_S)
        kick = self._rng.standard_normal((m, n)) if self._doubt else np.zeros((m, n))
        self._off_w = keep * self._off_w + np.sqrt(1 - keep**2) * self._sd_w * kick
        load_w = self._load * (self._mean_w + self._off_w)
        array_w = self._array * (solar.array_w(around, self._bus) * self._gain(around, step_s))
        one = np.repeat(np.stack([around.sunlit, around.lit_first])[:, None], m, axis=1)
        flow = battery.advance(
            self.soc.ravel(),
            self._powered.ravel(),
            sunlit=one[0].ravel(),
            lit_first=one[1].ravel(),
            array_w=(array_w * self._inverse).ravel(),
            load_w=(load_w * self._inverse).ravel(),
            bus=self._bus,
            step_s=step_s,
        )
        soc = flow.soc.reshape(3, m, n)
        self._powered = flow.powered.reshape(m, n)
        self.soc = soc[2]
        if self._doubt:
            noise = np.sqrt(self._noise * step_s) * self._rng.standard_normal((m, n))
            # A full battery stays full: noise is of what flows in and out.
            self.soc = np.clip(self.soc + noise * (self.soc < 1.0), 0.0, 1.0)
        return soc.min(axis=0), self.soc, (flow.off_s > 0).reshape(m, n)

    def _gain(self, around: solar.Surroundings, step_s: float) -> Array:
        """How much more cold panels give, on average over the light of the step, (N,)."""
        gain, warm_s, cool_s = PANEL
        lit_s = around.sunlit * step_s
        dark_s = step_s - lit_s
        before = self._panel
        # Light before shadow, shadow, light after it: a panel warms, cools and warms.
        first_s = lit_s * around.lit_first
        panel = before * np.exp(-first_s / warm_s)
        mean = warm_s * (before - panel)
        panel = 1 + (panel - 1) * np.exp(-dark_s / cool_s)
        after = panel * np.exp(-(lit_s - first_s) / warm_s)
        mean = mean + warm_s * (panel - after)
        self._panel = after
        found: Array = 1 + gain * mean / np.maximum(lit_s, 1e-9) * (lit_s > 0)
        return found


def crps(samples: Array, truth: Array) -> Array:
    """Continuous ranked probability score of samples (M, K) for K truths; lower is better."""
    m = len(samples)
    ordered = np.sort(samples, axis=0)
    weight = 2 * np.arange(1, m + 1) - m - 1
    spread = (weight[:, None] * ordered).sum(axis=0) / m**2
    found: Array = np.abs(samples - truth).mean(axis=0) - spread
    return found
