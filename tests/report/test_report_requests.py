"""A report on a study where requests are served: which figures it shows."""

import numpy as np
import pytest
from swept import by_replicate, points_of, run, told

from twin.report.study_curves import cells_at
from twin.runs.figures import FIGURES, METRICS, REQUEST_METRICS
from twin.study.study_cells import Cells
from twin.study.study_data import read_study_data

SERVED = """
name = "served"
scenario = "small"
replicates = 2
strategies = ["space-xnet", "packed"]
set = [
    "simulation.orbits=0.2", "simulation.steps=12", "compute.accounting=full", "compute.gflops=0.1",
    "requests.prompt_tokens=20", "requests.output_tokens=5",
]
axes = [{ "serving.mode" = ["requests"], "requests.rate_per_s" = [0.1] }]
"""


GOES_ON = """
name = "goes-on"
scenario = "small"
replicates = 2
set = [
    "serving.mode=requests", "compute.accounting=full", "compute.gflops=0.1",
    "requests.prompt_tokens=20", "requests.output_tokens=5", "requests.lengths=lognormal",
    "requests.rate_per_s=1.2", "requests.half_width=0.07",
    "simulation.step_s=20", "simulation.steps=20", "simulation.most_steps=60",
]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run(SERVED, tmp_path_factory.mktemp("swept"))


def test_a_study_that_names_no_figures_shows_those_of_requests_where_these_are_served(study):
    assert read_study_data(study).study.metrics == REQUEST_METRICS
    assert METRICS[0] not in REQUEST_METRICS


def test_every_figure_stands_in_the_tables_with_its_paired_difference(page_of, study):
    document, page = page_of(study)
    points = points_of(study)
    header, *rows = page.tables["cells"]
    assert header[-len(REQUEST_METRICS) :] == [FIGURES[name].header for name in REQUEST_METRICS]
    assert len(rows) == 2
    header, row = page.tables["paired"]
    name = "request_ttft_p95_s"
    values = by_replicate(points, name)
    first, other = values.loc["space-xnet"], values.loc["packed"]
    label = FIGURES[name].label
    assert row[header.index(f"{label}: difference, s")] == told(other - first)
    assert row[header.index(f"{label}: ratio")] == told(first / other)
    assert any(picture.name.startswith("pareto-") for picture in document.pictures())


def test_replicates_that_ended_at_different_times_stand_in_one_plot(page_of, tmp_path):
    folder = run(GOES_ON, tmp_path)
    data = read_study_data(folder)
    t_s, curves = cells_at(data, Cells.of_study(data), 0)[0].each_over_time("sunlit_mean")
    ends = np.isfinite(curves).sum(axis=1)
    assert sorted(map(len, points_of(folder)["profile_t_s"])) == sorted(ends)
    assert ends.min() < ends.max() == len(t_s)
    for curve, own in zip(curves, points_of(folder)["profile_sunlit_mean"], strict=True):
        np.testing.assert_allclose(curve[: len(own)], own)
    document, _ = page_of(folder)
    assert "over-time" in [picture.name for picture in document.pictures()]
