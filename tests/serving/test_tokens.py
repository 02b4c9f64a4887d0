import numpy as np
import pytest

from twin.moe.latency import ComputeTimes
from twin.serving.admission import admit
from twin.serving.hosts import Hosts
from twin.serving.tokens import TokenQueue, nothing_waits
from twin.vocabulary import Cause

STEP_S = 10.0
PATHS_S = np.full((2, 3), 0.01)
COMPUTE = ComputeTimes(expert_s=0.5, gateway_s=np.array([0.1, 0.0]))
ALL_ON = np.ones(8, bool)
PLENTY = np.full(8, 100.0)


def tokens(*pairs) -> np.ndarray:
    """Tokens that need the same two experts in both layers."""
    return np.array([[pair, pair] for pair in pairs], np.int32)


def hosts(paths_s=PATHS_S, **changes) -> Hosts:
    """Experts of layer 0 on satellites 2 to 4, of layer 1 on 5 to 7, one copy each."""
    given = {
        "gateway": np.array([0, 1], np.int32),
        "satellite": np.array([[2, 3, 4], [5, 6, 7]], np.int32),
        "path_s": paths_s,
        "order": np.tile(np.arange(3, dtype=np.int32)[:, None], (2, 1, 1)),
        "absent": np.zeros((2, 3), bool),
    }
    return Hosts(**(given | changes))


def admitted(choices, where=None, *, up=ALL_ON, budget_s=PLENTY, gateway_cause=None):
    where = hosts() if where is None else where
    if gateway_cause is None:
        gateway_cause = np.where(up[where.gateway], 0, Cause.DEAD).astype(np.uint8)
    wanted = where.wanted(choices, COMPUTE.expert_s, speed=np.ones(8), choose_from=1)
    columns, cause = admit(choices, wanted, where, gateway_cause, up, COMPUTE, budget_s)
    return columns, [Cause(c) for c in cause]


def causes(choices, *, paths_s=PATHS_S, **given):
    return admitted(choices, hosts(paths_s), **given)[1]


def without(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


def test_nothing_hinders_a_token_where_all_is_well():
    assert causes(tokens((0, 1), (1, 2))) == [Cause.NONE] * 2


def test_a_dead_host_hinders_those_who_need_it():
    dark = without(ALL_ON, 3, False)  # expert 1 of layer 0
    assert causes(tokens((0, 1), (0, 2), (1, 2)), up=dark) == [
        Cause.DEAD,
        Cause.NONE,
        Cause.DEAD,
    ]


@pytest.mark.parametrize("gateway", [0, 1])
def test_a_dead_gateway_hinders_everybody(gateway):
    dark = without(ALL_ON, gateway, False)
    assert causes(tokens((0, 1), (0, 2)), up=dark) == [Cause.DEAD] * 2


def test_a_missing_path_is_unreachable_unless_the_host_is_dead():
    paths_s = without(PATHS_S, (1, 2), np.inf)
    assert causes(tokens((0, 1), (0, 2)), paths_s=paths_s) == [Cause.NONE, Cause.UNREACHABLE]
    dark = without(ALL_ON, 7, False)
    assert causes(tokens((0, 2)), paths_s=paths_s, up=dark) == [Cause.DEAD]


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
    service = TokenQueue(
        lambda p, n, rng, previous: drawn[:n], retries=2, state=nothing_waits(2, 2)
    )
    rng = np.random.default_rng(0)
    lost, waits = [], []
    for step in range(5):
        origin = np.array([7, 8] if step == 0 else [], np.int64)
        waiting = service.present(step, origin, np.empty(0), rng)
        choices, origins = waiting.choices, waiting.origin
        # The first token is hindered always, the second in the first step only.
        cause = np.where(origins == 7, Cause.DEAD, Cause.NONE).astype(np.uint8)
        if step == 0:
            cause[:] = Cause.UNREACHABLE
        result = service.serve(hosts(), COMPUTE, choices, cause, STEP_S)
        lost.append(result.lost.tolist())
        waits.append(result.waited_s[result.served].tolist())
        assert len(result.latency.total_s) == result.served.sum()
        assert result.asked + result.retried == len(choices)
    assert waits == [[], [STEP_S], [], [], []]
    assert lost[2][Cause.DEAD] == 1  # asked at step 0, tried again at 1 and 2
    assert np.sum(lost) == 1


TWO_COPIES = {
    # Expert 0 of layer 0 also on satellite 7, further away; columns are e * 2 + copy.
    "satellite": np.array([[2, 7, 3, 0, 4, 0], [5, 0, 6, 0, 7, 0]], np.int32),
    "order": np.tile(np.arange(6, dtype=np.int32).reshape(3, 2), (2, 1, 1)),
    "absent": np.zeros((2, 6), bool),
}
TWO_PATHS_S = np.array([[0.01, 0.02, 0.01, np.inf, 0.01, np.inf]] * 2)


def test_a_token_goes_to_the_next_copy_where_the_nearest_is_off_or_has_no_time():
    where = hosts(TWO_PATHS_S, **TWO_COPIES)
    columns, found = admitted(tokens((0, 1)), where)
    assert found == [Cause.NONE]
    assert columns[0, 0].tolist() == [0, 2]
    columns, found = admitted(tokens((0, 1)), where, up=without(ALL_ON, 2, False))
    assert found == [Cause.NONE]
    assert columns[0, 0].tolist() == [1, 2]
    # Time for one token on satellite 2 and two on 7: the fourth is refused.
    short = without(without(PLENTY, 2, 0.6), 7, 1.1)
    columns, found = admitted(tokens((0, 1), (0, 1), (0, 1), (0, 1)), where, budget_s=short)
    assert found == [Cause.NONE] * 3 + [Cause.REFUSED]
    assert columns[:3, 0, 0].tolist() == [0, 1, 1]


def test_a_thing_on_its_way_hinders_until_it_is_there():
    absent = without(np.zeros((2, 3), bool), (0, 1), True)
    where = hosts(absent=absent)
    assert admitted(tokens((0, 1), (0, 2)), where)[1] == [Cause.MOVING, Cause.NONE]
    moving = np.array([0, Cause.MOVING], np.uint8)
    assert admitted(tokens((0, 2)), gateway_cause=moving)[1] == [Cause.MOVING]
