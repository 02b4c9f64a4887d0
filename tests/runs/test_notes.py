"""Notes at times of a run: kept beside its tables, whatever is in the file."""

import json

import pytest

from agents.run import run_scenario
from twin.errors import InputError
from twin.runs import notes
from twin.runs.store import open_run
from twin.scenario import loader


def texts(folder):
    return [(note.t_s, note.text) for note in notes.read(folder)]


def test_notes_are_kept_by_time_and_taken_away(tmp_path):
    notes.add(tmp_path, 30.0, "  second \n line ")
    notes.add(tmp_path, 15.0, "first\x1b")
    assert texts(tmp_path) == [(15.0, "first"), (30.0, "second line")]
    notes.remove(tmp_path, notes.read(tmp_path)[0].id)
    notes.remove(tmp_path, "nobody's")
    assert texts(tmp_path) == [(30.0, "second line")]


@pytest.mark.parametrize("text", ["", " \x00\n", "x" * (notes.LONGEST + 1)])
def test_no_text_and_too_much_of_it_are_refused(tmp_path, text):
    with pytest.raises(InputError, match="characters"):
        notes.add(tmp_path, 1.0, text)
    assert not list(tmp_path.iterdir())


def test_there_are_not_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(notes, "MOST", 2)
    for text in ("a", "b"):
        notes.add(tmp_path, 1.0, text)
    with pytest.raises(InputError, match="at most 2"):
        notes.add(tmp_path, 1.0, "c")


GOOD = {"id": "a", "t_s": 1.0, "text": "b", "written_utc": "c"}


@pytest.mark.parametrize(
    "entry",
    [GOOD | {"t_s": "1"}, GOOD | {"t_s": -1.0}, GOOD | {"t_s": True}, GOOD | {"text": 3},
     GOOD | {"more": 1}, {"id": "a"}, 7, None],
)  # fmt: skip
def test_what_is_no_note_is_left_out(tmp_path, entry):
    (tmp_path / notes.NAME).write_text(json.dumps({"notes": [entry, GOOD]}))
    assert texts(tmp_path) == [(1.0, "b")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"notes": 3}', "\udcff" * 2, "[" * 9999])
def test_a_damaged_file_has_none(tmp_path, text):
    (tmp_path / notes.NAME).write_bytes(text.encode(errors="surrogateescape"))
    assert texts(tmp_path) == []


def test_a_run_with_notes_is_as_whole_as_without(tmp_path):
    scenario = loader.load("small", ["simulation.steps=2"])
    run = run_scenario(scenario, runs_dir=tmp_path, run_id="noted")
    notes.add(run.path, 15.0, "look here")
    assert open_run(run.path).manifest == run.manifest
