"""Forecasts against exact answers, and their bands against what comes."""

import json

import numpy as np
import pytest
from scipy import stats

from twin.energy.budget import Own
from twin.live import advice, forks, judge, loads
from twin.live.ahead import advice_of, outlook_of
from twin.live.cadence import NEWEST, Outlooks
from twin.live.filter import Priors
from twin.live.forecast import crps, look_ahead
from twin.live.forks import course, newest
from twin.live.message import Counts
from twin.live.mirror import Mirror
from twin.live.session import mirror
from twin.live.state import Options
from twin.moe.inference import inference
from twin.planning import problems
from twin.runs import checkpoints
from twin.world.spacecraft import bus_profile


def test_crps_of_a_normal_is_the_textbooks():
    """Gneiting and Raftery 2007, equation 21's closed form for a normal distribution."""
    rng = np.random.default_rng(1)
    samples = rng.standard_normal((4_000, 1))
    for y in (0.0, 0.7, -2.0):
        exact = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / np.sqrt(np.pi)
        assert crps(samples, np.array([y]))[0] == pytest.approx(exact, abs=0.02)


def test_crps_of_one_member_is_the_distance():
    assert crps(np.array([[0.3]]), np.array([0.5]))[0] == pytest.approx(0.2)


def test_loads_that_only_flicker_do_not_wander():
    rng = np.random.default_rng(2)
    flicker, wander = loads.at_start(1), loads.at_start(1)
    slow, keep = 0.0, np.exp(-60.0 / loads.WANDER_S)
    for _ in range(3_000):
        flicker = loads.follow(flicker, 250 + 20 * rng.standard_normal(1), 60.0)
        slow = keep * slow + 20 * np.sqrt(1 - keep**2) * rng.standard_normal()
        wander = loads.follow(wander, np.array([250 + slow]), 60.0)
    assert flicker.mean_w == pytest.approx(250, abs=3)
    assert flicker.variance_w2[0] < 0.15 * 400
    assert 0.3 * 400 < wander.variance_w2[0] < 2.5 * 400


def test_one_member_without_doubt_is_the_twin_itself(scenario):
    """The mean member, on the design and a constant load, against the twin's own battery."""
    mine = Mirror(scenario, counts=Counts(), priors=Priors())
    basis = mine.basis
    n = len(basis.powered)
    factors = np.linspace(0.8, 1.2, n), np.linspace(0.95, 1.05, n), np.linspace(1.1, 0.9, n)
    basis.filter.x[:, 1:4] = np.stack([1 / factors[0], factors[1], factors[2]], axis=1)
    load_w = np.full(n, 250.0)
    basis.loads.mean_w, basis.loads.slow_w = load_w, load_w
    found = look_ahead(scenario, basis, steps=100, priors=Priors(), members=1)
    energy, world = mine.model.fleet.energy, mine.model.world
    energy.own = Own(*factors)
    lowest = np.ones(n)
    from twin.energy.solar import surroundings

    idle_w = energy.bus.platform_w + energy.bus.compute_idle_w
    for k in range(100):
        now, light = world.ephemeris.at(k), world.ephemeris.light(k)
        around = surroundings(now.r_km, now.v_km_s, now.sun_km, light.sunlit, world.step_s)
        report = energy.step(
            around, terminals_on=np.zeros(n, int), busy_share=np.zeros(n), speed=np.ones(n),
            sending_w=load_w - idle_w, step_s=world.step_s,
        )  # fmt: skip
        lowest = np.minimum(lowest, report.flow.soc.min(axis=0))
    # Cold panels give more: the lowest charge, at the end of shadow, hardly knows of it.
    np.testing.assert_allclose(found.lowest[0], lowest, atol=0.004)


