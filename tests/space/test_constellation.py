import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.scenario.loader import from_data, load
from twin.scenario.world import Walker
from twin.space.constellation import build, walker
from twin.space.propagation import propagate, step_length_s, step_times_s

EPOCH = "2026-03-20T00:00:00Z"


def space_xnet(spread_deg: float):
    """33 x 32 at 550 km and 87 degrees without phasing."""
    table = Walker(
        planes=33,
        satellites_per_plane=32,
        altitude_km=550.0,
        inclination_deg=87.0,
        raan_spread_deg=spread_deg,
    )
    return walker(table, EPOCH)


def test_paper_constellation():
    scenario = load("paper")
    c = build(scenario)
    assert (c.size, c.n_planes) == (1056, 33)
    assert len(set(c.names)) == 1056
    period_s = step_length_s(scenario, c) * 200
    assert period_s == pytest.approx(5738.993, abs=1e-3)
    assert period_s / 32 == pytest.approx(179.34, abs=5e-3)
    t_s = step_times_s(scenario, c)
    assert t_s.shape == (200,)
    assert t_s[-1] == pytest.approx(period_s * 199 / 200)


def test_step_as_given():
    data = load("paper").model_dump(exclude_none=True)
    data["simulation"] |= {"step_s": 12.5, "steps": 3}
    del data["simulation"]["orbits"]
    scenario = from_data(data)
    np.testing.assert_array_equal(step_times_s(scenario, build(scenario)), [0, 12.5, 25])


def test_intra_plane_chord():
    r_km, _ = propagate(space_xnet(360.0), "kepler", np.zeros(1))
    chord_km = np.linalg.norm(r_km[0, 1] - r_km[0, 0])
    assert chord_km == pytest.approx(1358.15, abs=0.01)


@pytest.mark.parametrize(("spread_deg", "low", "high"), [(180, 34.5, 659.3), (360, 68.9, 1317.1)])
def test_inter_plane_distance(spread_deg, low, high):
    r_km, _ = propagate(space_xnet(float(spread_deg)), "kepler", np.arange(0.0, 5739.0, 5.0))
    d_km = np.linalg.norm(r_km[:, 32] - r_km[:, 0], axis=1)
    assert d_km.min() == pytest.approx(low, abs=0.1)
    assert d_km.max() == pytest.approx(high, abs=0.1)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_walker_pattern(data):
    planes = data.draw(st.integers(1, 12))
    slots = data.draw(st.integers(1, 12))
    phasing = data.draw(st.integers(0, planes - 1))
    spread = data.draw(st.sampled_from([180.0, 360.0, 90.0]))
    table = Walker(
        planes=planes,
        satellites_per_plane=slots,
        altitude_km=700.0,
        inclination_deg=60.0,
        phasing=phasing,
        raan_spread_deg=spread,
        raan_first_deg=15.0,
    )
    c = walker(table, EPOCH)
    assert c.size == planes * slots
    for p in range(planes):
        for s in range(slots):
            i = p * slots + s
            assert (c.plane[i], c.slot[i]) == (p, s)
            assert c.ring_position[i] == s / slots
            assert np.degrees(c.raan_rad[i]) == pytest.approx((15 + p * spread / planes) % 360)
            expected = 360 * s / slots + 360 * phasing * p / (planes * slots)
            turn = np.degrees(c.nu_rad[i]) - expected
            assert np.cos(np.radians(turn)) == pytest.approx(1)
