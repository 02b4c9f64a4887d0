"""What if: a branch beside its parent, from a page's question on."""

import numpy as np
import pytest
from sessions import on_stage, small, told, wait

from agents.run import run_scenario
from twin.errors import InputError
from twin.runs.summary import figures_of_steps
from twin.scenario import loader
from twin.views import whatif
from twin.views.comparison import AS_IT_WAS
from twin.views.session import Session


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path, run_scenario, allowed=True)
    made.start([small("simulation.steps=30")])
    assert told(made) == ""
    yield made
    made.close()


def ask(session, **change):
    (parent, *_) = on_stage(session)
    session.branch({"run": parent, "step": 10, **change})
    return told(session)


def test_a_satellite_that_is_lost_is_lost_in_the_branch_alone(session):
    placed = session.shown.value[0].run.placements()
    gateway = placed["satellite"][placed["expert"].to_pylist().index(-1)].as_py()
    assert ask(session, fail=[gateway]) == ""
    parent, branch = session.shown.value
    assert branch.run.first_step == 10
    assert branch.run.manifest["forked"]["run"] == parent.run_id
    assert branch.label.split(" · ")[2].endswith("lost from step 10")
    served = [s.run.table("steps")["tokens_served"].to_numpy() for s in (parent, branch)]
    assert served[1].sum() < served[0][10:].sum()
    told = session.comparison.value
    assert told["captions"][parent.run_id] == AS_IT_WAS
    assert told["captions"][branch.run_id].endswith("lost from step 10")
    wait(lambda: session.comparison.value["cells"])
    assert session.comparison.value["note"].startswith("Of steps 10 to 29")


def test_a_branch_without_an_effect_differs_in_nothing(session):
    availability = session.shown.value[0].scenario.outages.availability
    assert ask(session, set={"outages.availability": availability}) == ""
    wait(lambda: session.comparison.value["cells"])
    parent, branch = session.shown.value
    cells = session.comparison.value["cells"][branch.run_id]
    assert cells[0]["difference"] == "+0"
    steps = parent.run.table("steps")["latency_mean_s"].to_numpy()[10:]
    np.testing.assert_array_equal(steps, branch.run.table("steps")["latency_mean_s"].to_numpy())


def test_a_policy_and_a_load_can_be_changed(session):
    assert ask(session, set={"controller.policy": "periodic", "workload.tokens_per_step": 8}) == ""
    branch = session.shown.value[-1]
    assert branch.scenario.controller.policy == "periodic"
    assert "policy periodic, tokens a step 8 from step 10" in branch.label
    assert set(branch.run.table("steps")["tokens_asked"].to_pylist()) == {8}


def test_branches_stand_beside_each_other_and_a_branch_of_a_branch(session):
    for row in (1, 2, 3, 4):
        assert ask(session, fail=[row]) == ""
    assert len(on_stage(session)) == 4
    session.branch({"run": on_stage(session)[-1], "step": 20, "fail": [7]})
    assert told(session) == ""
    assert session.shown.value[-1].run.first_step == 20


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, "1 to 16 changes"),
        ({"fail": [10**6]}, "there are satellites 0 to 47"),
        ({"fail": ["x"]}, "by their numbers"),
        ({"cut": [[0, 25]]}, "have no link"),
        ({"cut": [[0]]}, "must have set, fail and cut"),
        ({"set": {"constellation.tle": "/etc/passwd"}}, "cannot be changed by a click"),
        ({"set": {"outages.availability": 2.0}}, "outages.availability: input should be"),
        ({"set": {"workload.tokens_per_step": 10**6}}, "more than the 4,096"),
        ({"fail": [1], "step": 30}, "has no step 30"),
        ({"fail": [1], "run": "nothing"}, "when it is complete"),
    ],
)
def test_what_cannot_be_asked_is_told(session, change, wrong):
    assert wrong in ask(session, **change)
    assert len(on_stage(session)) == 1


def test_any_step_of_a_page_run_is_soon_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr("twin.views.computing.CHECKPOINT_S", 0.0)
    monkeypatch.setattr("twin.runs.checkpoints.DENSE_WORTH", 0)
    session = Session(tmp_path, run_scenario, allowed=True)
    session.start([small("simulation.steps=30")])
    assert told(session) == ""
    run = session.shown.value[0].run
    kept = sorted((run.path / "checkpoints").glob("*.state"))
    assert [int(file.stem) for file in kept] == list(range(1, 30))
    assert run.manifest["checkpoints"]["kept_bytes"] == sum(f.stat().st_size for f in kept)
    session.close()


def test_figures_of_some_steps_are_those_of_a_run_of_them(tmp_path):
    run = run_scenario(loader.load("small", ["simulation.steps=12"]), runs_dir=tmp_path)
    found = figures_of_steps(run, ["latency_p95_s", "tokens_served_share"], 4, 7)
    latency, steps = run.table("latency").to_pandas(), run.table("steps").to_pandas()
    mine = latency[latency.step.between(4, 7)]
    tokens = np.repeat(mine.value_s, mine["count"])
    assert found["latency_p95_s"] == pytest.approx(np.percentile(tokens, 95))
    block = steps[steps.step.between(4, 7)]
    asked = block.tokens_asked.sum() + block.tokens_waiting.iloc[0]
    assert found["tokens_served_share"] == pytest.approx(block.tokens_served.sum() / asked)


def test_what_is_offered_is_what_the_mode_of_serving_has():
    paths = {each["path"] for each in whatif.offered(loader.load("serving-study"))}
    assert "requests.rate_per_s" in paths
    assert "workload.tokens_per_step" not in paths
    with pytest.raises(InputError):
        whatif.read({"fail": [True]})


def test_branches_of_requests_are_compared_by_requests(tmp_path):
    session = Session(tmp_path, run_scenario, allowed=True)
    asked = ["serving.mode=requests", "requests.rate_per_s=0.05", "requests.prompt_tokens=32"]
    session.start([small("simulation.steps=30", "requests.output_tokens=8", *asked)])
    assert told(session) == ""
    assert ask(session, set={"requests.rate_per_s": 0.5}) == ""
    wait(lambda: session.comparison.value["cells"])
    columns = [column["label"] for column in session.comparison.value["columns"]]
    assert columns[0] == "first token, s"
    for shown in session.shown.value:
        rows = shown.run.table("requests").to_pandas()
        mine = rows[rows.cause.isna() & rows.step.between(10, 29)]
        served = session.comparison.value["cells"][shown.run_id][2]["value"]
        assert float(served.replace(",", "")) == len(mine)
    session.close()
