"""A study on the page: what its plots and points are, and the run behind a point."""

import shutil
import time

import numpy as np
import pytest

from twin.errors import InputError
from twin.runs.lock import Lock
from twin.runs.statistics import estimate
from twin.runs.store import open_run
from twin.runs.summary import summarise
from twin.study import answers
from twin.study.sweep import open_sweep, sweep
from twin.views import keeping, studies
from twin.views.listing import Listing
from twin.views.points import READY, open_point
from twin.views.public import public
from twin.views.study_page import StudyPlots

STUDY = """
name = "two"
scenario = "small"
replicates = 2
strategies = ["space-xnet", "rand-intra"]
metrics = ["latency_mean_s", "tokens_served_share"]
set = ["simulation.steps=2"]

[[axes]]
"constellation.altitude_km" = [800.0, 1150.0]

[[axes]]
"bus.profile" = ["sbc", "v2mini"]
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    root = tmp_path_factory.mktemp("swept")
    (root / "two.toml").write_text(STUDY)
    opened = open_sweep(str(root / "two.toml"), resume=False, runs_dir=root, keep_runs=True)
    with opened.writer:
        return sweep(opened, workers=1)


@pytest.fixture
def study(swept, tmp_path):
    """The study in a folder of the test's own, without the runs that it kept."""
    shutil.copytree(swept.path, tmp_path / swept.path.name, ignore=shutil.ignore_patterns("runs"))
    return studies.read(tmp_path, swept.path.name)


def latencies(swept):
    """By altitude, bus, strategy and replicate."""
    return swept.points()["latency_mean_s"].to_numpy().reshape(2, 2, 2, 2)


def test_a_study_is_described_by_its_axes_cases_and_figures(study):
    told = studies.described(*study)
    assert [(a["label"], a["numeric"]) for a in told["axes"]] == [
        ("altitude_km", True),
        ("profile", False),
    ]
    assert told["axes"][1]["values"] == ["sbc", "v2mini"]
    assert told["cases"] == ["space-xnet", "rand-intra"]
    assert told["points"] == 16
    assert [figure["name"] for figure in told["figures"]] == list(study[0].study.metrics)


def test_lines_are_means_with_intervals_over_replicates(study, swept):
    asked = {"figure": "latency_mean_s", "axis": 0, "at": [None, 1]}
    lines = studies.along(study[1], asked)["lines"]
    for case, line in enumerate(lines):
        for value, ends in enumerate(line):
            mean, half = estimate(latencies(swept)[value, 1, case])
            np.testing.assert_allclose(ends, [mean, mean - half, mean + half], rtol=1e-12)


def test_without_a_value_of_the_other_axis_lines_are_means_over_it(study, swept):
    lines = studies.along(study[1], {"figure": "latency_mean_s", "axis": 1})["lines"]
    means = latencies(swept).mean(axis=(0, 3)).T
    np.testing.assert_allclose([[mean for mean, *_ in line] for line in lines], means)


def test_a_share_s_interval_ends_at_all(study):
    lines = studies.along(study[1], {"figure": "tokens_served_share", "axis": 0})["lines"]
    ends = [v for line in lines for point in line for v in point if v is not None]
    assert ends
    assert max(ends) <= 100.0


def test_a_mark_stands_for_the_runs_of_its_place_and_case(study, swept):
    asked = {"figure": "latency_mean_s", "axis": 1, "value": 1, "case": 1}
    rows = studies.runs(*study, asked)["rows"]
    wanted = [
        row["point"]
        for row in swept.points().to_pylist()
        if row["bus.profile"] == "v2mini" and row["strategy"] == "rand-intra"
    ]
    assert [row["point"] for row in rows] == wanted
    assert [row["replicate"] for row in rows] == [0, 1, 0, 1]
    one = studies.runs(*study, asked | {"at": [1, None]})["rows"]
    assert [row["point"] for row in one] == wanted[2:]
    assert one[0]["place"] == "altitude_km 1150, profile v2mini"


@pytest.mark.parametrize(
    "asked",
    [
        {"figure": "colour"},
        {"axis": 2},
        {"axis": "0"},
        {"at": [None, 2]},
        {"at": 1},
        {"value": 2},
        {"case": 2},
        {"case": -1},
    ],
)
def test_what_there_is_not_is_refused(study, asked):
    with pytest.raises(InputError):
        studies.runs(*study, {"axis": 0, **asked})


