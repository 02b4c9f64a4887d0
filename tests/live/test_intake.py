"""Messages in any order become the same steps, and what is wrong with their times is counted."""

import numpy as np
import pytest

from twin.live.intake import AHEAD_IN_A_ROW, Intake
from twin.live.message import Counts, Message
from twin.vocabulary.live import Remark

STEP_S = 60.0
N = 24


def intake(**options):
    return Intake(N, 0, step_s=STEP_S, counts=Counts(), **options)


def message(row, t_s, sequence=-1, **more):
    return Message(row, t_s, sequence, (), **more)


def stream(minutes, n=N, clocks=None):
    """A message a satellite a minute, satellites spread over it, in the order of their times."""
    off = np.zeros(n) if clocks is None else clocks
    for k in range(minutes):
        for row in range(n):
            t_s = 60.0 * k + 50.0 * row / n
            yield t_s, message(row, t_s + off[row], k)


def closed(mine, messages):
    out = {}
    for m in messages:
        mine.take(m)
        while mine.ready():
            batch = mine.close()
            out[batch.step] = batch
    return out


def counts(mine):
    return {word: n for word, n in mine._counts.of.items() if n}


def test_steps_close_when_the_fleets_clock_has_passed_them():
    mine = intake(grace_s=30.0)
    batches = closed(mine, (m for _, m in stream(10)))
    assert list(batches) == list(range(len(batches)))
    assert len(batches) >= 8
    for batch in batches.values():
        assert [m.row for m in batch.messages] == list(range(N))
    assert counts(mine) == {Remark.TAKEN: 10 * N}
    assert mine.missing == 0


def test_order_within_the_grace_does_not_matter():
    rng = np.random.default_rng(1)
    sent = list(stream(12))
    late = sorted(sent, key=lambda one: one[0] + rng.uniform(0, 15))
    straight, shuffled = (closed(intake(), (m for _, m in some)) for some in (sent, late))
    for step in straight.keys() & shuffled.keys():
        one, other = ([(m.row, m.t_s) for m in b[step].messages] for b in (straight, shuffled))
        assert one == other


def test_doubles_go_by_number():
    mine = intake()
    twice = [copy for _, m in stream(5) for copy in (m, message(m.row, m.t_s, m.sequence))]
    closed(mine, twice)
    assert counts(mine)[Remark.DOUBLED] == 5 * N
    assert counts(mine)[Remark.TAKEN] == 5 * N


def test_doubles_without_numbers_go_by_time():
    mine = intake()
    for _ in range(2):
        mine.take(message(0, 10.0))
    assert counts(mine) == {Remark.TAKEN: 1, Remark.DOUBLED: 1}


def test_a_number_out_of_order_is_no_double_and_not_missing():
    mine = intake()
    for number, t_s in ((0, 0.0), (2, 20.0), (1, 10.0), (5, 50.0)):
        mine.take(message(0, t_s, number))
    assert counts(mine) == {Remark.TAKEN: 4, Remark.OUT_OF_ORDER: 1}
    assert mine.missing == 2


def test_a_sender_may_begin_to_count_again():
    mine = intake()
    for number, t_s in ((1000, 0.0), (1002, 10.0), (0, 20.0), (1, 30.0)):
        mine.take(message(0, t_s, number))
    assert counts(mine) == {Remark.TAKEN: 4}
    assert mine.missing == 1


def test_one_crazy_clock_does_not_move_the_fleets():
    mine = intake()
    crazy = np.zeros(N)
    crazy[0] = 1e9
    batches = closed(mine, (m for _, m in stream(10, clocks=crazy)))
    assert len(batches) >= 8
    assert mine.clock_s < 700.0
    assert counts(mine)[Remark.AHEAD] >= 9


def test_an_element_set_that_is_ahead_is_used_all_the_same():
    mine = intake()
    closed(mine, (m for _, m in stream(10)))
    mine.take(message(1, 9_000.0, tle=("1", "2")))
    mine.take(message(2, 9_000.0))
    assert counts(mine)[Remark.AHEAD] == 2
    assert [m.row for m in mine.close().late] == [1]


def test_a_clock_that_runs_ahead_is_set_right():
    mine, off = intake(), np.zeros(N)
    off[3] = 50.0
    batches = closed(mine, (m for _, m in stream(120, clocks=off)))
    (found,) = (m for m in batches[100].messages if m.row == 3)
    assert found.t_s == pytest.approx(60.0 * 100 + 50.0 * 3 / N, abs=25.0)
    assert counts(mine)[Remark.CLOCK_OFF] > 80


def test_after_a_gap_of_all_the_clock_goes_on():
    mine = intake()
    before = [m for _, m in stream(5)]
    after = [message(m.row, m.t_s + 7200.0, m.sequence + 5) for m in before]
    batches = closed(mine, [*before, *after])
    assert max(batches) >= 120
    assert counts(mine)[Remark.AHEAD] == AHEAD_IN_A_ROW - 1


def test_what_is_late_is_dropped_but_for_its_element_set():
    mine = intake()
    closed(mine, (m for _, m in stream(10)))
    mine.take(message(0, 30.0))
    mine.take(message(1, 30.0, tle=("1", "2")))
    assert counts(mine)[Remark.LATE] == 2
    assert [m.row for m in mine.close().late] == [1]


def test_it_goes_on_from_its_state():
    sent = [m for _, m in stream(20)]
    whole = intake()
    straight = closed(whole, sent[:]) | {}
    first = intake()
    done = closed(first, [message(m.row, m.t_s, m.sequence) for m in sent[:250]])
    state, _, waiting_s = first.snapshot()
    second = intake(state=state)
    waiting = [m for batch in first._waiting.values() for m in batch]
    assert sorted(m.t_s for m in waiting) == sorted(waiting_s.tolist())
    second.put_back(waiting)
    done |= closed(second, [message(m.row, m.t_s, m.sequence) for m in sent[250:]])
    assert done.keys() == straight.keys()
    for step, batch in straight.items():
        assert [(m.row, m.t_s) for m in batch.messages] == [
            (m.row, m.t_s) for m in done[step].messages
        ]
