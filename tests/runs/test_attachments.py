"""A run holds what it was made from: a file that changes or goes afterwards changes nothing."""

import hashlib
import json

import numpy as np
import pytest

from agents.fork import fork
from agents.run import resume, run_scenario
from twin.errors import InputError
from twin.export.czml import czml
from twin.export.omm import omm
from twin.report.document import report
from twin.runs.checkpoints import Checkpoints
from twin.runs.replay import snapshots
from twin.runs.store import open_run
from twin.runs.tables import TABLES
from twin.scenario import attachments, loader


@pytest.fixture
def sets(tmp_path):
    """Element sets of the small constellation, in a file of their own."""
    small = run_scenario(loader.load("small", ["simulation.steps=1"]), runs_dir=tmp_path / "first")
    file = tmp_path / "live.csv"
    file.write_text(omm(small, ".csv"))
    return file


def scenario(sets, **more):
    real = {"kind": "tle", "tle": str(sets)}
    return loader.load("small", {"constellation": real, "simulation.steps": 12} | more)


def digests(run):
    return {n: hashlib.sha256((run.path / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}


@pytest.mark.parametrize("later", ["changed", "gone"])
def test_a_run_is_read_without_the_file_it_came_from(sets, tmp_path, later):
    run = run_scenario(scenario(sets), runs_dir=tmp_path / "runs", run_id="a")
    before = czml(run), [s.link_state for s, _ in snapshots(run)], report([run.path]).title
    if later == "gone":
        sets.unlink()
    else:
        lines = sets.read_text().splitlines()
        sets.write_text("\n".join(lines[:9]))
    again = open_run(run.path)
    assert czml(again) == before[0]
    np.testing.assert_array_equal([s.link_state for s, _ in snapshots(again)], before[1])
    assert report([again.path]).title == before[2]
    child = run_scenario(
        **dict(zip(("scenario", "beginning"), fork(again, 6), strict=True)),
        runs_dir=tmp_path / "runs",
        run_id="b",
    )
    assert child.manifest["scenario_hash"] == run.manifest["scenario_hash"]
    assert child.table("steps").equals(run.table("steps").slice(6))


def test_an_interrupted_run_goes_on_with_the_file_it_began_with(sets, tmp_path, monkeypatch):
    whole = run_scenario(scenario(sets), runs_dir=tmp_path / "runs", run_id="whole")
    monkeypatch.setattr(Checkpoints, "due", property(lambda self: True))

    def stop(model):
        if model.snapshot.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(scenario(sets), runs_dir=tmp_path / "runs", run_id="a", watch=stop)
    sets.write_text("nothing")
    assert digests(resume(tmp_path / "runs" / "a.partial")) == digests(whole)


def test_counts_of_experts_are_kept_as_well(tmp_path):
    file = tmp_path / "counts.json"
    card = loader.load("small")
    from twin.moe import presets

    shape = presets.card(card.model.card)
    counts = np.random.default_rng(0).integers(50, 99, (shape.layers, shape.experts)).tolist()
    file.write_text(json.dumps(counts))
    changes = {"activations.kind": "counts", "activations.file": str(file), "simulation.steps": 4}
    run = run_scenario(loader.load("small", changes), runs_dir=tmp_path, run_id="a")
    file.unlink()
    kept = open_run(run.path).scenario
    assert attachments.is_kept(kept.activations.file)
    again = run_scenario(kept, runs_dir=tmp_path, run_id="b")
    assert digests(again) == digests(run)
    assert again.manifest["scenario_hash"] == run.manifest["scenario_hash"]


def test_an_attachment_that_is_not_what_it_was_is_refused(sets, tmp_path):
    run = run_scenario(scenario(sets), runs_dir=tmp_path / "runs", run_id="a")
    (file,) = (run.path / "attachments").glob("*/*.gz")
    file.write_bytes(attachments.attachment("x", b"else").packed)
    with pytest.raises(InputError, match="is not what it was"):
        open_run(run.path).scenario  # noqa: B018
    file.write_bytes(b"\x1f\x8b")
    with pytest.raises(InputError, match="damaged attachment"):
        open_run(run.path).scenario  # noqa: B018


def test_the_hash_of_a_scenario_is_that_of_its_files(sets):
    first = loader.scenario_hash(scenario(sets))
    other = sets.with_name("elsewhere.csv")
    other.write_text(sets.read_text())
    assert loader.scenario_hash(scenario(other)) == first
    other.write_text(sets.read_text().replace("0.", "0.0", 1))
    assert loader.scenario_hash(scenario(other)) != first


def test_what_cannot_be_read_is_told_by_its_field(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read"):
        run_scenario(scenario(tmp_path / "nowhere.csv"), runs_dir=tmp_path)
