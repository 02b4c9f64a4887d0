"""Reports on real studies, read back and held against their Parquet data set."""

import csv
import shutil

import numpy as np
import pytest
from scipy import stats
from swept import COMMON, by_replicate, failing, points_of, run, told

from twin.report.study import rerun
from twin.runs.cells import text
from twin.runs.figures import FIGURES
from twin.study.points import base_scenario
from twin.study.study_data import StudyData
from twin.study.study_file import parse_study, read_study

HEIGHT = f"""
name = "height"
question = "Does <height> matter?"
metrics = ["latency_mean_s", "tokens_served_share", "energy_per_token_j", "migrated_gb"]
{COMMON}
axes = [
    {{ "constellation.altitude_km" = [800.0, 1200.0] }},
    {{ "compute.memory_gb" = [16.0, 1e-9] }},
]
"""
AXES = ["constellation.altitude_km", "compute.memory_gb"]


@pytest.fixture(scope="module")
def height(tmp_path_factory):
    return run(HEIGHT, tmp_path_factory.mktemp("swept"))


@pytest.fixture(scope="module", params=[(), (1,), (0, 1)], ids=["whole", "a point", "a cell"])
def study(height, tmp_path_factory, request):
    if not request.param:
        return height
    return failing(height, tmp_path_factory.mktemp("failing"), request.param)


def at(points, altitude, memory, strategy):
    return points[
        (points[AXES[0]] == float(altitude))
        & (points[AXES[1]] == float(memory))
        & (points["strategy"] == strategy)
    ].sort_values("replicate")


def test_every_cell(page_of, study):
    _, page = page_of(study, again="swept" in study.parent.name)
    points = points_of(study)
    header, *rows = page.tables["cells"]
    metrics = ("latency_mean_s", "tokens_served_share", "energy_per_token_j", "migrated_gb")
    assert header == [
        "altitude_km",
        "memory_gb",
        "case",
        "runs",
        *(FIGURES[m].header for m in metrics),
    ]
    assert len(rows) == 8
    for altitude, memory, case, runs, *figures in rows:
        mine = at(points, altitude, memory, case)
        assert int(runs) == (mine["status"] == "ok").sum()
        assert figures == [told(mine[m] * FIGURES[m].scale) for m in metrics]


def test_every_pair(page_of, study):
    document, page = page_of(study)
    points = points_of(study)
    header, *rows = page.tables["paired"]
    assert header[3:6] == [
        "pairs",
        "latency of a token, mean: difference, s",
        "latency of a token, mean: ratio",
    ]
    assert len(rows) == 4
    (table,) = [table for table in document.tables() if table.name == "paired"]
    for (altitude, memory, case, pairs, *figures), full in zip(rows, table.rows, strict=True):
        first, mine = at(points, altitude, memory, "rand-intra"), at(points, altitude, memory, case)
        both = (mine["status"].to_numpy() == "ok") & (first["status"].to_numpy() == "ok")
        assert int(pairs) == both.sum()
        ours, theirs = mine["latency_mean_s"].to_numpy(), first["latency_mean_s"].to_numpy()
        assert figures[:2] == [told(ours - theirs), told(theirs / ours)]
        if both.any():
            assert full[4].mean == pytest.approx((ours - theirs)[both].mean(), rel=1e-12)
    # Neither strategy loses or moves anything here.
    assert "No case differs in: tokens served" in table.note


def shared_places(points):
    """Places where no point failed, as (strategies, replicates) of a figure each."""
    groups = points.groupby(AXES, sort=False)
    return [group for _, group in groups if (group["status"] == "ok").all()]


