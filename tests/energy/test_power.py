"""Battery and array over a step: published figures and balanced books."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twin.energy.bus import BUS_PROFILES, BusProfile
from twin.energy.power import advance, load_w

ORACLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "oracles.json"
ECLIPSE_FRACTION_550_KM = 0.37231
PERIOD_550_KM_S = 5738.993
ECLIPSE_550_KM_S = 2136.69

BUS = BusProfile(name="test", array_w=300.0, battery_wh=100.0, idle_w=100.0, peak_w=200.0)


def one(value):
    return np.array([value])


def stored_wh(soc, bus):
    return float(soc[0]) * bus.battery_wh


def ideal(capacity_j, array_w, load_w):
    return BusProfile(
        name="ideal",
        array_w=array_w,
        battery_wh=capacity_j / 3600.0,
        idle_w=load_w,
        peak_w=load_w,
        eta_charge=1.0,
        eta_discharge=1.0,
    )


def test_an_eclipse_costs_more_than_it_delivers():
    """100 W through the longest eclipse at 550 km, at 95 %, take 62.476 Wh."""
    after = advance(one(1.0), one(0.0), one(0.0), BUS, ECLIPSE_550_KM_S)
    assert BUS.battery_wh - stored_wh(after.soc, BUS) == pytest.approx(62.476, abs=5e-4)
    assert after.deficit_j[0] == after.spilled_j[0] == 0.0


def test_an_array_of_1_6572_times_the_load_just_sustains_an_orbit():
    bus = replace(BUS, array_w=1.6572 * 100.0)
    lit_s = (1.0 - ECLIPSE_FRACTION_550_KM) * PERIOD_550_KM_S
    low = advance(one(1.0), one(0.0), one(0.0), bus, PERIOD_550_KM_S - lit_s).soc
    back = advance(low, one(1.0), one(0.0), bus, lit_s)
    assert back.soc[0] == pytest.approx(1.0, abs=5e-5)


def test_the_broadband_bus_at_full_load_discharges_by_a_third():
    bus = BUS_PROFILES["v2mini"]
    after = advance(one(1.0), one(0.0), one(1.0), bus, ECLIPSE_550_KM_S)
    assert 1.0 - after.soc[0] == pytest.approx(0.34, abs=0.005)


def test_basilisk_and_paseos_batteries():
    if not ORACLES.exists():
        pytest.skip("shared data not here")
    oracles = json.loads(ORACLES.read_text())
    row = oracles["basilisk_battery"]
    bus = ideal(row["capacity_J"], array_w=row["net_power_W"], load_w=0.0)
    start = one(row["initial_J"] / row["capacity_J"])
    after = advance(start, one(1.0), one(0.0), bus, row["duration_s"])
    assert stored_wh(after.soc, bus) * 3600 == pytest.approx(row["final_J"], rel=row["rtol"])
    assert after.spilled_j[0] == pytest.approx(10.0 * 5.0 - 5.0)

    row = oracles["paseos_power"]
    bus = ideal(100_000.0, array_w=row["charge_W"], load_w=0.0)
    after = advance(one(row["start_Ws"] / 1e5), one(1.0), one(0.0), bus, row["dt_s"])
    assert stored_wh(after.soc, bus) * 3600 == pytest.approx(row["end_Ws"])
    # In eclipse a load of 1 W is all there is: 10000 W s become 10000 - 42.
    bus = ideal(100_000.0, array_w=row["charge_W"], load_w=1.0)
    after = advance(one(0.1), one(0.0), one(0.0), bus, row["dt_s"])
    assert stored_wh(after.soc, bus) * 3600 == pytest.approx(10_000 - 42)


def test_load_is_linear_in_utilisation():
    np.testing.assert_allclose(load_w(np.array([0.0, 0.25, 1.0]), BUS), [100.0, 125.0, 200.0])


@pytest.mark.parametrize("first", ["sun", "shadow"])
def test_a_partly_sunlit_step_is_its_two_parts(first):
    whole = advance(one(0.5), one(0.7), one(0.3), BUS, 60.0)
    parts = [(1.0, 0.7 * 60.0), (0.0, 0.3 * 60.0)]
    soc = one(0.5)
    for sunlit, seconds in parts if first == "sun" else parts[::-1]:
        soc = advance(soc, one(sunlit), one(0.3), BUS, seconds).soc
    assert whole.soc[0] == pytest.approx(soc[0], rel=1e-12)
    # A mean power would not see that 60 s lose energy both in and out.
    mean_w = 0.7 * BUS.array_w - 130.0
    assert soc[0] - 0.5 < 0.95 * mean_w * 60.0 / BUS.battery_j


def test_at_its_limits_a_partly_sunlit_step_takes_the_unfavourable_order():
    full = advance(one(1.0), one(0.5), one(0.0), BUS, 60.0)
    assert full.spilled_j[0] == pytest.approx(30.0 * 200.0)
    assert full.soc[0] == pytest.approx(1.0 - 30.0 * 100.0 / 0.95 / BUS.battery_j)
    empty = advance(one(0.0), one(0.5), one(0.0), BUS, 60.0)
    assert empty.deficit_j[0] == pytest.approx(30.0 * 100.0)
    assert empty.soc[0] == pytest.approx(30.0 * 200.0 * 0.95 / BUS.battery_j)


fractions = arrays(np.float64, 5, elements=st.floats(0.0, 1.0, allow_subnormal=False))


@settings(deadline=None, max_examples=200)
@given(
    soc=fractions,
    sunlit=fractions,
    utilisation=fractions,
    array_w=st.floats(1.0, 1e5),
    battery_wh=st.floats(0.1, 1e5),
    idle_w=st.floats(0.0, 1e4),
    extra_w=st.floats(0.0, 1e4),
    efficiency=st.floats(0.1, 1.0),
    step_s=st.floats(0.1, 1e5),
)
def test_the_books_balance(
    soc, sunlit, utilisation, array_w, battery_wh, idle_w, extra_w, efficiency, step_s
):
    bus = BusProfile(
        name="any",
        array_w=array_w,
        battery_wh=battery_wh,
        idle_w=idle_w,
        peak_w=idle_w + extra_w,
        eta_charge=efficiency,
        eta_discharge=0.95,
    )
    after = advance(soc, sunlit, utilisation, bus, step_s)
    came_in = array_w * sunlit * step_s - after.spilled_j
    went_out = after.load_j - after.deficit_j + after.loss_j
    stored = (after.soc - soc) * bus.battery_j
    turnover = array_w * step_s + after.load_j + bus.battery_j
    assert np.all(np.abs(came_in - went_out - stored) <= 1e-9 * turnover)
    assert np.all((after.soc >= 0.0) & (after.soc <= 1.0))
    for energy in (after.deficit_j, after.spilled_j):
        assert np.all(energy >= 0.0)
    assert np.all(after.loss_j >= -1e-12 * turnover)
    assert np.all(after.deficit_j <= after.load_j * (1 + 1e-12))
    assert np.all(after.spilled_j <= array_w * sunlit * step_s * (1 + 1e-12))


def test_the_state_can_be_advanced_in_place():
    rng = np.random.Generator(np.random.PCG64(0))
    soc, sunlit, utilisation = rng.random((3, 100))
    apart = advance(soc, sunlit, utilisation, BUS, 30.0)
    within = advance(soc, sunlit, utilisation, BUS, 30.0, out=soc)
    assert within.soc is soc
    for a, b in zip(apart, within, strict=True):
        np.testing.assert_array_equal(a, b)
