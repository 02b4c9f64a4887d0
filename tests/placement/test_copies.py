"""Copies against faults, repair, availability, and what moving takes."""

import dataclasses

import numpy as np
import pytest

from placement.copies import add_copies, room_left
from placement.cost import availability, cost, objective_s
from placement.filling import limits
from placement.migration import migration
from placement.problem import Placement, check, memory_used_bytes
from placement.repair import repair
from placement.strategies.table import STRATEGIES
from twin.errors import InputError


def rng(seed=0):
    return np.random.default_rng(seed)


def test_copies_sit_elsewhere_hottest_first_within_the_budget(make_problem):
    problem = make_problem(planes=9, memory_bytes=200.0)
    first = STRATEGIES["space-xnet"](problem, rng=rng())
    limit = limits(problem, min_tokens_per_s=0, busy_margin=1, spread=False)
    budget = 8 * problem.gateway_bytes + 10 * problem.expert_bytes
    found = add_copies(problem, limit, first, standbys=1, copies=2, budget_bytes=budget)
    check(problem, found)  # refuses two copies on one satellite
    assert (found.standby >= 0).all()
    copied = found.replica[..., 0] >= 0
    assert copied.sum() == 10
    assert problem.activation[copied].min() >= problem.activation[~copied].max()
    left = room_left(limit, problem, found).capacity[:, 0]
    used = memory_used_bytes(problem, found)
    np.testing.assert_allclose(left, problem.memory_bytes - used)


def test_availability_of_single_copies_is_that_of_their_satellites(make_problem):
    problem = dataclasses.replace(make_problem(planes=9, memory_bytes=200.0), availability=0.97)
    single = STRATEGIES["space-xnet"](problem, rng=rng())
    # One gateway and two of four distinct hosts a layer: 8 layers x 3 satellites.
    free, ci95 = availability(problem, single)
    assert ci95 == 0.0
    assert free == pytest.approx(0.97**24, rel=1e-9)
    double = STRATEGIES["replicated"](problem, rng=rng(), copies=2, standbys=1)
    triple = STRATEGIES["replicated"](problem, rng=rng(), copies=3, standbys=2, budget=2.0)
    assert free < availability(problem, double)[0] < availability(problem, triple)[0]
    everything_up = dataclasses.replace(problem, availability=1.0)
    assert availability(everything_up, single) == (1.0, 0.0)


def test_drawn_availability_agrees_with_the_exact_one(make_problem):
    problem = dataclasses.replace(make_problem(planes=9, memory_bytes=200.0), availability=0.9)
    apart = STRATEGIES["space-xnet"](problem, rng=rng())
    spare = int(np.setdiff1d(np.arange(72), apart.copies)[-1])
    standby = np.full((8, 2), -1, np.int32)
    standby[:2, 1] = spare  # two layers share one satellite: no longer exact
    free, ci95 = availability(problem, dataclasses.replace(apart, standby=standby))
    single, _ = availability(problem, apart)
    # Both gateways up; or the spare one, and not both.
    two = 0.9**2 + 0.9 * (1 - 0.9**2)
    assert ci95 > 0
    assert free == pytest.approx(single / 0.9**2 * two, abs=2 * ci95)


def test_a_layer_with_two_copies_of_everything_on_two_satellites(make_problem):
    problem = make_problem(layers=1, memory_bytes=1e4)
    problem = dataclasses.replace(problem, availability=0.8)
    placement = Placement(
        gateway=np.array([0], np.int32),
        expert=np.zeros((1, 4), np.int32),
        standby=np.array([[1]], np.int32),
        replica=np.ones((1, 4, 1), np.int32),
    )
    free, ci95 = availability(problem, placement)
    assert free == pytest.approx(1 - 0.2**2, abs=2 * ci95)


def test_copies_nearby_make_tokens_no_slower(make_problem):
    problem = make_problem(planes=9, memory_bytes=200.0)
    first = STRATEGIES["rand-intra-cg"](problem, rng=rng())
    limit = limits(problem, min_tokens_per_s=0, busy_margin=1, spread=False)
    more = add_copies(problem, limit, first, standbys=0, copies=2, budget_bytes=np.inf)
    assert cost(problem, more).latency_s < cost(problem, first).latency_s


def test_objective_counts_tokens_that_dead_or_overloaded_hosts_would_lose(make_problem):
    problem = dataclasses.replace(make_problem(planes=9, memory_bytes=200.0), rate_per_s=10.0)
    placement = STRATEGIES["space-xnet"](problem, rng=rng())
    fine_s = objective_s(problem, placement)
    assert fine_s < 1.0
    host = placement.expert[2, 1]
    dead = dataclasses.replace(problem, memory_bytes=np.where(np.arange(72) == host, 0.0, 200.0))
    assert objective_s(dead, placement) > fine_s + 10 * 0.9 * problem.activation[2, 1]
    weak = dataclasses.replace(
        problem, busy_limit=np.where(np.arange(72) == host, 0.01, 1.0), rate_per_s=10.0
    )
    asked = 10.0 * problem.activation[2, 1] * problem.expert_s
    lost = (1 - 0.01 / asked) * problem.activation[2, 1]
    assert objective_s(weak, placement) == pytest.approx(fine_s + 10 * lost, rel=1e-9)


