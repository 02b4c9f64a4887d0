"""Orbits of the plant: SGP4 with drag, manoeuvres, and the element sets that are made of them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec, SatrecArray
from sgp4.exporter import export_tle

from twin.space.constellation import Constellation
from twin.space.frames import DAY_S, teme_to_gcrs, utc_jd
from twin.space.messages import FIRST_NUMBER, mean_elements

type Array = NDArray[np.float64]

_ZERO_JD = 2433281.5
"""1949 December 31, 0 h: what sgp4 counts epochs from."""
KICK_KM_S = 0.5e-3
"""Change of speed of a manoeuvre along the track."""
_SPEED_KM_S = 7.6
_ANOMALY_NOISE_RAD = 5e-5
"""Of a published set: 350 m along the track."""
_MOTION_NOISE = 2e-6
"""Of its mean motion, relative: 0.3 km in six hours."""


class Orbits:
    """True orbits of N satellites.

    Parameters
    ----------
    body : Constellation
        The design, whose mean elements are those at the start.
    bstar : (N,) float64
    """

    def __init__(self, body: Constellation, bstar: Array) -> None:
        self.epoch_utc, self.names = body.epoch_utc, body.names
        self._jd = utc_jd(body.epoch_utc)
        mean = mean_elements(body)
        self._motion = mean["MEAN_MOTION"] * 2 * np.pi / 1440
        angles = np.radians(
            [mean[k] for k in ("RA_OF_ASC_NODE", "ARG_OF_PERICENTER", "MEAN_ANOMALY")]
        )
        inc = np.radians(mean["INCLINATION"])
        self._bstar = bstar
        self.satrecs = [
            self._made(i, 0.0, mean["ECCENTRICITY"][i], inc[i], angles[:, i], self._motion[i])
            for i in range(body.size)
        ]

    def states(self, t_s: Array) -> tuple[Array, Array]:
        """Positions and velocities (T, N, 3) in km and km/s, in the axes of the GCRS."""
        days = np.full(len(t_s), self._jd[0])
        _, r_km, v_km_s = SatrecArray(self.satrecs).sgp4(days, self._jd[1] + t_s / DAY_S)
        back = np.swapaxes(teme_to_gcrs(self.epoch_utc, t_s), -1, -2)
        r, v = (np.ascontiguousarray(x.transpose(1, 0, 2)) @ back for x in (r_km, v_km_s))
        return r, v

    def manoeuvre(self, rows: Sequence[int], t_s: float) -> None:
        """Push satellites along their track at a time: the mean motion falls, the phase goes on."""
        for i in rows:
            self._motion[i] *= 1 - 3 * KICK_KM_S / _SPEED_KM_S
            self.satrecs[i] = self._at(i, t_s, self._motion[i], 0.0)

    def element_set(self, i: int, t_s: float, rng: np.random.Generator) -> tuple[str, str]:
        """Lines of a set as it is published: of this time, and a little wrong."""
        motion = self._motion[i] * (1 + _MOTION_NOISE * rng.standard_normal())
        made = self._at(i, t_s, motion, _ANOMALY_NOISE_RAD * rng.standard_normal())
        first, second = export_tle(made)
        return first, second

    def _at(self, i: int, t_s: float, motion: float, shift_rad: float) -> Satrec:
        """The set of a satellite carried to another epoch by SGP4's secular rates."""
        now = self.satrecs[i]
        now.sgp4(self._jd[0], self._jd[1] + t_s / DAY_S)
        anomaly = now.mm + shift_rad
        return self._made(i, t_s, now.em, now.im, (now.Om, now.om, anomaly), motion)

    def _made(
        self, i: int, t_s: float, ecc: float, inc: float, angles: Iterable[float], motion: float
    ) -> Satrec:
        made = Satrec()
        raan, argp, anomaly = (float(angle) % (2 * np.pi) for angle in angles)
        epoch = self._jd[0] - _ZERO_JD + self._jd[1] + t_s / DAY_S
        made.sgp4init(
            WGS72, "i", FIRST_NUMBER + i, epoch, float(self._bstar[i]), 0.0, 0.0,
            max(float(ecc), 1e-7), argp, float(inc), anomaly, float(motion), raan,
        )  # fmt: skip
        made.intldesg, made.classification = "", "U"
        return made