def test_bands_widen_with_doubt(scenario):
    basis = Mirror(scenario, counts=Counts(), priors=Priors()).basis
    basis.loads.mean_w = basis.loads.slow_w = np.full(len(basis.powered), 250.0)
    wide = look_ahead(scenario, basis, steps=60, priors=Priors(), members=200)
    basis.filter.p *= 0.01
    narrow = look_ahead(scenario, basis, steps=60, priors=Priors(), members=200)
    width = [(one.bands[2] - one.bands[0]).mean() for one in (wide, narrow)]
    assert width[0] > 4 * width[1]


@pytest.fixture(scope="module")
def kept(scenario, flown, tmp_path_factory):
    """A live run with a checkpoint before its end."""
    before, checkpoints.WORTH = checkpoints.WORTH, 0
    try:
        said, _ = flown
        folder = tmp_path_factory.mktemp("kept")
        return mirror(scenario, lambda skip: said[: len(said) // 2], runs_dir=folder).path
    finally:
        checkpoints.WORTH = before


def test_futures_are_the_same_whatever_is_decided(kept):
    live = newest(kept)
    one, again = (course(live, 1, 12) for _ in range(2))
    np.testing.assert_array_equal(one.latency_s, again.latency_s)
    other = course(live, 2, 12)
    assert (one.latency_s != other.latency_s).any()
    planned = course(live, 1, 12, placement=forks.planned(live, "energy-aware"))
    # Energy flows by the same draw of estimates.
    assert planned.soc_min[0] == pytest.approx(one.soc_min[0], abs=0.01)


def test_members_have_tokens_of_their_own_by_the_same_router(kept):
    live = newest(kept)
    models = [forks._forked(live, forks.of_member(live.scenario, member)) for member in (0, 1)]
    for model in models:
        np.testing.assert_array_equal(
            model.inference.probability, inference(live.scenario).probability
        )
        model.step()
    one, other = (model.served.choices for model in models)
    assert one.shape != other.shape or (one != other).any()


def test_plans_do_without_satellites_that_are_not_known_well_enough(kept):
    """One host of the plan becomes doubtful: it may draw five times what it is taken to."""
    live = newest(kept)
    hosts = forks.planned(live, "energy-aware").expert
    doubtful = int(hosts[0, 0])
    live.mirror.filter.p[doubtful, 3, 3] = 4.0
    again = forks.planned(live, "energy-aware")
    assert doubtful not in again.copies
    assert doubtful not in again.gateways


def test_exact_estimates_are_what_plans_and_futures_go_by(kept, flown, monkeypatch):
    """Advice then plans as a controller does that knows the truth, on the same limits of power."""
    live, truth, seen = newest(kept), np.load(flown[1]), []
    mine = live.mirror.filter
    capacity = np.where(np.arange(48) % 4, truth["capacity"], 0.3)  # some can carry less
    mine.x[:, 1:4] = np.column_stack([1 / capacity, truth["array"], truth["load"]])
    mine.p[:] = 0.0
    limit = problems.busy_limit

    def watched(bus, soc, ahead, own):
        seen.append((own, soc, ahead, limit(bus, soc, ahead, own)))
        return seen[-1][3]

    monkeypatch.setattr(problems, "busy_limit", watched)
    forks.planned(live, "energy-aware")
    (own, soc, ahead, found), future = seen[-1], forks.drawn(mine, np.random.default_rng(1))[1]
    true = Own(capacity=capacity, array=truth["array"], load=truth["load"])
    for mine_own in (own, future):
        for one, other in zip(mine_own, true, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)
    bus = bus_profile(live.scenario)
    np.testing.assert_array_equal(found, limit(bus, soc, ahead, true))
    assert (found != limit(bus, soc, ahead)).any()


def test_outlook_and_advice_of_a_live_run(kept):
    found = outlook_of(kept, orbits=0.3, members=16, forks=2, progress=lambda done, of: None)
    low, middle, high = found["bands"]["smallest charge of the fleet"]
    assert 0 < low <= middle <= high < 1
    assert 0 < found["bands"]["served share"][0] <= 1
    wanted = advice.choices(["space-xnet", "energy-aware"], ["static", "on-event"], ["lit-first"])
    advised = advice_of(kept, wanted, orbits=0.2, members=2, progress=lambda done, of: None)
    found = {(one["kind"], one["strategy"]): one for one in advised["options"]}
    assert set(found) == set(wanted)
    # It is static as it is, so that another static one is nothing new.
    assert found["policy", "static"]["served"] == {"mean": 0.0, "half": 0.0}
    assert "several instances" in found["dispatch", "lit-first"]["impossible"]
    assert advised["strategy"] in ("nothing", "space-xnet", "energy-aware", "on-event")


def gains(served, latency, n=6):
    rng = np.random.default_rng(3)
    still = [
        forks.Course(
            served=np.full(10, 0.9), latency_s=np.full(10, 1.0) + 0.01 * rng.standard_normal(10),
            ttft_s=np.full(10, np.nan), soc_min=np.ones(10), off=np.zeros(10, int), moved_bytes=0.0,
        )
        for _ in range(n)
    ]  # fmt: skip
    done = [
        forks.Course(
            served=one.served + served, latency_s=one.latency_s - latency, ttft_s=one.ttft_s,
            soc_min=one.soc_min, off=one.off, moved_bytes=5.0,
        )
        for one in still
    ]  # fmt: skip
    choice = advice.Choice(advice.Kind.STRATEGY, "x")
    return advice._option(choice, None, done, still, 100)


def test_paired_differences_are_sure_although_futures_differ():
    option = gains(0.0, 0.001)
    assert option.latency.mean == pytest.approx(0.001)
    assert option.latency.sure
    assert not option.served.sure
    assert option.moved_bytes == 5.0
    assert advice.best([option]) is option


def test_when_it_pays_no_longer():
    option = gains(0.0, np.array([0.1] * 4 + [-0.1] * 6))
    assert option.pays_until == 103
    assert advice.best([gains(-0.1, 0.0)]) is None


def test_wilsons_interval():
    """Against scipy's own."""
    for found, of in ((0, 10), (7, 9), (200, 200), (431, 1000)):
        exact = stats.binomtest(found, of).proportion_ci(method="wilson")
        assert judge.wilson(found, of) == pytest.approx((exact.low, exact.high), abs=1e-6)


def test_chi_square_of_normal_innovations_passes():
    z2 = np.random.default_rng(4).standard_normal((500, 300)) ** 2
    count = np.full(500, 300.0)
    found = judge.chi_square(np.stack([z2.sum(1), count, 1.3 * z2.sum(1), count], axis=1))
    assert found["soc_mean"] == pytest.approx(1.0, abs=0.02)
    assert found["soc_inside"] == pytest.approx(0.95, abs=0.03)
    assert found["power_inside"] < 0.3


def test_outlooks_on_a_cadence_change_nothing_in_the_run(scenario, flown, live_run, tmp_path):
    priors = Priors()
    with Outlooks(60, orbits=0.2, members=8, priors=priors, forks=2) as ahead:
        options = Options(watch=ahead.watch, finish=ahead.finish)
        run = mirror(scenario, lambda skip: iter(flown[0]), runs_dir=tmp_path, options=options)
    assert ahead.made >= 1
    assert ahead.made + ahead.left_out == 2
    last = json.loads((run.path / "live" / NEWEST).read_text())
    assert last["step"] in (60, 120)
    assert np.array(last["smallest_charge"]).shape == (3, 48)
    assert last["forks"] == 2
    for name in ("served", "tpot_s"):
        low, middle, high = np.array(last[name], float)
        assert len(low) == last["steps"] > 10
        assert (low <= middle).all()
        assert (middle <= high).all()
    assert last["ttft_s"] is None
    assert np.array(last["served"]).max() <= 1.0
    assert run.table("steps").equals(live_run.table("steps"))
