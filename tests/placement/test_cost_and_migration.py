import numpy as np
import pytest

from placement.cost import expected_path_s, gateway_delay_s
from placement.migration import migration
from placement.problem import Placement, check
from placement.strategies.table import STRATEGIES
from twin.errors import InputError


def test_expected_path_averages_over_snapshots_where_the_path_exists(make_problem):
    problem = make_problem(snapshots=4, down=0.45, seed=3)
    gateway = np.array([0, 9, 18, 27, 36, 5, 14, 23], np.int32)
    delay_s = gateway_delay_s(problem, gateway)
    mean_s, reachable = expected_path_s(problem, gateway)
    assert len(np.unique(reachable)) > 2  # some always, some sometimes, some never
    for layer in (0, 7):
        for satellite in range(0, 40, 7):
            ways = delay_s[:, layer, satellite] + delay_s[:, (layer + 1) % 8, satellite]
            there = ways[np.isfinite(ways)]
            assert reachable[layer, satellite] == len(there) / 4
            expected = there.mean() if len(there) else np.inf
            assert mean_s[layer, satellite] == pytest.approx(expected)


def test_migration_lists_exactly_what_moves(make_problem):
    problem = make_problem()
    old = STRATEGIES["rand-intra"](problem, rng=np.random.default_rng(0))
    assert migration(problem, old, old).total_bytes == 0
    gateway, expert = old.gateway.copy(), old.expert.copy()
    gateway[2] = 39
    expert[5, 1], expert[5, 3] = expert[5, 3], expert[5, 1]
    moves = migration(problem, old, Placement(gateway=gateway, expert=expert))
    assert moves.total_bytes == problem.gateway_bytes + 2 * problem.expert_bytes
    assert list(zip(moves.layer.tolist(), moves.expert.tolist(), strict=True)) == [
        (2, -1),
        (5, 1),
        (5, 3),
    ]
    assert moves.source[0] == old.gateway[2]
    assert moves.target.tolist() == [39, expert[5, 1], expert[5, 3]]


def test_check_refuses_what_a_faulty_strategy_may_return(make_problem):
    problem = make_problem()
    good = STRATEGIES["space-xnet"](problem, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="shapes"):
        check(problem, Placement(gateway=good.gateway[:-1], expert=good.expert))
    with pytest.raises(InputError, match=r"outside 0\.\.39"):
        check(problem, Placement(gateway=good.gateway, expert=good.expert + 40))
    with pytest.raises(InputError, match="satellite 0 would need"):
        check(problem, Placement(gateway=good.gateway * 0, expert=good.expert * 0))
