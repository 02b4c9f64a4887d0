"""What the controller may expect, held against what then happens, and against plain loops."""

import numpy as np
import pytest

from twin.energy import bus
from twin.network.ground import look, sites
from twin.planning.forecast import Light, Oracle, busy_limit, entry_share, light
from twin.scenario import loader
from twin.space.frames import gcrs_to_itrs
from twin.world.topology import Network
from twin.world.world import World

PROFILE = bus.BUS_PROFILES["v2mini"]
HALF_A_PER_CENT = 0.005


def ahead(sunlit):
    sunlit = np.array(sunlit, float)
    return Light(sunlit, sunlit * PROFILE.array_w)


def survives(soc, lit, level):
    """One satellite, minute by minute, by the rules told in the docstring."""
    low = PROFILE.brownout_soc + 0.05
    stored = soc * PROFILE.battery_wh
    for sunlit in lit:
        load_w = PROFILE.idle_w + level * (PROFILE.compute_peak_w - PROFILE.compute_idle_w)
        surplus_w = sunlit * PROFILE.array_w - load_w
        if surplus_w > 0:
            stored += surplus_w * PROFILE.eta_charge / 60
        else:
            stored += surplus_w / PROFILE.eta_discharge / 60
        stored = min(stored, PROFILE.battery_wh)
        share = stored / PROFILE.battery_wh
        if share < low or (share < PROFILE.reserve_soc and level > PROFILE.reserve_speed):
            return False
    return True


@pytest.mark.parametrize("soc", [0.3, 0.6, 0.85, 1.0])
@pytest.mark.parametrize("dark_minutes", [0, 20, 36, 90])
def test_busy_limit_is_the_highest_level_that_survives(soc, dark_minutes):
    lit = [1.0] * 10 + [0.0] * dark_minutes + [1.0] * 10
    found = busy_limit(PROFILE, np.array([soc]), ahead(np.array(lit)[:, None]))[0]
    levels = np.linspace(0, 1, 21)
    expected = max((level for level in levels if survives(soc, lit, level)), default=0.0)
    assert found == pytest.approx(expected)


def test_busy_limit_grows_with_charge_and_with_light():
    lit = np.array([0.0] * 60)[:, None]
    by_charge = busy_limit(PROFILE, np.linspace(0.2, 1, 9), ahead(np.repeat(lit, 9, axis=1)))
    assert (np.diff(by_charge) >= 0).all()
    assert by_charge[0] < by_charge[-1]
    dark = np.array([[0.0] * k + [1.0] * (80 - k) for k in (0, 20, 40, 60, 80)]).T
    by_light = busy_limit(PROFILE, np.full(5, 0.9), ahead(dark))
    assert (np.diff(by_light) <= 0).all()


def test_forecast_light_is_the_light_that_comes():
    world = World(loader.load("small", ["simulation.steps=200"]))
    period_s = world.period_s
    found = light(world, bus.BUS_PROFILES["sbc-oct"], first_s=0.0, last_s=period_s)
    steps = int(period_s / world.step_s)
    came = np.mean([world.ephemeris.sunlit(step) for step in range(steps)], axis=0)
    # A sample a minute of an orbit of 109 minutes: an edge is a minute out at the most.
    np.testing.assert_allclose(found.sunlit.mean(axis=0), came, atol=2 / 100)
    assert np.abs(found.sunlit.mean() - came.mean()) < HALF_A_PER_CENT


def test_requests_enter_at_the_highest_satellite_of_each_site():
    scenario = loader.load("small", ["ground.users=cities"])
    world = World(scenario)
    steps = np.array([0, 17])
    share = entry_share(world, steps)
    places = sites(scenario.ground)
    turn = gcrs_to_itrs(world.constellation.epoch_utc, world.ephemeris.t_s[steps])
    for row, step, to_itrs in zip(share, steps, turn, strict=True):
        sine, _ = look(places, world.ephemeris.at(step).r_km @ to_itrs.T)
        seen = sine.max(axis=1) >= np.sin(np.radians(scenario.ground.minimum_elevation_deg))
        assert row.sum() == pytest.approx(places.share[seen].sum())
        best = sine[0].argmax()
        assert (row[best] >= places.share[0]) == seen[0]
    assert not entry_share(World(loader.load("small")), steps).any()


def test_the_oracle_tells_what_a_run_then_meets():
    scenario = loader.load(
        "small", ["faults.model=exponential", "faults.availability=0.8", "simulation.steps=20"]
    )
    world = World(scenario)
    source = world.simulated(0)
    oracle = Oracle(world, source)
    weights, sound = oracle.look(np.array([3, 9]))
    faults = [None]
    for step in range(12):
        faults.append(source.sound(step, faults[-1], world.constellation.size))
    network = Network(world, source)
    met = [network.advance(free).weight_s for free in faults[1:]]
    np.testing.assert_array_equal(weights[0], met[3])
    np.testing.assert_array_equal(weights[1], met[9])
    np.testing.assert_array_equal(sound[1], faults[10])
    later, _ = oracle.look(np.array([10]))
    np.testing.assert_array_equal(later[0], met[10])
