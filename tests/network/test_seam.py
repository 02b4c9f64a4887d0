import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.network.grid import LinkKind
from twin.network.links import broken_limits, limits
from twin.network.terminals import LinkStatistics
from twin.scenario import loader
from twin.space.propagation import propagate
from twin.vocabulary import LinkState
from twin.world.world import World


def star(seam: str, steps: int = 200, **links: float) -> World:
    """The paper's star over one orbit, with acquisition and without random outages."""
    table = {"acquisition_s": 10.0} | links
    overrides = [f"links.{key}={value}" for key, value in table.items()]
    overrides += [f"links.seam={seam}", f"simulation.steps={steps}", "outages.model=none"]
    return World(loader.load("paper-star", overrides))


@pytest.fixture(scope="module")
def dynamic() -> World:
    return star("dynamic")


def seam_figures(world: World):
    statistics = LinkStatistics(
        world.skeleton, steps=world.scenario.simulation.steps, step_s=world.step_s
    )
    for snapshot in world.snapshots(0):
        statistics.add(snapshot.link_state)
    return statistics.summary()["seam"]


def test_a_dynamic_seam_is_up_four_times_as_long_as_a_fixed_one(dynamic):
    fixed, nearest = seam_figures(star("fixed")), seam_figures(dynamic)
    # Fixed partners pass each other twice an orbit, in sight for 2 acos(6458.1 / 6928.1) of
    # phase at best: 0.236 of the time.
    assert fixed["links_up"] / 32 == pytest.approx(0.229, abs=0.01)
    assert fixed["repairings"] == 0
    assert nearest["links_up"] / 32 > 0.85
    # A period costs a pair 10 s of its 120 s, if its partner is new at all.
    assert nearest["down"]["pat"] == pytest.approx(10 / 120, abs=0.02)
    assert nearest["repairings"] > 1000


@pytest.mark.parametrize("altitude_km", [550.0, 1200.0])
@pytest.mark.parametrize("acquisition_s", [0.0, 10.0, 60.0])
@pytest.mark.parametrize("phasing", [0, 1, 5])
def test_a_dynamic_seam_is_never_less_available_than_a_fixed_one(
    altitude_km, acquisition_s, phasing
):
    up = {}
    for seam in ("fixed", "dynamic"):
        overrides = [
            f"links.seam={seam}",
            f"links.acquisition_s={acquisition_s}",
            "outages.model=none",
            "constellation.planes=6",
            "constellation.satellites_per_plane=16",
            f"constellation.altitude_km={altitude_km}",
            f"constellation.phasing={phasing}",
        ]
        up[seam] = seam_figures(World(loader.load("paper-star", overrides)))["links_up"]
    assert up["dynamic"] >= up["fixed"] > 0


@settings(max_examples=8, deadline=None)
@given(share=st.floats(0.3, 1.0), seed=st.integers(0, 1000))
def test_no_terminal_has_two_partners(dynamic, share, seed):
    edges, kind = dynamic.skeleton.edges, dynamic.skeleton.kind
    network, rng = dynamic.network(0), np.random.default_rng(seed)
    for _ in range(30):
        snapshot = network.advance(rng.random(1056) < share)
        paired = snapshot.link_state != LinkState.UNPAIRED
        assert paired[kind != LinkKind.SEAM].all()
        assert np.bincount(edges[paired & (kind == LinkKind.SEAM)].ravel()).max(initial=0) <= 1
        assert np.bincount(edges[paired].ravel()).max() <= 4
        assert paired.sum() <= dynamic.skeleton.pairings == 32 * 33 + 32 * 32 + 32


@settings(max_examples=20, deadline=None)
@given(period=st.integers(0, 100), dead=st.sets(st.integers(0, 1055), max_size=300))
def test_no_two_satellites_would_rather_have_each_other(dynamic, period, dead):
    # Nearest first is the stable matching by range at mid-period, among those that can pair.
    seam = dynamic._seam
    powered = np.ones(1056, bool)
    powered[list(dead)] = False
    chosen = seam.partners(period, powered)
    pairs = dynamic.skeleton.edges[dynamic.skeleton.changing]
    t_s = np.linspace(seam.start_s(period), seam.start_s(period + 1), 41)
    r_km, _ = propagate(dynamic.constellation, "kepler-j2", t_s)
    length_km = np.linalg.norm(r_km[:, pairs[:, 0]] - r_km[:, pairs[:, 1]], axis=2)
    assert powered[pairs[chosen]].all()
    own_km = np.full(1056, np.inf)
    own_km[pairs[chosen].ravel()] = np.repeat(length_km[20][chosen], 2)
    # Never out of sight, nor so close (15.2 km/s / 0.12 rad/s = 126 km) that the line of sight
    # turns too fast: such pairs can surely have a link all through the period.
    able = (
        powered[pairs].all(axis=1) & (length_km < 4900).all(axis=0) & (length_km > 130).all(axis=0)
    )
    assert able.sum() > 50
    assert not (able & ~chosen & (length_km[20] < own_km[pairs].min(axis=1) - 1e-3)).any()


