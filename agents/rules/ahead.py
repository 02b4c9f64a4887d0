"""Shadow ahead of every satellite, from its orbit, looked up in windows of two orbits."""

import numpy as np
from numpy.typing import NDArray

from agents.rules.view import Ahead
from twin.space import eclipse, propagation
from twin.space.sun import sun_gcrs_km
from twin.world.world import World

_SAMPLE_S = 30.0


class ShadowAhead:
    """Knows when each satellite is next in shadow; it holds nothing that cannot be computed again.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._window = -1
        self._dark = self._lit = np.empty((0, 0), np.int32)

    def at(self, t_s: float) -> Ahead:
        """Shadow ahead of an instant."""
        window = int(t_s // self._world.period_s)
        if window != self._window:
            self._look(window)
        k = int((t_s - window * self._world.period_s) // _SAMPLE_S)
        last = len(self._dark)
        first = self._dark[k]
        none = first >= last
        end = self._lit[np.minimum(first, last - 1), np.arange(len(first))]
        dark_in_s = np.where(none, np.inf, (first - k) * _SAMPLE_S)
        return Ahead(dark_in_s, np.where(none, 0.0, (end - first) * _SAMPLE_S))

    def _look(self, window: int) -> None:
        body, scenario = self._world.constellation, self._world.scenario
        start_s = window * self._world.period_s
        t_s = np.arange(start_s, start_s + 2.5 * self._world.period_s, _SAMPLE_S)
        r_km, _, _ = propagation.tracked(body, scenario.propagation.model, t_s)
        sun_km = sun_gcrs_km(body.epoch_utc, t_s)
        lit = eclipse.illumination(r_km, sun_km[:, None, :], scenario.bus.eclipse) > 0.5
        self._dark, self._lit = _next(~lit), _next(lit)
        self._window = window


def _next(holds: NDArray[np.bool_]) -> NDArray[np.int32]:
    """For every row the next row, itself included, in which each column holds, (T, N)."""
    rows = len(holds)
    found = np.empty(holds.shape, np.int32)
    coming = np.full(holds.shape[1], rows, np.int32)
    for k in range(rows - 1, -1, -1):
        coming = np.where(holds[k], k, coming).astype(np.int32)
        found[k] = coming
    return found
