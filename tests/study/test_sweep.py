"""Sweeps: the same bytes however they ran, killed or on a cluster; failures are kept."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.model import TwinModel
from agents.run import run_scenario
from twin.errors import InputError
from twin.plugins import loading
from twin.runs.checkpoints import Checkpoints
from twin.runs.distribution import RELATIVE_ERROR
from twin.runs.figures import FIGURES
from twin.runs.files import write_text
from twin.runs.store import open_run
from twin.runs.studies import open_study
from twin.runs.study_writer import StudyWriter
from twin.runs.summary import summarise
from twin.scenario import loader
from twin.study import sweep as sweeping
from twin.study.profiles import PROFILES
from twin.study.sweep import open_sweep, run_point, sweep

STUDY = """
name = "tiny"
question = "What does altitude change?"
scenario = "small"
replicates = 2
strategies = ["space-xnet", "same-again"]
plugins = ["FOLDER/mine.py"]
metrics = ["latency_mean_s", "tokens_served_share"]
set = ["simulation.steps=5"]

[[axes]]
"constellation.altitude_km" = [1200.0, 1400.0]

[[axes]]  # a byte holds not even one expert
"compute.memory_gb" = [1e-9, 8.0]
"""
OWN = """
from placement.strategies.table import STRATEGIES
from twin.plugins import register


@register.strategy("same-again")
def same_again(problem, *, rng):
    return STRATEGIES["space-xnet"](problem, rng=rng)
