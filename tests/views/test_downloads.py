"""What can be taken away of a run works elsewhere, and tells nothing of this server."""

import io
import json
import threading
import time
import zipfile

import pytest
import solara
from solara.components.file_download import FileDownloadWidget

from agents.run import run_scenario
from twin import registry
from twin.export.czml import czml
from twin.export.graphml import graphml
from twin.export.omm import omm
from twin.runs.store import open_run
from twin.scenario import loader
from twin.views.downloads import Downloads, scenario_text, tables
from twin.views.session import Session
from twin.views.shown import Shown
from twin.views.stream import Feed, Stream

PATIENCE_S = 60.0


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


@pytest.fixture
def panel(made):
    """The panel on a page with a run on stage, while it is open, and the note below it."""
    kept = []

    def render(exports):
        session = Session(made.path.parent, run_scenario, allowed=True)
        session.shown.value = (Shown(Stream("a", Feed()), "a", "a", made.scenario, made),)
        is_open, step = solara.reactive(True), solara.reactive(0)
        (ending,) = exports

        @solara.component
        def page():
            with solara.Column():
                if is_open.value:
                    Downloads(session, step.value, exports, lambda: is_open.set(False))
                solara.Text(session.error.value)

        _, context = solara.render(page(), handle_error=False)
        kept.append((session, context))
        button = next(
            w for w in context.find(FileDownloadWidget).widgets if w.filename.endswith(ending)
        )
        return session, is_open, step, button

    yield render
    for session, context in kept:
        context.close()
        session.close()


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)


def test_every_file_that_cannot_be_made_leaves_a_note(panel):
    def fail(run, step):
        raise OSError("gone")

    for _ in range(20):
        session, is_open, _, button = panel({"czml": fail})
        button.request_download = True
        until(lambda is_open=is_open: not is_open.value)
        assert session.error.value.startswith("Run a cannot be read")


def test_the_clock_goes_on_while_a_network_is_made(panel):
    asked, seen = threading.Event(), threading.Event()

    def slow(run, step):
        asked.set()
        assert seen.wait(PATIENCE_S)
        return f"step {step}"

    _, _, step, button = panel({"graphml": slow})
    step.value = 1
    button.request_download = True
    assert asked.wait(PATIENCE_S)
    step.value = 2
    seen.set()
    until(lambda: button.bytes)
    assert (button.filename, button.bytes) == ("a-step1.graphml", b"step 1")
