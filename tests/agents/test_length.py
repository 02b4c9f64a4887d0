"""Runs that go on until their mean time is known, or to the most that is allowed."""

import hashlib

import pyarrow.compute as pc
import pytest

from agents.fork import fork
from agents.run import resume, run_scenario
from twin.errors import InputError
from twin.export.graphml import graphml
from twin.report.document import report
from twin.report.page import html
from twin.runs import checkpoints, rows
from twin.runs.replay import snapshots
from twin.runs.store import any_run, open_run
from twin.runs.summary import summarise
from twin.runs.tables import TABLES
from twin.scenario import loader
from twin.views import limits

BASE = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.lengths": "lognormal",
    "requests.rate_per_s": 1.2,
    "simulation.orbits": None,
    "simulation.step_s": 20.0,
    "simulation.steps": 20,
    "simulation.most_steps": 60,
}
GOES_ON = {"requests.half_width": 0.07}
LENGTHS = (20, 22, 25, 28, 31, 35, 39, 43, 48, 53, 59, 60)
"""A tenth more at a time, to the most at last."""
FIGURE = "request_e2e_half_width_share"


class StoppedError(Exception):
    """Stands for a crash."""


def made(folder, name, *changes):
    asked = BASE
    for change in changes:
        asked = asked | change
    return run_scenario(loader.load("small", asked), runs_dir=folder, run_id=name)


def digests(run):
    return {n: hashlib.sha256((run.path / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}


@pytest.fixture(scope="module")
def prolonged(tmp_path_factory):
    return made(tmp_path_factory.mktemp("runs"), "a", GOES_ON)


def test_a_run_goes_on_until_its_mean_is_known(prolonged, tmp_path):
    steps, figures = prolonged.manifest["steps"], summarise(prolonged)
    assert steps in LENGTHS[2:-1]
    assert prolonged.manifest["prolonged"] == {
        "asked_steps": 20,
        "most_steps": 60,
        "steps": steps,
        "step_s": 20.0,
        "half_width": 0.07,
        "half_width_share": figures[FIGURE],
        "reached": True,
    }
    assert figures[FIGURE] <= 0.07
    assert f"after {steps} steps; 20 were asked for, 60 allowed" in prolonged.manifest["notes"][-1]
    for shorter in LENGTHS[: LENGTHS.index(steps)]:
        run = made(tmp_path, f"s{shorter}", {"simulation.steps": shorter})
        assert summarise(run)[FIGURE] > 0.07
        for name in ("steps", "satellites", "events", "placements"):  # it began as the run does
            table = prolonged.table(name)
            assert table.filter(pc.less(table["step"], shorter)).equals(run.table(name)), name
    same = made(tmp_path, "same", {"simulation.steps": steps})
    assert digests(same) == digests(prolonged)
    assert same.manifest["conclusion"] == prolonged.manifest["conclusion"]
    assert same.manifest["prolonged"] is None


def test_a_run_ends_at_the_most_and_says_that_its_mean_is_not_known(tmp_path):
    run = made(tmp_path, "a", {"requests.half_width": 0.001})
    assert run.manifest["steps"] == len(run.table("steps")) == 60
    assert run.manifest["prolonged"]["reached"] is False
    assert "is not known within 0.1 %" in run.manifest["notes"][-1]
    assert "after 60 steps; 20 were asked for" in run.manifest["notes"][-1]
    few = made(tmp_path, "b", GOES_ON, {"requests.rate_per_s": 0.01})
    assert few.manifest["prolonged"]["half_width_share"] is None
    assert "fewer than 100 requests count" in few.manifest["notes"][-1]


def test_arrivals_go_on_too_and_what_is_inside_can_still_end(tmp_path):
    by_orbits = {"simulation.step_s": None, "simulation.orbits": 0.07}
    run = made(tmp_path, "a", GOES_ON, {"requests.drain_s": 70.0}, by_orbits)
    step_s = run.manifest["prolonged"]["step_s"]
    end_s = run.manifest["steps"] * step_s
    assert run.manifest["steps"] > 20
    assert run.scenario.simulation.step_s == step_s == pytest.approx(23.0, rel=0.02)
    asked_s = run.table("requests")["asked_s"].to_numpy()
    assert end_s - 70.0 - 20.0 < asked_s.max() < end_s - 70.0
    assert summarise(run)["requests_inside"] == 0


@pytest.mark.parametrize(("drain_s", "step"), [(0.0, 20), (0.0, 33), (70.0, 19), (70.0, 33)])
def test_a_run_that_broke_off_is_finished_byte_for_byte(tmp_path, monkeypatch, drain_s, step):
    """With time to drain it is decided at step 18 whether to end after 22: there it goes on."""
    asked = {"requests.drain_s": drain_s, "controller.policy": "receding-horizon"}
    asked |= {"requests.half_width": 0.06}
    monkeypatch.setattr(rows, "_MOST_STEPS", 4)
    whole = made(tmp_path, "whole", asked)
    assert whole.manifest["steps"] > 34
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))

    def stop(model):
        if model.snapshot.step == step:
            raise StoppedError

    scenario = loader.load("small", BASE | asked)
    with pytest.raises(StoppedError):
        run_scenario(scenario, runs_dir=tmp_path, run_id="a", watch=stop)
    newest = checkpoints.files(tmp_path / "a.partial")[-1]
    newest.write_bytes(newest.read_bytes()[:-9])  # the one before it serves
    done = resume(tmp_path / "a.partial")
    assert digests(done) == digests(whole)
    for name in ("prolonged", "steps", "rows", "conclusion", "notes"):
        assert done.manifest[name] == whole.manifest[name]