"""
POINTS = 16
COMMAND = (sys.executable, "-c", "from twin.cli.main import main; main()", "sweep")


@pytest.fixture(scope="module")
def study_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "mine.py").write_text(OWN)
    path = folder / "tiny.toml"
    path.write_text(STUDY.replace("FOLDER", str(folder)))
    yield path
    loading.forget()


def run(source, runs_dir, *, resume=False, keep_runs=False, **how):
    opened = open_sweep(str(source), resume=resume, runs_dir=runs_dir, keep_runs=keep_runs)
    with opened.writer:
        return sweep(opened, **how)


def parts(study):
    folder = study.path / "points"
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture(scope="module")
def whole(study_file, tmp_path_factory):
    return run(study_file, tmp_path_factory.mktemp("whole"), workers=1)


def test_a_point_is_a_run_of_its_own(whole, tmp_path):
    table = pq.read_table(whole.path / "points").to_pandas()
    assert len(table) == POINTS
    fine = table[(table["compute.memory_gb"] > 1) & (table["constellation.altitude_km"] > 1300)]
    assert set(fine["status"]) == {"ok"}
    assert (fine.groupby("replicate")["latency_mean_s"].nunique() == 1).all()
    for _, row in fine[fine["strategy"] == "same-again"].iterrows():
        alone = run_scenario(
            loader.load(
                "small",
                ["simulation.steps=5", "constellation.altitude_km=1400.0", "compute.memory_gb=8.0",
                 f"simulation.replicate={row['replicate']}"],
            ),
            runs_dir=tmp_path,
        )  # fmt: skip
        figures = summarise(alone)
        assert figures.keys() - {"wall_time_s"} <= set(FIGURES)
        for name in FIGURES:
            expected = figures.get(name)
            assert row[name] == expected if expected is not None else np.isnan(row[name]), name
        steps, layers = alone.table("steps").to_pandas(), alone.table("layers").to_pandas()
        served = steps["tokens_served"]
        way_s = layers.groupby("layer")["propagation_mean_s"].apply(
            lambda of_layer, served=served: np.average(of_layer, weights=served)
        )
        assert row["profile_layer_way_s"] == pytest.approx(way_s)
        assert row["profile_tokens_served_share"] == pytest.approx(steps["tokens_served_share"])
        kept = alone.table("latency").to_pandas()
        ends_s = [kept["value_s"].min(), kept["value_s"].max()]
        assert row["profile_latency_s"][[0, -1]] == pytest.approx(ends_s, rel=RELATIVE_ERROR)
        assert row["profile_latency_count"].sum() == served.sum()
        assert (np.diff(row["profile_latency_s"]) >= 0).all()


def test_a_failed_point_is_kept_with_its_error(whole):
    table = whole.points().to_pandas()
    failed = table[table["status"] == "failed"]
    assert (failed["compute.memory_gb"] < 1).all()
    assert len(failed) == POINTS // 2 == whole.manifest["failed"]
    assert failed["error"].str.startswith("InputError: ").all()
    assert failed[["latency_mean_s", *PROFILES]].isna().all(axis=None)
    assert (table.groupby("replicate").size() == POINTS // 2).all()


def test_one_worker_or_two_give_the_same_bytes(whole, study_file, tmp_path):
    assert parts(run(study_file, tmp_path, workers=2)) == parts(whole)


def test_a_killed_sweep_goes_on_where_it_was(whole, study_file, tmp_path, monkeypatch):
    process = subprocess.Popen(
        [*COMMAND, str(study_file), "--workers", "2", "--runs-dir", str(tmp_path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = random.randrange(POINTS - 2)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.partial/journal/*.json"))) <= until:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (partial,) = tmp_path.iterdir()
    with pytest.raises(InputError, match=r"not complete .status running.*twin sweep --resume"):
        open_study(partial)
    before = {f.name for f in (partial / "journal").glob("*.json")}
    assert until < len(before) < POINTS
    for number in range(POINTS):  # as if each had been killed while its run was removed
        (partial / "work" / f"point-{number:07d}").mkdir(parents=True, exist_ok=True)
    calls = []

    def counted(*args):
        calls.append(args)
        return run_point(*args)

    monkeypatch.setattr(sweeping, "run_point", counted)
    done = run(study_file, tmp_path, resume=True, workers=1)
    assert len(calls) == POINTS - len(before)
    assert parts(done) == parts(whole)
    assert done.manifest["status"] == "complete"
    assert done.manifest["sessions"] == 2
    assert [f.name for f in tmp_path.iterdir()] == [done.path.name]
    assert not (done.path / "journal").exists()


def test_work_and_time_before_a_kill_count(tmp_path):
    texts = {"study_toml": 'name = "s"', "scenario_toml": "", "points": 2}
    killed = StudyWriter.new(tmp_path, "s", **texts).__enter__()  # and never left
    time.sleep(0.05)
    killed.record(1, {"status": "failed", "error": "x"})
    partial = killed.partial
    manifest = json.loads((partial / "manifest.json").read_text())
    assert (manifest["status"], manifest["done"], manifest["failed"]) == ("running", 1, 1)
    assert manifest["wall_time_s"] >= 0.05
    del killed  # as its death does, this ends its lock
    with StudyWriter.resumed(partial) as writer:
        time.sleep(0.05)
        writer.record(0, {"status": "ok", "error": None})
        columns = {"point": [0, 1], "strategy": ["a", "a"], "policy": ["b", "b"]}
        done = writer.complete(pa.table(columns))
    assert (done.manifest["done"], done.manifest["failed"], done.manifest["sessions"]) == (2, 1, 2)
    assert done.manifest["wall_time_s"] >= manifest["wall_time_s"] + 0.05


def test_an_error_leaves_what_is_done(study_file, tmp_path, monkeypatch):
    def third_breaks(*args, ended=[]):  # noqa: B006
        ended.append(None)
        if len(ended) == 3:
            raise KeyboardInterrupt
        return run_point(*args)

    monkeypatch.setattr(sweeping, "run_point", third_breaks)
    with pytest.raises(KeyboardInterrupt):
        run(study_file, tmp_path, workers=1)
    (partial,) = tmp_path.iterdir()
    manifest = json.loads((partial / "manifest.json").read_text())
    assert (manifest["status"], manifest["done"]) == ("interrupted", 2)
    changed = study_file.with_name("changed.toml")
    changed.write_text(study_file.read_text().replace("1400.0", "1500.0"))
    with pytest.raises(InputError, match="has changed since"):
        run(changed, tmp_path, resume=True)
    with pytest.raises(InputError, match="an interrupted study; go on with it by --resume"):
        run(partial, tmp_path)
    monkeypatch.setattr(sweeping, "run_point", run_point)
    done = run(partial, tmp_path, resume=True, workers=1)
    assert done.manifest["done"] == POINTS


def test_a_stop_just_after_a_point_is_on_disk_keeps_it(study_file, tmp_path, monkeypatch):
    def stopped_then(file, text):
        write_text(file, text)
        if file.parent.name == "journal":
            raise KeyboardInterrupt

    monkeypatch.setattr("twin.runs.study_writer.write_text", stopped_then)
    with pytest.raises(KeyboardInterrupt) as stopped:
        run(study_file, tmp_path, workers=1)
    (partial,) = tmp_path.iterdir()
    assert json.loads((partial / "manifest.json").read_text())["done"] == 1
    assert f"1 of {POINTS} points are kept" in "".join(stopped.value.__notes__)


def test_kept_runs_are_whole(study_file, tmp_path):
    study = study_file.with_name("kept.toml")
    study.write_text(
        study_file.read_text()
        .replace("[1e-9, 8.0]", "[8.0]")
        .replace("replicates = 2", "replicates = 1")
    )
    done = run(study, tmp_path, keep_runs=True, workers=1)
    kept = sorted((done.path / "runs").iterdir())
    table = done.points().to_pandas()
    assert [int(path.name.removeprefix("point-")) for path in kept] == table["point"].tolist()
    assert [summarise(open_run(p))["latency_mean_s"] for p in kept] == table[
        "latency_mean_s"
    ].tolist()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_scheduler_started_by_hand(twin, whole, study_file, tmp_path):
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = Path(sys.executable).with_name("dask")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    port = address.rpartition(":")[2]
    started = [
        subprocess.Popen([dask, "scheduler", "--host", "127.0.0.1", "--port", port,
                          "--no-dashboard"], **quiet),
        subprocess.Popen([dask, "worker", address, "--nworkers", "1", "--nthreads", "1",
                          "--no-dashboard", "--local-directory", tmp_path / "w"], **quiet),
    ]  # fmt: skip
    try:
        code, out, err = twin("sweep", str(study_file), "--scheduler", address, "--json", "s.json")
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()
    assert code == 0, err
    assert "What does altitude change?" in out
    assert "8 of 16 points failed" in out
    found = json.loads((tmp_path / "s.json").read_text())
    done = open_study(tmp_path / found["path"])
    assert parts(done) == parts(whole)
    table = pd.read_parquet(done.path / "points")
    for group in found["groups"]:
        mine = table[
            (table["constellation.altitude_km"] == group["constellation.altitude_km"])
            & (table["compute.memory_gb"] == group["compute.memory_gb"])
            & (table["strategy"] == group["strategy"])
        ]
        mean = group["metrics"]["latency_mean_s"]
        if mean is not None:
            assert mean["mean"] == pytest.approx(mine["latency_mean_s"].mean())
            # Student's t for two: 12.706 standard errors.
            assert mean["ci95"] == pytest.approx(12.7062 * mine["latency_mean_s"].std() / 2**0.5)


def test_nobody_at_the_address(twin, study_file):
    code, _, err = twin("sweep", str(study_file), "--scheduler", f"tcp://127.0.0.1:{free_port()}")
    assert code == 2
    assert "no answer" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scheduler", "tcp://x:1", "--workers", "2"], "--scheduler: takes no --workers"),
        (["--scheduler", "tcp://x:1", "--keep-runs"], "--keep-runs: goes with --workers only"),
        (["--scheduler", "nonsense"], "nonsense"),
    ],
)
def test_options_that_do_not_go_together(twin, study_file, options, told):
    code, _, err = twin("sweep", str(study_file), *options)
    assert code == 2
    assert told in err
    assert "Traceback" not in err


def test_studies_are_listed_and_shown(twin):
    code, out, _ = twin("studies")
    assert code == 0
    assert "space-xnet-table" in out
    code, out, _ = twin("studies", "show", "altitude")
    assert code == 0
    assert 'name = "altitude"' in out
    assert twin("studies", "show", "nothing")[0] == 2


def test_a_point_that_was_interrupted_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    scenario = loader.load("small")
    monkeypatch.setattr(Checkpoints, "due", property(lambda self: True))

    def stop(model):
        if model.snapshot.step == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(scenario, runs_dir=tmp_path, run_id="point-0000000", watch=stop)
    taken = []
    once = TwinModel._observe
    monkeypatch.setattr(TwinModel, "_observe", lambda model: (taken.append(1), once(model)))
    text = loader.to_toml(scenario)
    gone_on = run_point(text, 0, place=(str(tmp_path), "point-0000000"))
    assert len(taken) == scenario.simulation.steps - 40
    assert not any(tmp_path.iterdir())
    assert gone_on == run_point(text, 0)
