"""The search for rings and what it is made of, against brute force and independent figures."""

import dataclasses
import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.bounds import lower_bound_s
from placement.cost import busy_s, cost
from placement.delays import mean_delay_s, nearest
from placement.filling import fill, limits
from placement.problem import Placement, check, memory_used_bytes
from placement.ring_search import best_ring, improve, prepare
from placement.scoring import scorer
from placement.strategies.table import STRATEGIES
from placement.tours import charts, tours
from twin.errors import InputError
from twin.moe.expectation import expected_latency
from twin.moe.latency import ComputeTimes
from twin.moe.selection import inclusion_probabilities

RINGS = ["packed", "joint", "local-search", "sun-tracking", "energy-aware", "replicated"]


def rng(seed=0):
    return np.random.default_rng(seed)


def score(problem, placement):
    """Seconds a token on mean delays: what the search compares placements by."""
    delay_s = mean_delay_s(problem)
    return scorer(problem)(delay_s[placement.gateway], placement.gateway, placement.expert)


def test_mean_delays_are_the_mean_of_shortest_paths(make_problem):
    problem = make_problem(planes=3, slots=4, snapshots=2, down=0.0)
    lengths = []
    for weight_s in problem.weight_s:
        graph = nx.DiGraph()
        for a in range(12):
            for j in range(problem.indptr[a], problem.indptr[a + 1]):
                graph.add_edge(a, int(problem.indices[j]), w=weight_s[j])
        found = dict(nx.all_pairs_dijkstra_path_length(graph, weight="w"))
        lengths.append([[found[a][b] for b in range(12)] for a in range(12)])
    delay_s = mean_delay_s(problem)
    np.testing.assert_allclose(delay_s, np.mean(lengths, axis=0), rtol=1e-12)
    usable = np.arange(12) % 2 == 0
    for a, row in enumerate(nearest(delay_s, usable, 3)):
        expected = sorted(np.flatnonzero(usable), key=lambda b, a=a: delay_s[a, b])[:3]
        assert row.tolist() == expected


@pytest.mark.parametrize("top_k", [1, 2])
def test_score_is_the_exact_expectation_on_mean_delays(make_problem, top_k):
    problem = make_problem(down=0.0)
    problem = dataclasses.replace(
        problem,
        top_k=top_k,
        speed=rng(1).uniform(0.5, 2.0, problem.n_satellites),
        activation=inclusion_probabilities(problem.probability, top_k),
    )
    gateway = rng(2).integers(0, 40, 8).astype(np.int32)
    host = rng(3).integers(0, 6, (8, 4)).astype(np.int32)  # few satellites: experts meet
    way_s = mean_delay_s(problem)[gateway]
    rows = np.arange(8)[:, None]
    legs = np.stack([way_s[rows, host], way_s[(rows + 1) % 8, host]])
    path_s = (legs + problem.transfer_s * (legs > 0)).sum(axis=0)
    compute = ComputeTimes(expert_s=problem.expert_s, gateway_s=problem.gateway_s)
    compute = compute.at_speed(problem.speed[host], problem.speed[gateway])
    exact = expected_latency(path_s, host, problem.probability, top_k, compute)
    found = scorer(problem)(way_s, gateway, host)
    assert found == pytest.approx(float(exact.mean_s), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    memory=st.sampled_from([25.0, 45.0, 90.0]),
    slots=st.integers(1, 4),
    floor=st.sampled_from([0.0, 40.0, 70.0]),
    rate=st.sampled_from([0.0, 60.0]),
    tight=st.booleans(),
    seed=st.integers(0, 99),
)
def test_filling_respects_every_limit_and_keeps_what_stays(
    make_problem, memory, slots, floor, rate, tight, seed
):
    problem = make_problem(memory_bytes=memory, experts_per_satellite=slots, seed=seed)
    problem = dataclasses.replace(problem, rate_per_s=rate, gateway_s=np.full(8, 0.002))
    limit = limits(problem, min_tokens_per_s=floor, busy_margin=0.8, spread=True)
    delay_s = mean_delay_s(problem)
    gateway = rng(seed).permutation(40)[:8].astype(np.int32)
    kept = np.full((8, 4), -1, np.int32)
    free = np.setdiff1d(np.arange(40), gateway)
    kept[3, 1] = free[0]
    near = nearest(delay_s, np.ones(40, bool), 40)[gateway]
    host = fill(problem, limit, delay_s[gateway], near, gateway, tight=tight, host=kept)
    if host is None:
        return
    placement = Placement(gateway=gateway, expert=host)
    check(problem, placement)
    assert host[3, 1] == free[0]
    experts = np.bincount(host.ravel(), minlength=40)
    assert experts.max() <= slots
    assert experts[gateway].sum() == 0
    if floor:
        assert busy_s(problem, placement, problem.stage_s).max() <= 1 / floor * (1 + 1e-6)
    if rate:
        assert busy_s(problem, placement, problem.gateway_s).max() <= 0.8 / rate * (1 + 1e-6)


