import hashlib

import numpy as np
import pyarrow.compute as pc
import pytest

from agents.fork import fork
from agents.run import resume, run_scenario
from twin.errors import InputError
from twin.runs import checkpoints
from twin.runs.replay import snapshots
from twin.runs.store import any_run
from twin.runs.tables import TABLES
from twin.scenario import loader
from twin.world import state as states

BUSY = [
    "simulation.steps=60",
    "controller.policy=receding-horizon",
    "controller.horizon_steps=10",
    "faults.model=exponential",
    "outages.availability=0.8",
    "workload.tokens_per_step=24",
    "simulation.record_tokens_per_step=4",
]


class StoppedError(Exception):
    """Stands for a crash."""


def digests(run) -> dict[str, str]:
    return {n: hashlib.sha256((run / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}


def eager(monkeypatch):
    """Let a checkpoint be due after every step."""
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))


def stop_after(step):
    def watch(model):
        if model.snapshot.step == step:
            raise StoppedError

    return watch


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A busy run that nothing ended early."""
    scenario = loader.load("handover-study", BUSY)
    return run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"), run_id="whole")


@pytest.mark.parametrize("step", [1, 17, 40, 58])
def test_a_run_that_broke_off_is_finished_byte_for_byte(tmp_path, monkeypatch, whole, step):
    eager(monkeypatch)
    with pytest.raises(StoppedError):
        run_scenario(whole.scenario, runs_dir=tmp_path, run_id="a", watch=stop_after(step))
    partial = tmp_path / "a.partial"
    assert [int(f.stem) for f in checkpoints.files(partial)] == list(
        range(max(step - 1, 1), step + 1)
    )
    done = resume(partial)
    assert digests(done.path) == digests(whole.path)
    assert done.manifest["conclusion"] == whole.manifest["conclusion"]
    assert done.manifest["rows"] == whole.manifest["rows"]


def test_row_groups_end_at_fixed_steps_whatever_was_killed(tmp_path, monkeypatch):
    from twin.runs import rows

    monkeypatch.setattr(rows, "_MOST_STEPS", 7)
    scenario = loader.load("small")
    whole = run_scenario(scenario, runs_dir=tmp_path, run_id="whole")
    eager(monkeypatch)
    with pytest.raises(StoppedError):
        run_scenario(scenario, runs_dir=tmp_path, run_id="a", watch=stop_after(23))
    files = checkpoints.files(tmp_path / "a.partial")
    files[-1].write_bytes(files[-1].read_bytes()[:-9])  # the one before it serves
    assert digests(resume(tmp_path / "a.partial").path) == digests(whole.path)


def test_other_versions_are_refused(tmp_path, monkeypatch):
    eager(monkeypatch)
    with pytest.raises(StoppedError):
        run_scenario(loader.load("small"), runs_dir=tmp_path, run_id="a", watch=stop_after(3))
    now = checkpoints.versions()
    monkeypatch.setattr(checkpoints, "versions", lambda: now | {"numpy": "1.0"})
    with pytest.raises(InputError, match=r"written with numpy .*, this is 1\.0"):
        resume(tmp_path / "a.partial")


def test_a_checkpoint_of_a_twin_that_carried_something_else_is_refused(tmp_path, monkeypatch):
    """It is not damaged, so that no older one serves, and the run does not begin again unasked."""
    eager(monkeypatch)
    monkeypatch.setattr(states, "layout", lambda kind: "of an older twin")
    scenario = loader.load("small")
    parent = run_scenario(scenario, runs_dir=tmp_path, run_id="p")
    made = _named(*fork(parent, 3))
    child = run_scenario(**made, runs_dir=tmp_path, run_id="c")
    with pytest.raises(StoppedError):
        run_scenario(scenario, runs_dir=tmp_path, run_id="a", watch=stop_after(3))
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"00000003\.state: written by a twin whose state has"):
        resume(tmp_path / "a.partial")
    with pytest.raises(InputError, match=r"start\.state: written by a twin whose state has"):
        fork(child, 5)
    assert len(list(snapshots(child))) == scenario.simulation.steps - 3  # it can still be looked at


def rest(run, name, step):
    table = run.table(name)
    return table.filter(pc.greater_equal(table["step"], step))


@pytest.mark.parametrize("step", [0, 1, 20, 41, 59])
def test_a_fork_without_a_change_is_its_parents_rest(tmp_path, whole, step):
    parent = whole
    scenario, beginning = fork(parent, step)
    child = run_scenario(scenario, runs_dir=tmp_path, run_id="c", beginning=beginning)
    kept = {"run": "whole", "step": step, "set": [], "fail": [], "cut": []}
    assert child.manifest["forked"] == kept
    for name in TABLES:
        if name == "placements" and step == 0:
            continue
        assert child.table(name).equals(rest(parent, name, step)), name
    assert child.manifest["conclusion"] == parent.manifest["conclusion"]
    in_force = child.placements()["placement"].to_pylist()[0] if step else 0
    assert in_force == parent.table("steps")["placement"].to_pylist()[max(step - 1, 0)]


def test_failing_a_gateway_at_noon_shows_from_that_step_on_and_nothing_before(tmp_path):
    parent = run_scenario(loader.load("small"), runs_dir=tmp_path, run_id="p")
    gateway = next(
        row["satellite"] for row in parent.table("placements").to_pylist() if row["expert"] == -1
    )
    scenario, beginning = fork(parent, 30, fail=[gateway], changes=["workload.retries=0"])
    child = run_scenario(scenario, runs_dir=tmp_path, run_id="c", beginning=beginning)
    before = parent.table("steps")
    assert not any(before["lost_dead"].to_pylist())
    steps = child.table("steps")
    assert steps["step"].to_pylist()[0] == 30
    asked = scenario.workload.tokens_per_step
    assert steps["lost_dead"].to_pylist() == [asked] * len(steps)
    first = child.table("events").to_pylist()[0]
    assert (first["step"], first["kind"], first["satellite"]) == (30, "satellite-lost", gateway)
    # Traffic and outages are those of the parent.
    assert child.table("outages").equals(rest(parent, "outages", 30))
    up = np.array(steps["links_up"]) - np.array(rest(parent, "steps", 30)["links_up"])
    assert (up <= 0).all()
    assert (up >= -4).all()


def test_a_fork_of_an_interrupted_run_and_a_fork_of_a_fork(tmp_path, monkeypatch):
    scenario = loader.load("small")
    whole = run_scenario(scenario, runs_dir=tmp_path, run_id="whole")
    eager(monkeypatch)
    with pytest.raises(StoppedError):
        run_scenario(scenario, runs_dir=tmp_path, run_id="a", watch=stop_after(20))
    partial = any_run(tmp_path / "a.partial")
    child = run_scenario(**_named(*fork(partial, 15, cut=[(0, 1)])), runs_dir=tmp_path, run_id="b")
    cut = np.array(child.table("steps")["links_down_cut"])
    assert cut.max() == 1
    again = run_scenario(**_named(*fork(child, 25)), runs_dir=tmp_path, run_id="c")
    for name in TABLES:
        assert again.table(name).equals(rest(child, name, 25)), name
    for name in ("outages", "latency", "satellites"):
        assert child.table(name)["step"].to_pylist()[0] >= 15
    assert whole.path.is_dir()


def _named(scenario, beginning):
    return {"scenario": scenario, "beginning": beginning}


@pytest.mark.parametrize(
    ("step", "given", "message"),
    [
        (99999, {}, "has no step 99999"),
        (5, {"changes": ["constellation.planes=5"]}, "constellation: cannot be changed"),
        (5, {"changes": ["simulation.seed=5"]}, r"simulation\.seed: cannot be changed"),
        (5, {"fail": [4000]}, "--fail 4000: there are satellites 0 to"),
        (5, {"cut": [(0, 0)]}, "satellites 0 and 0 have no link"),
    ],
)
def test_what_cannot_be_forked_is_refused(tmp_path, step, given, message):
    parent = run_scenario(loader.load("small"), runs_dir=tmp_path, run_id="p")
    with pytest.raises(InputError, match=message):
        fork(parent, step, **given)


def test_a_new_strategy_plans_at_once_and_moves(tmp_path):
    parent = run_scenario(loader.load("small"), runs_dir=tmp_path, run_id="p")
    made = _named(*fork(parent, 10, changes={"placement.strategy": "packed"}))
    child = run_scenario(**made, runs_dir=tmp_path, run_id="c")
    events = child.table("events").to_pylist()
    assert [e["cause"] for e in events if e["kind"] == "replan"] == ["fork"]
    assert sum(child.table("steps")["migrated_bytes"].to_pylist()) > 0


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_fork_that_broke_off_is_finished_with_what_was_changed(tmp_path, monkeypatch, checkpoint):
    parent = run_scenario(loader.load("small"), runs_dir=tmp_path, run_id="p")
    made = _named(*fork(parent, 20, fail=[3], changes=["workload.retries=2"]))
    whole = run_scenario(**made, runs_dir=tmp_path, run_id="whole")
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: checkpoint))
    made = _named(*fork(parent, 20, fail=[3], changes=["workload.retries=2"]))
    with pytest.raises(StoppedError):
        run_scenario(**made, runs_dir=tmp_path, run_id="a", watch=stop_after(41))
    done = resume(tmp_path / "a.partial")
    assert digests(done.path) == digests(whole.path)
    assert done.manifest["forked"] == whole.manifest["forked"]
    assert done.placements().equals(whole.placements())
