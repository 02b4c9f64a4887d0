"""Which satellite serves each ground site, and the hand-overs from one to the next.

Sites are scheduled: at every scheduling epoch a policy chooses among the satellites above the mask,
whose motion is known ahead. A site changes satellite at an epoch only; in between it may lose its
satellite, and is then without service until the next epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S
from twin.network import ground, passes
from twin.network.reach import within_range
from twin.registry import Registry
from twin.scenario.ground import Ground
from twin.space.constellation import Constellation

type Array = NDArray[np.float64]
type Rows = NDArray[np.int32]

NOBODY = -1

WINDOW_S = 7200.0
"""Passes are computed for two hours at a time."""

LOOK_AHEAD_S = 1200.0
"""And so far beyond: remaining visibility is true up to here, and at least this where longer."""

CLOCK_S = 1e-6
"""Times closer than this are the same."""


class Sight(NamedTuple):
    """M satellites above the mask of a site, all (M,)."""

    site: Rows
    satellite: Rows
    elevation_deg: Array
    remaining_s: Array
    """Until the satellite sets."""
    serving: NDArray[np.bool_]
    """Whether this satellite serves the site now."""


def max_elevation(sight: Sight, *, hysteresis_deg: float = 0.0) -> Array:
    """Prefer the highest satellite; another must stand `hysteresis_deg` higher than the present."""
    return sight.elevation_deg + hysteresis_deg * sight.serving


def longest_remaining(sight: Sight, *, hysteresis_s: float = np.inf) -> Array:
    """Prefer the one that stays longest; another must stay `hysteresis_s` longer than the present.

    By default a satellite is kept until it sets.
    """
    return sight.remaining_s + np.where(sight.serving, hysteresis_s, 0.0)


HANDOVER: Registry[Callable[..., Array]] = Registry(
    "hand-over rule",
    {
        "max-elevation": max_elevation,
        "longest-remaining": longest_remaining,
    },
    field="ground.handover",
    bounds={"hysteresis_deg": (0.0, 180.0), "hysteresis_s": (0.0, np.inf)},
)
"""Policies: the score of each satellite in sight, the highest of which serves; see `Sight`."""


class Handovers(NamedTuple):
    """H changes of serving satellite, ordered by time then site, all (H,)."""

    t_s: Array
    site: Rows
    before: Rows
    """The satellite until now, or -1 where service begins."""
    after: Rows
    """The satellite from now on, or -1 where service is lost."""


class SiteService(NamedTuple):
    """What one step brought to G sites."""

    satellite: Rows
    """Which satellite requests of this step enter through, or -1; (G,), at the start of the step,
    after the choice of an epoch that falls on it."""
    delay_s: Array
    """Light time to that satellite at the start of the step, ``inf`` where there is none; (G,). A
    request takes it upwards, its tokens take it downwards."""
    availability: Array
    """Share of the step with service, hand-over interruptions taken off; (G,)."""
    handovers: Handovers


@dataclass(kw_only=True)
class ServingState:
    """What G sites carry from one step to the next, all (G,).

    Attributes
    ----------
    satellite : int32
        The one that serves, or -1.
    since_s : float64
        Since when; s since the epoch of the simulation.
    interrupted_until_s : float64
        When service resumes after the last hand-over.
    until_s : float64
        When the serving satellite sets.
    """

    satellite: Rows
    since_s: Array
    interrupted_until_s: Array
    until_s: Array


class Serving:
    """The satellite that serves each of G sites, from one step to the next.

    Attributes
    ----------
    sites : twin.network.ground.Sites
    state : ServingState
    """

    def __init__(
        self,
        table: Ground,
        constellation: Constellation,
        model: str,
        *,
        max_slant_km: float = np.inf,
    ) -> None:
        self.sites = ground.sites(table, max_slant_km=max_slant_km)
        size = self.sites.size
        self.state = ServingState(
            satellite=np.full(size, NOBODY, np.int32),
            since_s=np.zeros(size),
            interrupted_until_s=np.zeros(size),
            until_s=np.zeros(size),
        )
        self._policy = HANDOVER.build(table.handover, table.handover_params)
        self._epoch_s = table.scheduling_epoch_s
        self._interruption_s = table.handover_interruption_s
        self._motion = constellation, model
        self._window = -1
        self._changes: list[Handovers] = []
        self._track: passes.Track
        self._passes: passes.Passes

    def advance(
        self, t0_s: float, step_s: float, usable: NDArray[np.bool_] | None = None
    ) -> SiteService:
        """Serve the sites over one step, with hand-overs at every epoch within it.

        Parameters
        ----------
        t0_s, step_s : float
            Start of the step, s since the epoch of the simulation, and its length.
        usable : (N,) bool, optional
            Satellites that can serve during the step; default all. A site loses one that cannot.
        """
        if not self.sites.size:
            nothing = np.zeros(0)
            return SiteService(self.state.satellite, nothing, nothing, _merged([]))
        self._changes = []
        served_s, end_s = np.zeros(self.sites.size), t0_s + step_s
        epochs_s = self._epochs(t0_s, end_s)
        if epochs_s and epochs_s[0] <= t0_s + CLOCK_S:
            self._choose(epochs_s.pop(0), usable)
        elif usable is not None:
            self._drop(t0_s, usable)
        satellite, delay_s = self.state.satellite.copy(), self._delay_s(t0_s)
        start_s = t0_s
        for epoch_s in epochs_s:
            self._serve(start_s, epoch_s, served_s)
            self._choose(epoch_s, usable)
            start_s = epoch_s
        self._serve(start_s, end_s, served_s)
        availability = np.minimum(served_s / step_s, 1.0)
        return SiteService(satellite, delay_s, availability, _merged(self._changes))

    def _epochs(self, t0_s: float, t1_s: float) -> list[float]:
        first, end = (ceil((t - CLOCK_S) / self._epoch_s) for t in (t0_s, t1_s))
        return [k * self._epoch_s for k in range(first, end)]

    def _choose(self, t_s: float, usable: NDArray[np.bool_] | None) -> None:
        """Let the policy choose at an epoch."""
        row = self._above(t_s)
        if usable is not None:
            row = row[usable[self._passes.satellite[row]]]
        site, satellite = self._passes.site[row], self._passes.satellite[row]
        set_s = self._passes.set_s[row]
        sine, _ = passes.look_at(self.sites, self._track, site, satellite, np.full(len(row), t_s))
        elevation_deg = np.degrees(np.arcsin(np.minimum(sine, 1.0)))
        serving = self.state.satellite[site] == satellite
        score = self._policy(Sight(site, satellite, elevation_deg, set_s - t_s, serving))
        # Whoever stays until the next epoch comes first: a gap is worse than any score.
        order = np.lexsort((score, set_s >= t_s + self._epoch_s))
        chosen = np.full(self.sites.size, NOBODY, np.int32)
        # Of several values for a site the last one stays: the best.
        chosen[site[order]] = satellite[order]
        self.state.until_s[site[order]] = set_s[order]
        changed = np.flatnonzero(chosen != self.state.satellite)
        self._change(changed, chosen[changed], np.full(len(changed), t_s))

    def _drop(self, t_s: float, usable: NDArray[np.bool_]) -> None:
        """Lose, between epochs, the satellites that can serve no longer."""
        lost = np.flatnonzero((self.state.satellite != NOBODY) & ~usable[self.state.satellite])
        self._change(lost, NOBODY, np.full(len(lost), t_s))

    def _serve(self, start_s: float, end_s: float, served_s: Array) -> None:
        """Add up the seconds of service without a choice in between; lose satellites that set."""
        mine = self.state
        up = mine.satellite != NOBODY
        stop_s = np.minimum(mine.until_s, end_s)
        served_s += up * np.maximum(stop_s - np.maximum(mine.interrupted_until_s, start_s), 0.0)
        lost = np.flatnonzero(up & (mine.until_s < end_s - CLOCK_S))
        lost = lost[np.argsort(mine.until_s[lost], kind="stable")]
        self._change(lost, NOBODY, self.state.until_s[lost])

    def _change(self, site: NDArray[np.intp], after: Rows | int, t_s: Array) -> None:
        """Give sites, in order of time, a satellite each, or one and the same."""
        if not site.size:
            return
        before = self.state.satellite[site]
        self.state.satellite[site] = after
        self.state.since_s[site] = t_s
        # It does not matter to a site that is lost.
        self.state.interrupted_until_s[site] = t_s + self._interruption_s
        after = self.state.satellite[site]
        self._changes.append(Handovers(t_s, site.astype(np.int32), before, after))

    def _above(self, t_s: float) -> NDArray[np.intp]:
        """Rows of the passes that are under way."""
        self._load(t_s)
        now_s = t_s + CLOCK_S
        risen = np.searchsorted(self._passes.rise_s, now_s, side="right")
        return np.flatnonzero(self._passes.set_s[:risen] > now_s)

    def _delay_s(self, t_s: float) -> Array:
        self._load(t_s)
        delay_s = np.full(self.sites.size, np.inf)
        site = np.flatnonzero(self.state.satellite != NOBODY)
        when_s = np.full(len(site), t_s)
        _, slant_km = passes.look_at(
            self.sites, self._track, site.astype(np.int32), self.state.satellite[site], when_s
        )
        delay_s[site] = slant_km / C_KM_S
        return delay_s

    def _load(self, t_s: float) -> None:
        """Compute the passes around a time, in windows that do not depend on the time asked for."""
        window = int((t_s + CLOCK_S) // WINDOW_S)
        if window != self._window:
            start_s = window * WINDOW_S
            end_s = start_s + WINDOW_S + LOOK_AHEAD_S
            self._track = passes.track(*self._motion, start_s, end_s)
            self._passes = within_range(
                self.sites, self._track, passes.passes(self.sites, self._track)
            )
            self._window = window


def _merged(changes: list[Handovers]) -> Handovers:
    if not changes:
        nobody = np.empty(0, np.int32)
        return Handovers(np.empty(0), nobody, nobody, nobody)
    return Handovers(
        np.concatenate([part.t_s for part in changes]),
        np.concatenate([part.site for part in changes]),
        np.concatenate([part.before for part in changes]),
        np.concatenate([part.after for part in changes]),
    )
