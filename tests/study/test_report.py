"""Reports on real runs and on a made-up study, read back and held against the Parquet tables."""

import csv
import re
import shlex
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twin.scenario import loader
from twin.study import report_drawing
from twin.study.report import report
from twin.study.report_data import make_cases
from twin.study.report_page import html, text
from twin.study.report_words import commands
from twin.study.run import run_scenario

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
    "dark": ["bus.battery_wh=40", "bus.initial_soc=0.6"],
}  # fmt: skip
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Refuses what is not closed in order; gathers ids, addresses and the cells of tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tables, self.words = [], [], [], {}, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]
        if tag == "table":
            self.rows = self.tables[named["id"].removeprefix("table-")] = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


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


def page_of(*folders):
    document = report(folders)
    written = html(document, report_drawing.svg)
    page = Page(written)
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert not re.search(r"(src|href)\s*=\s*.https?:|url\(\s*.?https?:|@import|<script", written)
    assert written == html(report(folders), report_drawing.svg)
    return document, page


@pytest.mark.parametrize("name", ["plain", "ground", "migration", "dark"])
def test_a_run_and_the_tables_behind_it(runs, name):
    run = runs[name]
    document, page = page_of(run.path)
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


def test_pooled_percentiles(runs):
    run = runs["plain"]
    _, page = page_of(run.path)
    steps = pd.read_parquet(run.path / "steps.parquet")
    table = pd.read_parquet(run.path / "quantiles.parquet")
    quantiles = table["latency_s"].to_numpy(float).reshape(len(steps), -1)
    share = np.unique(table["share"])
    # Many tokens drawn through each step's own quantiles have the percentiles of the page.
    u = (np.arange(2000) + 0.5) / 2000
    drawn = np.concatenate([np.interp(u, share, q) for q in quantiles])
    weight = np.repeat(steps["tokens_served"].to_numpy(float), len(u))
    order = np.argsort(drawn)
    reached = np.cumsum(weight[order]) / weight.sum()
    for row in page.tables["tokens"][2:-1]:
        at = drawn[order][np.searchsorted(reached, float(row[0].split(" %")[0]) / 100)]
        assert number(row[1]) == pytest.approx(at, rel=2e-3)


def test_repetitions_make_intervals_and_cases_stand_side_by_side(runs):
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
    said = " ".join(page.words)
    assert "differ only in placement.strategy" in said
    assert "Seeds and replicates agree" in said


def test_scenarios_that_differ_are_said_to(runs):
    _, page = page_of(*(runs[name].path for name in ("plain", "dark", "rand-intra again")))
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


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "runs" / "20260101-000000-height.study"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(
        'name = "height"\nquestion = "Does <height> matter?"\nscenario = "small"\nreplicates = 3\n'
        'strategies = ["space-xnet", "joint"]\npolicies = ["static"]\n'
        'metrics = ["latency_mean_s", "energy_per_token_j"]\n'
        '[[axes]]\n"constellation.altitude_km" = [550.0, 1150.0]\n'
    )
    (folder / "manifest.json").write_text('{"status": "complete", "versions": {"numpy": "2"}}')
    rng = np.random.default_rng(1)
    for strategy in ("space-xnet", "joint"):
        rows = [
            {
                "constellation.altitude_km": h, "replicate": r, "status": "ok", "error": None,
                "latency_mean_s": rng.uniform(1, 2), "energy_per_token_j": rng.uniform(1e3, 2e3),
            }
            for h in (550.0, 1150.0) for r in range(3)
        ]  # fmt: skip
        if strategy == "joint":
            rows[0] |= {"status": "failed", "error": "no <room>", "latency_mean_s": None,
                        "energy_per_token_j": None}  # fmt: skip
        part = folder / "points" / f"strategy={strategy}" / "policy=static"
        part.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), part / "part-0.parquet")
    return folder


def test_a_study(study):
    document, page = page_of(study)
    points = pd.read_parquet(study / "points", partitioning="hive")
    for row in page.tables["cells"][1:]:
        strategy, _, height, runs, *figures = row
        mine = points[
            (points["strategy"] == strategy) & (points["status"] == "ok")
            & (points["constellation.altitude_km"] == number(height))
        ]  # fmt: skip
        assert int(runs) == len(mine)
        for metric, cell in zip(("latency_mean_s", "energy_per_token_j"), figures, strict=True):
            half = float(cell.split(" ± ")[1].replace(",", ""))
            assert abs(number(cell) - mine[metric].mean()) < 0.1 * half
    assert len(page.tables["cells"]) == 5
    assert [row[-1] for row in page.tables["failures"][1:]] == ["no <room>"]
    assert "Does <height> matter?" in " ".join(page.words)
    assert {p.name for p in document.pictures()} == {
        "sensitivity-latency_mean_s-constellation-altitude_km",
        "sensitivity-energy_per_token_j-constellation-altitude_km",
        "pareto-energy_per_token_j",
    }


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
        (["RUN", "STUDY"], "a report on a study takes nothing beside"),
        (["."], ".: not a run (no readable manifest.json)"),
    ],
)
def test_mistakes_are_told_in_one_line(twin, runs, study, args, said):
    places = {"RUN": str(runs["plain"].path), "STUDY": str(study)}
    for word, place in places.items():
        args = [arg.replace(word, place) for arg in args]
    code, _, err = twin("report", *args)
    assert code == 2
    (line,) = [line for line in err.splitlines() if line.strip()]
    assert said in line


def test_an_interrupted_study_is_refused(twin, study):
    partial = study.rename(study.with_name(study.name + ".partial"))
    code, _, err = twin("report", str(partial))
    assert code == 2
    assert "twin sweep --resume" in err


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.89700, "0.8970"), (737280, "737,280"), (22967.3, "22,967"), (2.05e-5, "2.05e-05"),
     (0.0, "0"), (float("nan"), "–"), (None, "–")],  # noqa: RUF001
)  # fmt: skip
def test_numbers_as_the_reader_sees_them(value, told):
    assert text(value) == told
