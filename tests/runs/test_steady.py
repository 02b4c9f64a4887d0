"""Warm-up, growth and fairness: on series whose answer is known, and on queues of the engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueing import system
from test_engine_theory import poisson, serve

from twin.runs.steady import grows, half_width_share, jain, mser5


def by_definition(values):
    """MSER-5 as it is written, one cut after the other."""
    batches = values[: len(values) // 5 * 5].reshape(-1, 5).mean(axis=1)
    found = [
        ((batches[d:] - batches[d:].mean()) ** 2).sum() / (len(batches) - d) ** 2
        for d in range(len(batches) // 2 + 1)
    ]
    return 5 * int(np.argmin(found))


def test_a_start_that_is_elsewhere_is_cut_where_it_ends():
    settled = np.tile([0.0, 1.0], 200)
    assert mser5(np.concatenate([np.full(100, 9.0), settled])) == 100
    assert mser5(1e9 + np.concatenate([np.full(100, 9.0), settled])) == 100
    # One that decays: until it is lost in what follows, and not beyond a few batches.
    noise = np.random.default_rng(0).normal(size=1000)
    decaying = noise + 30 * np.exp(-np.arange(1000) / 20)
    assert 40 <= mser5(decaying) <= 120
    assert mser5(noise) <= 60
    assert mser5(np.arange(49.0)) == 0
    assert mser5(np.zeros(0)) == 0


@given(st.lists(st.integers(0, 9), min_size=50, max_size=90))
def test_it_is_what_the_definition_says(values):
    series = np.array(values, float) + np.linspace(0, 1e-3, len(values))
    assert mser5(series) == by_definition(series)


def inside(rate, seed, count=3000):
    """Number inside an M/D/1 queue at 200 instants, and how many came, after the first half."""
    at_s = poisson(rate, count, seed)
    done = serve(system(gateway=1.0, micro=1), at_s)
    instants = np.linspace(at_s[count // 2], at_s[-1], 200)
    came = np.searchsorted(at_s, instants, side="right")
    return (came - np.searchsorted(np.sort(done["last_s"]), instants, side="right")).astype(float)


@pytest.mark.parametrize(
    ("rate", "overloaded"), [(0.5, False), (0.8, False), (0.95, False), (1.3, True), (2.0, True)]
)
def test_only_what_is_asked_for_too_much_grows(rate, overloaded):
    found = [grows(inside(rate, seed), 1500) for seed in range(20)]
    assert found == [overloaded] * 20


def test_a_walk_without_drift_does_not_grow_and_few_say_nothing():
    walks = np.random.default_rng(1).choice([-1.0, 1.0], (500, 400)).cumsum(axis=1)
    assert sum(grows(walk, 1000) for walk in walks) <= 5
    assert grows(np.arange(100.0), 100)
    assert not grows(np.arange(100.0), 10_000)  # of which 1 % is left behind
    assert grows(np.arange(6.0), 100) is None
    assert grows(np.arange(100.0), 19) is None


@pytest.mark.parametrize("rate", [0.3, 0.8])
def test_the_half_width_covers_the_mean_of_a_queue(rate):
    """In about 95 of 100 runs; M/D/1, whose mean is known."""
    mean_s, covered = 1 + rate / (2 * (1 - rate)), 0
    for seed in range(100):
        at_s = poisson(rate, 6000, seed)
        stays_s = (serve(system(gateway=1.0, micro=1), at_s)["last_s"] - at_s)[500:]
        covered += abs(stays_s.mean() - mean_s) <= half_width_share(stays_s) * stays_s.mean()
    assert 88 <= covered <= 100


def test_a_half_width_is_that_of_batches():
    values = np.repeat(np.arange(1.0, 21.0), 5)
    error = np.std(np.arange(1.0, 21.0), ddof=1) / np.sqrt(20)
    assert half_width_share(values) == pytest.approx(2.093024 * error / 10.5, rel=1e-6)
    assert np.isnan(half_width_share(values[:99]))
    assert half_width_share(np.full(100, 7.0)) == 0.0


def test_fairness():
    assert jain(np.full(7, 3.0)) == pytest.approx(1.0)
    assert jain(np.array([5.0, 0, 0, 0])) == pytest.approx(0.25)
    assert jain(np.array([1.0, 2.0, 3.0])) == pytest.approx(36 / (3 * 14))
    assert jain(np.zeros(3)) == 1.0
    assert np.isnan(jain(np.zeros(0)))