def test_spread_filling_uses_both_gateways_and_tight_filling_the_first(make_problem):
    problem = make_problem(memory_bytes=1e4, layers=2, down=0.0)
    limit = limits(problem, min_tokens_per_s=0, busy_margin=1.0, spread=False)
    delay_s = mean_delay_s(problem)
    gateway = np.array([0, 1], np.int32)
    near = nearest(delay_s, np.ones(40, bool), 10)[gateway]
    spread = fill(problem, limit, delay_s[gateway], near, gateway)
    tight = fill(problem, limit, delay_s[gateway], near, gateway, tight=True)
    assert [sorted(set(row.tolist())) for row in spread] == [[0, 1], [0, 1]]
    assert [sorted(set(row.tolist())) for row in tight] == [[0], [1]]


@pytest.mark.parametrize(("stops", "cell"), [(8, 1), (13, 1), (12, 4), (32, 9), (40, 1)])
def test_tours_visit_distinct_places_of_the_map(stops, cell):
    found = list(tours(stops, cell=cell, planes=12, slots=32))
    assert found
    for tour in found:
        assert tour.shape == (stops, 2)
        assert len(np.unique(tour.round(9), axis=0)) == stops
        assert np.ptp(tour[:, 0]) < 12


def test_a_folded_tour_goes_from_neighbour_to_neighbour_and_closes():
    folded = [t for t in tours(12, cell=1, planes=12, slots=32) if np.ptp(t[:, 0]) > 0]
    steps = [np.abs(np.diff(np.vstack([t, t[:1]]), axis=0) * [1, 32]) for t in folded]
    whole = [s for s in steps if s.sum(axis=1).max() < 1.5]
    assert whole  # those whose block is exactly filled
    for s in whole:
        np.testing.assert_allclose(s.sum(axis=1), 1.0)


def test_charts_hold_usable_satellites_of_neighbouring_planes_only(make_problem):
    problem = make_problem(planes=7, slots=8)
    usable = (problem.plane != 3) & (np.arange(56) % 8 != 2)
    found = charts(problem, usable, np.ones(56))
    assert [len(chart.nearest) for chart in found] == [3, 3]
    for chart in found:
        assert usable[chart.nearest].all()


def test_improving_never_makes_it_worse(make_problem):
    problem = make_problem(memory_bytes=1e4, seed=5)
    field = prepare(problem, limits(problem, min_tokens_per_s=50, busy_margin=1, spread=False))
    for seed in range(4):
        gateway = rng(seed).permutation(40)[:8].astype(np.int32)
        before_s = field.host(gateway)[0]
        after = improve(field, gateway, refine=200)
        assert score(problem, after) <= before_s * (1 + 1e-12)


@pytest.mark.parametrize("name", ["packed", "joint", "local-search", "replicated"])
def test_a_floor_of_throughput_holds(name, make_problem):
    problem = make_problem(memory_bytes=1e4, planes=8)
    placement = STRATEGIES[name](problem, rng=rng(), min_tokens_per_s=55.0)
    assert cost(problem, placement).throughput_per_s >= 55.0 * (1 - 1e-6)
    loose = STRATEGIES[name](problem, rng=rng())
    assert score(problem, loose) <= score(problem, placement)


def test_joint_is_no_worse_than_packed_and_keeps_to_the_spreading_rule(make_problem):
    problem = make_problem(planes=9, memory_bytes=1e4)
    joint, packed = (
        STRATEGIES[n](problem, rng=rng(), min_tokens_per_s=60.0) for n in ("joint", "packed")
    )
    assert score(problem, joint) <= score(problem, packed)
    spread = STRATEGIES["joint"](problem, rng=rng(), spread=True)
    experts = np.bincount(spread.expert.ravel(), minlength=72)
    assert experts.max() == 1
    assert experts[spread.gateway].sum() == 0


def test_energy_aware_stays_within_what_power_allows(make_problem):
    problem = make_problem(planes=8, memory_bytes=1e4)
    lit = problem.plane >= 5
    problem = dataclasses.replace(
        problem, busy_limit=np.where(lit, 1.0, 0.1), rate_per_s=80.0, gateway_s=np.full(8, 1e-3)
    )
    placement = STRATEGIES["energy-aware"](problem, rng=rng(), busy_margin=0.8)
    busy = busy_s(problem, placement, problem.gateway_s) * 80.0
    assert (busy <= 0.8 * problem.busy_limit * (1 + 1e-6)).all()
    blind = STRATEGIES["joint"](problem, rng=rng())
    assert (busy_s(problem, blind, problem.gateway_s) * 80.0 > problem.busy_limit).any()
    dark = dataclasses.replace(problem, busy_limit=np.zeros(64))
    with pytest.raises(InputError):
        STRATEGIES["energy-aware"](dark, rng=rng())


