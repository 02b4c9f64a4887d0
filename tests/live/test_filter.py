"""The estimator against exact answers: motion as the battery's own, and textbook cases."""

import numpy as np
import pytest

from twin.energy import battery
from twin.energy.bus import BUS_PROFILES
from twin.live import kernel
from twin.live.filter import Estimator, FilterState, Measures, Priors, estimates, ratios

BUS = BUS_PROFILES["sbc-oct"]
STEP_S = 60.0
NOTHING = np.empty(0)


def none(n):
    return Measures(np.zeros(n + 1, np.int64), *[NOTHING] * 5)


def step(estimator, measures, *, lit, first=0.5, array_w=None, n=1, trusted=True):
    return estimator.step(
        measures,
        sunlit=np.full(n, lit),
        lit_first=np.full(n, first),
        array_w=np.full(n, BUS.array_w if array_w is None else array_w),
        trusted=np.full(n, trusted),
        step_s=STEP_S,
    )


def sure(x):
    """A state that is known exactly, with a warm panel."""
    return FilterState(
        x=np.array([x]),
        p=np.zeros((1, 5, 5)),
        panel=np.zeros(1),
        load_w=np.array([400.0]),
        powered=np.ones(1, bool),
    )


@pytest.mark.parametrize(
    ("lit", "first"), [(1.0, 1.0), (0.0, 0.0), (0.4, 1.0), (0.4, 0.0), (0.6, 0.3)]
)
def test_without_doubt_charge_moves_as_the_battery_does(lit, first):
    quiet = Priors(wander=0.0, unmodelled=0.0)
    estimator = Estimator(BUS, 1, soc=0.6, priors=quiet, state=sure([0.6, 1 / 1.2, 1.05, 0.9, 0.0]))
    # A panel that stays warm: only an array that cools in shadow differs from the battery's model.
    estimator._panel = np.array([0.0, 1.0, 1.0])
    step(estimator, none(1), lit=lit, first=first)
    flow = battery.advance(
        np.array([0.6]), np.array([True]), sunlit=np.array([lit]), lit_first=np.array([first]),
        array_w=np.array([1.05 * BUS.array_w / 1.2]), load_w=np.array([0.9 * 400.0 / 1.2]), bus=BUS,
        step_s=STEP_S,
    )  # fmt: skip
    assert estimator.state.x[0, 0] == pytest.approx(flow.soc[2, 0], abs=1e-9)


def test_the_covariance_is_that_of_samples():
    """Moments of the motion against 200,000 samples through the battery's own model."""
    rng = np.random.default_rng(3)
    sigma = (0.02, 0.05, 0.03, 0.04, 0.01)
    state = sure([0.5, 1.0, 1.0, 1.0, 0.0])
    state.p[0] = np.diag(np.square(sigma))
    estimator = Estimator(BUS, 1, soc=0.5, priors=Priors(wander=0, unmodelled=0), state=state)
    estimator._panel = np.array([0.0, 1.0, 1.0])
    n = 200_000
    s, u, a, load = (
        m + d * rng.standard_normal(n) for m, d in zip((0.5, 1, 1, 1), sigma, strict=False)
    )
    for _ in range(10):
        step(estimator, none(1), lit=1.0)
        s = s + u * (a * BUS.array_w - load * 400.0) * STEP_S * BUS.eta_charge / BUS.battery_j
    found = np.cov(np.stack([s, u, a, load]))
    assert estimator.state.x[0, 0] == pytest.approx(s.mean(), abs=2e-4)
    np.testing.assert_allclose(estimator.state.p[0, :4, :4], found, rtol=0.05, atol=2e-5)


def test_cutting_at_full_has_the_moments_of_a_cut_normal():
    rng = np.random.default_rng(4)
    x, p = np.array([0.99, 1, 1, 1, 0.0]), np.diag([4e-4, 1e-2, 1e-2, 1e-2, 1e-4])
    p[0, 1] = p[1, 0] = 1e-3
    draws = rng.multivariate_normal(x, p, 400_000)
    cut = np.minimum(draws[:, 0], 1.0)
    below = kernel._cut(x, p)
    assert below == pytest.approx((draws[:, 0] < 1).mean(), abs=3e-3)
    assert x[0] == pytest.approx(cut.mean(), abs=1e-4)
    assert p[0, 0] == pytest.approx(cut.var(), rel=0.02)
    assert p[0, 1] == pytest.approx(np.cov(cut, draws[:, 1])[0, 1], rel=0.03)