@pytest.mark.parametrize("name", ["", "../two.study", "nothing.study", "a\0.study", "two"])
def test_no_other_folder_is_read(tmp_path, name):
    with pytest.raises(InputError, match="no such complete study"):
        studies.read(tmp_path, name)


def opened(root, data, number):
    """Ask until the run is ready and complete."""
    for _ in range(600):
        found = open_point(root, data, number, allowed=True)
        assert found.wrong == ""
        if found.state == READY and (root / found.run).is_dir():
            return found.run
        time.sleep(0.05)
    raise AssertionError(found.state)


def test_a_point_s_run_is_computed_and_has_the_point_s_figures(study, swept, tmp_path):
    point = 13  # neither the first case nor the first replicate
    run = open_run(tmp_path / opened(tmp_path, study[0], point))
    row = swept.points().to_pylist()[point]
    assert run.scenario.placement.strategy == row["strategy"]
    assert run.scenario.simulation.replicate == row["replicate"]
    assert summarise(run)["latency_mean_s"] == row["latency_mean_s"]
    rows = studies.runs(*study, {"axis": 1, "value": 1, "case": 0})["rows"]
    assert {r["point"]: r["there"] for r in rows}[point]


def test_a_run_that_the_study_kept_is_taken(swept):
    data, _ = studies.read(swept.path.parent, swept.path.name)
    root = swept.path.parent
    found = open_point(root, data, 2, allowed=True)
    assert found.state == READY
    kept = swept.path / "runs" / "point-0000002"
    assert open_run(root / found.run).manifest == open_run(kept).manifest


def test_who_may_not_start_runs_makes_none(study, tmp_path):
    before = sorted(tmp_path.iterdir())
    page = StudyPlots(root=tmp_path, study=study[0].kept.path.name, near=False)
    asked = {"what": "open", "point": 0}
    assert page._answer(asked) == {"wrong": public(keeping.REFUSED)}
    assert sorted(tmp_path.iterdir()) == before
    page.near = True
    assert "wrong" in page._answer({"what": "open", "point": 16})


def test_what_another_process_computes_is_waited_for(study, tmp_path):
    partial = tmp_path / f"{studies.run_of(study[0].kept.path.name, 3)}.partial"
    partial.mkdir()
    with Lock.take(partial):
        assert "computes" in open_point(tmp_path, study[0], 3, allowed=False).state


@pytest.fixture
def answered(tmp_path):
    one = answers.Series(label="a", hue=0, shape=0, joined=True, points=[(1.0, 2.0, 1, 3, True)])
    plot = answers.Plot(title="t", x="x", y="y", series=[one])
    answers.keep(tmp_path, "where", "sky", question="q", rule="r", plots=[plot])
    return "where-sky.answer.json"


def test_an_answer_is_listed_drawn_and_deleted(tmp_path, answered):
    (row,) = Listing(tmp_path).rows({"text": "sky"})["rows"]
    assert (row["id"], row["what"], row["kind"]) == (answered, "where: sky", "study")
    told = StudyPlots(root=tmp_path, study=answered)._answer({"what": "study"})
    assert (told["title"], told["question"]) == ("where: sky", "q")
    assert told["plots"][0]["series"][0]["points"] == [[1.0, 2.0, 1, 3, True]]
    keeping.delete(tmp_path, answered)
    assert not (tmp_path / answered).exists()


@pytest.mark.parametrize("name", ["../where-sky.answer.json", "x.answer.json", "/x.answer.json"])
def test_no_other_answer_is_read_or_deleted(tmp_path, answered, name):
    below = tmp_path / "below"
    below.mkdir()
    assert set(StudyPlots(root=below, study=name)._answer({"what": "study"})) == {"wrong"}
    with pytest.raises(InputError):
        keeping.delete(below, name)
    assert (tmp_path / answered).exists()


def test_a_study_is_listed_by_its_name(study, tmp_path):
    (row,) = Listing(tmp_path).rows({})["rows"]
    assert (row["what"], row["kind"], row["status"]) == ("two", "study", "complete")
