"""More than can be served: who leaves, is dropped or refused; and how often one is overtaken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueing import MANY, system
from test_engine_invariants import assert_all_is_given_back, ring, serve

from agents.model import TwinModel
from agents.request_rows import request_rows
from twin.report.scenario import scenario_table
from twin.scenario import loader
from twin.vocabulary import Cause

SERVICE_S, LIMIT_S = 1.0, 3.3


def one_by_one(at_s, *, whole):
    """Who is served, and when, by one server first come first served.

    `whole`: a request has `LIMIT_S` for its service too, not only to begin it; one that runs out of
    time in service keeps the server to its end.
    """
    free_s, ends_s = 0.0, np.full(len(at_s), np.nan)
    for i, t_s in enumerate(at_s):
        start_s = max(free_s, t_s)
        if start_s >= t_s + LIMIT_S:
            continue
        free_s = start_s + SERVICE_S
        if not whole or free_s <= t_s + LIMIT_S:
            ends_s[i] = free_s
    return ends_s


def overloaded(seed=0):
    return np.cumsum(np.random.default_rng(seed).exponential(SERVICE_S / 1.4, 3000))


@pytest.mark.parametrize("most_running", [1, MANY])
@pytest.mark.parametrize("micro", [0, 1])
def test_users_leave_when_their_patience_is_over(most_running, micro):
    """In the line as at a satellite: no work is begun for a user who has left."""
    engine = system(
        gateway=SERVICE_S, patience_s=LIMIT_S, most_running=most_running, micro=micro,
        service_tokens=1,
    )  # fmt: skip
    at_s = overloaded()
    done = serve(engine, at_s, 1, 1)
    expected = one_by_one(at_s, whole=True)
    np.testing.assert_allclose(done["last_s"], expected, rtol=0, atol=1e-9)
    left = np.isnan(expected)
    assert 0.2 < left.mean() < 0.9
    np.testing.assert_array_equal(done["cause"], np.where(left, Cause.IMPATIENT, Cause.NONE))
    assert_all_is_given_back(engine)


def test_requests_that_are_late_while_they_wait_are_dropped():
    engine = system(gateway=SERVICE_S, drop_s=LIMIT_S, most_running=1)
    at_s = overloaded(1)
    done = serve(engine, at_s, 1, 1)
    expected = one_by_one(at_s, whole=False)
    np.testing.assert_allclose(done["last_s"], expected, rtol=0, atol=1e-9)
    dropped = np.isnan(expected)
    np.testing.assert_array_equal(done["cause"], np.where(dropped, Cause.TOO_LATE, Cause.NONE))
    assert (done["last_s"] - at_s)[~dropped].max() > LIMIT_S
    assert_all_is_given_back(engine)


def test_a_user_with_a_first_token_stays():
    engine = system(gateway=SERVICE_S, patience_s=1.5)
    done = serve(engine, np.array([0.0]), 1, 40)
    assert done["cause"][0] == Cause.NONE
    assert done["last_s"][0] == pytest.approx(40.0)
    # The same token, but it is a second more on its way down.
    engine = system(gateway=SERVICE_S, patience_s=1.5)
    engine.step["exit_s"][:] = 1.0
    row = serve(engine, np.array([0.0]), 1, 40)[0]
    assert row["cause"] == Cause.IMPATIENT
    assert row["first_s"] == 2.0
    assert row["made"] == 1  # left at 1.5 s


def test_who_finds_the_line_full_is_refused():
    engine = system(gateway=SERVICE_S, most_running=1, queue_most=2)
    done = serve(engine, np.arange(6) * 0.1, 1, 1)
    full = done["cause"] == Cause.QUEUE_FULL
    np.testing.assert_array_equal(np.flatnonzero(full), [3, 4, 5])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    blocks=st.integers(8, 100),
    micro=st.booleans(),
    one_class=st.booleans(),
    patience_s=st.sampled_from([0.0, 0.3, 3.0]),
    drop_s=st.sampled_from([0.0, 0.5, 2.0]),
    most_running=st.integers(1, 40),
    queue_most=st.integers(1, 40),
    service_tokens=st.sampled_from([1, 50, MANY]),
    chunk=st.integers(1, 200),
)
def test_nothing_is_lost_or_stuck_whatever_is_given_up(seed, **rules):
    rng = np.random.default_rng(seed)
    prompt, output = rng.integers(1, 150, 80), rng.integers(1, 60, 80)
    at_s = np.sort(rng.uniform(0, 20, 80))
    engine = ring(layers=3, experts=3, **rules)
    done = serve(engine, at_s, prompt, output)
    assert_all_is_given_back(engine)
    assert len(done) == 80
    too_long = -(-(prompt + output - 1) // 16) > rules["blocks"]
    np.testing.assert_array_equal(done["cause"] == Cause.TOO_LONG, too_long)
    served = done["cause"] == Cause.NONE
    np.testing.assert_array_equal(done["made"][served], output[served])
    if not rules["drop_s"]:
        assert not (done["cause"] == Cause.TOO_LATE).any()
    if rules["patience_s"]:
        in_time = done["first_s"] - at_s <= rules["patience_s"]
        assert in_time[served].all()
    # Little's law, with all that came in.
    inside_s = engine.state.core["inside_s"][0]
    assert inside_s >= (done["last_s"] - done["came_s"])[served].sum() * (1 - 1e-9)


def rounds(prompt, chunk):
    return -(-prompt // chunk)


@pytest.mark.parametrize("order", ["oldest", "decode-first", "prefill-first"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_overtaking_has_a_bound(order, seed):
    """A prompt is passed by later ones only where it goes in chunks, by the others let in at most.

    At each of its chunks, at each layer, those beside it can each have a chunk served before it.
    """
    rng = np.random.default_rng(seed)
    count, running, layers, chunk = 400, 12, 4, 32
    prompt = np.where(rng.random(count) < 0.1, 600, rng.integers(1, 40, count))
    at_s = np.sort(rng.uniform(0, 60, count))  # several times what can be served
    engine = ring(
        layers=layers, experts=4, blocks=MANY, most_running=running, chunk=chunk,
        one_class=order == "oldest", first_class=order == "prefill-first", service_tokens=64,
    )  # fmt: skip
    done = serve(engine, at_s, prompt, rng.integers(1, 30, count))
    assert_all_is_given_back(engine)
    assert (np.diff(done["admitted_s"]) >= 0).all()
    passed = [(done["first_s"][i:] < first_s).sum() for i, first_s in enumerate(done["first_s"])]
    assert (passed <= rounds(prompt, chunk) * (running - 1)).all()
    assert max(passed) > 1
    assert (done["admitted_s"] - at_s).max() > 100.0


def test_memory_that_shrinks_refuses_what_waits_and_would_never_fit():
    """A long request at the head of the line would keep all behind it waiting for ever."""
    engine = ring(layers=3, experts=3, blocks=20, most_running=1)
    asked = {
        "number": np.arange(3), "site": np.zeros(3, int), "asked_s": np.zeros(3),
        "prompt": np.array([100, 300, 50]), "output": np.array([3, 3, 3]),
    }  # fmt: skip
    engine.add(asked, np.array([0.0, 0.1, 0.2]))
    engine.advance(0.3)
    engine.state.instances["all_blocks"] -= 10
    engine.state.instances["blocks"] -= 10
    state = engine.state
    engine.change(
        satellite=state.parts["satellite"].copy(),
        forward_s=np.zeros(len(state.parts)),
        speed=state.satellites["speed"].copy(),
        dead=np.zeros(len(state.satellites), bool),
        cache_lost=np.zeros(1, bool),
    )
    engine.advance(1e3)
    done = np.sort(engine.outcomes(), order="number")
    assert done["cause"].tolist() == [Cause.NONE, Cause.TOO_LONG, Cause.NONE]
    assert_all_is_given_back(engine)


CROWD = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.rate_per_s": 2.0,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "simulation.orbits": None,
    "simulation.step_s": 20.0,
    "simulation.steps": 15,
}


def causes_of(changes):
    model, found = TwinModel(loader.load("small", CROWD | changes)), []
    while model.running:
        model.step()
        found += request_rows(model, model.snapshot.step, model.requested)["cause"]
    return set(found), scenario_table([model.config], ["case"]).rows


@pytest.mark.parametrize(
    ("changes", "cause", "said"),
    [
        (
            {"requests.patience_s": 1.05},
            "impatient",
            ["requests.patience_s", "1.05", "a user leaves without a first token by then"],
        ),
        (
            {"serving.drop_late": True, "requests.ttft_target_s": 20.0, "serving.max_running": 5},
            "too_late",
            ["serving.drop_late", "true", "whether a request is dropped that waits"],
        ),
        (
            {"serving.max_queue": 3, "serving.max_running": 5},
            "queue_full",
            ["serving.max_queue", "3", "requests that may wait; others are refused"],
        ),
        (
            {"requests.prompt_tokens": 1e6, "compute.memory_gb": 0.05},
            "too_long",
            ["requests.prompt_tokens", "1000000", "mean"],
        ),
    ],
)
def test_a_scenario_says_who_goes_unserved(changes, cause, said):
    causes, rows = causes_of(changes)
    assert cause in causes
    field, value, about = said
    (row,) = [row for row in rows if row[0] == field]
    assert row[1] == value
    assert row[2].startswith(about)
