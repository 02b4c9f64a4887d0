"""Where every satellite and the Sun are, step by step, computed ahead in chunks."""

from dataclasses import dataclass

import erfa  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from twin.scenario.schema import Scenario
from twin.space import eclipse, frames, propagation, sun
from twin.space.constellation import Constellation


@dataclass(frozen=True, kw_only=True)
class Instant:
    """One step of the sky, in GCRS axes.

    Attributes
    ----------
    t_s : float
        Start of the step, seconds since the epoch.
    r_km, v_km_s : (N, 3) float64
        State at the start of the step.
    sun_km : (3,) float64
        Geocentric position of the Sun at the start of the step.
    """

    t_s: float
    r_km: NDArray[np.float64]
    v_km_s: NDArray[np.float64]
    sun_km: NDArray[np.float64]


class Ephemeris:
    """Positions of a run, held a chunk of steps at a time so that memory does not grow with it."""

    def __init__(self, scenario: Scenario, constellation: Constellation) -> None:
        self._constellation = constellation
        self._model = scenario.propagation.model
        self._chunk_steps = scenario.propagation.chunk_steps
        self._shadow = scenario.bus.eclipse
        self.step_s = propagation.step_length_s(scenario, constellation)
        end_s = self.step_s * scenario.simulation.longest_steps
        sun.check_covered(constellation.epoch_utc, end_s)
        propagation.check_covered(constellation, self._model, end_s)
        self.t_s = propagation.step_times_s(scenario, constellation)
        self._first = 0
        self._t_s = np.empty(0)
        self._r_km = self._v_km_s = np.empty((0, constellation.size, 3))
        self._gone = np.empty((0, constellation.size), bool)
        self._sun_km = np.empty((0, 3))

    def at(self, step: int) -> Instant:
        """Return the sky at the start of a step; cheapest when steps are asked for in order."""
        i = self._load(step)
        return Instant(
            t_s=float(self.t_s[step]),
            r_km=self._r_km[i],
            v_km_s=self._v_km_s[i],
            sun_km=self._sun_km[i],
        )

    def states(self, steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions and velocities at the start of any steps, (K, N, 3) each, outside the chunk."""
        return propagation.tracked(self._constellation, self._model, self.t_s[steps])[:2]

    def gone(self, step: int) -> NDArray[np.bool_]:
        """Satellites that the model has given up at the start of a step, (N,); see `tracked`."""
        i = self._load(step)
        gone: NDArray[np.bool_] = self._gone[i]
        return gone

    def light(self, step: int) -> eclipse.StepLight:
        """Sunlight during a step: mean share, and the shadow's edges at their times."""
        i = self._load(step)
        both = slice(i, i + 2)
        return eclipse.light(
            self._t_s[both], self._r_km[both], self._v_km_s[both], self._sun_km[both], self._shadow
        )

    def sunlit(self, step: int) -> NDArray[np.float64]:
        """Mean share of the solar disc each satellite sees during a step, (N,) in [0, 1]."""
        return self.light(step).sunlit

    def _load(self, step: int) -> int:
        if not self._first <= step < self._first + len(self._t_s) - 1:
            # Chunks do not depend on which step is asked for first.
            self._first = step - step % self._chunk_steps
            last = min(self._first + self._chunk_steps, len(self.t_s))
            # One instant more than steps: a step's light needs its end. The product, not a sum,
            # so that it is the same number as the next chunk's start.
            self._t_s = np.arange(self._first, last + 1, dtype=np.float64) * self.step_s
            self._r_km, self._v_km_s, self._gone = propagation.tracked(
                self._constellation, self._model, self._t_s
            )
            self._sun_km = sun.sun_gcrs_km(self._constellation.epoch_utc, self._t_s)
        return step - self._first


def ground_track(
    epoch_utc: str, t_s: NDArray[np.float64], r_km: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Geodetic latitude and longitude, deg, and height, km, on the WGS 84 ellipsoid.

    Parameters
    ----------
    epoch_utc : str
        ISO 8601.
    t_s : (T,) float64
        Seconds since the epoch.
    r_km : (T, 3) float64
        Positions then, in the axes of the GCRS.

    Returns
    -------
    latitude_deg, longitude_deg, height_km : (T,) float64
        Longitude in [-180, 180], east of Greenwich.
    """
    itrs_km = (frames.gcrs_to_itrs(epoch_utc, t_s) @ r_km[..., None])[..., 0]
    longitude, latitude, height_m = erfa.gc2gd(1, itrs_km * 1000)
    return np.degrees(latitude), np.degrees(longitude), height_m / 1000
