"""Expected waiting in the objective: by hand, by queueing theory, and what searches do of it."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binom

from placement.cost import busy_s, objective_s
from placement.filling import limits
from placement.problem import Placement
from placement.strategies.table import STRATEGIES
from placement.waiting import OVERLOADED_S, rungs, waiting_s
from twin.errors import InputError


def two_satellites(make_problem, **changes):
    """Two layers of two experts that every token needs: gateways on 0 and 1, one expert on 1."""
    problem = make_problem(planes=2, slots=3, layers=2, experts=2, snapshots=1, down=0.0)
    usual = {"waiting": True, "rate_per_s": 20.0}
    placement = Placement(
        gateway=np.array([0, 1], np.int32), expert=np.array([[0, 0], [0, 1]], np.int32)
    )
    return dataclasses.replace(problem, **(usual | changes)), placement


def waits(problem, placement):
    return waiting_s(problem, placement.gateway, placement.expert)


def test_waiting_by_hand_on_two_satellites(make_problem):
    problem, placement = two_satellites(make_problem)
    # Gateways take 10 ms, experts 4 ms: 0 has one and three of them, 1 has one of each.
    on_0 = 20 * (1e-4 + 3 * 1.6e-5) / (2 * (1 - 20 * 0.022))
    on_1 = 20 * (1e-4 + 1.6e-5) / (2 * (1 - 20 * 0.014))
    assert waits(problem, placement) == pytest.approx([on_0, on_1, 0, 0, 0, 0], rel=1e-12)
    # Both gateways wait, and so does each layer for its slowest: ways through 0 and 1 are equal.
    alone = dataclasses.replace(problem, waiting=False)
    more_s = objective_s(problem, placement) - objective_s(alone, placement)
    assert more_s == pytest.approx(on_0 + on_1 + 2 * on_0, rel=1e-9)


def test_faster_satellites_and_the_lm_head_count(make_problem):
    problem, placement = two_satellites(make_problem, speed=np.array([1.0, 2, 1, 1, 1, 1]))
    on_1 = 20 * (2.5e-5 + 4e-6) / (2 * (1 - 20 * 0.007))
    assert waits(problem, placement)[1] == pytest.approx(on_1, rel=1e-12)
    headed = dataclasses.replace(problem, head_s=0.03, head_share=0.25)
    on_0 = (20 * (1e-4 + 3 * 1.6e-5) + 5 * 9e-4) / (2 * (1 - 20 * 0.022 - 5 * 0.03))
    assert waits(headed, placement)[0] == pytest.approx(on_0, rel=1e-12)
    more_s = objective_s(headed, placement) - objective_s(problem, placement)
    difference_s = on_0 - waits(problem, placement)[0]
    assert more_s == pytest.approx(3 * difference_s + 0.25 * on_0, rel=1e-9)


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.8, 0.9])
def test_a_gateway_by_itself_is_md1(make_problem, rho):
    problem, _ = two_satellites(make_problem, rate_per_s=rho / 0.01)
    apart = Placement(gateway=np.array([0, 1], np.int32), expert=np.full((2, 2), 5, np.int32))
    mean_s = waits(problem, apart)[:2]
    assert mean_s == pytest.approx([rho * 0.01 / (2 * (1 - rho))] * 2, rel=1e-9)


def test_chunks_are_pieces_of_work_as_large_as_their_tokens(make_problem):
    chunk, rate = 16, 10.0
    problem = make_problem(planes=2, slots=3, layers=1, experts=4, down=0.0)
    problem = dataclasses.replace(
        problem, waiting=True, rate_per_s=rate, group_tokens=float(chunk), stage_s=np.full(1, 0.02)
    )
    placement = Placement(gateway=np.zeros(1, np.int32), expert=np.array([[1, 2, 3, 4]], np.int32))
    found = waits(problem, placement)
    whole_s = chunk * 0.02
    assert found[0] == pytest.approx((rate / chunk) * whole_s**2 / (2 * (1 - rate * 0.02)))
    chosen = np.arange(chunk + 1)
    for e, satellite in enumerate(placement.expert[0]):
        share = problem.activation[0, e]
        square = (binom.pmf(chosen, chunk, share) * (chosen * 0.004) ** 2).sum()
        expected = (rate / chunk) * square / (2 * (1 - rate * share * 0.004))
        assert found[satellite] == pytest.approx(expected, rel=1e-9)


def test_no_rate_is_the_objective_without_waiting_to_the_bit(make_problem):
    problem = dataclasses.replace(make_problem(), waiting=True, head_s=0.1, head_share=1.0)
    plain = dataclasses.replace(problem, waiting=False)
    for name in ("joint", "space-xnet", "rand-place"):
        placement = STRATEGIES[name](problem, rng=np.random.default_rng(3))
        assert placement == STRATEGIES[name](plain, rng=np.random.default_rng(3))
        assert objective_s(problem, placement) == objective_s(plain, placement)


def test_waiting_grows_with_the_rate_and_overload_is_worse_than_any_wait(make_problem):
    problem, placement = two_satellites(make_problem)
    full = 1 / 0.022
    rates = full * np.array([0.1, 0.5, 0.9, 0.999, 1 - 1e-16, 1.0, 1.5, 2.0])
    found = [waits(dataclasses.replace(problem, rate_per_s=rate), placement)[0] for rate in rates]
    assert (np.diff(found) >= 0).all()
    assert found[3] < 100 < OVERLOADED_S == pytest.approx(found[5])
    assert found[-2:] == pytest.approx([1.5 * OVERLOADED_S, 2 * OVERLOADED_S])


def busiest(problem, placement):
    return float(busy_s(problem, placement, problem.demand_s).max()) * problem.rate_per_s


def test_what_is_overloaded_is_taken_only_where_all_is(make_problem):
    problem, crowded = two_satellites(make_problem, rate_per_s=50.0)
    spread = Placement(
        gateway=np.array([0, 1], np.int32), expert=np.array([[0, 3], [1, 4]], np.int32)
    )
    far = dataclasses.replace(problem, weight_s=problem.weight_s * 100)
    assert busiest(far, crowded) > 1 > busiest(far, spread)
    plain = dataclasses.replace(far, waiting=False)
    assert objective_s(plain, crowded) < objective_s(plain, spread)
    assert objective_s(far, crowded) > objective_s(far, spread)
    # Both overloaded: the less so is better.
    worse = dataclasses.replace(far, rate_per_s=200.0)
    assert busiest(worse, spread) > 1
    assert objective_s(worse, crowded) > objective_s(worse, spread)


def hosts(placement):
    return len(np.unique(np.concatenate([placement.gateway, placement.expert.ravel()])))


def test_joint_spreads_out_as_the_rate_rises(make_problem):
    problem = make_problem(memory_bytes=1000.0, down=0.0)
    problem = dataclasses.replace(problem, waiting=True)
    used, longest_s = [], []
    for rate in (0.0, 0.5, 2.0, 8.0, 32.0):
        asked = dataclasses.replace(problem, rate_per_s=rate)
        placement = STRATEGIES["joint"](asked, rng=np.random.default_rng(0))
        used.append(hosts(placement))
        longest_s.append(objective_s(asked, placement))
        plain = STRATEGIES["joint"](
            dataclasses.replace(asked, waiting=False), rng=np.random.default_rng(0)
        )
        assert objective_s(asked, placement) <= objective_s(asked, plain)
    assert used == sorted(used)
    assert used[0] <= 2
    assert used[-1] >= 8
    assert used[0] <= 2
    assert used[-1] >= 8
    assert longest_s == sorted(longest_s)


@pytest.mark.parametrize(
    "name", ["joint", "local-search", "energy-aware", "sun-tracking", "replicated"]
)
def test_strategies_that_search_for_rings_look_at_waiting(make_problem, name):
    problem = dataclasses.replace(
        make_problem(memory_bytes=1000.0, down=0.0), waiting=True, rate_per_s=4.0
    )
    plain = dataclasses.replace(problem, waiting=False)
    strategy = STRATEGIES.build(name, {"moves": 200} if name == "local-search" else {})
    looks, not_ = (strategy(p, rng=np.random.default_rng(0)) for p in (problem, plain))
    assert objective_s(problem, looks) < 0.8 * objective_s(problem, not_)


def test_rungs_keep_satellites_less_and_less_busy(make_problem):
    problem = dataclasses.replace(make_problem(), waiting=True, rate_per_s=10.0)
    limit = limits(problem, min_tokens_per_s=0.0, busy_margin=0.8, spread=False)
    busy = [rung.capacity[0, 2] * 10.0 for rung in rungs(problem, limit)[1:]]
    assert busy[0] == pytest.approx(0.95)
    assert busy[-1] == pytest.approx(10.0 * 0.01)  # a gateway by itself
    assert busy == sorted(busy, reverse=True)
    plain = dataclasses.replace(problem, waiting=False)
    assert rungs(plain, limit) == [limit]


def test_exact_does_not_know_waiting(make_problem):
    small = make_problem(planes=2, slots=3, layers=2, experts=2)
    with pytest.raises(InputError, match=r"exact: .* placement\.waiting must be 'none'"):
        STRATEGIES["exact"](dataclasses.replace(small, waiting=True), rng=np.random.default_rng(0))
