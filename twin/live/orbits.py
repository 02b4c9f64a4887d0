"""Follow new element sets: what is shown moves over to a new one without a jump.

A set is compared with where the satellite was believed to be. Along the track, positions agree
within what sets are worth; a change of the mean motion beyond that is a manoeuvre, and a set that
lies elsewhere altogether is not this satellite's. A set that is not believed is kept: if the next
one agrees with it, both were right.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec, SatrecArray

from twin.scenario.schema import Scenario
from twin.space import eclipse
from twin.space.constellation import Constellation
from twin.space.ephemeris import Ephemeris, Instant
from twin.space.frames import DAY_S, teme_to_gcrs, utc_jd
from twin.vocabulary.live import AlarmKind

type Array = NDArray[np.float64]

OVER_S: Final = 600.0
"""Time in which what is shown moves over to a new set."""
FIRST_KM: Final = 60.0
"""A first set may be this far from the scenario's orbit, whose short periods are left out."""
WRONG_KM: Final = 250.0
"""A set that lies this far along the track from the one before it is wrong."""
WRONG_ACROSS_KM: Final = 20.0
"""And one this far across."""
MOTION_SHARE: Final = 2e-5
"""A change of the mean motion by more is a manoeuvre: 0.05 m/s along the track."""
_ZERO_JD = 2433281.5
_NUMBERS = 8


@dataclass(kw_only=True)
class SetsState:
    """Element sets of N satellites, as SGP4's numbers; NaN for none.

    Attributes
    ----------
    before, now, doubted : (N, 8) float64
        The set that what is shown comes from, the one it goes to, and the last that was not
        believed.
    since_s : (N,) float64
        When it began to move over.
    """

    before: Array
    now: Array
    doubted: Array
    since_s: Array


class Judged(NamedTuple):
    """What was found of a new set."""

    alarm: AlarmKind | None
    along_km: float
    """How far ahead of where the satellite was believed to be; NaN where that is not known."""


def at_start(n: int) -> SetsState:
    """State before the first set."""
    none = np.full((n, _NUMBERS), np.nan)
    return SetsState(before=none, now=none.copy(), doubted=none.copy(), since_s=np.full(n, -np.inf))


