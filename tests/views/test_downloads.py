"""What can be taken away of a run works elsewhere, and tells nothing of this server."""

import io
import json
import zipfile

import pytest

from agents.run import run_scenario
from twin import registry
from twin.export.czml import czml
from twin.export.graphml import graphml
from twin.export.omm import omm
from twin.runs.store import open_run
from twin.scenario import loader
from twin.views.downloads import scenario_text, tables


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A folder of this server that nobody is told of."""
    return tmp_path_factory.mktemp("secret place")


@pytest.fixture(scope="module")
def made(secret):
    """A run of element sets and a plug-in that lie there."""
    small = run_scenario(loader.load("small", ["simulation.steps=1"]), runs_dir=secret / "first")
    (secret / "sets.csv").write_text(omm(small, ".csv"))
    sets = {"kind": "tle", "tle": str(secret / "sets.csv")}
    scenario = loader.load("small", {"constellation": sets, "simulation.steps": 4})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.PLUGIN_TEXTS, str(secret / "mine.py"), "MINE = 1\n")
        return run_scenario(scenario, runs_dir=secret / "runs", run_id="a")


def unpacked(run, folder):
    with zipfile.ZipFile(io.BytesIO(tables(run))) as archive:
        archive.extractall(folder)
    return folder / run.path.name


def test_no_file_says_where_the_run_was_made(made, secret, tmp_path):
    folder = unpacked(made, tmp_path)
    files = [file for file in folder.rglob("*") if file.is_file()]
    texts = [file.read_bytes() for file in files] + [scenario_text(made)]
    texts += [czml(made).encode(), graphml(made, 2).encode()]
    assert not [text for text in texts if secret.name.encode() in text]
    assert b"secret" in (made.path / "scenario.toml").read_bytes()


def test_the_tables_open_elsewhere_as_the_same_run(made, tmp_path):
    run = open_run(unpacked(made, tmp_path))
    assert czml(run) == czml(made)
    assert run.table("steps").equals(made.table("steps"))
    assert loader.scenario_hash(run.scenario) == made.manifest["scenario_hash"]
    assert list(run.manifest["plugins"].values()) == list(made.manifest["plugins"].values())


def test_where_there_is_nothing_to_hide_files_are_as_they_are(run, tmp_path):
    folder = unpacked(run, tmp_path)
    for file in folder.rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (run.path / file.relative_to(folder)).read_bytes()
    assert scenario_text(run) == (run.path / "scenario.toml").read_bytes()


def test_links_are_not_followed(secret, tmp_path):
    made = run_scenario(loader.load("small", ["simulation.steps=1"]), runs_dir=tmp_path / "runs")
    (made.path / "attachments").mkdir(exist_ok=True)
    (secret / "key").write_text("key")
    for name in ("x.parquet", "attachments/key", "start.state"):
        (made.path / name).symlink_to(secret / "key")
    (made.path / "notes.txt").write_text("not of the run")
    names = {f.name for f in unpacked(made, tmp_path / "out").rglob("*")}
    assert not names & {"x.parquet", "key", "start.state", "notes.txt"}
    assert {"manifest.json", "scenario.toml", "steps.parquet"} <= names


def test_the_manifest_says_what_the_scenario_is_now(made, tmp_path):
    from hashlib import sha256

    before = sha256((made.path / "scenario.toml").read_bytes()).hexdigest()
    run = type(made)(made.path, made.manifest | {"files": {"scenario.toml": before}})
    folder = unpacked(run, tmp_path)
    after = sha256((folder / "scenario.toml").read_bytes()).hexdigest()
    assert json.loads((folder / "manifest.json").read_text())["files"]["scenario.toml"] == after
    assert after != before
