"""The twin from Python, and a run's files read by other libraries."""

import re
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


def test_what_the_command_line_makes_of_a_run(run, tmp_path):
    figures = twin.summary(run)
    assert figures["latency_mean_s"] == pytest.approx(mean_s(run))
    assert twin.summary(run.path) == figures
    down = twin.events(run, kinds=["isl-down"])
    assert down.num_rows > 0
    assert set(down["kind"].to_pylist()) == {"isl-down"}
    assert twin.write_report(run, tmp_path / "r.html", csv_dir=tmp_path / "csv").is_file()
    assert list((tmp_path / "csv").glob("*.csv"))
    for name, begins in (("o.czml", "["), ("n.graphml", "<?xml"), ("s.csv", ""), ("s.json", "[")):
        text = twin.export_run(run, tmp_path / name).read_text()
        assert text.startswith(begins)
    with pytest.raises(InputError, match=r"goes with a \.graphml file, not o\.czml"):
        twin.export_run(run, tmp_path / "o.czml", step=3)


def test_quantities_are_numbers_in_the_unit_of_their_field():
    from astropy import units as u

    scenario = twin.load_scenario(
        "small",
        {
            "constellation.altitude_km": 7e5 * u.m,
            "constellation.inclination_deg": 1.0 * u.rad,
            "links.rate_gbps": 25e9 * u.bit / u.s,
            "bus.battery_wh": 3.6 * u.MJ,
            "compute.memory_gb": 2e9 * u.byte,
            "links.acquisition_s": 0.5 * u.min,
        },
    )
    assert scenario.constellation.altitude_km == pytest.approx(700)
    assert scenario.constellation.inclination_deg == pytest.approx(57.29578)
    assert scenario.links.rate_gbps == pytest.approx(25)
    assert scenario.bus.battery_wh == pytest.approx(1000)
    assert scenario.compute.memory_gb == pytest.approx(2)
    assert scenario.links.acquisition_s == pytest.approx(30)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("constellation.altitude_km", "W", r"must be a single quantity in km \(got <Quantity 3"),
        ("outages.availability", "km", r"'outages.availability': has no unit \(got <Quantity"),
    ],
)
def test_a_quantity_of_another_kind_is_refused_in_one_line(path, value, said):
    from astropy import units as u

    with pytest.raises(InputError, match=said):
        twin.load_scenario("small", {path: 3 * u.Unit(value)})


def test_every_field_with_a_unit_in_its_name_takes_quantities():
    """By the schema: each number whose name ends in a unit is known to the border."""
    from twin.plugins.choices import schema
    from twin.quantities import _UNITS

    ends = tuple(_UNITS)
    others = ("_gflops", "_gflops_int8", "_per_gb", "_k")  # no unit of astropy's, or a rate of them
    named = {
        key
        for table in schema()["$defs"].values()
        for key, field in table["properties"].items()
        if field.get("type") in ("number", "integer")
    }
    units = r"_(km|m|m2|deg|rad|s|ms|us|w|wh|gb|gbps|kg|c|j|nj|hz)$"
    assert [k for k in named if re.search(units, k) and not k.endswith((*ends, *others))] == []


ASKED = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.rate_per_s": 10.0,
    "requests.ttft_target_s": 4.0,
    "requests.drain_s": 100.0,
    "simulation.orbits": None,
    "simulation.step_s": 20.0,
    "simulation.steps": 15,
}


def test_capacity_is_searched_once_and_then_known(tmp_path):
    cases = {"as it is": twin.load_scenario("small", ASKED)}
    few = {"share": 0.6, "within": 1.0, "replicates": 2, "most_replicates": 2, "workers": 1}
    (found,) = twin.capacity(cases, **few, runs_dir=tmp_path)
    assert found.carried is not None
    assert found.refused is None or found.refused.load > found.carried.load
    kept = (tmp_path / "capacity.jsonl").read_text()
    (again,) = twin.capacity(cases, **few, runs_dir=tmp_path)
    assert [t.load for t in again.trials] == [t.load for t in found.trials]
    assert (tmp_path / "capacity.jsonl").read_text() == kept


@pytest.mark.parametrize(
    "ask",
    [lambda s: twin.capacity({"a": s}), lambda s: twin.where(s, boards=["orin"], models=["olmoe"])],
)
def test_what_a_constellation_carries_is_asked_of_requests(ask):
    with pytest.raises(InputError, match=r"serving\.mode: capacity is of requests"):
        ask(twin.load_scenario("small"))
