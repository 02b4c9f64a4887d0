"""Element sets of a visitor's, dropped on the form of a new run."""

import io

import numpy as np
import pytest
from sessions import on_stage, told

from agents.run import run_scenario
from twin.export.omm import FORMATS
from twin.scenario import loader
from twin.space import constellation
from twin.space.messages import messages
from twin.views import dropped, form, keeping, new_run
from twin.views.public import public
from twin.views.session import Session


@pytest.fixture(scope="module")
def omm():
    """Element sets of six planes of eight satellites, by format."""
    body = constellation.build(
        loader.load("small", ["constellation.planes=6", "constellation.satellites_per_plane=8"])
    )
    return {
        kind: write(messages(body), "2026-01-01T00:00:00Z").encode()
        for kind, write in FORMATS.items()
    }


def file(content, name="sets"):
    return {"name": name, "size": len(content), "file_obj": io.BytesIO(content)}


def waiting(preset="oneweb", *, allowed=True):
    draft = new_run.Draft(allowed=allowed)
    draft.choose(preset, [])
    assert draft.waiting.value
    return draft


@pytest.mark.parametrize("preset", form.presets_with_files())
@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_of_omm_is_taken(omm, kind, preset):
    draft = waiting(preset)
    draft.read_elements(file(omm[kind]))
    assert (draft.refused.value, draft.waiting.value) == ("", "")
    (scenario,) = draft.scenarios()
    assert scenario.name == preset
    assert constellation.build(scenario).size == 48
    assert form.mistakes(draft.start.value, draft.values.value) == {}


def test_two_line_elements_are_run_and_kept_with_the_run(element_sets, tmp_path):
    rows = np.arange(48)
    path = element_sets(np.full(48, 86.4), rows // 8 * 30.0, rows % 8 * 45.0, np.full(48, 14.3))
    draft = waiting()
    draft.read_elements(file(path.read_bytes(), "../../sets.tle"))
    draft.values.value |= {
        "simulation.steps": "3",
        "model.card": "toy-8x4",
        "placement.experts_per_satellite": "2",
    }
    session = Session(tmp_path / "runs", run_scenario, allowed=True)
    session.start(draft.scenarios())
    assert told(session) == ""
    (run_id,) = on_stage(session)
    (run,) = session.runs.value
    kept = run.path / run.scenario.constellation.tle
    assert kept.name == "sets.tle.gz"
    assert kept.is_relative_to(run.path)
    # As on the command line a run may be started from, with the same satellites.
    again = new_run.Draft(allowed=True)
    again.choose(f"run: {run_id}", [run])
    assert again.refused.value == ""
    assert again.takes_elements
    assert again.start.value.scenario.constellation == run.scenario.constellation
    session.branch({"run": run_id, "step": 1, "fail": [2]})
    assert told(session) == ""
    session.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "sets: no element sets in it"),
        (b"\xff\xfe", "sets: not a text file in UTF-8"),
        (b"{", "sets, line 1: not valid JSON"),
        (b"<ndm>", "sets, line 1: not valid XML"),
    ],
)
def test_a_file_that_is_not_right_is_refused_and_the_form_waits_on(content, said):
    draft = waiting()
    draft.read_elements(file(content))
    assert draft.refused.value.startswith(f"constellation.tle: {said}")
    assert draft.waiting.value


def test_a_field_that_is_not_right_is_named_with_its_value(omm):
    draft = waiting()
    draft.read_elements(file(omm[".csv"].replace(b"SGP4", b"DSST", 1)))
    assert "sets, line 2: " in draft.refused.value
    assert "MEAN_ELEMENT_THEORY" in draft.refused.value
    assert "DSST" in draft.refused.value


def test_what_was_right_before_stays_when_another_file_is_refused(omm):
    draft = waiting()
    draft.read_elements(file(omm[".csv"]))
    before, entered = draft.start.value, draft.values.value | {"simulation.steps": "17"}
    draft.values.value = entered
    draft.read_elements(file(b"nothing"))
    assert draft.start.value is before
    assert draft.refused.value
    draft.read_elements(file(omm[".xml"], "others"))
    assert draft.start.value.scenario.constellation.tle.endswith("/others.gz")
    assert draft.values.value == entered


def test_who_may_start_nothing_leaves_no_file(omm, monkeypatch):
    monkeypatch.setattr(dropped, "keep", None)
    draft = waiting(allowed=False)
    draft.read_elements(file(omm[".csv"]))
    assert draft.refused.value == public(keeping.REFUSED)


def test_too_large_a_file_is_not_read():
    draft = waiting()
    draft.read_elements({"name": "all.xml", "size": dropped.MAX_BYTES + 1, "file_obj": None})
    assert "all.xml: larger than 20,000,000 bytes" in draft.refused.value


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "", "a" * 500, "\u202e\x00/", "C:\\x"])
def test_a_name_leads_nowhere_else(name):
    kept = dropped.keep(name, b"x")
    assert ".." not in kept.split("/")
    assert kept.startswith(str(dropped._folder()))


def test_a_toml_on_element_sets_waits_for_them(omm):
    draft = new_run.Draft(allowed=True)
    draft.take('[constellation]\nkind = "tle"\ntle = "/etc/passwd"')
    assert draft.waiting.value == '[constellation]\nkind = "tle"\n'
    draft.take('name = "mine"\n' + loader.preset_text("oneweb").partition("\n")[2])
    assert draft.waiting.value
    draft.read_elements(file(omm[".json"]))
    assert draft.start.value.scenario.name == "mine"


def test_only_so_many_files_are_kept(monkeypatch):
    monkeypatch.setattr(dropped, "_MOST", 3)
    for n in range(5):
        dropped.keep("many", b"%d" % n)
    assert len([*dropped._folder().glob("*/*/*")]) == 3
