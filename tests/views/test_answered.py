"""Marks of what a command found: each leads to its run, or says why there is none."""

import time

import pytest
from sessions import PATIENCE_S

from twin.runs.store import open_run
from twin.scenario import loader
from twin.study import answers
from twin.views import keeping
from twin.views.answered import NOT_KEPT
from twin.views.public import public
from twin.views.study_page import StudyPlots

NAME = "capacity-sky.answer.json"


def plots_of(folder, scenarios, *, near=True):
    """What the page asks of an answer with a mark for each scenario."""
    points = [(float(k), 1.0, None, None, True) for k in range(max(len(scenarios), 1))]
    series = answers.Series(
        label="a", hue=0, shape=0, joined=True, points=points, scenarios=scenarios
    )
    plots = [answers.Plot(title=title, x="x", y="y", series=[series]) for title in "tu"]
    answers.keep(folder, "capacity", "sky", question="q", rule="r", plots=plots)
    return StudyPlots(root=folder, study=NAME, near=near)._answer


def small(**fields):
    return loader.load("small", {"simulation.steps": 3} | fields)


def test_a_mark_s_run_is_computed_and_there_from_then_on(tmp_path):
    wanted = small(**{"simulation.seed": 4})
    ask = plots_of(tmp_path, [small(), wanted])
    for plot in ask({"what": "study"})["plots"]:
        assert plot["series"][0]["runs"] == [0, 1]
    mark = {"scenario": 1}
    assert ask({"what": "run", **mark}) == {"there": False, "why": ""}
    deadline = time.monotonic() + PATIENCE_S
    while (told := ask({"what": "open", **mark}))["state"] != "ready" or not (
        tmp_path / told["run"]
    ).is_dir():
        assert "wrong" not in told
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert open_run(tmp_path / told["run"]).scenario == wanted
    assert ask({"what": "run", **mark}) == {"there": True, "why": ""}
    # What the command finds later has other runs.
    later = plots_of(tmp_path, [small(), small(**{"simulation.seed": 5})])
    assert not later({"what": "run", **mark})["there"]


@pytest.mark.parametrize(
    ("scenarios", "why"),
    [
        ([], NOT_KEPT),
        ([small(**{"activations.file": "/etc/passwd"})], "activations.file: an answer keeps no"),
        ([small(**{"workload.tokens_per_step": 5000})], "workload.tokens_per_step"),
    ],
)
def test_a_mark_that_leads_to_no_run_says_why(tmp_path, scenarios, why):
    ask = plots_of(tmp_path, scenarios)
    assert ask({"what": "run", "scenario": 0})["why"].startswith(why)
    assert ask({"what": "open", "scenario": 0})["wrong"].startswith(why)
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_who_may_not_start_runs_makes_none(tmp_path):
    ask = plots_of(tmp_path, [small()], near=False)
    assert ask({"what": "open", "scenario": 0}) == {"wrong": public(keeping.REFUSED)}
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("number", [-1, 7, "0", None])
def test_a_mark_that_is_not_there_is_refused(tmp_path, number):
    ask = plots_of(tmp_path, [small()])
    assert set(ask({"what": "open", "scenario": number})) == {"wrong"}
