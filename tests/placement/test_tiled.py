"""Instances side by side: circuits, tiles, experts balanced, and what all give together."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.balance import balance
from placement.circuits import circuit, length_s, thinned
from placement.cost import busy_s, cost
from placement.delays import mean_delay_s
from placement.deployment import check_deployment, deploy
from placement.exchange import exchange
from placement.filling import limits
from placement.nearby import nearby
from placement.problem import PlacementProblem, memory_used_bytes
from placement.scoring import choices, scorer
from placement.strategies.table import STRATEGIES
from placement.tile import ground
from placement.tiling import blocks, cut, land, widths
from twin.errors import InputError
from twin.scenario import loader
from twin.study.place import problem_of


def rng(seed=0):
    return np.random.default_rng(seed)


def plan(problem, instances, **params):
    return deploy(problem, STRATEGIES.build("tiled", params), instances=instances, rng=rng())


def hosts(placement):
    return np.unique(np.concatenate([placement.gateway, placement.expert.ravel()]))


def grid(make_problem, planes, slots, **changes) -> PlacementProblem:
    """A grid with links that all take as long and never fail."""
    problem = make_problem(planes=planes, slots=slots, down=0.0, snapshots=1, **changes)
    return dataclasses.replace(problem, weight_s=np.full(problem.weight_s.shape, 0.004))


@settings(max_examples=40, deadline=None)
@given(m=st.integers(3, 7), seed=st.integers(0, 10_000))
def test_circuits_of_a_few_are_the_shortest_there_are(m, seed):
    points = rng(seed).random((m, 2))
    delay_s = np.linalg.norm(points[:, None] - points, axis=2)
    best_s = min(length_s(delay_s, np.array([0, *p])) for p in itertools.permutations(range(1, m)))
    order = circuit(delay_s)
    assert sorted(order) == list(range(m))
    assert length_s(delay_s, order) == pytest.approx(best_s)
    fewer = thinned(delay_s, order, m - 1)
    assert len(set(fewer.tolist())) == m - 1
    assert length_s(delay_s, fewer) <= best_s + 1e-12


@pytest.mark.parametrize(("planes", "slots"), [(2, 16), (16, 2), (4, 8), (6, 6)])
def test_circuits_of_rectangles_have_no_hop_too_many(make_problem, planes, slots):
    problem = grid(make_problem, planes, 2 * slots)
    members = np.flatnonzero(problem.ring_position < 0.5).astype(np.int32)
    delay_s = nearby(problem, 128).between(members)
    assert length_s(delay_s, circuit(delay_s)) == pytest.approx(len(members) * 0.004)


def test_delays_to_those_nearby_are_the_mean_delays(make_problem):
    """Where it is no chance which links are up; else a search does not learn it by heart."""
    problem = make_problem(planes=6, slots=10, snapshots=4, down=0.0)
    tail = np.repeat(np.arange(60), np.diff(problem.indptr))
    low, high = np.minimum(tail, problem.indices), np.maximum(tail, problem.indices)
    problem.weight_s[1:, (low + 3 * high) % 7 == 0] = np.inf
    around = nearby(problem, 12)
    mean_s = mean_delay_s(problem)
    rows = np.arange(60)[:, None]
    np.testing.assert_allclose(around.delay_s, mean_s[rows, around.satellite], rtol=1e-12)
    np.testing.assert_allclose(around.delay_s, np.sort(mean_s, axis=1)[:, :12], rtol=1e-12)
    members = rng().permutation(60)[:20].astype(np.int32)
    assert (around.between(members) >= mean_s[np.ix_(members, members)] - 1e-12).all()
    chance = make_problem(planes=6, slots=10, snapshots=9, down=0.1)
    chance.weight_s[np.isfinite(chance.weight_s)] = 0.004
    assert np.ptp(np.sort(mean_delay_s(chance), axis=1)[:, 1]) > 1e-4
    assert np.ptp(nearby(chance, 2).delay_s[:, 1]) < 1e-12


def test_cuts_take_all_that_fits_and_go_round_what_is_missing(make_problem):
    """Twelve planes of eight in tiles of eight: with a hole only its own tile is lost."""
    problem = grid(make_problem, 12, 8, memory_bytes=90.0)
    for dead, tiles in (([], 12), ([13], 11)):
        problem.memory_bytes[dead] = 0.0
        limit = limits(problem, min_tokens_per_s=0.0, busy_margin=1.0, spread=False)
        area = land(ground(problem, limit, nearby(problem, 64)))
        size = 8 * area.carries.max()
        cost_s = widths(area, size)
        planned, count = blocks(area, size, cost_s, 12, 12)
        found = [tile for block in planned for tile in cut(area, *block, size)]
        assert count == len(found) == tiles
        used = np.concatenate(found)
        assert len(np.unique(used)) == len(used) == 8 * tiles
        assert not np.isin(used, dead).any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), capacity=st.floats(20.0, 120.0))
def test_balancing_never_loads_more_nor_takes_longer(make_problem, seed, capacity):
    problem = make_problem(planes=3, slots=4, layers=4, seed=seed, down=0.0, memory_bytes=capacity)
    limit = limits(problem, min_tokens_per_s=0.0, busy_margin=1.0, spread=False)
    draw = rng(seed)
    gateway = draw.permutation(12)[:4].astype(np.int32)
    start = draw.integers(0, 12, problem.activation.shape).astype(np.int32)
    way_s = mean_delay_s(problem)[gateway]
    found, fits = balance(problem, limit, choices(problem), way_s, gateway, start)
    score = scorer(problem)

    def used(host):
        room = np.bincount(gateway, minlength=12) * 10.0
        return room + np.bincount(host.ravel(), minlength=12) * 20.0

    over_before, over = (np.maximum(used(h) - capacity, 0).sum() for h in (start, found))
    assert fits == (over == 0)
    assert over <= over_before
    if over_before == 0:
        assert score(way_s, gateway, found) <= score(way_s, gateway, start) + 1e-12


def test_exchanges_keep_tiles_apart_and_whole_and_shorten_circuits(make_problem):
    problem = make_problem(planes=8, slots=12, down=0.0)
    around = nearby(problem, 48)
    shuffled = rng(1).permutation(96).astype(np.int32)
    tiles, carries = list(shuffled[:80].reshape(10, 8)), np.full(96, 0.125)
    carries[shuffled[-3:]] = 0.0

    def lengths(tiles):
        return [length_s(d, circuit(d)) for d in (around.between(tile) for tile in tiles)]

    found = exchange(around, tiles, carries, moves=20_000, rng=rng())
    used = np.concatenate(found)
    assert [len(tile) for tile in found] == [8] * 10
    assert len(np.unique(used)) == 80
    assert (carries[used] > 0).all()
    assert sum(lengths(found)) < 0.7 * sum(lengths(tiles))


@settings(max_examples=25, deadline=None)
@given(
    planes=st.integers(2, 7),
    slots=st.integers(3, 9),
    instances=st.integers(1, 6),
    floor=st.sampled_from([0.0, 20.0, 45.0]),
    dead=st.sets(st.integers(0, 62), max_size=6),
    seed=st.integers(0, 1000),
)
def test_tiles_share_nothing_and_keep_every_limit_or_there_is_no_room(
    make_problem, planes, slots, instances, floor, dead, seed
):
    problem = make_problem(planes=planes, slots=slots, layers=5, seed=seed)
    problem.memory_bytes[[s for s in dead if s < planes * slots]] = 0.0
    try:
        found = plan(problem, instances, min_tokens_per_s=floor)
    except InputError as error:
        assert "instances fit" in str(error) or "room" in str(error)  # noqa: PT017
        return
    check_deployment(problem, found)
    assert len(found) == instances
    owners = np.zeros(problem.n_satellites, int)
    for placement in found.instances:
        owners[hosts(placement)] += 1
        if floor:
            assert busy_s(problem, placement, problem.stage_s).max() <= (1 + 1e-6) / floor
    assert owners.max() == 1
    assert not owners[problem.memory_bytes == 0].any()


def test_satellites_by_other_numbers_are_tiled_alike(make_problem):
    """Permuted, the same instances on the same satellites: nothing hangs on their numbers."""
    problem = grid(make_problem, 4, 8)
    weight_s = problem.weight_s * rng(3).uniform(0.9, 1.1, 4)[problem.plane[problem.indices]]
    problem = dataclasses.replace(problem, weight_s=weight_s)
    total = sum(cost(problem, p).latency_s for p in plan(problem, 3).instances)
    new = rng(5).permutation(32)
    old = np.argsort(new)
    rows = [slice(problem.indptr[s], problem.indptr[s + 1]) for s in old]
    other = dataclasses.replace(
        problem,
        plane=problem.plane[old],
        ring_position=problem.ring_position[old],
        indptr=np.cumsum([0, *(row.stop - row.start for row in rows)]).astype(np.int32),
        indices=np.concatenate([new[problem.indices[row]] for row in rows]).astype(np.int32),
        weight_s=np.concatenate([problem.weight_s[:, row] for row in rows], axis=1),
    )
    again = sum(cost(other, p).latency_s for p in plan(other, 3).instances)
    assert again == pytest.approx(total, rel=0.02)


def test_power_counts(make_problem):
    """Satellites without power get nothing, and "fill" finds fewer instances."""
    problem = dataclasses.replace(make_problem(planes=8), rate_per_s=60.0)
    dark = dataclasses.replace(problem, busy_limit=np.where(problem.plane < 4, 0.0, 1.0))
    lit, less = (plan(p, "fill") for p in (problem, dark))
    assert 0 < len(less) < len(lit)
    assert all((dark.busy_limit[hosts(p)] > 0).all() for p in less.instances)


PAPER = {"compute.memory_gb": 8, "workload.rate_per_s": 0.001}


def figures(seen, found):
    costs = [cost(seen, placement) for placement in found.instances]
    latency_s, per_s = ([getattr(c, k) for c in costs] for k in ("latency_s", "throughput_per_s"))
    return np.array(latency_s), np.array(per_s)


def test_the_paper_s_constellation_carries_33_instances():
    """1,189.6 tokens/s at 0.351 s and the slowest ring at 0.370, computed independently.

    Here on outages that the planner has not seen.
    """
    scenario = loader.load("paper", PAPER)
    problem, seen = problem_of(scenario), problem_of(scenario, "evaluation")
    found = plan(problem, 33, min_tokens_per_s=36.0)
    latency_s, per_s = figures(seen, found)
    assert per_s.sum() == pytest.approx(1189.6, abs=1.0)
    assert per_s.min() >= 36.0
    assert latency_s.mean() == pytest.approx(0.352, abs=0.0015)
    assert latency_s.max() < 0.375
    assert sum((memory_used_bytes(problem, p) > 0).sum() for p in found.instances) == 1056
    # A satellite that is gone takes its own ring with it, and no other.
    problem.memory_bytes[500] = 0.0
    latency_s, per_s = figures(seen, plan(problem, "fill", min_tokens_per_s=36.0))
    assert len(latency_s) == 32
    assert latency_s.mean() == pytest.approx(0.352, abs=0.0015)


def test_where_tokens_choose_both_gateways_of_a_layer_have_its_experts(make_problem):
    problem = grid(make_problem, 4, 8, memory_bytes=400.0)
    single = plan(problem, 2, min_tokens_per_s=50.0)
    both = plan(dataclasses.replace(problem, choose_from=2), 2, min_tokens_per_s=50.0)
    for one, two in zip(single.instances, both.instances, strict=True):
        assert np.array_equal(one.gateway, two.gateway)
        assert (two.expert == two.gateway[:, None]).all()
        assert (two.replica[..., 0] == np.roll(two.gateway, -1)[:, None]).all()
        chooses = dataclasses.replace(problem, choose_from=2)
        # Two experts of a token never share a satellite: each layer is one way and one expert.
        way_s = mean_delay_s(problem)[two.gateway, np.roll(two.gateway, -1)]
        alone_s = (way_s + problem.transfer_s + problem.expert_s).sum()
        found = cost(chooses, two)
        assert found.latency_s == pytest.approx(alone_s)
        assert found.latency_s < cost(problem, one).latency_s
        # Work is the same, half of each layer's experts on either side.
        assert busy_s(chooses, two, problem.stage_s).sum() == pytest.approx(
            busy_s(problem, one, problem.stage_s).sum()
        )


def test_without_memory_for_two_copies_there_is_one(make_problem):
    problem = grid(make_problem, 4, 8)
    tight = problem.gateway_bytes + 3 * problem.expert_bytes
    little = dataclasses.replace(
        problem, choose_from=2, memory_bytes=np.full(problem.n_satellites, tight)
    )
    assert all(not p.replica.size for p in plan(little, 1).instances)
