"""Plans of a twin that serves requests: expected waiting, and a policy that watches requests."""

import hashlib

import numpy as np
import pyarrow.compute as pc
import pytest

from agents.fork import fork
from agents.model import TwinModel
from agents.request_rows import request_rows
from agents.run import resume, run_scenario
from twin.errors import InputError
from twin.runs import checkpoints
from twin.runs.tables import TABLES
from twin.scenario import loader

BUSY = {
    "serving.mode": "requests",
    "serving.chunk_tokens": 8,
    "serving.max_running": 2,
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.rate_per_s": 0.3,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "simulation.steps": 30,
}
WATCHING = BUSY | {
    "controller.policy": "threshold",
    "controller.params": {"hold_steps": 3, "ttft_s": 1.0, "queue": 2, "relative_increase": 1e5},
}


def paper_e2e_s(replicate, waiting):
    """Mean time of a request at 70 % of what `joint` carries without a thought of waiting."""
    model = TwinModel(
        loader.load(
            "paper",
            {
                "simulation.replicate": replicate,
                "simulation.steps": 30,
                "simulation.orbits": 0.15,
                "compute.accounting": "full",
                "serving.mode": "requests",
                "serving.chunk_tokens": 4,
                "requests.prompt_tokens": 32.0,
                "requests.output_tokens": 8.0,
                "requests.rate_per_s": 0.44,
                "requests.drain_s": 200.0,
                "placement.strategy": "joint",
                "placement.waiting": waiting,
            },
        )
    )
    e2e_s = []
    while model.running:
        model.step()
        e2e_s.append(request_rows(model, model.snapshot.step, model.requested)["e2e_s"])
    return float(np.nanmean(np.concatenate(e2e_s)))


def test_requests_end_sooner_where_the_plan_expects_waiting():
    found = np.array([[paper_e2e_s(r, w) for w in ("none", "m/g/1")] for r in range(3)])
    assert (found[:, 1] < 0.9 * found[:, 0]).all(), found


@pytest.mark.parametrize("delay_steps", [0, 2])
def test_policies_see_requests_as_late_as_the_rest(delay_steps):
    table = loader.load("small", BUSY)
    step_s = TwinModel(table).world.step_s
    changes = {
        "controller.telemetry_delay_s": delay_steps * step_s,
        "controller.policy": "periodic",
        "controller.params": {"every_steps": 7},
    }
    model = TwinModel(loader.load("small", BUSY | changes))
    policy, seen = model.controller._policy, []

    def spy(view, propose):
        seen.append((view, model.controller.state.planned_at))
        return policy(view, propose)

    model.controller._policy = spy
    ttft_s, queued = [], []
    while model.running:
        model.step()
        rows = request_rows(model, 0, model.requested)
        served = [cause is None for cause in rows["cause"]]
        ttft_s.append(rows["ttft_s"][served])
        queued.append(model.requested.waiting)
    assert max(queued) > 3
    assert len({planned for _, planned in seen}) > 2
    known = 0
    for view, planned in seen:
        end = max(view.step - delay_steps, 0)
        mine = np.concatenate([*ttft_s[planned:end], np.zeros(0)])
        assert view.serves_requests
        assert view.queued == (queued[end - 1] if end else 0)
        assert view.ttft_s == pytest.approx(np.median(mine) if mine.size else np.nan, nan_ok=True)
        known += mine.size > 0
    assert known > 5


def causes(run):
    events = run.table("events").to_pylist()
    return [event["cause"] for event in events if event["kind"] == "replan"]


def digests(run):
    return {n: hashlib.sha256((run.path / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}


def test_a_policy_that_watches_requests_breaks_off_and_forks_without_a_trace(tmp_path, monkeypatch):
    scenario = loader.load("small", WATCHING)
    whole = run_scenario(scenario, runs_dir=tmp_path, run_id="whole")
    assert "ttft" in causes(whole)
    queue = WATCHING | {"controller.params": WATCHING["controller.params"] | {"ttft_s": 1e6}}
    queueing = run_scenario(loader.load("small", queue), runs_dir=tmp_path, run_id="queueing")
    assert set(causes(queueing)) == {"start", "queue"}

    changed, beginning = fork(whole, 13)
    child = run_scenario(changed, runs_dir=tmp_path, run_id="child", beginning=beginning)
    for name in ("requests", "events", "steps"):
        table = whole.table(name)
        rest = table.filter(pc.greater_equal(table["step"], 13))
        assert child.table(name).to_pylist() == rest.to_pylist(), name

    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))

    def stop(model):
        if model.snapshot.step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(scenario, runs_dir=tmp_path, run_id="a", watch=stop)
    assert digests(resume(tmp_path / "a.partial")) == digests(whole)


def test_times_of_requests_cannot_be_watched_where_tokens_are_served():
    tokens = WATCHING | {"serving.mode": "tokens"}
    with pytest.raises(InputError) as error:
        TwinModel(loader.load("small", tokens))
    assert str(error.value) == (
        "controller.params: ttft_s and queue of policy 'threshold' need serving.mode 'requests'"
    )
