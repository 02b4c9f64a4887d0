"""Battery over a step: published figures, balanced books, order of light and shadow."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twin.energy.battery import advance
from twin.energy.bus import BUS_PROFILES

ECLIPSE_FRACTION_550_KM = 0.37231
PERIOD_550_KM_S = 5738.993
ECLIPSE_550_KM_S = 2136.69


def one_step(bus, soc, sunlit, load_w, step_s, *, lit_first=1.0, powered=True, array_w=None):
    """Advance a single satellite."""
    return advance(
        np.array([soc]),
        np.array([powered]),
        sunlit=np.array([sunlit]),
        lit_first=np.array([lit_first]),
        array_w=np.array([bus.array_w if array_w is None else array_w]),
        load_w=np.array([load_w]),
        bus=bus,
        step_s=step_s,
    )


def ideal(bus, capacity_j):
    return replace(bus, battery_wh=capacity_j / 3600.0, eta_charge=1.0, eta_discharge=1.0)


def test_an_eclipse_costs_more_than_it_delivers(bus):
    """100 W through the longest eclipse at 550 km, at 95 %, take 62.476 Wh."""
    after = one_step(bus, 1.0, 0.0, 100.0, ECLIPSE_550_KM_S)
    assert 100.0 * (1.0 - after.soc[2, 0]) == pytest.approx(62.476, abs=5e-4)
    assert after.deficit_j[0] == after.spilled_j[0] == after.off_s[0] == 0.0


def test_an_array_of_1_6572_times_the_load_just_sustains_an_orbit(bus):
    lit = 1.0 - ECLIPSE_FRACTION_550_KM
    after = one_step(bus, 1.0, lit, 100.0, PERIOD_550_KM_S, lit_first=0.0, array_w=165.72)
    assert after.soc[2, 0] == pytest.approx(1.0, abs=5e-5)
    assert after.spilled_j[0] <= 1e-4 * after.load_j[0]
    less = one_step(bus, 1.0, lit, 100.0, PERIOD_550_KM_S, lit_first=0.0, array_w=165.6)
    assert less.soc[2, 0] < 1.0 - 5e-4


def test_the_broadband_bus_at_full_load_discharges_by_a_third():
    v2mini = BUS_PROFILES["v2mini"]
    after = one_step(v2mini, 1.0, 0.0, v2mini.peak_w, ECLIPSE_550_KM_S)
    assert 1.0 - after.soc[2, 0] == pytest.approx(0.34, abs=0.005)


def test_basilisk_and_paseos_batteries(bus, oracle):
    row = oracle("space.toml")["basilisk_battery"]
    cell, start = ideal(bus, row["capacity_j"]), row["initial_j"] / row["capacity_j"]
    after = one_step(cell, start, 1.0, 0.0, row["duration_s"], array_w=row["net_power_w"])
    kept_j, tolerance = after.soc[2, 0] * row["capacity_j"], row["relative_tolerance"]
    assert kept_j == pytest.approx(row["final_j"], rel=tolerance)
    assert after.spilled_j[0] == pytest.approx(10.0 * 5.0 - 5.0)

    row, cell = oracle("space.toml")["paseos_battery"], ideal(bus, 1e5)
    start, dt_s = row["start_j"] / 1e5, row["duration_s"]
    lit = one_step(cell, start, 1.0, 0.0, dt_s, array_w=row["charge_w"])
    assert lit.soc[2, 0] * 1e5 == pytest.approx(row["end_j"])
    # In eclipse a load of 1 W is all there is: 10000 W s become 10000 - 42.
    dark = one_step(cell, 0.1, 0.0, 1.0, dt_s, array_w=row["charge_w"])
    assert dark.soc[2, 0] * 1e5 == pytest.approx(10_000 - 42)


def test_order_decides_what_a_full_battery_spills(bus):
    before = one_step(bus, 1.0, 0.5, 100.0, 60.0, lit_first=1.0)
    assert before.spilled_j[0] == pytest.approx(30.0 * 200.0)
    assert before.soc[2, 0] == pytest.approx(1.0 - 30.0 * 100.0 / 0.95 / bus.battery_j)
    behind = one_step(bus, 1.0, 0.5, 100.0, 60.0, lit_first=0.0)
    assert behind.soc[1, 0] == pytest.approx(before.soc[2, 0])
    assert behind.soc[2, 0] == 1.0
    assert behind.spilled_j[0] == pytest.approx(30.0 * 200.0 - 30.0 * 100.0 / 0.95**2)
    middle = one_step(bus, 1.0, 0.5, 100.0, 60.0, lit_first=0.5)
    again = before.soc[2, 0] + 15.0 * 200.0 * 0.95 / bus.battery_j
    assert middle.soc[:, 0] == pytest.approx([1.0, before.soc[2, 0], again])


def test_an_empty_battery_drops_the_load_until_it_has_recovered(bus):
    bus = replace(bus, brownout_soc=0.05, recovery_soc=0.2)
    # 5 % of 100 Wh above the floor feed 100 W for 171 s.
    dark = one_step(bus, 0.10, 0.0, 100.0, 300.0)
    assert dark.off_s[0] == pytest.approx(300.0 - 171.0)
    assert dark.deficit_j[0] == pytest.approx(12_900.0)
    assert dark.soc[2, 0] == pytest.approx(0.05)
    assert not dark.powered[0]
    # The whole array charges while it is off: 300 W for 300 s.
    lit = one_step(bus, 0.05, 1.0, 100.0, 300.0, powered=False)
    assert lit.soc[2, 0] == pytest.approx(0.05 + 300 * 300 * 0.95 / 360_000)
    assert lit.deficit_j[0] == lit.load_j[0] == 30_000.0
    assert lit.powered[0]
    assert not one_step(bus, 0.05, 1.0, 100.0, 180.0, powered=False).powered[0]
    # Above its floor but below recovery a running bus runs on, a fallen one stays down.
    assert one_step(bus, 0.15, 0.0, 100.0, 1.0, powered=True).powered[0]
    assert not one_step(bus, 0.15, 0.0, 100.0, 1.0, powered=False).powered[0]


def by_small_steps(bus, soc, powered, sunlit, lit_first, array_w, load_w, step_s, parts=20_000):
    """The same in tiny steps of explicit Euler, with the brown-out as a plain state machine."""
    stored, off_s, dt = soc * bus.battery_j, 0.0, step_s / parts
    for k in range(parts):
        x = (k + 0.5) / parts
        lit = x < sunlit * lit_first or x >= sunlit * lit_first + 1.0 - sunlit
        light_w = array_w if lit else 0.0
        net_w = light_w - load_w if powered else light_w
        if net_w < 0 and stored + net_w / bus.eta_discharge * dt < bus.brownout_soc * bus.battery_j:
            powered, net_w = False, light_w
        off_s += 0.0 if powered else dt
        gain = net_w * bus.eta_charge if net_w > 0 else net_w / bus.eta_discharge
        stored = min(stored + gain * dt, bus.battery_j)
    return stored / bus.battery_j, off_s


@pytest.mark.parametrize("seed", range(12))
def test_a_step_is_the_sum_of_its_moments(bus, seed):
    rng = np.random.default_rng(seed)
    bus = replace(bus, brownout_soc=0.1, recovery_soc=0.3, battery_wh=20.0)
    soc, sunlit, lit_first = rng.uniform(0.1, 1.0), rng.random(), rng.choice([0.0, 0.5, 1.0])
    array_w, load_w = rng.uniform(0.0, 300.0), rng.uniform(50.0, 400.0)
    powered = bool(rng.random() < 0.8)
    after = one_step(
        bus, soc, sunlit, load_w, 600.0, lit_first=lit_first, powered=powered, array_w=array_w
    )
    end, off_s = by_small_steps(bus, soc, powered, sunlit, lit_first, array_w, load_w, 600.0)
    assert after.soc[2, 0] == pytest.approx(end, abs=2e-4)
    assert after.off_s[0] == pytest.approx(off_s, abs=0.1)
    assert after.deficit_j[0] == pytest.approx(load_w * off_s, abs=0.1 * load_w)


fractions = arrays(np.float64, 5, elements=st.floats(0.0, 1.0, allow_subnormal=False))
watts = arrays(np.float64, 5, elements=st.floats(0.0, 1e5, allow_subnormal=False))


@settings(deadline=None, max_examples=120)
@given(
    soc=fractions,
    powered=arrays(np.bool_, 5),
    sunlit=fractions,
    lit_first=fractions,
    array_w=watts,
    load_w=watts,
    battery_wh=st.floats(0.1, 1e5),
    efficiency=st.floats(0.1, 1.0),
    brownout_soc=st.floats(0.0, 0.5),
    step_s=st.floats(0.1, 1e5),
)
def test_the_books_balance(
    soc, powered, sunlit, lit_first, array_w, load_w, battery_wh, efficiency, brownout_soc, step_s
):
    bus = replace(
        BUS_PROFILES["sbc"],
        battery_wh=battery_wh,
        eta_charge=efficiency,
        brownout_soc=brownout_soc,
        recovery_soc=brownout_soc + 0.1,
    )
    after = advance(
        soc,
        powered,
        sunlit=sunlit,
        lit_first=lit_first,
        array_w=array_w,
        load_w=load_w,
        bus=bus,
        step_s=step_s,
    )
    end = after.soc[2]
    came_in = after.offered_j - after.spilled_j
    went_out = after.load_j - after.deficit_j + after.loss_j
    turnover = after.offered_j + after.load_j + bus.battery_j
    assert np.all(np.abs(came_in - went_out - (end - soc) * bus.battery_j) <= 1e-9 * turnover)
    # The nanojoule is for products so small that they lose digits.
    np.testing.assert_allclose(after.offered_j, array_w * sunlit * step_s, atol=1e-9)
    assert np.all((after.soc >= 0.0) & (after.soc <= 1.0))
    assert np.all((after.off_s >= 0.0) & (after.off_s <= step_s * (1 + 1e-12)))
    for energy in (after.deficit_j, after.spilled_j, after.loss_j):
        assert np.all(energy >= -1e-12 * turnover)
    # Nothing draws the battery below its floor; a bus that is down draws nothing at all.
    assert np.all(end >= np.minimum(soc, brownout_soc) - 1e-12)
    assert np.all(end[~powered] >= soc[~powered] - 1e-12)
    assert np.all(after.powered == ((powered & (after.off_s == 0.0)) | (end >= bus.recovery_soc)))