def force(problem, placement, dead):
    memory = problem.memory_bytes.copy()
    memory[dead] = 0.0
    return dataclasses.replace(problem, memory_bytes=memory, current=placement)


@pytest.mark.parametrize("strategy", ["space-xnet", "joint", "replicated"])
def test_repair_moves_what_has_to_move_and_nothing_else(strategy, make_problem):
    problem = make_problem(planes=9, memory_bytes=200.0)
    placement = STRATEGIES[strategy](problem, rng=rng())
    dead = [int(placement.gateway[3]), int(placement.expert[5, 0])]
    posed = force(problem, placement, dead)
    mended = repair(posed)
    check(posed, mended)
    hosts = np.concatenate([mended.gateways.ravel(), mended.copies.ravel()])
    assert not np.isin(hosts, dead).any()
    assert mended.gateways.shape == placement.gateways.shape
    assert mended.copies.shape == placement.copies.shape
    moves = migration(problem, placement, mended)
    lost = np.isin(placement.gateways, dead).sum() + np.isin(placement.copies, dead).sum()
    assert len(moves.target) == lost
    untouched = ~np.isin(placement.copies, dead).any(axis=2)
    np.testing.assert_array_equal(mended.expert[untouched], placement.expert[untouched])


def test_a_standby_takes_over_in_a_repair(make_problem):
    problem = make_problem(planes=9, memory_bytes=200.0)
    placement = STRATEGIES["replicated"](problem, rng=rng())
    posed = force(problem, placement, [int(placement.gateway[0])])
    assert repair(posed).gateway[0] == placement.standby[0, 0]


def test_repair_takes_load_off_a_satellite_that_power_leaves_no_time(make_problem):
    problem = make_problem(planes=9, memory_bytes=200.0)
    placement = STRATEGIES["packed"](problem, rng=rng())
    busiest = int(np.bincount(placement.expert.ravel()).argmax())
    limit = np.where(np.arange(72) == busiest, 0.3, 1.0)
    share = problem.activation[placement.expert == busiest].sum() * problem.expert_s
    problem = dataclasses.replace(
        problem, busy_limit=limit, rate_per_s=0.5 / share, current=placement
    )
    mended = repair(problem)
    left = problem.activation[mended.expert == busiest].sum() * problem.expert_s
    assert left * problem.rate_per_s <= 0.9 * 0.3 * (1 + 1e-6)
    assert (mended.expert == busiest).any()  # not more than needed


def test_repair_goes_far_where_nobody_near_has_power_to_spare(make_problem):
    problem = make_problem(planes=40, memory_bytes=200.0)
    placement = STRATEGIES["space-xnet"](problem, rng=rng())
    lit = problem.plane >= 38  # a hundred and more satellites away from the ring
    assert not lit[placement.expert].any()
    rate = 0.05 / (problem.expert_s * problem.activation.min())  # the least takes a twentieth
    problem = dataclasses.replace(
        problem, busy_limit=np.where(lit, 1.0, 0.02), rate_per_s=rate,
        current=placement,
    )  # fmt: skip
    mended = repair(problem)
    check(problem, mended)
    assert lit[mended.expert].all()
    np.testing.assert_array_equal(mended.gateway, placement.gateway)


def test_repair_says_when_there_is_no_room(make_problem):
    problem = make_problem(planes=5, memory_bytes=30.0)
    placement = STRATEGIES["space-xnet"](problem, rng=rng())
    with pytest.raises(InputError, match="no room"):
        repair(force(problem, placement, list(range(12))))  # 28 places for 32 experts


def test_migration_counts_hosts_not_the_order_of_copies():
    gateway = np.array([0, 1], np.int32)
    old = Placement(
        gateway=gateway,
        expert=np.array([[2, 3], [4, 5]], np.int32),
        replica=np.array([[[6], [-1]], [[-1], [7]]], np.int32),
    )
    new = Placement(
        gateway=gateway,
        expert=np.array([[6, 3], [4, 8]], np.int32),
        replica=np.array([[[2], [9]], [[-1], [-1]]], np.int32),
    )

    class Sizes:
        gateway_bytes, expert_bytes = 10.0, 3.0

    moves = migration(Sizes, old, new)
    rows = zip(moves.layer.tolist(), moves.expert.tolist(), moves.target.tolist(), strict=True)
    assert sorted(rows) == [(0, 1, 9), (1, 1, 8)]
    assert moves.total_bytes == 6.0
