"""OMM in other time systems and frames than SGP4's, against astropy."""

import json

import numpy as np
import pytest
from omm_messages import MESSAGE, from_reference, states


@pytest.mark.parametrize(
    ("system", "epoch"),
    [
        ("TAI", "2022-09-14T12:00:37"), ("TT", "2022-09-14T12:01:09.184"),
        ("GPS", "2022-257T12:00:18"),
    ],
)  # fmt: skip
def test_epochs_in_another_time_system_are_converted(sets, system, epoch):
    """Taken as UTC, TAI is 268 km off."""
    [one] = sets(json.dumps([MESSAGE | {"TIME_SYSTEM": system, "EPOCH": epoch}])).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=1e-5)


def angles(rotation):
    """Inclination, node, argument of perigee of axes (3, 3): to perigee, ahead of it, normal."""
    to_perigee, ahead, normal = rotation
    return {
        "INCLINATION": np.degrees(np.arccos(normal[2])),
        "RA_OF_ASC_NODE": np.degrees(np.arctan2(normal[0], -normal[1])) % 360,
        "ARG_OF_PERICENTER": np.degrees(np.arctan2(to_perigee[2], ahead[2])) % 360,
    }


def axes_of(fields):
    names = ("INCLINATION", "RA_OF_ASC_NODE", "ARG_OF_PERICENTER")
    inc, raan, argp = np.radians([fields[name] for name in names])

    def turn(i, angle):
        c, s = np.cos(angle), np.sin(angle)
        j, k = (i + 1) % 3, (i + 2) % 3
        out = np.eye(3)
        out[j, j], out[j, k], out[k, j], out[k, k] = c, -s, s, c
        return out

    return (turn(2, raan) @ turn(0, inc) @ turn(2, argp)).T


@pytest.mark.parametrize("frame", ["EME2000", "J2000", "GCRF", "ICRF", "TOD", "MOD"])
def test_elements_in_another_frame_are_converted(sets, frame):
    """Taken as TEME, those of EME2000 are 42 km off. The way there is astropy's."""
    from astropy.coordinates import FK5, GCRS, TEME, TETE, CartesianRepresentation
    from astropy.coordinates import PrecessedGeocentric as Mod
    from astropy.time import Time

    when = Time("2022-09-14T12:00:00", scale="utc")
    there = {
        "TOD": TETE(obstime=when), "MOD": Mod(equinox=when, obstime=when), "EME2000": FK5(),
        "J2000": FK5(),
    }.get(frame, GCRS(obstime=when))  # fmt: skip
    turned = []
    for axis in axes_of(MESSAGE):
        at = TEME(CartesianRepresentation(axis * 7e6, unit="m"), obstime=when)
        seen = at.transform_to(GCRS(obstime=when))
        if isinstance(there, FK5):  # only its axes, not its barycentric origin
            from astropy.coordinates import ICRS

            seen = ICRS(seen.cartesian / (7e6 * seen.cartesian.norm().unit)).transform_to(there)
        else:
            seen = seen.transform_to(there)
        turned.append(seen.cartesian.xyz.value / np.linalg.norm(seen.cartesian.xyz.value))
    given = MESSAGE | {"REF_FRAME": frame} | angles(np.array(turned))
    assert abs(given["RA_OF_ASC_NODE"] - MESSAGE["RA_OF_ASC_NODE"]) > 1e-4
    [one] = sets(json.dumps([given])).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=2e-3)
