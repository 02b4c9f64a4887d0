"""Notes on the page: read by all, written by who may."""

import pytest

from agents.run import run_scenario
from twin.runs import notes
from twin.scenario import loader
from twin.views import keeping
from twin.views.public import public
from twin.views.questions import answer


@pytest.fixture
def run(tmp_path):
    return run_scenario(loader.load("small", ["simulation.steps=4"]), runs_dir=tmp_path)


def test_a_note_is_written_and_taken_away(run):
    asked = {"what": "note", "t_s": 20.0, "text": "here"}
    (note,) = answer(run, asked, allowed=True)["notes"]
    assert (note["t_s"], note["text"]) == (20.0, "here")
    assert answer(run, {"what": "notes"}) == {"notes": [note], "may": False}
    gone = answer(run, {"what": "note", "remove": note["id"]}, allowed=True)
    assert gone == {"notes": [], "may": True}


def test_who_may_not_change_runs_reads_only(run):
    notes.add(run.path, 1.0, "kept")
    (kept,) = answer(run, {"what": "notes"})["notes"]
    for change in ({"t_s": 2.0, "text": "no"}, {"remove": kept["id"]}):
        found = answer(run, {"what": "note", **change}, allowed=False)
        assert found == {"wrong": public(keeping.REFUSED)}
    assert answer(run, {"what": "notes"})["notes"] == [kept]


@pytest.mark.parametrize(
    "change",
    [{}, {"text": "x"}, {"text": "x", "t_s": -1.0}, {"text": "x", "t_s": 1e9}, {"t_s": 1.0},
     {"text": "x", "t_s": True}, {"remove": 3}],
)  # fmt: skip
def test_what_is_no_note_is_refused(run, change):
    assert set(answer(run, {"what": "note", **change}, allowed=True)) == {"wrong"}
    assert not (run.path / notes.NAME).exists()


def test_a_branch_counts_time_from_where_it_begins(tmp_path):
    from agents.fork import fork

    parent = run_scenario(loader.load("small", ["simulation.steps=6"]), runs_dir=tmp_path)
    scenario, beginning = fork(parent, 3)
    branch = run_scenario(scenario, runs_dir=tmp_path, beginning=beginning)
    answer(branch, {"what": "note", "t_s": 1.0, "text": "after"}, allowed=True)
    step_s = parent.table("steps")["t_s"][1].as_py()
    assert [note.t_s for note in notes.read(branch.path)] == [3 * step_s + 1.0]
    assert [note["t_s"] for note in answer(branch, {"what": "notes"})["notes"]] == [1.0]
