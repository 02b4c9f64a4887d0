"""Policies, asked with hand-made telemetry; what they may propose is made up here."""

import numpy as np
import pytest

from placement.policies.table import POLICIES
from placement.policies.telemetry import Proposal, Telemetry
from placement.problem import Placement
from twin.errors import InputError

SOMEWHERE = Placement(gateway=np.zeros(1, np.int32), expert=np.zeros((1, 1), np.int32))


def view(**fields) -> Telemetry:
    usual = {
        "step": 16,
        "steps_since_plan": 9,
        "latency_s": 1.0,
        "planned_latency_s": 1.0,
        "promised_s": 1.0,
    }
    return Telemetry(**(usual | fields))


class Proposer:
    """Offers a repair and a fresh plan of given worth, and remembers what it was asked."""

    def __init__(self, *, repair_s=None, fresh_s=0.5, current_s=1.0, gigabytes=1.0):
        self.asked = []
        self._worth = {True: repair_s, False: fresh_s}
        self._rest = {"current_s": current_s, "moved_bytes": gigabytes * 1e9}

    def __call__(self, reason, *, repair=False, known_steps=None):
        self.asked.append((reason, repair, known_steps))
        if self._worth[repair] is None:
            return None
        return Proposal(
            reason=reason,
            placement=SOMEWHERE,
            objective_s=self._worth[repair],
            horizon_tokens=1000.0,
            free=known_steps is not None,
            **self._rest,
        )


def test_static_never_asks():
    offer = Proposer()
    assert POLICIES["static"](view(latency_s=np.inf), offer) is None
    assert not offer.asked


def test_periodic():
    periodic = POLICIES["periodic"]
    assert periodic(view(steps_since_plan=4), Proposer(), every_steps=5) is None
    assert periodic(view(steps_since_plan=5), Proposer(), every_steps=5).reason == "period"


def test_threshold_has_a_threshold_and_patience():
    threshold = POLICIES["threshold"]
    assert threshold(view(latency_s=1.14), Proposer()) is None
    assert threshold(view(latency_s=1.16), Proposer()).reason == "latency"
    assert threshold(view(latency_s=np.inf), Proposer()).reason == "unreachable"
    assert threshold(view(latency_s=np.inf, steps_since_plan=4), Proposer()) is None
    assert threshold(view(latency_s=np.nan), Proposer()) is None


def test_on_event_repairs_and_plans_anew_where_that_fails():
    on_event = POLICIES["on-event"]
    assert on_event(view(events=frozenset({"shadow"})), Proposer()) is None
    offer = Proposer(repair_s=0.7)
    found = on_event(view(events=frozenset({"fault", "shadow"})), offer)
    assert (found.objective_s, offer.asked) == (0.7, [("fault", True, None)])
    offer = Proposer(repair_s=None)
    found = on_event(view(events=frozenset({"fault"})), offer)
    assert (found.objective_s, len(offer.asked)) == (0.5, 2)
    with pytest.raises(InputError, match="unknown event 'rain'; known: brown-out"):
        on_event(view(), Proposer(), events="rain")


def test_receding_horizon_takes_the_better_of_repair_and_fresh_plan():
    policy = POLICIES["receding-horizon"]
    assert policy(view(step=40, promised_s=0.5), Proposer(repair_s=0.6)).objective_s == 0.5
    assert policy(view(), Proposer(repair_s=0.4)).objective_s == 0.4


def test_receding_horizon_moves_only_where_that_pays():
    policy = POLICIES["receding-horizon"]
    # 1000 tokens x 0.5 s are worth 5 GB at 100 token-seconds each, no more.
    assert policy(view(), Proposer(gigabytes=4.9)) is not None
    assert policy(view(), Proposer(gigabytes=5.1)) is None
    assert policy(view(), Proposer(fresh_s=0.985, gigabytes=0)) is None  # less than 2 %
    assert policy(view(), Proposer(fresh_s=None)) is None


def test_receding_horizon_plans_afresh_only_where_a_promise_is_missed_or_after_a_repair():
    offer = Proposer(repair_s=1.01)
    POLICIES["receding-horizon"](view(), offer, fresh_steps=8)
    assert [repair for _, repair, _ in offer.asked] == [True]
    offer = Proposer(repair_s=1.2)
    POLICIES["receding-horizon"](view(), offer, fresh_steps=8)
    assert [repair for _, repair, _ in offer.asked] == [True, False]
    # Repairs add up to detours.
    offer = Proposer(repair_s=1.01)
    POLICIES["receding-horizon"](view(repaired=True), offer, fresh_steps=8)
    assert [repair for _, repair, _ in offer.asked] == [True, False]


