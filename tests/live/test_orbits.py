"""Element sets are followed without a jump, and what is wrong with one is found."""

import numpy as np
import pytest

from twin.live import orbits
from twin.live.orbits import OVER_S, LiveEphemeris, numbers_of
from twin.live.plant.orbits import Orbits
from twin.scenario import loader
from twin.space import constellation
from twin.space.ephemeris import Ephemeris
from twin.vocabulary.live import AlarmKind

STEP_S = 60.0


@pytest.fixture(scope="module")
def scenario():
    changes = {"simulation.orbits": None, "simulation.step_s": STEP_S, "simulation.steps": 600}
    return loader.load("small", changes)


@pytest.fixture
def plant(scenario):
    body = constellation.build(scenario)
    return Orbits(body, np.full(body.size, 1e-4))


@pytest.fixture
def sky(scenario):
    body = constellation.build(scenario)
    return LiveEphemeris(scenario, body, orbits.at_start(body.size))


def sets(plant, t_s, rows, seed=0):
    rng = np.random.default_rng(seed)
    return {i: numbers_of(plant.element_set(i, t_s, rng)) for i in rows}


def test_without_sets_it_is_the_scenarios(scenario, sky):
    plain = Ephemeris(scenario, constellation.build(scenario))
    for step in (0, 7, 300):
        np.testing.assert_array_equal(sky.at(step).r_km, plain.at(step).r_km)
        np.testing.assert_array_equal(sky.light(step).sunlit, plain.light(step).sunlit)


def test_it_comes_to_the_true_orbit_without_a_jump(scenario, sky, plant):
    plain = Ephemeris(scenario, constellation.build(scenario))
    for i, numbers in sets(plant, 0.0, range(48)).items():
        assert sky.judge(i, numbers, 60.0 * 60).alarm is None
    before, after = plain.at(60).r_km, sky.at(60).r_km
    np.testing.assert_allclose(before, after, atol=1e-9)
    steps = [sky.at(k).r_km - plain.at(k).r_km for k in range(60, 60 + int(OVER_S / STEP_S) + 1)]
    jumps = np.linalg.norm(np.diff(steps, axis=0), axis=-1)
    assert jumps.max() < 6.0  # of up to 18 km, over ten minutes
    true_km, _ = plant.states(np.array([60.0 * 80]))
    assert np.linalg.norm(sky.at(80).r_km - true_km[0], axis=1).max() < 5.0


def test_a_manoeuvre_and_a_wrong_set(sky, plant):
    for i, numbers in sets(plant, 0.0, range(6)).items():
        assert sky.judge(i, numbers, 60.0).alarm is None
    plant.manoeuvre([2], 3600.0)
    found = {i: sky.judge(i, n, 7200.0) for i, n in sets(plant, 7200.0, range(6), 1).items()}
    assert {i: one.alarm for i, one in found.items()} == {
        **dict.fromkeys(range(6)), 2: AlarmKind.MANOEUVRE,
    }  # fmt: skip
    # 0.5 m/s for an hour: 3 dv t = 5.4 km behind, and what sets are worth.
    assert found[2].along_km == pytest.approx(-5.4, abs=2.5)
    of_another = sets(plant, 9000.0, [9], 2)[9]
    kept = sky.sets.now[3].copy()
    assert sky.judge(3, of_another, 9000.0).alarm is AlarmKind.WRONG_ELEMENTS
    np.testing.assert_array_equal(sky.sets.now[3], kept)
    own = sets(plant, 9600.0, [3], 3)[3]
    assert sky.judge(3, own, 9600.0).alarm is None


def test_a_second_set_that_agrees_with_a_wrong_one_is_believed(sky, plant):
    sky.judge(0, sets(plant, 0.0, [0])[0], 0.0)
    for k, numbers in enumerate(sets(plant, 600.0 * k, [5], k)[5] for k in (1, 2)):
        found = sky.judge(0, numbers, 600.0 * (k + 1))
        assert found.alarm is AlarmKind.WRONG_ELEMENTS
    np.testing.assert_array_equal(sky.sets.now[0], numbers)


@pytest.mark.parametrize(
    "lines", [("", ""), ("1 x", "2 y"), ("\x00" * 69, "2" * 69), ("1 25544U", "2 25544")]
)
def test_lines_that_are_no_set_are_none(lines):
    assert numbers_of(lines) is None


def test_the_plants_orbits_begin_where_the_design_has_them(scenario, plant):
    true_km, _ = plant.states(np.array([0.0]))
    design_km = Ephemeris(scenario, constellation.build(scenario)).at(0).r_km
    assert np.linalg.norm(true_km[0] - design_km, axis=1).max() < 20.0  # SGP4's short periods


def test_a_push_changes_the_motion_and_not_the_place(plant):
    before, _ = plant.states(np.array([3600.0]))
    plant.manoeuvre([4], 3600.0)
    after, _ = plant.states(np.array([3600.0, 3600.0 + 5760.0]))
    assert np.linalg.norm(after[0, 4] - before[0, 4]) < 3.0
    assert np.linalg.norm(after[0, 5] - before[0, 5]) == 0.0
