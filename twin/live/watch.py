"""Alarms: which satellites do not behave as they are believed to, and why.

Power is watched by cumulative sums of normalised innovations, apart in light and in shadow. An
array that gives less shows in light only, a load that is higher in both: so a sum that grows in
light waits for the next shadow before it is told which. Meanwhile the power is not taken in.

References
----------
E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.live.filter import Estimator, Residuals
from twin.vocabulary.live import AlarmKind

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]

SLACK: Final = 1.5
"""Standard deviations that an innovation may be off without adding to its sum."""
MOST: Final = 12.0
"""A sum beyond this is an alarm, or a suspicion."""
CLIP: Final = 5.0
"""What one innovation adds at most: one alone is none."""
DARK_NEEDED: Final = 4
"""Innovations in shadow that tell a lost string from a load."""
DARK_HIGH: Final = -1.2
"""Their mean, normalised, beyond which it is the load."""
GIVE_UP_S: Final = 9_000.0
"""Without a shadow for so long, it is the array."""
RELEARN: Final = 0.08
SILENT_S: Final = 2_700.0
"""A satellite that was heard and is not for so long is silent; gaps are shorter."""
STUCK_S: Final = 1_800.0
STUCK_OUTAGES: Final = 15.0
"""A link that is down for longer than this, and than so many mean outages, is stuck."""


class Alarm(NamedTuple):
    """One alarm."""

    t_s: float
    kind: AlarmKind
    satellite: int
    other: int
    value: float
    """Share of power missing or drawn too much; time down or silent in s; km along the track."""


@dataclass(kw_only=True)
class WatchState:
    """What the watch carries, of N satellites and E links.

    Attributes
    ----------
    light, dark, low : (N,) float64
        Sums: power too low in light, too low in shadow, too high in shadow.
    suspect_s : (N,) float64
        Since when the array is suspected; inf: not.
    missing : (N,) float64
        Mean share of the array's power that was missing when the suspicion rose.
    dark_sum, dark_count : (N,) float64
        Normalised innovations in shadow since then.
    heard_s : (N,) float64
        Time of the last message; -inf: none yet.
    down_s : (E,) float64
        Since when a link is reported down; inf: it is not.
    told_silent : (N,) bool
    told_stuck : (E,) bool
        Alarms that stand.
    """

    light: Array
    dark: Array
    low: Array
    suspect_s: Array
    missing: Array
    dark_sum: Array
    dark_count: Array
    heard_s: Array
    down_s: Array
    told_silent: Mask
    told_stuck: Mask


def at_start(n: int, links: int) -> WatchState:
    """State before the first message."""
    zeros = [np.zeros(n) for _ in range(6)]
    return WatchState(
        light=zeros[0],
        dark=zeros[1],
        low=zeros[2],
        suspect_s=np.full(n, np.inf),
        missing=zeros[3],
        dark_sum=zeros[4],
        dark_count=zeros[5],
        heard_s=np.full(n, -np.inf),
        down_s=np.full(links, np.inf),
        told_silent=np.zeros(n, bool),
        told_stuck=np.zeros(links, bool),
    )


class Watch:
    """Watches N satellites and their links.

    Parameters
    ----------
    state : WatchState
        Goes on.
    edges : (E, 2) int32
    array_w : float
        Of the design.
    stuck_s : float
        After which a link that is down is stuck.
    """

    def __init__(
        self, state: WatchState, edges: NDArray[np.int32], *, array_w: float, stuck_s: float
    ) -> None:
        self.state, self._edges = state, edges
        self._array_w, self._stuck_s = array_w, stuck_s

    @property
    def trusted(self) -> Mask:
        """Satellites whose measured power is taken in, (N,)."""
        return np.isinf(self.state.suspect_s)

    def power(
        self, rows: NDArray[np.int64], found: Residuals, estimator: Estimator, now_s: float
    ) -> list[Alarm]:
        """Look at the innovations of power of K measurements, by satellite; tell what is wrong."""
        normal = np.clip(found.power_w / found.power_sd_w, -CLIP, CLIP)
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        for k in range(int(rank.max(initial=-1)) + 1):
            some = (rank == k) & np.isfinite(normal)
            self._add(rows[some], normal[some], found.power_w[some], found.lit[some])
        return [*self._loads(estimator, now_s), *self._arrays(estimator, now_s)]

    def _add(self, rows: NDArray[np.int64], z: Array, off_w: Array, lit: Mask) -> None:
        mine = self.state
        in_light, in_dark = rows[lit], rows[~lit]
        grown = mine.light[in_light] - z[lit] - SLACK
        mine.light[in_light] = np.maximum(grown, 0.0)
        mine.missing[in_light] += 0.3 * (-off_w[lit] / self._array_w - mine.missing[in_light])
        mine.dark[in_dark] = np.maximum(mine.dark[in_dark] - z[~lit] - SLACK, 0.0)
        mine.low[in_dark] = np.maximum(mine.low[in_dark] + z[~lit] - SLACK, 0.0)
        suspected = in_dark[np.isfinite(mine.suspect_s[in_dark])]
        mine.dark_sum[suspected] += z[~lit][np.isfinite(mine.suspect_s[in_dark])]
        mine.dark_count[suspected] += 1

    def _loads(self, estimator: Estimator, now_s: float) -> list[Alarm]:
        mine = self.state
        high, low = np.flatnonzero(mine.dark > MOST), np.flatnonzero(mine.low > MOST)
        estimator.doubt(np.concatenate([high, low]), "load", RELEARN)
        estimator.doubt(high, "array", RELEARN / 4)
        self._clear(high)
        mine.low[low] = 0.0
        return [Alarm(now_s, AlarmKind.HIGH_LOAD, i, -1, np.nan) for i in high.tolist()]

    def _arrays(self, estimator: Estimator, now_s: float) -> list[Alarm]:
        mine = self.state
        new = (mine.light > MOST) & np.isinf(mine.suspect_s)
        mine.suspect_s[new], mine.dark_sum[new], mine.dark_count[new] = now_s, 0.0, 0.0
        since_s = now_s - mine.suspect_s
        sure = (mine.dark_count >= DARK_NEEDED) | (since_s > GIVE_UP_S)
        ripe = np.flatnonzero(np.isfinite(mine.suspect_s) & sure)
        mean = mine.dark_sum[ripe] / np.maximum(mine.dark_count[ripe], 1)
        lost, load = ripe[mean >= DARK_HIGH], ripe[mean < DARK_HIGH]
        value = mine.missing[lost].copy()
        estimator.doubt(lost, "array", RELEARN)
        estimator.doubt(load, "load", RELEARN)
        self._clear(ripe)
        return [
            *(Alarm(now_s, AlarmKind.HIGH_LOAD, i, -1, np.nan) for i in load.tolist()),
            *(
                Alarm(now_s, AlarmKind.LOST_STRING, int(i), -1, float(v))
                for i, v in zip(lost, value, strict=True)
            ),
        ]

    def _clear(self, rows: NDArray[np.int64]) -> None:
        mine = self.state
        mine.light[rows] = mine.dark[rows] = mine.missing[rows] = 0.0
        mine.suspect_s[rows] = np.inf

    def silence(self, heard: NDArray[np.int64], t_s: Array, now_s: float) -> list[Alarm]:
        """Note who was heard, and when; tell who has been silent for too long."""
        mine = self.state
        mine.heard_s[heard] = np.maximum(mine.heard_s[heard], t_s)
        quiet_s = now_s - mine.heard_s
        silent = np.isfinite(quiet_s) & (quiet_s > SILENT_S)
        new = np.flatnonzero(silent & ~mine.told_silent)
        mine.told_silent = silent
        return [Alarm(now_s, AlarmKind.SILENT, i, -1, float(quiet_s[i])) for i in new.tolist()]

    def links(self, held: NDArray[np.int8], now_s: float) -> list[Alarm]:
        """Note which links are reported down, (E,) as `Live` has them; tell which are stuck."""
        mine = self.state
        mine.down_s[held == 1] = np.inf
        mine.down_s[(held == 0) & np.isinf(mine.down_s)] = now_s
        stuck = now_s - mine.down_s > self._stuck_s
        new = np.flatnonzero(stuck & ~mine.told_stuck)
        mine.told_stuck = stuck
        return [
            Alarm(now_s, AlarmKind.STUCK_TERMINAL, a, b, float(now_s - mine.down_s[e]))
            for e, (a, b) in zip(new.tolist(), self._edges[new].tolist(), strict=True)
        ]


def stuck_after_s(mean_outage_s: float) -> float:
    """How long a link must be down to be stuck, where outages last `mean_outage_s` on average."""
    return max(STUCK_S, STUCK_OUTAGES * mean_outage_s)
