"""Closed loops: users who ask again after each answer, held against bounds and exact answers."""

import heapq

import numpy as np
import pytest
from queueing import system

from agents.model import TwinModel
from twin.scenario import loader
from twin.scenario.serving import MAX_USERS
from twin.serving.engine.draws import uniform
from twin.serving.engine.records import FREE, THINKING
from twin.vocabulary import Cause
from twin.world import state as states

SEED = 3


def closed(engine, users, *, think_s, fixed=0, output=1, since_s=None):
    """Let users ask again and again; prompts of one token, answers of `output`."""
    engine.set(
        users=users, users_seed=SEED, think_s=think_s, think_fixed=fixed,
        prompt_mean=1.0, output_mean=float(output),
    )  # fmt: skip
    engine.add_users(0, np.zeros(users, int), np.zeros(users) if since_s is None else since_s)
    return engine


def served_until(engine, end_s, steps=1):
    """Outcomes by number, times since the start, with the engine advanced step by step."""
    found, step_s = [], end_s / steps
    for step in range(steps):
        engine.advance(step_s)
        rows = engine.outcomes()
        for name in ("asked_s", "came_s", "admitted_s", "first_s", "last_s"):
            rows[name] += step * step_s
        found.append(rows)
        engine.state.shift(step_s)
    return np.sort(np.concatenate(found), order="number")


def one_server(users, think_s, service_s, end_s):
    """The same in a few lines: one queue, users who think for the times that are theirs."""

    def thinks_s(number):
        return -think_s * np.log(1.0 - uniform(np.uint64(SEED), number, 0, 0, 0))

    asks = [(thinks_s(user), user) for user in range(users)]
    heapq.heapify(asks)
    rows, free_s = [], 0.0
    while asks[0][0] < end_s:
        asked_s, number = heapq.heappop(asks)
        free_s = max(free_s, asked_s) + service_s
        rows.append((number, asked_s, free_s))
        heapq.heappush(asks, (free_s + thinks_s(number + MAX_USERS), number + MAX_USERS))
    return sorted(row for row in rows if row[2] < end_s)


@pytest.mark.parametrize("steps", [1, 7, 500])
def test_users_of_one_server_ask_when_an_independent_model_says(steps):
    engine = closed(system(gateway=1.0, micro=1), 6, think_s=4.0)
    done = served_until(engine, 3000.0, steps)
    number, asked_s, last_s = zip(*one_server(6, 4.0, 1.0, 3000.0), strict=True)
    np.testing.assert_array_equal(done["number"], number)
    np.testing.assert_allclose(done["asked_s"], asked_s, rtol=0, atol=1e-9)
    np.testing.assert_allclose(done["last_s"], last_s, rtol=0, atol=1e-9)
    assert (engine.state.requests["phase"] != FREE).sum() == 6


def test_exponential_users_and_server_are_the_machine_repairman():
    """M/M/1//N: P(n) ~ N!/(N-n)! (think rate / service rate)^n; throughput is 1 - P(0)."""
    users, ratio = 5, 1 / 3.0
    weight = np.cumprod([1.0, *(ratio * (users - np.arange(users)))])
    expected = 1 - weight[0] / weight.sum()
    rates = []
    for seed in range(20):
        engine = system(gateway=1.0, micro=1, exponential=1, seed=seed)
        engine = closed(engine, users, think_s=3.0)
        engine.set(users_seed=seed)
        done = served_until(engine, 5000.0)
        rates.append((done["last_s"] > 200).sum() / 4800)
    error = np.std(rates, ddof=1) / np.sqrt(20)
    assert abs(np.mean(rates) - expected) < 3 * error


STAGES = np.array([0.1, 0.02, 0.05, 0.03])
ROUND_S = STAGES.sum() + 8 * 0.03
THINK_S = 0.4


def rate_of_ring(users):
    """Requests a second, and their mean time in the ring, once it has settled."""
    engine = system(layers=4, gateway=STAGES, ways=0.03, service_tokens=1)
    since_s = np.linspace(-THINK_S, 0, users, endpoint=False)
    closed(engine, users, think_s=THINK_S, fixed=1, since_s=since_s)
    done = served_until(engine, 400.0)
    late = done[done["last_s"] > 100.0]
    return len(late) / 300.0, (late["last_s"] - late["asked_s"]).mean()


@pytest.mark.parametrize("users", [1, 2, 4, 7, 8, 9, 16, 40])
def test_the_deterministic_ring_is_at_its_bounds_but_for_the_knee(users):
    """Knee at (0.44 + 0.4) / 0.1 = 8.4 users; away from it the bounds are reached."""
    rate, stay_s = rate_of_ring(users)
    most = min(users / (ROUND_S + THINK_S), 1 / STAGES.max())
    least_s = max(ROUND_S, users * STAGES.max() - THINK_S)
    assert rate <= most * (1 + 1 / 300)  # one request more or less at the window's ends
    assert stay_s >= least_s * (1 - 1e-9)
    assert rate == pytest.approx(most, rel=0.005)
    assert stay_s == pytest.approx(least_s, rel=0.01)
    # Little's law over users who think and users who wait.
    assert rate * (stay_s + THINK_S) == pytest.approx(users, rel=0.005)


