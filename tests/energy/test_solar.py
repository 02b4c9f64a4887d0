"""Angles to the Sun against sampling the orbit finely."""

from dataclasses import replace

import numpy as np
import pytest

from twin.energy.solar import array_w, surroundings
from twin.space.sun import sun_gcrs_km

PERIOD_550_KM_S = 5738.993
N = 400


def in_shadow(r_km):
    """Cylinder shadow of the Sun on the x axis, (N,) bool."""
    return (r_km[:, 0] < 0.0) & (np.hypot(r_km[:, 1], r_km[:, 2]) < 6378.137)


def fleet(seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.5, 1.5, N), rng.uniform(0.0, 2 * np.pi, N)


@pytest.mark.parametrize("step_s", [5.0, 60.0, 300.0, 1500.0])
def test_angles_and_order_agree_with_fine_sampling(circular, sun_km, step_s):
    beta_rad, noon_rad = fleet(1)
    samples = 1500
    day, dark = np.zeros(N), np.zeros((samples, N), bool)
    for k in range(samples):
        r_km, _ = circular(beta_rad, noon_rad, 550.0, (k + 0.5) / samples * step_s)
        day += np.maximum(r_km[:, 0] / np.linalg.norm(r_km, axis=1), 0.0) / samples
        dark[k] = in_shadow(r_km)
    sunlit = 1.0 - dark.mean(axis=0)
    r_km, v_km_s = circular(beta_rad, noon_rad, 550.0, 0.0)
    around = surroundings(r_km, v_km_s, sun_km, sunlit, step_s)

    np.testing.assert_allclose(around.day, day, atol=1e-5)
    np.testing.assert_allclose(around.cos_beta, np.cos(beta_rad), atol=1e-12)
    np.testing.assert_allclose(around.earth_view, (6378.137 / 6928.137) ** 2, rtol=1e-12)
    cut = np.flatnonzero((sunlit > 0.0) & (sunlit < 1.0))
    assert len(cut) >= 5 or step_s < 60.0
    first_dark = dark.argmax(axis=0)
    before = first_dark / (samples - dark.sum(axis=0)).clip(1)
    np.testing.assert_allclose(
        around.lit_first[cut] * sunlit[cut], before[cut] * sunlit[cut], atol=2 / samples
    )


def test_a_short_eclipse_lies_in_the_middle_of_its_step(circular, sun_km):
    ahead_s = 400.0
    noon_rad = np.array([np.pi - 2 * np.pi * ahead_s / PERIOD_550_KM_S])
    state = circular(np.array([1.16]), noon_rad, 550.0, 0.0)
    around = surroundings(*state, sun_km, np.array([0.9]), 2 * ahead_s)
    assert around.lit_first[0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("pointing", "share"),
    [
        ("sun-tracking", lambda beta: 1.0),
        ("one-axis", np.cos),
        ("body-fixed", lambda beta: np.cos(beta) / np.pi),
    ],
)
def test_an_orbit_s_mean_array_power_by_pointing(bus, circular, sun_km, pointing, share):
    beta_rad, steps = np.radians([0.0, 30.0, 60.0, 90.0]), 97
    step_s, mean_w = PERIOD_550_KM_S / steps, np.zeros(4)
    for k in range(steps):
        r_km, v_km_s = circular(beta_rad, np.zeros(4), 550.0, k * step_s)
        around = surroundings(r_km, v_km_s, sun_km, np.ones(4), step_s)
        mean_w += array_w(around, replace(bus, pointing=pointing)) / steps
    expected = [bus.array_w * share(beta) for beta in beta_rad]
    np.testing.assert_allclose(mean_w, expected, atol=1e-3 * bus.array_w / steps)


@pytest.mark.parametrize("pointing", ["sun-tracking", "one-axis", "body-fixed"])
def test_an_array_gives_more_in_january_than_in_july_by_astropy_s_distance(bus, circular, pointing):
    """Inverse square of the distance: 3.4 % either way."""
    from astropy.coordinates import get_sun
    from astropy.time import Time

    fixed = replace(bus, pointing=pointing)
    state = circular(np.zeros(1), np.zeros(1), 550.0, 0.0)

    def power_w(sun_km):
        return array_w(surroundings(*state, sun_km, np.ones(1), 60.0), fixed)[0]

    at_1_au_w = power_w(np.array([149_597_870.7, 0.0, 0.0]))
    for day, share in [("01-03", 1.034), ("03-20", 1.009), ("07-06", 0.967), ("10-05", 1.0)]:
        epoch = f"2026-{day}T12:00:00"
        sun_km = sun_gcrs_km(epoch + "Z", np.zeros(1))[0]
        distance_au = get_sun(Time(epoch)).distance.to_value("au")
        here_w = power_w(np.linalg.norm(sun_km) * np.array([1.0, 0.0, 0.0]))
        assert here_w / at_1_au_w == pytest.approx(distance_au**-2, rel=1e-7)
        assert here_w / at_1_au_w == pytest.approx(share, abs=1e-3)


def test_a_fixed_array_gives_the_same_energy_however_the_step_is_lit(bus, circular, sun_km):
    """A quarter of an orbit past sunset: what the array gives, it gives before the shadow."""
    fixed = replace(bus, pointing="body-fixed")
    state = circular(np.zeros(3), np.full(3, 0.5), 550.0, 0.0)
    around = surroundings(*state, sun_km, np.array([1.0, 0.95, 0.0]), PERIOD_550_KM_S / 4)
    power_w = array_w(around, fixed)
    assert power_w[1] * 0.95 == pytest.approx(power_w[0])
    assert power_w[2] == 0.0
