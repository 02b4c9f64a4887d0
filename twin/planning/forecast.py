"""What the controller may expect of the satellites and the ground: all of it predictable.

Orbits, shadow and passes follow from the ephemeris, batteries from the last telemetry. Only the
statistics of faults and outages are known.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.energy import solar
from twin.energy.budget import Own
from twin.energy.bus import TERMINALS, BusProfile
from twin.network import ground
from twin.space import eclipse, propagation
from twin.space.frames import gcrs_to_itrs
from twin.space.sun import sun_gcrs_km
from twin.world.sources import Source
from twin.world.topology import Network, NetworkState
from twin.world.world import World

_SAMPLE_S = 60.0
_LEVELS = np.linspace(0.0, 1.0, 21)
_SOC_MARGIN = 0.05
"""State of charge to keep above the brown-out level: telemetry and weather are not exact."""


class Light(NamedTuple):
    """Sunlight and array power at instants `_SAMPLE_S` apart, (T, N) each."""

    sunlit: NDArray[np.float64]
    array_w: NDArray[np.float64]


def light(world: World, bus: BusProfile, *, first_s: float, last_s: float) -> Light:
    """Forecast sunlight and array power from one time to another."""
    t_s = np.arange(first_s, max(last_s, first_s + _SAMPLE_S), _SAMPLE_S)
    body = world.constellation
    r_km, v_km_s, _ = propagation.tracked(body, world.scenario.propagation.model, t_s)
    sun_km = sun_gcrs_km(body.epoch_utc, t_s)
    sunlit = eclipse.illumination(r_km, sun_km[:, None, :], world.scenario.bus.eclipse)
    array_w = [
        share * solar.array_w(solar.surroundings(r, v, s, share, _SAMPLE_S), bus)
        for r, v, s, share in zip(r_km, v_km_s, sun_km, sunlit, strict=True)
    ]
    return Light(sunlit, np.stack(array_w))


def busy_limit(
    bus: BusProfile, soc: NDArray[np.float64], ahead: Light, own: Own | None = None
) -> NDArray[np.float64]:
    """Largest constant share of its time that each satellite can compute, (N,).

    All terminals on; the battery never below the brown-out level and a margin; and where it
    falls below the reserve, no more than the speed that is left there.

    Parameters
    ----------
    bus : BusProfile
    soc : (N,) float64
        State of charge to start from.
    ahead : Light
        Until the horizon.
    own : Own, optional
        How satellites differ from the bus.
    """
    level = _LEVELS[:, None]
    idle_w = bus.platform_w + bus.compute_idle_w + TERMINALS * bus.terminal_w
    load_w = idle_w + level * (bus.compute_peak_w - bus.compute_idle_w)
    stored = np.broadcast_to(soc, (len(_LEVELS), len(soc))).copy()
    # A satellite that starts below the floor must not fall further.
    floor = np.minimum(bus.brownout_soc + _SOC_MARGIN, stored)
    able = np.ones(stored.shape, bool)
    capacity, array, load = (1.0, 1.0, 1.0) if own is None else own
    for array_w in ahead.array_w:
        surplus_w = (array * array_w - load * load_w) / capacity
        flow_w = np.where(surplus_w > 0, bus.eta_charge * surplus_w, surplus_w / bus.eta_discharge)
        stored = np.minimum(stored + flow_w * (_SAMPLE_S / bus.battery_j), 1.0)
        able &= (stored >= floor) & ((stored >= bus.reserve_soc) | (level <= bus.reserve_speed))
    # All levels up to some level are possible: the last of them counts.
    return np.asarray(np.where(able, level, 0.0).max(axis=0) * able[0])


def entry_share(world: World, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the requests that enters at each satellite at given steps, (T, N).

    Every site is taken to use the highest satellite it sees and may connect to; without sites
    all is zero.
    """
    sites = ground.sites(world.scenario.ground)
    share = np.zeros((len(steps), world.constellation.size))
    if not sites.size:
        return share
    t_s = world.ephemeris.t_s[steps]
    r_km, _ = world.ephemeris.states(steps)
    turn = gcrs_to_itrs(world.constellation.epoch_utc, t_s)
    mask = np.sin(np.radians(world.scenario.ground.minimum_elevation_deg))
    for row, r, to_itrs in zip(share, r_km, turn, strict=True):
        sin_elevation, _ = ground.look(sites, r @ to_itrs.T)
        sin_elevation[:, ~world.may_serve] = -np.inf
        highest = sin_elevation.argmax(axis=1)
        seen = sin_elevation[np.arange(sites.size), highest] >= mask
        np.add.at(row, highest[seen], sites.share[seen])
    return share


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """Links and satellites of one step to come.

    Attributes
    ----------
    step : int
    weight_s : (2E,) float64
        Link delays.
    sound : (N,) bool
        Satellites free of faults.
    """

    step: int
    weight_s: NDArray[np.float64]
    sound: NDArray[np.bool_]


@dataclass(kw_only=True)
class OracleState:
    """What an oracle carries: the steps it has looked at, and where it stands."""

    network: NetworkState
    sound: NDArray[np.bool_] | None
    foreseen: list[Foreseen]


class Oracle:
    """What will really happen to links and satellites: for an upper bound only.

    All satellites have power in it, since power depends on decisions.

    Parameters
    ----------
    world : World
    source : Source
        What the run meets.
    state : OracleState, optional
        Where to go on; before the first step by default.
    """

    def __init__(self, world: World, source: Source, state: OracleState | None = None) -> None:
        self._size, self._source = world.constellation.size, source
        self._network = Network(world, source, None if state is None else state.network)
        self.state = state or OracleState(network=self._network.state, sound=None, foreseen=[])

    def look(self, steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Link delays, (T, 2E), and satellites free of faults, (T, N), at steps from now on."""
        mine = self.state
        while mine.network.step <= int(steps.max()):
            step = mine.network.step
            mine.sound = self._source.sound(step, mine.sound, self._size)
            weight_s = self._network.advance(mine.sound).weight_s
            mine.foreseen.append(Foreseen(step=step, weight_s=weight_s, sound=mine.sound))
        mine.foreseen = [seen for seen in mine.foreseen if seen.step >= int(steps.min())]
        first = mine.foreseen[0].step
        found = [mine.foreseen[int(step) - first] for step in steps]
        return np.stack([f.weight_s for f in found]), np.stack([f.sound for f in found])
