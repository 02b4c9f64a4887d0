import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from twin.network.grid import LinkKind
from twin.network.links import _interpolate
from twin.network.terminals import LinkStatistics
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.space.propagation import propagate
from twin.vocabulary import LinkState
from twin.world.world import World

ORBIT_S = 6565  # at 1200 km


def scenario(*, step_s: float, steps: int, outages=None, constellation=None, **links) -> Scenario:
    """A star of 6 x 8 satellites at 1200 km, unless told otherwise, without random outages."""
    star = {
        "kind": "walker",
        "planes": 6,
        "satellites_per_plane": 8,
        "altitude_km": 1200.0,
        "inclination_deg": 87.0,
        "raan_spread_deg": 180.0,
    }
    return loader.from_data(
        {
            "name": "terminals",
            "simulation": {"step_s": float(step_s), "steps": steps},
            "constellation": star | (constellation or {}),
            "links": {"seam": "fixed"} | links,
            "outages": outages or {"model": "none"},
        }
    )


def states(world: World) -> np.ndarray:
    return np.stack([snapshot.link_state for snapshot in world.snapshots(0)])


@pytest.fixture(scope="module")
def delta() -> World:
    """A world whose geometry breaks no link."""
    return World(
        scenario(
            step_s=5.0,
            steps=40,
            constellation={"raan_spread_deg": 360.0, "planes": 12, "satellites_per_plane": 12},
            sun_exclusion_deg=0.0,
        )
    )