def test_sun_tracking_takes_the_sunniest_planes_that_suffice(make_problem):
    problem = make_problem(planes=8, memory_bytes=1e4)
    sunlit = np.array([0.6, 0.7, 0.8, 1.0, 1.0, 0.8, 0.7, 0.6])[problem.plane]
    problem = dataclasses.replace(problem, sunlit=sunlit)
    placement = STRATEGIES["sun-tracking"](problem, rng=rng(), min_tokens_per_s=55.0)
    hosts = np.unique(np.r_[placement.gateway, placement.expert.ravel()])
    assert (sunlit[hosts] == 1.0).all()


def test_where_some_satellites_are_larger_joint_uses_them(make_problem):
    problem = make_problem(planes=8, memory_bytes=95.0)
    hub = np.arange(64) % 4 == 0
    problem = dataclasses.replace(problem, memory_bytes=np.where(hub, 400.0, 95.0))
    placement = STRATEGIES["joint"](problem, rng=rng())
    check(problem, placement)
    hosts = np.unique(np.r_[placement.gateway, placement.expert.ravel()])
    assert hub[hosts].mean() > 0.5


def test_exact_equals_brute_force_and_nobody_beats_it(make_problem):
    problem = make_problem(
        planes=2, slots=3, layers=2, experts=2, snapshots=1, down=0.0, memory_bytes=55.0, seed=4
    )
    best = STRATEGIES["exact"](problem, rng=rng()).instances[0]
    check(problem, best)
    delay_s, of = mean_delay_s(problem), scorer(problem)
    least = np.inf
    for sites in itertools.product(range(6), repeat=6):
        hosts = np.array(sites, np.int32)
        tried = Placement(gateway=hosts[:2], expert=hosts[2:].reshape(2, 2))
        if (memory_used_bytes(problem, tried) <= problem.memory_bytes).all():
            least = min(least, of(delay_s[tried.gateway], tried.gateway, tried.expert))
    assert score(problem, best) == pytest.approx(least, rel=1e-6)
    for name in ("packed", "joint", "local-search"):
        other = STRATEGIES[name](problem, rng=rng())
        assert score(problem, other) >= least * (1 - 1e-6)
    with pytest.raises(InputError, match="binary variables"):
        STRATEGIES["exact"](make_problem(), rng=rng())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), floor=st.sampled_from([0.0, 60.0]), top_k=st.integers(1, 3))
def test_nothing_lies_below_the_lower_bound(make_problem, seed, floor, top_k):
    problem = make_problem(planes=3, slots=4, layers=3, experts=4, seed=seed, down=0.0)
    problem = dataclasses.replace(
        problem,
        memory_bytes=np.full(12, 95.0),
        top_k=top_k,
        activation=inclusion_probabilities(problem.probability, top_k),
    )
    bound_s = lower_bound_s(problem, min_tokens_per_s=floor)
    assert bound_s > problem.n_layers * problem.expert_s * (1 - 1e-9)
    draw = rng(seed)
    for _ in range(30):
        hosts = draw.integers(0, 12, 15).astype(np.int32)
        tried = Placement(gateway=hosts[:3], expert=hosts[3:].reshape(3, 4))
        within = (memory_used_bytes(problem, tried) <= problem.memory_bytes).all()
        slow = floor and busy_s(problem, tried, problem.stage_s).max() > 1 / floor
        if within and not slow:
            assert cost(problem, tried).latency_s >= bound_s * (1 - 1e-9)
    for name in ("joint", "local-search"):
        try:
            found = STRATEGIES[name](problem, rng=draw, min_tokens_per_s=floor)
        except InputError:
            continue
        assert cost(problem, found).latency_s >= bound_s * (1 - 1e-9)


def test_the_bound_is_met_where_one_satellite_holds_everything_and_others_are_far(make_problem):
    problem = make_problem(memory_bytes=1e4, down=0.0)
    problem = dataclasses.replace(problem, weight_s=problem.weight_s * 10)
    placement = STRATEGIES["joint"](problem, rng=rng())
    # Two experts at once on one satellite, nothing on the way: 8 layers x 2 x 4 ms.
    assert cost(problem, placement).latency_s == pytest.approx(8 * 2 * 0.004)
    assert lower_bound_s(problem) == pytest.approx(8 * 2 * 0.004)


def test_an_anchored_ring_begins_near_the_users(make_problem):
    problem = make_problem(planes=8, memory_bytes=1e4)
    entry = np.zeros((3, 64))
    entry[:, 5] = 1.0
    problem = dataclasses.replace(problem, entry_share=entry)
    delay_s = mean_delay_s(problem)
    free, anchored = (
        STRATEGIES["joint"](problem, rng=rng(), min_tokens_per_s=60.0, anchor=a) for a in (0.0, 1.0)
    )
    assert delay_s[5, anchored.gateway[0]] <= delay_s[5, free.gateway[0]]
    assert delay_s[5, anchored.gateway[0]] < np.median(delay_s[5])


def test_best_ring_says_when_nothing_fits(make_problem):
    problem = make_problem(memory_bytes=25.0, layers=8, planes=2)
    limit = limits(problem, min_tokens_per_s=0, busy_margin=1, spread=False)
    with pytest.raises(InputError, match="finds room"):
        best_ring(prepare(problem, limit), refine=10)
