import json

import numpy as np
import pytest

from agents.run import RunCancelledError, run_scenario
from twin.errors import InputError
from twin.runs import rows
from twin.runs import store as runs
from twin.runs.statistics import percentiles
from twin.runs.summary import summarise
from twin.runs.tables import TABLES
from twin.scenario import loader


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    return run_scenario(loader.load("small"), runs_dir=tmp_path_factory.mktemp("runs"))


def test_manifest_and_scenario(small_run):
    manifest = small_run.manifest
    assert manifest["status"] == "complete"
    assert manifest["scenario_hash"] == loader.scenario_hash(small_run.scenario)
    assert manifest["rows"] == {n: small_run.table(n).num_rows for n in TABLES}
    assert manifest["wall_time_s"] > 0
    assert {"python", "numpy", "mesa", "boinor", "sgp4"} <= manifest["versions"].keys()
    assert small_run.scenario.model_dump() == loader.load("small").model_dump()


def test_tables_have_their_schema_and_fit_together(small_run):
    tables = {name: small_run.table(name) for name in TABLES}
    for name, table in tables.items():
        assert table.schema.equals(TABLES[name])
    steps, layers = tables["steps"].to_pandas(), tables["layers"].to_pandas()
    assert steps["step"].tolist() == list(range(60))
    per_step = layers.groupby("step")["latency_mean_s"].sum()
    np.testing.assert_allclose(per_step, steps["latency_mean_s"], rtol=1e-9)
    links = steps[[c for c in steps if c == "links_up" or c.startswith("links_down_")]].sum(axis=1)
    assert links.nunique() == 1
    tokens = tables["tokens"].to_pylist()
    assert len(tokens) == 2 * 60
    for token in tokens:
        if token["served"]:
            arrival = max(hop["end_s"] for hop in token["hops"])
            assert arrival == pytest.approx(token["latency_s"], rel=1e-6)
        else:
            assert token["cause"] == "unreachable"
    placements = tables["placements"].to_pandas()
    assert len(placements[placements["expert"] == -1]) == 8


def test_events_tell_every_change_of_a_link(small_run):
    events = small_run.table("events").to_pandas()
    steps = small_run.table("steps").to_pandas().set_index("step")
    changes = events[events["kind"].isin(["isl-up", "isl-down"])]
    # A link that goes from one cause of being down to another is told as down again.
    up = changes[changes["kind"] == "isl-up"].groupby("step").size()
    random = steps["links_down_random"]
    assert up.sum() > 0
    assert (changes[changes["kind"] == "isl-down"]["cause"].isin(["random", "grazing"])).all()
    assert random.max() <= 96


def test_same_scenario_gives_identical_tables(small_run, tmp_path):
    again = run_scenario(loader.load("small"), runs_dir=tmp_path)
    for name in TABLES:
        assert again.table(name).equals(small_run.table(name)), name


def test_summary(small_run):
    figures = summarise(small_run)
    steps = small_run.table("steps").to_pandas()
    served = steps["tokens_served"].sum()
    mean = (steps["latency_mean_s"] * steps["tokens_served"]).sum() / served
    assert figures["latency_mean_s"] == pytest.approx(mean)
    assert figures["tokens_served_share"] == served / steps["tokens_asked"].sum()
    assert figures["propagation_mean_s"] + figures["compute_mean_s"] == pytest.approx(mean)


def test_an_interrupted_run_is_recognised_and_can_be_run_again(tmp_path, small_run):
    calls = iter([False] * 5 + [True])
    with pytest.raises(RunCancelledError):
        run_scenario(loader.load("small"), runs_dir=tmp_path, cancelled=lambda: next(calls))
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith(".partial")
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
    with pytest.raises(InputError, match="--resume"):
        runs.open_run(folder)
    run_id, scenario = runs.interrupted_scenario(folder)
    whole = run_scenario(scenario, runs_dir=tmp_path, run_id=run_id)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [whole.path]
    assert whole.table("steps").equals(small_run.table("steps"))
    assert not folder.exists()


def test_a_failed_run_says_why(tmp_path):
    def full_disk(step, steps):
        if step == 3:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        run_scenario(loader.load("small"), runs_dir=tmp_path, progress=full_disk)
    (folder,) = tmp_path.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["status"], manifest["error"]) == ("failed", "no space left")
    assert manifest["rows"]["steps"] == 3


def test_a_run_that_never_began_leaves_nothing(tmp_path):
    scenario = loader.load("small", ["placement.strategy=best"])
    with pytest.raises(InputError, match="unknown placement strategy"):
        run_scenario(scenario, runs_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_not_a_run_is_refused(tmp_path, small_run):
    with pytest.raises(InputError, match="not a run"):
        runs.open_run(tmp_path)
    with pytest.raises(InputError, match="no table 'stars'"):
        small_run.table("stars")
    with pytest.raises(InputError, match="not an interrupted run"):
        runs.interrupted_scenario(small_run.path)


def test_two_runs_in_one_second_do_not_collide(tmp_path):
    scenario = loader.load("small")
    first = runs.new_run_id(tmp_path, scenario)
    (tmp_path / first).mkdir()
    assert runs.new_run_id(tmp_path, scenario) != first


def test_a_table_of_many_row_groups_reads_as_one(tmp_path, monkeypatch):
    """Each group has a dictionary of its own kinds of events; readers see one."""
    monkeypatch.setattr(rows, "_MOST_STEPS", 5)
    run = run_scenario(loader.load("small"), runs_dir=tmp_path)
    kinds = run.table("events")["kind"]
    assert kinds.num_chunks > 1
    counts = dict(zip(*(a.to_pylist() for a in kinds.value_counts().flatten()), strict=True))
    assert sum(counts.values()) == len(kinds)
    assert counts["isl-down"] > 0


@pytest.mark.parametrize("count", [1, 2, 3, 50, 257])
def test_percentiles_are_those_of_numpy(count):
    values = np.random.default_rng(count).random(count)
    expected = np.percentile(values, [0, 50, 95, 99, 100])
    np.testing.assert_allclose(percentiles(values, (0, 50, 95, 99, 100)), expected, rtol=1e-12)
