import numpy as np
import pytest

from agents.service import Cause, Service, hindrance
from placement.problem import Placement
from twin.moe.latency import ComputeTimes

STEP_S = 10.0
PLACEMENT = Placement(
    gateway=np.array([0, 1], np.int32), expert=np.array([[2, 3, 4], [5, 6, 7]], np.int32)
)
PATHS_S = np.full((2, 3), 0.01)
COMPUTE = ComputeTimes(expert_s=0.5, gateway_s=np.array([0.1, 0.0]))
ALL_ON = np.ones(8, bool)
PLENTY = np.full(8, 100.0)


def tokens(*pairs) -> np.ndarray:
    """Tokens that need the same two experts in both layers."""
    return np.array([[pair, pair] for pair in pairs], np.int32)


def causes(choices, **changes):
    given = {"paths_s": PATHS_S, "powered": ALL_ON, "budget_s": PLENTY} | changes
    found = hindrance(
        choices, PLACEMENT, given["paths_s"], given["powered"], COMPUTE, given["budget_s"]
    )
    return [Cause(c) for c in found]


def without(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


def test_nothing_hinders_a_token_where_all_is_well():
    assert causes(tokens((0, 1), (1, 2))) == [Cause.NONE] * 2


def test_a_dead_host_hinders_those_who_need_it():
    dark = without(ALL_ON, 3, False)  # expert 1 of layer 0
    assert causes(tokens((0, 1), (0, 2), (1, 2)), powered=dark) == [
        Cause.DEAD,
        Cause.NONE,
        Cause.DEAD,
    ]


@pytest.mark.parametrize("gateway", [0, 1])
def test_a_dead_gateway_hinders_everybody(gateway):
    dark = without(ALL_ON, gateway, False)
    assert causes(tokens((0, 1), (0, 2)), powered=dark) == [Cause.DEAD] * 2


def test_a_missing_path_is_unreachable_unless_the_host_is_dead():
    paths_s = without(PATHS_S, (1, 2), np.inf)
    assert causes(tokens((0, 1), (0, 2)), paths_s=paths_s) == [Cause.NONE, Cause.UNREACHABLE]
    dark = without(ALL_ON, 7, False)
    assert causes(tokens((0, 2)), paths_s=paths_s, powered=dark) == [Cause.DEAD]


def test_who_comes_first_is_served_and_the_refused_take_no_time():
    # Satellite 2 (expert 0 of layer 0) has time for two tokens.
    budget_s = without(PLENTY, 2, 1.1)
    found = causes(tokens((0, 1), (0, 2), (0, 1), (1, 2)), budget_s=budget_s)
    assert found == [Cause.NONE, Cause.NONE, Cause.REFUSED, Cause.NONE]
    # A token that fails later leaves the time it had taken before to others.
    budget_s = without(budget_s, 6, 0.4)  # expert 1 of layer 1 has time for none
    found = causes(tokens((0, 1), (0, 2), (0, 2)), budget_s=budget_s)
    assert found == [Cause.REFUSED, Cause.NONE, Cause.NONE]


def test_a_gateway_turns_away_what_it_has_no_time_for():
    found = causes(tokens((0, 1), (0, 2)), budget_s=without(PLENTY, 0, 0.15))
    assert found == [Cause.NONE, Cause.REFUSED]


def test_a_token_is_tried_again_as_often_as_the_rule_says_and_then_lost():
    drawn = tokens((0, 1), (1, 2))
    service = Service(lambda p, n, rng: drawn[:n], retries=2)
    rng = np.random.default_rng(0)
    lost, waits = [], []
    for step in range(5):
        origin = np.array([7, 8] if step == 0 else [], np.int64)
        choices, origins = service.present(origin, np.empty(0), rng)
        # The first token is hindered always, the second in the first step only.
        cause = np.where(origins == 7, Cause.DEAD, Cause.NONE).astype(np.uint8)
        if step == 0:
            cause[:] = Cause.UNREACHABLE
        result = service.serve(PATHS_S, PLACEMENT, COMPUTE, cause, STEP_S)
        lost.append(result.lost.tolist())
        waits.append(result.waited_s[result.served].tolist())
        assert len(result.latency.total_s) == result.served.sum()
        assert result.asked + result.retried == len(choices)
    assert waits == [[], [STEP_S], [], [], []]
    assert lost[2][Cause.DEAD] == 1  # asked at step 0, tried again at 1 and 2
    assert np.sum(lost) == 1
