"""Notes at times of runs in their report: in a table, and as marks in the plots over time."""

import matplotlib.pyplot as plt
import pytest

from agents.run import run_scenario
from twin.report.document import report
from twin.runs import notes
from twin.scenario import loader


@pytest.fixture
def runs(tmp_path):
    """Two runs of 12 steps, half a minute each."""
    made = []
    for strategy in ("space-xnet", "rand-intra"):
        fields = {"simulation.steps": 12, "placement.strategy": strategy}
        made.append(run_scenario(loader.load("small", fields), runs_dir=tmp_path, run_id=strategy))
    return made


def marked(document):
    """Times, in the axis' unit, and numbers of the marks in each panel, by the picture's name."""
    found = {}
    for picture in document.pictures():
        figure = plt.figure()
        picture.draw(figure)
        for axes in figure.axes:
            lines = [line for line in axes.lines if line.get_linestyle() == "--"]
            texts = [text.get_text() for text in axes.texts]
            at = [float(line.get_xdata()[0]) for line in lines if len(set(line.get_xdata())) == 1]
            if at:
                found.setdefault(picture.name, []).append((at, texts))
        plt.close(figure)
    return found


def test_notes_are_in_the_report_of_their_run_and_in_its_plots_over_time(runs, page_of):
    t_s = float(runs[0].table("steps", ["t_s"])["t_s"][3])
    notes.add(runs[0].path, t_s, "here <b>it</b> begins")
    notes.add(runs[0].path, 1e9, "long after the end")
    document, page = page_of(runs[0].path)
    (first, second) = page.tables["notes"][1:]
    assert [*first[:2], first[3]] == ["1", "space-xnet", "here <b>it</b> begins"]
    assert float(first[2].replace(",", "")) == pytest.approx(t_s, rel=1e-3)
    assert second[3] == "long after the end"
    found = marked(document)
    assert {"latency-over-time", "energy", "timeline"} <= set(found)
    for name, panels in found.items():
        for at, texts in panels:
            assert len(at) == 1, name
            assert at[0] in (pytest.approx(t_s), pytest.approx(t_s / 60))
            assert texts[0] == "1"


def test_notes_of_two_cases_are_in_their_own_panels_and_in_those_of_both(runs):
    for run, t_s in zip(runs, (60.0, 90.0), strict=True):
        notes.add(run.path, t_s, "a note")
    found = marked(report([run.path for run in runs]))
    both = [texts for _, texts in found["latency-over-time"]]
    assert all(texts == ["1", "2"] for texts in both)
    assert [texts for _, texts in found["timeline"]] == [["1"]]
    assert [texts for _, texts in found["timeline-2"]] == [["2"]]


def test_a_run_without_notes_has_no_section_of_them(runs, page_of):
    document, page = page_of(runs[0].path)
    assert "notes" not in page.tables
    assert marked(document) == {}
