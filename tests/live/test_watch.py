"""Alarms come for what is wrong, with its cause, and for nothing else."""

import numpy as np
import pytest

from twin.energy.bus import BUS_PROFILES
from twin.live import watch
from twin.live.filter import Estimator, Priors, Residuals
from twin.live.watch import Watch
from twin.vocabulary.live import AlarmKind

BUS = BUS_PROFILES["sbc-oct"]
SIGMA_W = 0.02 * BUS.array_w
EDGES = np.array([[0, 1], [1, 2], [2, 3]], np.int32)
N = 4


@pytest.fixture
def estimator():
    return Estimator(BUS, N, soc=1.0, priors=Priors())


def watching():
    return Watch(watch.at_start(N, len(EDGES)), EDGES, array_w=BUS.array_w, stuck_s=1800.0)


def residuals(power_w, lit, n=N):
    nothing = np.full(n, np.nan)
    return Residuals(nothing, nothing, np.asarray(power_w), np.full(n, SIGMA_W), np.full(n, lit))


def orbits(mine, estimator, off_w, *, seed, minutes=400):
    """Alarms of satellites whose power is off by `off_w(minute, lit)`, (N,), beside noise."""
    rng, found = np.random.default_rng(seed), []
    rows = np.arange(N)
    for k in range(minutes):
        lit = k % 95 < 25 or k % 95 >= 90  # what is in light and full says nothing
        dark = 55 <= k % 95 < 90
        if lit or dark:
            z = SIGMA_W * rng.standard_normal(N) + off_w(k, lit)
            found += mine.power(rows, residuals(z, lit), estimator, 60.0 * (k + 1))
    return found


def test_noise_alone_is_no_alarm(estimator):
    for seed in range(40):
        assert orbits(watching(), estimator, lambda k, lit: np.zeros(N), seed=seed) == []


def test_a_lost_string_shows_in_light_only(estimator):
    loss_w = BUS.array_w / 8

    def off(k, lit):
        return np.where((np.arange(N) == 2) & lit & (k >= 100), -loss_w, 0.0)

    mine = watching()
    first = orbits(mine, estimator, off, seed=1)[0]
    assert (first.kind, first.satellite) == (AlarmKind.LOST_STRING, 2)
    assert first.value == pytest.approx(1 / 8, abs=0.04)
    assert 60 * 100 < first.t_s < 60 * 100 + 2 * 5760
    assert estimator.state.p[2, 2, 2] > estimator.state.p[1, 2, 2]


def test_a_load_shows_in_both(estimator):
    def off(k, lit):
        return np.where((np.arange(N) == 1) & (k >= 5), -55.0, 0.0)

    found = orbits(watching(), estimator, off, seed=2, minutes=120)
    assert {(a.kind, a.satellite) for a in found} == {(AlarmKind.HIGH_LOAD, 1)}


def test_while_an_array_is_suspected_its_power_is_not_taken_in(estimator):
    mine = watching()
    off_w = np.array([0.0, -90.0, 0.0, 0.0])
    for k in range(10):
        mine.power(np.arange(N), residuals(off_w, True), estimator, 60.0 * k)
    assert mine.trusted.tolist() == [True, False, True, True]


def test_silence(estimator):
    mine = watching()
    assert mine.silence(np.arange(3), np.zeros(3), 60.0) == []
    late = watch.SILENT_S + 61.0
    found = mine.silence(np.array([0]), np.array([late]), late)
    assert [(a.kind, a.satellite) for a in found] == [(AlarmKind.SILENT, k) for k in (1, 2)]
    assert mine.silence(np.array([1]), np.array([late]), late + 60.0) == []  # told once
    # Satellite 3 was never heard: nothing is known of it.
    assert not mine.state.told_silent[3]


def test_a_stuck_terminal_is_told_once_and_again_after_it_was_up():
    mine, found = watching(), []
    down = np.array([1, 0, -1], np.int8)
    for k in range(80):
        held = np.array([1, 1, -1], np.int8) if k == 40 else down
        found += [(k, a.satellite, a.other) for a in mine.links(held, 60.0 * k)]
    assert found == [(31, 1, 2), (72, 1, 2)]


def test_what_is_not_reported_stays_as_it_was():
    mine = watching()
    mine.links(np.array([0, 1, 1], np.int8), 0.0)
    found = mine.links(np.full(3, -1, np.int8), 1900.0)
    assert [(a.satellite, a.other) for a in found] == [(0, 1)]


def test_long_outages_make_patience():
    assert watch.stuck_after_s(30.0) == watch.STUCK_S
    assert watch.stuck_after_s(600.0) == 9000.0
