"""Reports on real runs, read back and held against the Parquet tables."""

import csv
import shlex
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from agents.run import run_scenario
from twin.report import drawing
from twin.report.curves import cumulated
from twin.report.document import report
from twin.report.rerun import commands
from twin.runs.cells import text
from twin.runs.distribution import Distribution
from twin.runs.repeats import make_cases
from twin.scenario import loader

SHORT = ["simulation.steps=12"]
CASES = {
    "plain": [],
    "again": ["simulation.replicate=1"],
    "rand-intra": ["placement.strategy=rand-intra"],
    "rand-intra again": ["placement.strategy=rand-intra", "simulation.replicate=1"],
    "ground": ["ground.users=cities", "ground.minimum_elevation_deg=10.0"],
    "migration": [
        "faults.model=exponential", "faults.availability=0.9", "faults.mean_down_s=600",
        "controller.policy=on-event", 'controller.params={events="fault"}',
    ],
    "deaf": ["ground.users=cities", "ground.minimum_elevation_deg=89.99"],
    "dark": ["bus.battery_wh=40", "bus.initial_soc=0.6"],
}  # fmt: skip


def number(cell):
    return float(cell.split(" ± ")[0].replace(",", ""))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "runs"
    return {
        name: run_scenario(
            loader.load("small", [*SHORT, *overrides]),
            runs_dir=folder,
            run_id=name.replace(" ", "-"),
        )
        for name, overrides in CASES.items()
    }


@pytest.mark.parametrize("name", ["plain", "ground", "migration", "dark"])
def test_a_run_and_the_tables_behind_it(page_of, runs, name):
    run = runs[name]
    document, page = page_of(run.path, again=name == "migration", drawn=name != "dark")
    steps = pd.read_parquet(run.path / "steps.parquet")
    served = steps["tokens_served"]
    found = {row[0]: row[1] for row in page.tables["figures"][1:]}
    expected = {
        "latency of a token, mean, s": np.average(
            steps["latency_mean_s"].fillna(0), weights=served * steps["latency_mean_s"].notna()
        ),
        "tokens asked": steps["tokens_asked"].sum(),
        "tokens served, % of those asked": 100 * served.sum() / steps["tokens_asked"].sum(),
        "lowest state of charge, %": 100 * steps["soc_min"].min(),
        "highest temperature, °C": steps["temperature_max_c"].max(),
    }
    for label, value in expected.items():
        assert number(found[label]) == pytest.approx(value, rel=1e-3), label
    for cause, _, lost, share in page.tables.get("losses", [[]])[1:]:
        assert number(lost) == steps[f"lost_{cause}"].sum()
        assert number(share) == pytest.approx(
            100 * number(lost) / steps["tokens_asked"].sum(), rel=1e-3
        )
    rows = run.table("events").to_pylist()
    assert sum(number(row[2]) for row in page.tables["events"][1:]) == len(rows)
    for kind, cause, count in page.tables["events"][1:]:
        mine = [e for e in rows if e["kind"] == kind and (e["cause"] or "") == cause]
        assert number(count) == len(mine)
    pictures = {picture.name for picture in document.pictures()}
    assert ("first-token" in pictures) == (name == "ground")
    assert ("migration" in pictures) == bool(steps["migrated_bytes"].sum())
    assert ("losses-over-time" in pictures) == bool(steps["tokens_lost"].sum())
    assert {"latency-cdf", "layers", "energy", "timeline"} <= pictures
    assert "no confidence interval" in " ".join(page.words)


def test_pooled_percentiles(page_of, runs):
    run = runs["plain"]
    _, page = page_of(run.path)
    table = pd.read_parquet(run.path / "latency.parquet")
    every_s = np.repeat(table["value_s"], table["count"])
    for row in page.tables["tokens"][2:-1]:
        expected = np.percentile(every_s, float(row[0].split(" %")[0]))
        assert number(row[1]) == pytest.approx(expected, rel=1e-3)


def test_a_run_that_serves_nothing(page_of, runs):
    run = runs["deaf"]
    document, _ = page_of(run.path)
    assert not run.table("steps")["tokens_served"].to_numpy().any()
    assert {"latency-cdf", "layers"}.isdisjoint(p.name for p in document.pictures())
    asked = int(run.table("steps")["tokens_asked"].to_numpy().sum())
    assert document.finding.startswith(f"Of {asked} tokens asked, none was served, and most")
    # As many layers as the model has, also where none has a time.
    assert [np.isnan(part).sum() for part in make_cases([run])[0].by_layer()] == [8, 8]


