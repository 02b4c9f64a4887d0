"""The twin from Python, and a run's files read by other libraries."""

import subprocess
import sys

import pytest

import twin
from twin.errors import InputError
from twin.scenario import loader

STUDY = 'name = "s"\nscenario = "small"\nreplicates = 2\nset = ["simulation.steps=2"]\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    scenario = twin.load_scenario("small", {"simulation.steps": 20, "outages.availability": 0.9})
    return twin.run(scenario, runs_dir=tmp_path_factory.mktemp("runs"))


def test_scenarios_are_those_of_the_command_line():
    overrides = {"outages.availability": 0.9, "placement.strategy": "joint"}
    told = ["outages.availability=0.9", "placement.strategy=joint"]
    assert twin.load_scenario("paper", overrides) == loader.load("paper", told)
    assert twin.load_scenario("paper") == loader.load("paper")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"outages.availability": 2}, "outages.availability"),
        ({"name.first": 1}, "override 'name.first': name is a value"),
        ({"": 1}, "override '': must look like table.key"),
    ],
)
def test_a_mistake_is_told_in_one_line(overrides, said):
    with pytest.raises(InputError, match=said) as caught:
        twin.load_scenario("paper", overrides)
    assert "\n" not in str(caught.value)


def test_run_and_open(run):
    again = twin.open_run(run.path)
    assert again.scenario == run.scenario
    assert again.table("steps").to_pandas()["step"].tolist() == list(range(20))


def test_a_plain_script_may_use_workers(tmp_path):
    (tmp_path / "s.toml").write_text(STUDY)
    script = tmp_path / "s.py"
    script.write_text(
        "import __main__, twin\n"
        "print('once', twin.sweep('s.toml', workers=2).points().num_rows, __main__.__file__)\n"
    )
    told = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout == f"once 2 {script}\n"


def test_compare_and_place(run):
    result = twin.compare(run.scenario, ["space-xnet", "packed"], replicates=2, workers=1)
    assert [outcome.case.name for outcome in result.outcomes] == ["space-xnet", "packed"]
    placed = twin.place(run.scenario, ["space-xnet"], replicates=2, workers=1)
    assert [entry.name for entry in placed] == ["space-xnet"]


def test_sweep_and_open(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text(STUDY)
    study = twin.sweep(file, workers=1, runs_dir=tmp_path / "runs")
    assert twin.open_study(study.path).points()["replicate"].to_pylist() == [0, 1]


def mean_s(run):
    steps = run.table("steps", ["latency_mean_s", "tokens_served"]).to_pydict()
    pairs = list(zip(*steps.values(), strict=True))
    return sum(s * n for s, n in pairs) / sum(n for _, n in pairs)


def test_pandas_reads_a_table(run):
    pd = pytest.importorskip("pandas")
    steps = pd.read_parquet(run.path / "steps.parquet")
    served = steps["tokens_served"]
    mean = (steps["latency_mean_s"] * served).sum() / served.sum()
    assert mean == pytest.approx(mean_s(run))


def test_polars_reads_a_table(run):
    pl = pytest.importorskip("polars")
    weighted = pl.col("latency_mean_s") * pl.col("tokens_served")
    steps = pl.scan_parquet(run.path / "steps.parquet")
    mean = steps.select(weighted.sum() / pl.col("tokens_served").sum()).collect().item()
    assert mean == pytest.approx(mean_s(run))


def test_duckdb_reads_a_table(run):
    duckdb = pytest.importorskip("duckdb")
    query = "select sum(latency_mean_s * tokens_served) / sum(tokens_served) from "
    ((mean,),) = duckdb.sql(f"{query} '{run.path}/steps.parquet'").fetchall()
    assert mean == pytest.approx(mean_s(run))


def test_duckdb_reads_a_study(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "s.toml"
    file.write_text(STUDY)
    study = twin.sweep(file, workers=1, runs_dir=tmp_path / "runs")
    query = (
        f"select strategy, avg(latency_mean_s) from '{study.path}/points/**/*.parquet' group by 1"
    )
    ((strategy, mean),) = duckdb.sql(query).fetchall()
    assert strategy == "space-xnet"
    assert mean == pytest.approx(sum(study.points()["latency_mean_s"].to_pylist()) / 2)


def test_the_package_imports_nothing_until_asked():
    code = (
        "import sys; before = {*sys.modules}; import twin; "
        "print(sorted(name for name in {*sys.modules} - before if name.startswith(('twin', 'n'))))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['twin']"


def test_what_is_not_there_is_said():
    assert {"load_scenario", "run", "open_run"} <= {*dir(twin)}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = twin.nothing