def test_averages_and_what_is_said_of_them(page_of, study):
    document, page = page_of(study)
    latencies = [by_replicate(g, "latency_mean_s") for g in shared_places(points_of(study))]
    mean = sum(latencies) / len(latencies)
    ratio = np.exp(
        sum(np.log(v.loc["rand-intra"] / v.loc["space-xnet"]) for v in latencies) / len(latencies)
    )
    (row,) = page.tables["averaged"][1:]
    difference = mean.loc["space-xnet"] - mean.loc["rand-intra"]
    assert row[:3] == ["space-xnet", told(difference), told(ratio)]
    said, space = document.finding, "\N{NO-BREAK SPACE}"
    best = mean.mean(axis=1).idxmin()
    other = ({*mean.index} - {best}).pop()
    assert f"Latency of a token, mean: lowest with {best}, {told(mean.loc[best])}" in said
    assert f"{space}s on average over" in said
    half = stats.t.ppf(0.975, 1) * difference.std() / len(difference) ** 0.5
    chance = (
        "which may be chance" if abs(difference.mean()) <= half else "more than chance explains"
    )
    assert f"; {told(np.sign(difference.mean()) * difference)}{space}s less than with" in said
    assert f"with {other}, {told(mean.loc[other])}{space}s ({chance})" in said
    if best == "space-xnet":
        assert f"which takes {told(ratio)} times as long" in said
    header, row, *_ = page.tables["overview"]
    rows = dict(zip(header[1:], row[1:], strict=True))
    assert rows == {name: told(mean.loc[name]) for name in mean.index}


def test_sensitivity_and_its_caption(page_of, study):
    document, page = page_of(study)
    pictures = {picture.name: picture for picture in document.pictures()}
    points = points_of(study)
    # Memory leaves a single value at which anything ran; tokens and migration never change.
    assert set(pictures) == {
        "lead-sensitivity-altitude_km",
        "sensitivity-altitude_km",
        "pareto-energy_per_token_j",
        "latency-cdf",
        "layers",
        *(["over-time"] if "over-time" in pictures else []),
    }
    caption = pictures["sensitivity-altitude_km"].caption
    assert "Not along this axis: tokens served, moved between satellites." in caption
    mine = points[(points["strategy"] == "rand-intra") & (points["status"] == "ok")]
    for altitude, group in mine.groupby(AXES[0]):
        row = [f"{altitude:g}", "rand-intra", told(group["latency_mean_s"])]
        assert row in [found[:3] for found in page.tables["along-altitude_km"]]


def test_curves_are_those_of_the_shown_place(page_of, height):
    document, page = page_of(height)
    captions = {picture.name: picture.caption for picture in document.pictures()}
    points = points_of(height)
    # The preset's own altitude and memory.
    for name in ("layers", "latency-cdf"):
        assert "Shown is altitude_km 1200, memory_gb 16, the scenario's own place" in captions[name]
    by_layer = {row[0]: row[1] for row in page.tables["layers"]}
    header, *within = page.tables["tokens"]
    for strategy in ("rand-intra", "space-xnet"):
        mine = at(points, 1200, 16, strategy)
        way, work = (
            np.mean(np.stack(list(mine[f"profile_layer_{part}_s"])), axis=0)
            for part in ("way", "compute")
        )
        assert by_layer[strategy] == text(float(1e3 * (way + work).mean()))
        value_s, count = (
            np.concatenate(mine[f"profile_latency_{part}"].to_list()) for part in ("s", "count")
        )
        half = np.median(np.repeat(value_s, count.astype(int)))
        (row,) = [row for row in within if row[0] == "50 % took at most"]
        assert float(row[header.index(strategy)]) == pytest.approx(half, rel=1e-3)


def test_trade_off_names_cells_that_none_beats(page_of, study):
    document, _ = page_of(study)
    (picture,) = [p for p in document.pictures() if p.name == "pareto-energy_per_token_j"]
    ended = points_of(study).query("status == 'ok'")
    means = ended.groupby([*AXES, "strategy"])[["latency_mean_s", "energy_per_token_j"]].mean()
    means = means.map(lambda value: float(f"{value:.9g}"))
    for key, mine in means.iterrows():
        beaten = ((means <= mine).all(axis=1) & (means < mine).any(axis=1)).any()
        name = f"{key[2]}, altitude_km {key[0]:g}, memory_gb {key[1]:g}"
        named = picture.caption.partition("in both: ")[2].partition(".")[0].split("; ")
        assert (name in named) == (not beaten)


