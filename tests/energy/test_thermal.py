"""Temperatures against closed forms and a fine Runge-Kutta integration."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.energy.bus import BUS_PROFILES
from twin.energy.solar import Surroundings
from twin.energy.thermal import absorbed_w, advance, equilibrium_k, throttle

SIGMA = 5.670374419e-8


def around(sunlit=0.0, day=0.0, earth_view=0.0, sunshine=1.0):
    one = np.ones(1)
    return Surroundings(one * sunlit, one, one * day, one, one * earth_view, sunshine)


def node(**figures):
    return replace(BUS_PROFILES["sbc"], **figures)


def test_a_black_ball_at_one_astronomical_unit_is_at_278_k():
    ball = node(emissivity=1.0, absorptivity=1.0, sun_m2=1.0, radiator_m2=4.0)
    temperature = equilibrium_k(absorbed_w(around(sunlit=1.0), ball), ball)
    assert temperature[0] == pytest.approx(278.3, abs=0.05)


def test_nearer_to_the_sun_only_the_sun_s_own_part_is_warmer():
    plate = node(absorptivity=0.2, sun_m2=3.0, radiator_m2=2.0)
    near, far = (
        absorbed_w(around(sunlit=1.0, day=0.5, earth_view=0.8, sunshine=s), plate)[0]
        for s in (1.034, 0.967)
    )
    sun_w = 0.2 * 1361.0 * (3.0 + 2.0 * 0.8 * 0.30 * 0.5)
    assert near - far == pytest.approx((1.034 - 0.967) * sun_w)


def test_earth_warms_a_plate_by_its_infrared_and_by_day_its_albedo():
    plate = node(emissivity=0.85, absorptivity=0.2, sun_m2=3.0, radiator_m2=2.0)
    view = (6378.137 / 6928.137) ** 2
    night_w = 0.85 * 237.0 * view * 2.0
    assert absorbed_w(around(earth_view=view), plate)[0] == pytest.approx(night_w)
    noon = absorbed_w(around(sunlit=1.0, day=1.0, earth_view=view), plate)[0]
    sun_w, albedo_w = 0.2 * 1361.0 * 3.0, 0.2 * 0.30 * 1361.0 * view * 2.0
    assert noon == pytest.approx(night_w + sun_w + albedo_w)


@pytest.mark.parametrize("step_s", [60.0, 300.0])
@pytest.mark.parametrize("name", BUS_PROFILES)
def test_it_ends_at_the_closed_form_equilibrium(name, step_s):
    bus = BUS_PROFILES[name]
    bus = replace(bus, heat_capacity_j_k=bus.heat_capacity_j_k / 20)
    heat_w = np.array([bus.idle_w, bus.peak_w])
    goal = (heat_w / (bus.emissivity * SIGMA * bus.radiator_m2)) ** 0.25
    temperature = np.array([200.0, 400.0])
    for _ in range(round(100_000 / step_s)):
        temperature = advance(temperature, heat_w, bus, step_s)
    np.testing.assert_allclose(temperature, goal, rtol=1e-6)


def runge_kutta(temperature, heat_w, bus, seconds, dt=1.0):
    k = bus.emissivity * SIGMA * bus.radiator_m2

    def slope(t):
        return (heat_w - k * t**4) / bus.heat_capacity_j_k

    for _ in range(round(seconds / dt)):
        a = slope(temperature)
        b = slope(temperature + dt / 2 * a)
        c = slope(temperature + dt / 2 * b)
        d = slope(temperature + dt * c)
        temperature = temperature + dt / 6 * (a + 2 * b + 2 * c + d)
    return temperature


@pytest.mark.parametrize(("step_s", "tolerance_k"), [(15.0, 1e-4), (60.0, 2e-3), (300.0, 0.05)])
@pytest.mark.parametrize("name", BUS_PROFILES)
def test_an_orbit_of_light_and_shadow_follows_a_fine_integration(name, step_s, tolerance_k):
    bus, rng = BUS_PROFILES[name], np.random.default_rng(5)
    temperature = np.array([250.0, 300.0, 380.0])
    reference, worst = temperature, 0.0
    for _ in range(20):
        heat_w = rng.uniform(0.2, 1.5, 3) * bus.peak_w
        for _ in range(round(300.0 / step_s)):
            temperature = advance(temperature, heat_w, bus, step_s)
        reference = runge_kutta(reference, heat_w, bus, 300.0)
        worst = max(worst, np.abs(temperature - reference).max())
    assert worst < tolerance_k


@settings(deadline=None)
@given(
    start=st.floats(3.0, 1000.0),
    heat_w=st.floats(0.1, 1e5),
    capacity=st.floats(1.0, 1e7),
    step_s=st.floats(0.01, 1e6),
)
def test_no_step_passes_the_equilibrium(start, heat_w, capacity, step_s):
    bus = node(heat_capacity_j_k=capacity)
    heat = np.array([heat_w])
    goal = equilibrium_k(heat, bus)[0]
    end = advance(np.array([start]), heat, bus, step_s)[0]
    low, high = min(start, goal), max(start, goal)
    assert low * (1 - 1e-12) <= end <= high * (1 + 1e-12)


def test_throttling_has_hysteresis():
    bus = node(throttle_c=70.0, resume_c=60.0)
    celsius = [65.0, 69.9, 70.1, 65.0, 60.1, 59.9, 65.0]
    state, seen = np.array([False]), []
    for temperature in celsius:
        state = throttle(np.array([temperature + 273.15]), state, bus)
        seen.append(bool(state[0]))
    assert seen == [False, False, True, True, True, False, False]