def test_receding_horizon_waits_its_turn_but_not_after_a_brown_out():
    policy = POLICIES["receding-horizon"]
    assert policy(view(step=17), Proposer()) is None
    urgent = view(step=17, events=frozenset({"brown-out"}))
    assert policy(urgent, Proposer(repair_s=0.5)).reason == "brown-out"
    assert policy(view(migrating=True), Proposer()) is None


def test_clairvoyant_asks_for_the_truth_until_it_asks_again():
    offer = Proposer(repair_s=0.9)
    assert POLICIES["clairvoyant"](view(promised_s=2.0), offer, every_steps=4).free
    assert offer.asked == [("horizon", True, 4), ("horizon", False, 4)]
    offer = Proposer()
    POLICIES["clairvoyant"](view(), offer, every_steps=0)  # as often as can be
    assert offer.asked == [("horizon", True, 1), ("horizon", False, 1)]


def test_on_event_takes_the_first_named_event_and_has_patience():
    on_event = POLICIES["on-event"]
    both = frozenset({"fault", "shadow"})
    offer = Proposer(repair_s=0.7)
    assert on_event(view(events=both), offer, events="shadow, fault").reason == "shadow"
    offer = Proposer(repair_s=0.7)
    assert on_event(view(events=both), offer, repair=False).objective_s == 0.5
    assert offer.asked == [("fault", False, None)]
    young = view(events=both, steps_since_plan=4)
    assert on_event(young, offer, hold_steps=5) is None
    assert on_event(young, offer, hold_steps=4) is not None


def test_threshold_compares_with_what_was_measured_when_planned():
    threshold = POLICIES["threshold"]
    slow = view(latency_s=2.0, planned_latency_s=1.9)
    assert threshold(slow, Proposer()) is None
    assert threshold(slow, Proposer(), relative_increase=0.05).reason == "latency"
    assert threshold(view(planned_latency_s=np.nan), Proposer()) is None


def test_receding_horizon_follows_its_hysteresis_and_its_price():
    policy = POLICIES["receding-horizon"]
    gains_a_tenth = view(promised_s=0.5, step=40)
    assert policy(gains_a_tenth, Proposer(fresh_s=0.9, gigabytes=0), min_gain=0.09) is not None
    assert policy(gains_a_tenth, Proposer(fresh_s=0.9, gigabytes=0), min_gain=0.11) is None
    # 1000 tokens x 0.1 s buy 2 GB at 50 token-seconds each.
    for gigabytes, moves in ((1.9, True), (2.1, False)):
        offer = Proposer(fresh_s=0.9, gigabytes=gigabytes)
        assert (policy(gains_a_tenth, offer, token_s_per_gb=50.0) is not None) == moves


def test_clairvoyant_pays_nothing_for_moving():
    assert POLICIES["clairvoyant"](view(), Proposer(gigabytes=1e9)) is not None


def test_threshold_watches_times_to_first_token_and_the_queue():
    threshold = POLICIES["threshold"]

    def asked(*, ttft_s=None, queue=None, ttft=np.nan, **seen):
        now = view(serves_requests=True, ttft_s=ttft, **seen)
        found = threshold(now, Proposer(), ttft_s=ttft_s, queue=queue)
        return None if found is None else found.reason

    assert asked(ttft_s=5.0, ttft=5.0) is None
    assert asked(ttft_s=5.0, ttft=5.1) == "ttft"
    assert asked(ttft_s=5.0, ttft=np.nan) is None  # nothing is known
    assert asked(ttft_s=5.0, ttft=5.1, steps_since_plan=4) is None
    assert asked(ttft=1e9, queued=10**6) is None  # not watched
    assert asked(queue=3, queued=3) is None
    assert asked(queue=3, queued=4) == "queue"
    assert asked(queue=0, queued=1) == "queue"
    assert asked(queue=3, queued=4, ttft_s=5.0, ttft=9.0, latency_s=2.0) == "latency"


@pytest.mark.parametrize("params", [{"ttft_s": 5.0}, {"queue": 3}])
def test_threshold_cannot_watch_requests_where_there_are_none(params):
    name = next(iter(params))
    with pytest.raises(
        InputError, match=rf"{name} of policy 'threshold' .* serving\.mode 'requests'"
    ):
        POLICIES["threshold"](view(), Proposer(), **params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ttft_s": -1.0}, "ttft_s must be a number from 0.0 to"),
        ({"ttft_s": "soon"}, "ttft_s must be a number"),
        ({"queue": 2.5}, "queue must be an integer from 0 to"),
        ({"queue": True}, "queue must be a number"),
    ],
)
def test_what_threshold_is_to_watch_is_checked(params, message):
    with pytest.raises(InputError, match=message):
        POLICIES.build("threshold", params)