def test_failures_and_design(page_of, study):
    _, page = page_of(study)
    failed = points_of(study).query("status != 'ok'")
    rows = page.tables["failures"][1:]
    assert sum(len(row[3].split(", ")) for row in rows) == len(failed)
    for altitude, memory, case, replicates, error in rows:
        mine = at(failed, altitude, memory, case)
        assert set(map(int, replicates.split(", "))) <= set(mine["replicate"])
        assert error in set(mine["error"])
    said = " ".join(page.words)
    assert f"{len(failed)} of 16 points failed" in said
    assert "Does <height> matter?" in said
    assert ["axis 1: constellation.altitude_km", "800, 1200"] in page.tables["design"]
    assert ["energy drawn by the fleet, J a token", "energy_per_token_j", "less"] in [
        row[:3] for row in page.tables["metrics"]
    ]
    fields = {row[0]: row[1] for row in page.tables["scenario"]}
    assert not fields.keys() & {*AXES, "placement.strategy", "controller.policy"}
    assert (fields["constellation.planes"], fields["constellation.satellites_per_plane"]) == (
        "6",
        "8",
    )


def test_how_to_rerun(page_of, height):
    document, page = page_of(height)
    assert f"twin sweep {height}/study.toml" in " ".join(page.words)
    (section,) = [s for s in document.sections if s.title == "How to rerun"]
    again = parse_study(section.parts[-1].text, "report")
    assert again == parse_study((height / "study.toml").read_text(), "kept")


def test_a_study_that_ships_is_rerun_by_its_name(height):
    from twin.runs.studies import open_study

    kept, study = open_study(height), read_study("altitude")
    base = base_scenario(study, "altitude")
    shipped = StudyData(kept=kept, study=study, base=base, points=kept.points())
    assert [*rerun(shipped)][-1].text.startswith("twin sweep altitude\n")
    other = study.model_copy(update={"replicates": 2})
    changed = StudyData(kept=kept, study=other, base=base, points=kept.points())
    assert [*rerun(changed)][1].text.startswith(f"twin sweep {height}/study.toml\n")


def test_the_command_writes_page_figures_and_tables(twin, page_of, height, tmp_path):
    code, _, err = twin("report", str(height), "--png-dir", "p", "--csv-dir", "c")
    assert (code, err) == (0, "")
    assert (tmp_path / f"{height.name}-report.html").read_text().startswith("<!doctype html>")
    document, _ = page_of(height)
    assert {f.stem for f in (tmp_path / "p").iterdir()} == {p.name for p in document.pictures()}
    assert {f.stem for f in (tmp_path / "c").iterdir()} == {t.name for t in document.tables()}
    points = points_of(height)
    with (tmp_path / "c" / "cells.csv").open() as file:
        for row in csv.DictReader(file):
            mine = at(points, row["altitude_km"], row["memory_gb"], row["case"])
            written = row[FIGURES["latency_mean_s"].header]
            assert float(written or "nan") == pytest.approx(
                mine["latency_mean_s"].mean(), rel=1e-12, nan_ok=True
            )


def test_mistakes_are_told_in_one_line(twin, height, tmp_path):
    def refused(*folders):
        code, _, err = twin("report", *map(str, folders))
        assert code == 2
        (line,) = err.splitlines()
        return line

    assert "a report on a study takes nothing beside" in refused(height, tmp_path)
    partial = tmp_path / f"{height.name}.partial"
    shutil.copytree(height, partial)
    assert f"finish it with: twin sweep --resume {partial}" in refused(partial)
    damaged = tmp_path / height.name
    shutil.copytree(height, damaged)
    shutil.rmtree(damaged / "points" / "strategy=space-xnet")
    assert "part-0.parquet: No such file or directory; the file is" in refused(damaged)
    (damaged / "manifest.json").unlink()
    assert "not a study (no readable manifest.json)" in refused(damaged)