@pytest.mark.parametrize("step_s", [5, 15, 60])
def test_availability_is_the_configured_one_whatever_the_step(step_s):
    # Outages include their own acquisition: the 10 s come on top of none of them.
    world = World(
        scenario(
            step_s=step_s,
            steps=4 * 3600 // step_s,
            outages={"model": "gilbert-elliott", "availability": 0.95},
            constellation={"raan_spread_deg": 360.0, "planes": 12, "satellites_per_plane": 12},
            sun_exclusion_deg=0.0,
            acquisition_s=10.0,
        )
    )
    statistics = LinkStatistics(world.skeleton, steps=4 * 3600 // step_s, step_s=step_s)
    share = np.zeros(len(world.skeleton.edges))
    for snapshot in world.snapshots(0):
        share += snapshot.up
        statistics.add(snapshot.link_state)
    share /= world.scenario.simulation.steps
    error = share.std(ddof=1) / np.sqrt(len(share))
    assert abs(share.mean() - 0.95) < 3 * error
    weights = np.bincount(world.skeleton.kind)
    reported = [row["availability"] for row in statistics.summary().values()]
    assert np.average(reported, weights=weights) == pytest.approx(share.mean(), rel=1e-12)


@pytest.mark.parametrize("acquisition_s", [10.0, 100.0])
@pytest.mark.parametrize("seam", ["fixed", "dynamic"])
def test_acquisition_does_not_depend_on_the_step(seam, acquisition_s):
    # The same instants, met by steps of 5, 15 and 60 s, find each link in the same state.
    limits = {"seam": seam, "acquisition_s": acquisition_s, "seam_hold_s": 300.0}
    limits |= {"max_angular_rate_rad_s": 0.01, "sun_exclusion_deg": 10.0, "polar_shutoff_deg": 80.0}
    by_step = {
        step_s: states(
            World(scenario(step_s=step_s, steps=ORBIT_S // 60 * 60 // step_s, **limits))
        )[:: 60 // step_s]
        for step_s in (5, 15, 60)
    }
    fine = by_step[5]
    for cause in (LinkState.UP, LinkState.PAT):
        assert (fine == cause).any()
    np.testing.assert_array_equal(by_step[15], fine)
    np.testing.assert_array_equal(by_step[60], fine)


@pytest.fixture(scope="module")
def in_sight_s() -> list[list[tuple[int, int]]]:
    """Intervals in which each seam link keeps its limits, by steps of 1 s without acquisition."""
    world = World(scenario(step_s=1, steps=4000, acquisition_s=0.0, sun_exclusion_deg=0.0))
    up = states(world)[:, world.skeleton.kind == LinkKind.SEAM] == LinkState.UP
    turns = np.diff(up.astype(int), axis=0, prepend=0, append=0).T
    rises, sets = ([np.flatnonzero(t == x).tolist() for t in turns] for x in (1, -1))
    return [list(zip(*pair, strict=True)) for pair in zip(rises, sets, strict=True)]


@settings(max_examples=15, deadline=None)
@given(acquisition_s=st.floats(0.0, 60.0))
def test_acquisition_begins_when_the_limits_hold_again(in_sight_s, acquisition_s):
    world = World(
        scenario(step_s=20, steps=200, acquisition_s=acquisition_s, sun_exclusion_deg=0.0)
    )
    seen = states(world)[:, world.skeleton.kind == LinkKind.SEAM]
    checked = {LinkState.UP: 0, LinkState.PAT: 0}
    for link, intervals in enumerate(in_sight_s):
        for rise_s, set_s in intervals:
            for step in range(-(-rise_s // 20), -(-set_s // 20)):
                waited_s = 20 * step - rise_s
                if abs(waited_s - acquisition_s) < 1.0:  # the oracle's own resolution
                    continue
                acquiring = rise_s > 0 and waited_s < acquisition_s
                expected = LinkState.PAT if acquiring else LinkState.UP
                assert seen[step, link] == expected
                checked[expected] += 1
    assert checked[LinkState.UP] > 100
    assert checked[LinkState.PAT] > 0 or acquisition_s < 25


@settings(max_examples=40, deadline=None)
@given(
    dark=st.lists(
        st.tuples(st.integers(0, 143), st.integers(0, 39), st.integers(1, 8)), max_size=6
    ),
    acquisition_s=st.sampled_from([0.0, 3.0, 5.0, 10.0, 12.0]),
)
def test_power_takes_links_and_gives_them_back_after_acquisition(delta, dark, acquisition_s):
    powered = np.ones((40, 144), bool)
    for satellite, first, length in dark:
        powered[first : first + length, satellite] = False
    links = delta.scenario.links.model_copy(update={"acquisition_s": acquisition_s})
    network = World(delta.scenario.model_copy(update={"links": links})).network(0)
    both = powered[:, delta.skeleton.edges].all(axis=2)
    since_s = np.full(both.shape[1], -np.inf)
    for step, on in enumerate(both):
        if step:
            since_s[on & ~both[step - 1]] = 5.0 * step
        elif not on.all():
            since_s[~on] = -np.inf
        expected = np.where(5.0 * step - since_s < acquisition_s, LinkState.PAT, LinkState.UP)
        expected[~on] = LinkState.POWER
        np.testing.assert_array_equal(network.advance(powered[step]).link_state, expected)


def test_power_that_comes_back_after_sight_starts_the_acquisition(in_sight_s):
    # The pair rises within a step while it is dark; what counts is the power, a moment later.
    world = World(scenario(step_s=50, steps=80, sun_exclusion_deg=0.0, acquisition_s=20.0))
    rises = [(t, link) for link, pairs in enumerate(in_sight_s) for t, _ in pairs if t > 0]
    late = [(-(-t // 50), link) for t, link in rises if -t % 50 > 21]
    assert late
    for first_step, link in late:
        edge = np.flatnonzero(world.skeleton.kind == LinkKind.SEAM)[link]
        powered = np.ones(48, bool)
        for dark, expected in ((False, LinkState.UP), (True, LinkState.PAT)):
            network = world.network(0)
            powered[world.skeleton.edges[edge]] = not dark
            for _ in range(first_step):
                network.advance(powered)
            assert network.advance().link_state[edge] == expected


def test_positions_between_steps_follow_the_orbit(delta):
    (r0, r1, r_km), (v0, v1, v_km_s) = propagate(
        delta.constellation, "kepler", np.array([100.0, 160.0, 118.0])
    )
    between = np.empty((2, 3)), np.empty((2, 3))
    _interpolate((r0, v0), (r1, v1), (7, 90), 0.3, 60.0, between)
    np.testing.assert_allclose(between[0], r_km[[7, 90]], atol=1e-3)
    np.testing.assert_allclose(between[1], v_km_s[[7, 90]], atol=1e-4)


def test_everybody_has_power_unless_told_otherwise(delta):
    network = delta.network(0)
    for snapshot in delta.snapshots(0):
        again = network.advance(np.ones(144, bool))
        assert again.step == snapshot.step
        np.testing.assert_array_equal(again.link_state, snapshot.link_state)
        np.testing.assert_array_equal(again.weight_s, snapshot.weight_s)


def test_a_random_outage_costs_no_acquisition_of_its_own():
    outages = {"model": "gilbert-elliott", "availability": 0.5}
    table = {"step_s": 5, "steps": 50, "outages": outages, "sun_exclusion_deg": 0.0}
    delta = {"raan_spread_deg": 360.0, "planes": 12, "satellites_per_plane": 12}
    slow, quick = (
        states(World(scenario(**table, constellation=delta, acquisition_s=acquisition_s)))
        for acquisition_s in (60.0, 0.0)
    )
    assert (slow == LinkState.RANDOM).any()
    np.testing.assert_array_equal(slow, quick)


def test_planning_predicts_what_geometry_does():
    world = World(scenario(step_s=30, steps=220, seam="dynamic", sun_exclusion_deg=10.0))
    steps = np.arange(0, 220, 9)
    planned = np.isfinite(world.planning_weights(steps, np.random.default_rng(0)))
    planned = planned[:, world.skeleton.entry[:, 0]]
    run = states(world)[steps]
    fixed = ~world.skeleton.changing
    # Links that come back are the run's to acquire; partners are known, and so is when they change.
    expected = (run == LinkState.UP) | ((run == LinkState.PAT) & fixed)
    assert (run[:, ~fixed] == LinkState.PAT).any()
    np.testing.assert_array_equal(planned, expected)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_statistics_count_what_a_slow_reader_counts(delta, data):
    skeleton, steps, step_s = delta.skeleton, data.draw(st.integers(1, 12)), 7.0
    codes = [LinkState.UP, LinkState.UP, LinkState.PAT, LinkState.SUN, LinkState.UNPAIRED]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    history = rng.choice(codes, (steps, len(skeleton.edges))).astype(np.uint8)
    statistics = LinkStatistics(skeleton, steps=steps, step_s=step_s)
    for state in history:
        statistics.add(state)
    summary = statistics.summary()
    assert list(summary) == ["intra-plane", "inter-plane", "seam"]
    for kind, figures in zip(range(LinkKind.CROSS_SHELL), summary.values(), strict=True):
        holds, repairings, flat = [], 0, []
        for column in history[:, skeleton.kind == kind].T.tolist():
            flat += column
            text = "".join("u" if c == LinkState.UP else "." for c in column)
            holds += [len(run) for run in text.split(".")[:-1] if run]
            repairings += sum(a == LinkState.UNPAIRED != b for a, b in itertools.pairwise(column))
        paired = max(sum(c != LinkState.UNPAIRED for c in flat), 1)
        assert figures["availability"] == pytest.approx(flat.count(LinkState.UP) / paired)
        assert figures["links_up"] == pytest.approx(flat.count(LinkState.UP) / steps)
        assert figures["down"]["sun"] == pytest.approx(flat.count(LinkState.SUN) / paired)
        assert sum(figures["down"].values()) + figures["availability"] == pytest.approx(1.0)
        assert (figures["holds"], figures["repairings"]) == (len(holds), repairings)
        assert figures["hold_mean_s"] == (pytest.approx(np.mean(holds) * step_s) if holds else None)
        assert figures["hold_median_s"] == (
            pytest.approx(np.median(holds) * step_s) if holds else None
        )


def test_the_median_hold_lies_between_the_middle_two(delta):
    history = np.full((8, len(delta.skeleton.edges)), LinkState.PAT, np.uint8)
    history[[1, 3, 4, 5], 0] = LinkState.UP  # one step, then three
    statistics = LinkStatistics(delta.skeleton, steps=8, step_s=10.0)
    for state in history:
        statistics.add(state)
    assert statistics.summary()["intra-plane"]["hold_median_s"] == 20.0
