"""Element sets made of a state: SGP4 is there at its epoch, and near it for an orbit."""

import numpy as np
import pytest

from twin.scenario.world import Shell
from twin.space import constellation, fitted
from twin.space.frames import teme_to_gcrs
from twin.space.propagation import propagate

EPOCH = "2026-03-20T00:00:00.000000Z"
SHELLS = [
    Shell(planes=3, satellites_per_plane=2, altitude_km=550.0, inclination_deg=53.0),
    Shell(planes=2, satellites_per_plane=2, altitude_km=1200.0, inclination_deg=97.9),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_sgp4_is_where_the_state_is(shell):
    body = constellation.walker(shell, EPOCH)
    t_s = np.linspace(0.0, 5700.0, 96)
    r_km, v_km_s = propagate(body, "cowell-j2", t_s)
    back = teme_to_gcrs(EPOCH, t_s)
    for i in range(body.size):
        made = fitted.element_set(r_km[0, i], v_km_s[0, i], EPOCH)
        days = np.full(len(t_s), made.jdsatepoch)
        error, teme_km, _ = made.sgp4_array(days, made.jdsatepochF + t_s / 86400)
        off_km = np.linalg.norm(np.einsum("tij,tj->ti", back, teme_km) - r_km[:, i], axis=1)
        assert not error.any()
        assert off_km[0] < 0.01
        assert off_km.max() < 5.0


@pytest.mark.parametrize("speed", [0.0, 12.0, np.nan])
def test_what_is_no_orbit_is_refused(speed):
    with pytest.raises(ValueError, match="no closed orbit"):
        fitted.element_set(np.array([7000.0, 0, 0]), np.array([0, speed, 0]), EPOCH)
