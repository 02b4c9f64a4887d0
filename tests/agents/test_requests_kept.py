"""Requests over the life of a run: killed and resumed, forked, and forked with others who ask."""

import hashlib
import json

import numpy as np
import pyarrow.compute as pc
import pytest

from agents.fork import fork
from agents.run import resume, run_scenario
from twin.errors import InputError
from twin.runs import checkpoints
from twin.runs.summary import summarise
from twin.runs.tables import TABLES
from twin.scenario import loader

BASE = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.patience_s": 60.0,
    "requests.rate_per_s": 0.3,
    "requests.users": 20,
    "requests.drain_s": 60.0,
    "ground.users": "cities",
    "ground.minimum_elevation_deg": 10.0,
    "simulation.steps": 24,
}


@pytest.fixture
def scenario(tmp_path):
    rng = np.random.default_rng(2)
    file = tmp_path / "trace.jsonl"
    lines = [
        {"timestamp": 25 * i * i, "input_length": int(n), "output_length": 4, "hash_ids": [i]}
        for i, n in enumerate(rng.integers(1, 60, 400))
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    return lambda arrivals: loader.load(
        "small", BASE | {"requests.arrivals": arrivals, "requests.trace": str(file)}
    )


def digests(run):
    return {n: hashlib.sha256((run.path / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}


@pytest.mark.parametrize("arrivals", ["bursts", "trace", "closed"])
def test_a_run_that_broke_off_is_finished_byte_for_byte(tmp_path, monkeypatch, scenario, arrivals):
    whole = run_scenario(scenario(arrivals), runs_dir=tmp_path, run_id="whole")
    assert len(whole.table("requests")) > 100
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))

    def stop(model):
        if model.snapshot.step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(scenario(arrivals), runs_dir=tmp_path, run_id="a", watch=stop)
    (tmp_path / "trace.jsonl").unlink()  # the run has its own
    done = resume(tmp_path / "a.partial")
    assert digests(done) == digests(whole)


@pytest.mark.parametrize("arrivals", ["trace", "closed"])
def test_a_fork_without_a_change_is_its_parents_rest(tmp_path, scenario, arrivals):
    parent = run_scenario(scenario(arrivals), runs_dir=tmp_path, run_id="p")
    changed, beginning = fork(parent, 11)
    child = run_scenario(changed, runs_dir=tmp_path, run_id="c", beginning=beginning)
    for name in ("requests", "load", "steps"):
        table = parent.table(name)
        assert child.table(name).equals(table.filter(pc.greater_equal(table["step"], 11))), name


@pytest.mark.parametrize(
    ("arrivals", "changes"),
    [
        ("closed", {"requests.users": 60}),
        ("closed", {"requests.users": 2}),
        ("closed", {"requests.arrivals": "poisson"}),
        ("poisson", {"requests.arrivals": "closed"}),
        ("trace", {"requests.arrivals": "bursts"}),
        ("poisson", {"requests.arrivals": "trace"}),
        ("trace", {"requests.trace_speed": 0.9}),
        ("poisson", {"requests.patience_s": 1.0, "serving.max_queue": 1}),
    ],
)
def test_a_fork_may_have_others_who_ask(tmp_path, scenario, arrivals, changes):
    parent = run_scenario(scenario(arrivals), runs_dir=tmp_path, run_id="p")
    changed, beginning = fork(parent, 11, changes=changes)
    child = run_scenario(changed, runs_dir=tmp_path, run_id="c", beginning=beginning)
    before, after = (run.table("requests").to_pandas() for run in (parent, child))
    first_s = child.table("steps")["t_s"][0].as_py()
    asked = after[after["asked_s"] >= first_s]
    assert set(after["asked_s"][after["asked_s"] < first_s]) <= set(before["asked_s"])
    assert summarise(child)["requests_counted"] <= len(asked)
    assert len(asked) > 0
    if "requests.users" in changes:
        users = set(asked["request"] % 1_000_000)
        assert users == set(range(changes["requests.users"]))
    if "requests.patience_s" in changes:
        late = before[before["asked_s"] >= first_s]
        np.testing.assert_array_equal(np.sort(late["request"]), np.sort(asked["request"]))


@pytest.mark.parametrize("changes", [{"serving.block_tokens": 32}, {"requests.prefix_reuse": True}])
def test_a_fork_cannot_change_what_caches_are_counted_in(tmp_path, scenario, changes):
    parent = run_scenario(scenario("trace"), runs_dir=tmp_path, run_id="p")
    with pytest.raises(InputError, match=f"{next(iter(changes))}: cannot be changed in a fork"):
        fork(parent, 11, changes=changes)


@pytest.mark.parametrize("arrivals", ["poisson", "bursts", "trace", "closed"])
def test_requests_of_a_fork_of_a_run_without_any_begin_with_it(tmp_path, scenario, arrivals):
    tokens = loader.load("small", {"simulation.steps": 24})
    parent = run_scenario(tokens, runs_dir=tmp_path, run_id="p")
    wanted = scenario(arrivals).model_dump(mode="json", exclude_none=True)
    changes = {"serving": wanted["serving"], "requests": wanted["requests"]}
    changed, beginning = fork(parent, 8, changes=changes)
    child = run_scenario(changed, runs_dir=tmp_path, run_id="c", beginning=beginning)
    asked_s = child.table("requests").to_pandas()["asked_s"]
    first_s = child.table("steps")["t_s"][0].as_py()
    assert len(asked_s) > 20
    assert asked_s.min() >= first_s