class LiveEphemeris(Ephemeris):
    """Where the satellites are by their newest element sets, and by the scenario without one.

    Parameters
    ----------
    scenario : Scenario
    constellation : Constellation
    state : SetsState
        Goes on.
    """

    def __init__(self, scenario: Scenario, constellation: Constellation, state: SetsState) -> None:
        super().__init__(scenario, constellation)
        self._epoch, self._jd = constellation.epoch_utc, utc_jd(constellation.epoch_utc)
        self.sets = state
        self._made: dict[bytes, Satrec] = {}

    def at(self, step: int) -> Instant:
        """Return the sky at the start of a step."""
        base = super().at(step)
        r_km, v_km_s = self._moved(base.t_s, base.r_km, base.v_km_s)
        return replace(base, r_km=r_km, v_km_s=v_km_s)

    def states(self, steps: NDArray[np.int64]) -> tuple[Array, Array]:
        """Positions and velocities at the start of any steps, (K, N, 3) each."""
        r_km, v_km_s = super().states(steps)
        for k, t_s in enumerate(self.t_s[steps].tolist()):
            r_km[k], v_km_s[k] = self._moved(t_s, r_km[k], v_km_s[k])
        return r_km, v_km_s

    def light(self, step: int) -> eclipse.StepLight:
        """Sunlight during a step."""
        i = self._load(step)
        t_s, r_km, v_km_s = (x[i : i + 2] for x in (self._t_s, self._r_km, self._v_km_s))
        both = [self._moved(float(t), r, v) for t, r, v in zip(t_s, r_km, v_km_s, strict=True)]
        r, v = (np.stack(part) for part in zip(*both, strict=True))
        return eclipse.light(t_s, r, v, self._sun_km[i : i + 2], self._shadow)

    def judge(self, row: int, numbers: Array, t_s: float) -> Judged:
        """Compare a new set with what is believed, and follow it if it is believed in its turn."""
        known = self.sets.now[row] if np.isfinite(self.sets.now[row, 0]) else None
        found = self._compared(row, numbers, known, t_s)
        if found.alarm is AlarmKind.WRONG_ELEMENTS:
            doubted = self.sets.doubted[row].copy()
            self.sets.doubted[row] = numbers
            agrees = np.isfinite(doubted[0]) and (
                self._compared(row, numbers, doubted, t_s).alarm is not AlarmKind.WRONG_ELEMENTS
            )
            if not agrees:
                return found
        self.sets.doubted[row] = np.nan
        self.sets.before[row], self.sets.now[row] = self.sets.now[row], numbers
        self.sets.since_s[row] = t_s
        return found

    def _compared(self, row: int, numbers: Array, known: Array | None, t_s: float) -> Judged:
        if known is None:
            r_km, v_km_s = (x[row] for x in self._scenario_at(t_s))
        else:
            r_km, v_km_s = (x[0] for x in self._sgp4(known[None], t_s))
        new_km = self._sgp4(numbers[None], t_s)[0][0]
        if not np.isfinite(new_km).all():
            return Judged(AlarmKind.WRONG_ELEMENTS, np.nan)
        forward, across = v_km_s / np.linalg.norm(v_km_s), np.cross(r_km, v_km_s)
        off_km, across = new_km - r_km, across / np.linalg.norm(across)
        along_km, across_km = float(off_km @ forward), float(off_km @ across)
        far_km = FIRST_KM if known is None else WRONG_KM
        distance_km = float(np.linalg.norm(off_km))
        if distance_km > far_km or abs(across_km) > WRONG_ACROSS_KM:
            return Judged(AlarmKind.WRONG_ELEMENTS, along_km)
        if known is not None and abs(numbers[7] / known[7] - 1) > MOTION_SHARE:
            return Judged(AlarmKind.MANOEUVRE, along_km)
        return Judged(None, along_km)

    def _scenario_at(self, t_s: float) -> tuple[Array, Array]:
        step = min(max(int(t_s / self.step_s), 0), len(self.t_s) - 1)
        base = super().at(step)
        ahead_s = t_s - base.t_s
        return base.r_km + ahead_s * base.v_km_s, base.v_km_s

    def _moved(self, t_s: float, r_km: Array, v_km_s: Array) -> tuple[Array, Array]:
        mine = self.sets
        rows = np.flatnonzero(np.isfinite(mine.now[:, 0]))
        if not len(rows):
            return r_km, v_km_s
        r_km, v_km_s = r_km.copy(), v_km_s.copy()
        w = np.clip((t_s - mine.since_s[rows]) / OVER_S, 0.0, 1.0)
        w = (w * w * (3 - 2 * w))[:, None]
        moving = (w[:, 0] < 1.0) & np.isfinite(mine.before[rows, 0])
        for out, new in zip((r_km, v_km_s), self._sgp4(mine.now[rows], t_s), strict=True):
            out[rows] += w * (new - out[rows])
        if moving.any():
            some = rows[moving]
            both = [self._sgp4(sets[some], t_s) for sets in (mine.before, mine.now)]
            for out, was, will in zip((r_km, v_km_s), *both, strict=True):
                out[some] = was + w[moving] * (will - was)
        return r_km, v_km_s

    def _sgp4(self, numbers: Array, t_s: float) -> tuple[Array, Array]:
        sats = SatrecArray([self._satrec(each) for each in numbers])
        day, part = np.array([self._jd[0]]), np.array([self._jd[1] + t_s / DAY_S])
        error, r_km, v_km_s = sats.sgp4(day, part)
        back = teme_to_gcrs(self._epoch, np.array([t_s]))[0].T
        r, v = r_km[:, 0] @ back, v_km_s[:, 0] @ back
        r[error[:, 0] != 0] = np.nan
        return r, v

    def _satrec(self, numbers: Array) -> Satrec:
        key = numbers.tobytes()
        if key not in self._made:
            if len(self._made) > 4 * len(self.sets.now) + 64:
                self._made.clear()
            self._made[key] = _satrec(numbers.tolist())
        return self._made[key]


def numbers_of(tle: tuple[str, str]) -> Array | None:
    """Return SGP4's numbers of a set's two lines; None if they are none."""
    try:
        made = Satrec.twoline2rv(*tle)
    except (ValueError, IndexError):
        return None
    found = np.array(
        [
            made.jdsatepoch - _ZERO_JD + made.jdsatepochF, made.bstar, made.ecco, made.argpo,
            made.inclo, made.mo, made.nodeo, made.no_kozai,
        ]
    )  # fmt: skip
    return found if np.isfinite(found).all() and found[7] > 0 and found[2] < 1 else None


def _satrec(numbers: list[float]) -> Satrec:
    epoch, bstar, ecc, argp, inc, anomaly, raan, motion = numbers
    made = Satrec()
    made.sgp4init(WGS72, "i", 0, epoch, bstar, 0.0, 0.0, ecc, argp, inc, anomaly, motion, raan)
    return made
