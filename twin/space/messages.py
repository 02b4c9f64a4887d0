"""Write element sets: the satellites of a constellation as orbit mean-elements messages (OMM)."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sgp4.earth_gravity import wgs72

from twin.constants import MU_EARTH_KM3_S2
from twin.space.angles import mean_anomaly, turned
from twin.space.constellation import Constellation
from twin.space.frames import DAY_S, teme_to_gcrs

type Array = NDArray[np.float64]

FIRST_NUMBER = 80_000
"""Catalogue numbers from here on belong to no known object."""


def mean_elements(body: Constellation) -> dict[str, Array]:
    """Mean elements of N satellites at their epoch by their names in an OMM, each (N,).

    The inverse of `twin.space.elements.mean_at`: axes are turned from the GCRS to TEME, and the
    mean motion becomes Kozai's, as OMM wants it. Mean elements of Kepler's motion with J2 are
    written as if they were SGP4's. They are its secular part; SGP4 adds periodic terms, up to
    18 km in low orbit, and no drag here.
    """
    rotation = teme_to_gcrs(body.epoch_utc, np.zeros(1))[0].T
    inc, raan, argp = turned(rotation, body.inc_rad, body.raan_rad, body.argp_rad)
    n_rad_s = np.sqrt(MU_EARTH_KM3_S2 / body.a_km**3)
    return {
        "MEAN_MOTION": _kozai(n_rad_s * 60, body.ecc, inc) / 60 * DAY_S / (2 * np.pi),
        "ECCENTRICITY": body.ecc,
        "INCLINATION": np.degrees(inc),
        "RA_OF_ASC_NODE": np.degrees(raan) % 360,
        "ARG_OF_PERICENTER": np.degrees(argp) % 360,
        "MEAN_ANOMALY": np.degrees(mean_anomaly(body.nu_rad, body.ecc)) % 360,
    }


def messages(body: Constellation) -> list[dict[str, Any]]:
    """One OMM a satellite, as its fields in the order of the standard.

    Catalogue numbers are made up, and there are no international designators.

    References
    ----------
    CCSDS 502.0-B-3, "Orbit Data Messages", section 4.
    """
    when = datetime.fromisoformat(body.epoch_utc)
    when = when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC).replace(tzinfo=None)
    columns = mean_elements(body)
    rows = zip(body.names, *(column.tolist() for column in columns.values()), strict=True)
    return [
        {
            "OBJECT_NAME": name,
            "OBJECT_ID": "UNKNOWN",
            "CENTER_NAME": "EARTH",
            "REF_FRAME": "TEME",
            "TIME_SYSTEM": "UTC",
            "MEAN_ELEMENT_THEORY": "SGP4",
            "EPOCH": when.isoformat(timespec="microseconds"),
            **dict(zip(columns, mean, strict=True)),
            "EPHEMERIS_TYPE": 0,
            "CLASSIFICATION_TYPE": "U",
            "NORAD_CAT_ID": FIRST_NUMBER + i,
            "ELEMENT_SET_NO": 999,
            "REV_AT_EPOCH": 0,
            "BSTAR": 0.0,
            "MEAN_MOTION_DOT": 0.0,
            "MEAN_MOTION_DDOT": 0.0,
        }
        for i, (name, *mean) in enumerate(rows)
    ]


def _kozai(n_rad_min: Array, ecc: Array, inc_rad: Array) -> Array:
    """Kozai's mean motion from Brouwer's, the one without J2; as SGP4 defines the two.

    References
    ----------
    F. R. Hoots and R. L. Roehrich, "Spacetrack Report No. 3", 1980, section 6.
    """
    shape = 0.75 * wgs72.j2 * (3 * np.cos(inc_rad) ** 2 - 1) / (1 - ecc**2) ** 1.5
    kozai: Array = n_rad_min
    for _ in range(8):  # J2 is small: each round gains three digits
        a1 = (wgs72.xke / kozai) ** (2 / 3)
        part = shape / a1**2
        a0 = a1 * (1 - part**2 - part * (1 / 3 + 134 * part**2 / 81))
        kozai = n_rad_min * (1 + shape / a0**2)
    return kozai
