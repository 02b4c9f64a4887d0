from pathlib import Path

import numpy as np
import pytest

from twin.space.constellation import Constellation
from twin.space.elements import read


@pytest.fixture(scope="session")
def shared(shared_data) -> Path:
    """The folder of real element sets."""
    return shared_data


@pytest.fixture(scope="session")
def orbits():
    """Build a constellation, one plane a satellite, from (broadcast) mean elements."""

    def make(*, a_km, ecc=0.0, inc_deg=0.0, raan_deg=0.0, argp_deg=0.0, nu_deg=0.0):
        angles = np.radians(np.broadcast_arrays(inc_deg, raan_deg, argp_deg, nu_deg, a_km)[:4])
        inc, raan, argp, nu = (np.atleast_1d(x).copy() for x in angles)
        n = len(inc)
        return Constellation(
            names=tuple(f"S{i}" for i in range(n)),
            shell=np.zeros(n, np.int32),
            plane=np.arange(n, dtype=np.int32),
            slot=np.zeros(n, np.int32),
            ring_position=np.zeros(n),
            epoch_utc="2026-03-20T00:00:00.000000Z",
            a_km=np.broadcast_to(np.float64(a_km), n).copy(),
            ecc=np.broadcast_to(np.float64(ecc), n).copy(),
            inc_rad=inc,
            raan_rad=raan,
            argp_rad=argp,
            nu_rad=nu,
        )

    return make


@pytest.fixture
def sets(tmp_path):
    """Read text as a file of element sets."""

    def of(text, **options):
        path = tmp_path / "sets"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return read(str(path), **options)

    return of