def test_one_after_the_other_is_as_at_once():
    """Joseph's form on both measurements together against the kernel's two in sequence."""
    rng = np.random.default_rng(5)
    root = rng.standard_normal((5, 5)) * 0.02
    p = root @ root.T + np.diag([1e-4] * 5)
    x = np.array([0.5, 1.0, 1.0, 1.0, 0.0])
    h = np.array([[0, 0, 700.0, -400.0, 0], [1.0, 0, 0, 0, 1.0]])
    r, z = np.diag([15.0**2, 0.02**2]), np.array([310.0, 0.53])
    s = h @ p @ h.T + r
    gain = p @ h.T @ np.linalg.inv(s)
    joseph = np.eye(5) - gain @ h
    want_x = x + gain @ (z - h @ x)
    want_p = joseph @ p @ joseph.T + gain @ r @ gain.T
    for k in range(2):
        kernel._take(x, p, h[k], z[k] - h[k] @ x, r[k, k])
    np.testing.assert_allclose(x, want_x, rtol=1e-9)
    np.testing.assert_allclose(p, want_p, rtol=1e-7, atol=1e-12)


def follow(steps, *, with_power, seed=6, truth=(0.8, 1.04, 0.93)):
    """A satellite of known factors through orbits of 60 minutes of light and 35 of shadow."""
    capacity, array, load = truth
    rng, n = np.random.default_rng(seed), 40
    estimator = Estimator(BUS, n, soc=1.0, priors=Priors())
    estimator._panel = np.array([0.0, 1.0, 1.0])
    estimator.state.load_w[:] = 260.0
    soc, innovations = np.ones(n), []
    for k in range(steps):
        lit = float(k % 95 < 60)
        flow = battery.advance(
            soc, np.ones(n, bool), sunlit=np.full(n, lit), lit_first=np.ones(n),
            array_w=np.full(n, array * 420.0 / capacity), load_w=np.full(n, load * 260 / capacity),
            bus=BUS, step_s=STEP_S,
        )  # fmt: skip
        net_w = lit * array * 420.0 - load * 260.0
        full = flow.soc[2] >= 1.0 - 1e-9
        soc = flow.soc[2]
        power_w = np.where(
            full & (net_w > 0), 0.0, net_w
        ) + 0.02 * BUS.array_w * rng.standard_normal(n)
        measures = Measures(
            np.arange(n + 1), np.full(n, STEP_S - 1e-6), soc + 0.02 * rng.standard_normal(n),
            power_w if with_power else np.full(n, np.nan), np.full(n, 260.0), np.full(n, lit),
        )  # fmt: skip
        found = step(estimator, measures, lit=lit, first=1.0, array_w=420.0, n=n)
        innovations.append((found.soc / found.soc_sd) ** 2)
    return estimator, soc, np.array(innovations)


def test_with_current_all_three_factors_are_found():
    estimator, soc, innovations = follow(950, with_power=True)
    found = estimates(estimator.state)
    for value, sd, true in (
        (found.capacity, found.capacity_sd, 0.8),
        (found.array, found.array_sd, 1.04),
        (found.load, found.load_sd, 0.93),
    ):
        assert np.abs(value / true - 1).mean() < 0.02
        assert np.mean(((value - true) / sd) ** 2) < 2.5
    assert np.sqrt(np.mean((found.soc - soc) ** 2)) < 0.006
    assert innovations[95:].mean() == pytest.approx(1.0, abs=0.05)


def test_from_charge_alone_only_the_ratios_are_found():
    estimator, _, _ = follow(1900, with_power=False)
    found = estimates(estimator.state)
    array, load = ratios(estimator.state)
    assert np.abs(array.mean() / (1.04 / 0.8) - 1) < 0.03
    assert np.abs(load.mean() / (0.93 / 0.8) - 1) < 0.03
    # The factors themselves are as unsure as the prior of the best known of them leaves them.
    assert (found.capacity_sd > 0.015).all()
    assert not estimator.state.powered.any()


def test_power_that_is_not_trusted_is_compared_and_not_taken_in():
    estimator = Estimator(BUS, 1, soc=0.5, priors=Priors())
    estimator.state.load_w[:] = 260.0
    said = Measures(
        np.array([0, 1]), np.array([30.0]), np.array([np.nan]), np.array([200.0]),
        np.array([260.0]), np.array([1.0]),
    )  # fmt: skip
    found = step(estimator, said, lit=1.0, trusted=False)
    assert found.power_w[0] == pytest.approx(200.0 - (BUS.array_w - 260.0), abs=1.0)
    assert estimator.state.x[0, 2] == 1.0