def test_users_do_not_change_each_other():
    few = served_until(closed(system(), 3, think_s=5.0), 500.0)
    many = served_until(closed(system(), 9, think_s=5.0), 500.0)
    same = many[many["number"] % MAX_USERS < 3]
    np.testing.assert_array_equal(few["number"], same["number"])
    np.testing.assert_allclose(few["asked_s"], same["asked_s"], rtol=0, atol=1e-9)


def test_who_is_refused_or_unserved_asks_again():
    engine = closed(system(gateway=1.0, micro=1, queue_most=1, most_running=1), 6, think_s=0.5)
    done = served_until(engine, 200.0)
    refused = done["cause"] != Cause.NONE
    assert 50 < refused.sum() < len(done) - 150
    assert (engine.state.requests["phase"] != FREE).sum() == 6
    engine = closed(system(gateway=1.0), 4, think_s=5.0)
    engine.step["entry_s"][:] = np.inf
    done = served_until(engine, 200.0)
    assert (done["cause"] == Cause.UNSERVED).all()
    assert len(done) == pytest.approx(4 * 200 / 5, rel=0.3)


def test_users_who_are_fewer_from_some_time_on_ask_no_more():
    engine = closed(system(gateway=0.1), 8, think_s=1.0)
    served_until(engine, 50.0)
    engine.set(users=3)
    served_until(engine, 50.0)
    rows = engine.state.requests
    assert set(rows["user"][rows["phase"] != FREE]) == {0, 1, 2}


LOOP = {
    "serving.mode": "requests",
    "requests.arrivals": "closed",
    "requests.users": 12,
    "requests.think_s": 20.0,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "serving.chunk_tokens": 8,
    "compute.accounting": "full",
    "compute.gflops": 1.0,
}


@pytest.mark.parametrize("think", ["exponential", "fixed"])
def test_the_length_of_a_step_changes_nothing_while_the_topology_is_frozen(think):
    frozen = LOOP | {
        "placement.strategy": "single-satellite",
        "simulation.orbits": None,
        "requests.think": think,
    }
    ends = []
    for step_s, steps in ((5.0, 120), (300.0, 2)):
        length = {"simulation.step_s": step_s, "simulation.steps": steps}
        model, found = TwinModel(loader.load("small", frozen | length)), []
        while model.running:
            model.step()
            rows = model.requested.ended
            rows["last_s"] += model.snapshot.instant.t_s
            found.append(rows)
        ends.append(np.sort(np.concatenate(found), order="number"))
    one, other = ends
    assert len(one) > 100
    for name in ("number", "prompt", "output"):
        np.testing.assert_array_equal(one[name], other[name])
    np.testing.assert_allclose(one["last_s"], other["last_s"], rtol=0, atol=1e-9)


def test_a_copy_goes_on_alike_and_saves_alike(tmp_path):
    changes = {"ground.users": "cities", "ground.minimum_elevation_deg": 10.0}
    model = TwinModel(loader.load("small", LOOP | changes))
    for _ in range(10):
        model.step()
    rows = model.requests.state.engine.requests
    assert (rows["phase"] == THINKING).any()
    assert (rows["phase"] != FREE).sum() == 12
    states.write(tmp_path / "state", model.state, note={})
    read = states.read(tmp_path / "state", type(model.state))
    other = TwinModel(model.config, state=read)
    for _ in range(10):
        model.step()
        other.step()
        assert states.equal(model.state, other.state)
        assert model.requested.ended.tobytes() == other.requested.ended.tobytes()


@pytest.mark.parametrize("batching", ["continuous", "micro-batch"])
def test_no_user_is_lost_where_everything_else_is(batching):
    """Faults, links that break, hand-over, patience, deadlines and a short line, and a drain."""
    changes = LOOP | {
        "serving.batching": batching,
        "serving.max_running": 12,
        "serving.max_queue": 6,
        "workload.retries": 0,
        "serving.drop_late": True,
        "requests.ttft_target_s": 3.0,
        "requests.patience_s": 20.0,
        "requests.users": 60,
        "requests.think_s": 5.0,
        "requests.drain_s": 1500.0,
        "compute.gflops": 0.03,
        "ground.users": "cities",
        "ground.minimum_elevation_deg": 10.0,
        "faults.model": "exponential",
        "faults.availability": 0.9,
        "faults.mean_down_s": 300.0,
        "controller.policy": "on-event",
        "controller.params": {"events": "fault"},
    }
    model, causes = TwinModel(loader.load("small", changes)), set()
    stops_s = model.config.simulation.steps * model.world.step_s - 1500.0
    while model.running:
        model.step()
        state = model.requests.state.engine
        rows, instance = state.requests, state.instances[0]
        inside = rows[rows["phase"] != FREE]
        if model.snapshot.instant.t_s + model.world.step_s <= stops_s:
            assert sorted(inside["user"]) == list(range(60))
        assert instance["all_blocks"] - instance["blocks"] == inside["blocks"].sum()
        assert (model.requested.ended["asked_s"] + model.snapshot.instant.t_s < stops_s).all()
        causes |= set(model.requested.ended["cause"].tolist())
    assert len(inside) < 20
    assert causes >= {
        Cause.NONE, Cause.DEAD, Cause.UNSERVED, Cause.QUEUE_FULL, Cause.TOO_LATE, Cause.IMPATIENT,
    }  # fmt: skip