def test_repetitions_make_intervals_and_cases_stand_side_by_side(page_of, runs):
    four = [runs[n] for n in ("plain", "again", "rand-intra", "rand-intra again")]
    document, page = page_of(*(run.path for run in four))
    assert page.tables["figures"][0] == ["figure", "space-xnet", "rand-intra"]
    mean_s = []
    for run in four:
        steps = pd.read_parquet(run.path / "steps.parquet")
        mean_s.append(np.average(steps["latency_mean_s"], weights=steps["tokens_served"]))
    (table,) = [t for t in document.tables() if t.name == "figures"]
    (row,) = [r for r in table.rows if r[0] == "latency of a token, mean, s"]
    assert row[1].mean == pytest.approx(np.mean(mean_s[:2]))
    assert row[1].ci95 == pytest.approx(12.7062 * np.std(mean_s[:2], ddof=1) / 2**0.5, rel=1e-4)
    (table,) = [t for t in document.tables() if t.name == "differences"]
    (row,) = [r for r in table.rows if r[0] == "latency of a token, mean, s"]
    assert row[1].mean == pytest.approx(np.mean(mean_s[2:]) - np.mean(mean_s[:2]))
    gap = f"{text(row[1])}\N{NO-BREAK SPACE}s".removeprefix("-")
    assert f"{gap} less than with rand-intra" in document.finding
    half = row[1].ci95
    chance = "which may be chance" if abs(row[1].mean) <= half else "more than chance explains"
    assert f"s ({chance})" in document.finding
    said = " ".join(page.words)
    assert "differ only in placement.strategy" in said
    assert "Seeds and replicates agree" in said


def test_scenarios_that_differ_are_said_to(page_of, runs):
    _, page = page_of(
        *(runs[name].path for name in ("plain", "dark", "rand-intra again")), drawn=False
    )
    said = " ".join(page.words)
    assert "Differences are not of the strategy alone" in said
    assert "Seeds or replicates do not agree" in said


def test_commands_give_the_scenario_again(runs):
    for run in runs.values():
        (line,) = commands(make_cases([run])[0])
        words = shlex.split(line)
        assert words[:2] == ["twin", "run"]
        again = loader.load(words[2], words[4::2])
        assert loader.scenario_hash(again) == run.manifest["scenario_hash"]


def test_the_command_writes_page_figures_and_tables(twin, runs, tmp_path):
    run = runs["plain"]
    code, _, err = twin("report", str(run.path), "--png-dir", "p", "--csv-dir", "c")
    assert (code, err) == (0, "")
    assert (tmp_path / "plain-report.html").read_text().startswith("<!doctype html>")
    pictures = {p.name for p in report([run.path]).pictures()}
    assert {f.stem for f in (tmp_path / "p").iterdir()} == pictures
    assert (tmp_path / "p" / "layers.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "c" / "figures.csv").open() as file:
        rows = dict(csv.reader(file))
    steps = pd.read_parquet(run.path / "steps.parquet")
    assert float(rows["tokens asked"]) == steps["tokens_asked"].sum()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing"], "nothing: neither a folder nor a run in runs/"),
        (["RUN", "RUN"], "given twice"),
        (["RUN", "--out", "no/where.html"], "--out no/where.html: there is no folder no"),
        (["RUN", "--csv-dir", "RUN/tables"], "which is not to be changed"),
        (["."], ".: not a run (no readable manifest.json)"),
    ],
)
def test_mistakes_are_told_in_one_line(twin, runs, args, said):
    args = [arg.replace("RUN", str(runs["plain"].path)) for arg in args]
    code, _, err = twin("report", *args)
    assert code == 2
    (line,) = [line for line in err.splitlines() if line.strip()]
    assert said in line


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.89700, "0.8970"), (737280, "737,280"), (22967.3, "22,967"), (2.05e-5, "2.05e-05"),
     (0.0, "0"), (float("nan"), "–"), (None, "–")],  # noqa: RUF001
)  # fmt: skip
def test_numbers_as_the_reader_sees_them(value, told):
    assert text(value) == told


def test_numbers_on_axes_side_by_side_keep_apart():
    """A browser draws letters wider than they are reckoned here: some room must be left."""
    ends_s = {"first": (0.0, 0.3), "further": (0.0168, 0.0277), "last": (1.0, 100.0)}
    times = {
        which: [("a", Distribution.of(np.linspace(*ends, 50)))] for which, ends in ends_s.items()
    }
    with drawing._drawn(cumulated("x", "X", times, "latency_mean_s")) as figure:
        figure.draw_without_rendering()
        for axes in figure.axes:
            low, high = axes.get_xlim()
            labels = [one for one in axes.get_xticklabels() if low <= one.get_position()[0] <= high]
            boxes = [label.get_window_extent() for label in labels]
            assert len(boxes) > 1
            assert all(b.x0 - a.x1 > 0.4 * a.width for a, b in pairwise(boxes))