@pytest.mark.parametrize("step", [10, 27])
def test_a_fork_without_a_change_is_its_parents_rest(prolonged, tmp_path, step):
    scenario, beginning = fork(prolonged, step)
    child = run_scenario(scenario, runs_dir=tmp_path, run_id="c", beginning=beginning)
    for name in TABLES:
        table = prolonged.table(name)
        assert child.table(name).equals(table.filter(pc.greater_equal(table["step"], step))), name
    assert child.manifest["prolonged"] is None
    again, beginning = fork(child, 30, changes={"requests.half_width": 0.5})
    other = run_scenario(again, runs_dir=tmp_path, run_id="d", beginning=beginning)
    assert other.manifest["prolonged"]["asked_steps"] == prolonged.manifest["steps"]


def test_a_fork_of_an_interrupted_run_takes_as_long_as_that_was_to(tmp_path):
    def stop(model):
        if model.snapshot.step == 23:
            raise StoppedError

    scenario = loader.load("small", BASE | GOES_ON)
    with pytest.raises(StoppedError):
        run_scenario(scenario, runs_dir=tmp_path, run_id="a", watch=stop)
    partial = any_run(tmp_path / "a.partial")
    scenario, _ = fork(partial, 23)
    assert scenario.simulation.steps == 25
    with pytest.raises(InputError, match="has no step 25; a fork may begin at 0 to 24"):
        fork(partial, 25)


def test_whoever_reads_a_run_sees_the_steps_that_it_took(prolonged, page_of, tmp_path):
    steps = prolonged.manifest["steps"]
    assert prolonged.asked.simulation.steps == 20
    assert open_run(prolonged.path).scenario.simulation.steps == steps
    assert len(list(snapshots(prolonged))) == steps
    assert "graphml" in graphml(prolonged, steps - 1)
    short = made(tmp_path, "r", GOES_ON, {"simulation.replicate": 1})
    assert short.manifest["steps"] != steps  # a repetition that ended at another time
    document = report([prolonged.path, short.path])
    text = html(document, lambda picture: "")
    few, many = sorted((steps, short.manifest["steps"]))
    assert f"(95 %) after {few} to {many} steps" in text
    rows = {row[0]: row[1] for table in document.tables() for row in table.rows}
    assert rows["requests.half_width"] == "0.07"
    assert rows["simulation.most_steps"] == "60"
    assert "--set requests.half_width=0.07" in text
    page_of(prolonged.path, short.path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"simulation.most_steps": 19}, r"most_steps must be 0, or at least steps \(20\)"),
        ({"simulation.most_steps": 0}, "requests.half_width needs simulation.most_steps"),
        ({"serving.mode": "tokens"}, "requests.half_width needs serving.mode 'requests'"),
        ({"requests.daily": 0.5}, "half_width must be 0 where what comes changes over the run"),
    ],
)
def test_what_cannot_go_on_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        loader.load("small", BASE | GOES_ON | changes)


def test_the_page_and_late_forks_refuse_a_target(tmp_path):
    with pytest.raises(InputError, match="half_width: the page shows runs whose end is known"):
        limits.check(loader.load("small", BASE | GOES_ON))
    run = made(tmp_path, "a", {"requests.drain_s": 100.0})
    with pytest.raises(InputError, match="half_width: at step 16 arrivals have stopped"):
        fork(run, 16, changes=GOES_ON)