def test_partners_keep_their_limits_at_start_middle_and_end(dynamic):
    seam, limit = dynamic._seam, limits(dynamic.scenario.links)
    pairs = dynamic.skeleton.edges[dynamic.skeleton.changing]
    for period in range(48):
        chosen = pairs[seam.partners(period, np.ones(1056, bool))]
        t_s = np.linspace(seam.start_s(period), seam.start_s(period + 1), 3)
        across = np.ones(len(chosen), bool)
        for now in zip(*propagate(dynamic.constellation, "kepler-j2", t_s), strict=True):
            assert not broken_limits(chosen, across, now, np.ones(3), limit)[0].any()


@settings(max_examples=10, deadline=None)
@given(
    step_s=st.sampled_from([20.0, 50.0, 170.0]),
    acquisition_s=st.sampled_from([0.0, 35.0, 60.0]),
    seed=st.integers(0, 1000),
)
def test_new_partners_acquire_each_other_from_the_start_of_their_period(
    step_s, acquisition_s, seed
):
    orbit = loader.load("paper-star").simulation.model_copy(
        update={"step_s": step_s, "orbits": None, "steps": 60}
    )
    first = star("dynamic", acquisition_s=acquisition_s)
    world = World(first.scenario.model_copy(update={"simulation": orbit}))
    seam, edges = world._seam, world.skeleton.edges[world.skeleton.changing]
    powered = np.random.default_rng(seed).random((60, 1056)) < 0.95
    since_s, on_before = {}, {}
    period, partners, old = None, set(), set()
    network = world.network(0)
    for step in range(60):
        t_s, now = step * step_s, powered[step]
        if seam.period(t_s) != period:
            skipped = period is None or seam.period(t_s) > period + 1
            period = seam.period(t_s)
            old = partners
            if skipped:
                old = set(np.flatnonzero(seam.partners(max(period - 1, 0), now)).tolist())
            partners = set(np.flatnonzero(seam.partners(period, now)).tolist())
            for link in partners - old:
                since_s[link] = seam.start_s(period) if period else -np.inf
                on_before[link] = True
        state = network.advance(now).link_state[world.skeleton.changing]
        assert set(np.flatnonzero(state != LinkState.UNPAIRED).tolist()) == partners
        for link in partners:
            on = bool(now[edges[link]].all())
            if state[link] in (LinkState.RANGE, LinkState.GRAZING, LinkState.RATE):
                since_s[link] = None  # left to the test of limits
            elif link in since_s and since_s[link] is not None:
                if on and not on_before[link]:
                    since_s[link] = t_s
                acquiring = t_s - since_s[link] < acquisition_s - 1e-6
                expected = LinkState.PAT if acquiring else LinkState.UP
                assert state[link] == (expected if on else LinkState.POWER)
            on_before[link] = on
        for link in set(since_s) - partners:
            since_s[link] = -np.inf
            on_before[link] = True


def test_a_delta_has_partners_for_all_at_all_times():
    world = World(
        loader.load(
            "paper",
            ["links.seam=dynamic", "links.acquisition_s=10.0", "outages.model=none"],
        )
    )
    seam = world.skeleton.kind == LinkKind.SEAM
    assert seam.sum() == 3 * 32  # a choice of three each
    for snapshot in world.snapshots(0):
        assert (snapshot.link_state[seam] != LinkState.UNPAIRED).sum() == 32


def test_periods_follow_each_other_and_keep_time_with_no_step(dynamic):
    seam = dynamic._seam
    starts_s = np.array([seam.start_s(k) for k in range(2000)])
    assert starts_s[0] == 0
    assert starts_s[-1] / 1999 == pytest.approx(120.0, rel=1e-3)
    assert np.diff(starts_s).min() > 0.6 * 120.0
    for period in (0, 1, 2, 7, 100, 1999):
        assert seam.period(starts_s[period]) == seam.period(starts_s[period] + 70.0) == period
    # How long before a step's start the period began: evenly spread, for steps in tune with it.
    for step_s in (15.0, 60.0, 120.0):
        age = np.array([t - seam.start_s(seam.period(t)) for t in step_s * np.arange(1500)])
        assert (age < 10.0).mean() == pytest.approx(10 / 120, abs=0.01)


def test_fixed_and_closed_are_the_same_seam():
    for name in ("edges", "kind", "changing", "indices"):
        one, other = (getattr(star(seam).skeleton, name) for seam in ("fixed", "closed"))
        np.testing.assert_array_equal(one, other)


def test_partners_are_held_for_longer_than_they_take_to_find_each_other():
    with pytest.raises(InputError, match=r"twice acquisition_s \(10.0\), not 15.0"):
        loader.load(
            "paper-star",
            ["links.seam=dynamic", "links.acquisition_s=10.0", "links.seam_hold_s=15.0"],
        )
