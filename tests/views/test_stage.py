import json
import time
from pathlib import Path

import numpy as np
import pytest

from twin.views import downloads, stage
from twin.views.published import Published
from twin.views.stage import Stage
from twin.views.stream import Feed, Stream


@pytest.fixture
def widget(head):
    feed = Feed()
    feed.begin(head)
    stream = Stream("one", feed)
    made = Stage(streams=(stream,))
    sent = []
    made.send = lambda content, buffers: sent.append((content, buffers))
    return made, sent


def test_the_page_gets_what_it_asks_for(widget, head):
    made, sent = widget
    assert made.shown == ["one"]
    made._asked(made, {"want": "one", "number": 0}, [])
    assert sent == [({"key": "one", "number": 0}, [head])]


@pytest.mark.parametrize(
    "content", [None, "x", {}, {"want": "two", "number": 0}, {"want": "one", "number": "../x"}]
)
def test_nonsense_is_not_answered(widget, content):
    made, sent = widget
    made._asked(made, content, [])
    assert sent == []


def test_what_the_viewer_takes_away_or_goes_back_to_is_passed_on(widget):
    made, _ = widget
    told = []
    made.on_away, made.on_open = told.append, told.append
    for content in ({"away": "a"}, {"open": ["b", "c"]}, {"away": 5}, {"open": [5]}, {"open": "b"}):
        made._asked(made, content, [])
    assert told == ["a", ["b", "c"]]


def test_a_download_holds_all_files_of_the_run(run, tmp_path):
    import io
    import zipfile

    import pyarrow.parquet as pq

    with zipfile.ZipFile(io.BytesIO(downloads.tables(run))) as archive:
        archive.extractall(tmp_path)
    files = {f.name for f in run.path.iterdir()} - {"checkpoints"}
    assert {f.name for f in (tmp_path / run.path.name).iterdir()} == files
    steps = pq.read_table(tmp_path / run.path.name / "steps.parquet")
    np.testing.assert_array_equal(steps["step"], np.arange(60))
    assert downloads.scenario_text(run).decode().startswith('name = "small"')


def test_the_published_table_is_computed_once(monkeypatch):
    calls = []

    class Found:
        def as_json(self):
            return {"strategies": {}}

    def reproduce(**kwargs):
        calls.append(kwargs)
        return Found()

    published = Published(reproduce)
    for _ in range(3):
        published.begin()
        while published.running:
            time.sleep(0.01)
    assert published.done == {"strategies": {}}
    assert len(calls) == 1


def test_dependencies_of_the_page_are_pinned_and_name_no_host():
    sources = Path(stage.__file__).parent / "js"
    if not sources.is_dir():
        pytest.skip("installed without the JavaScript sources")
    package = json.loads((sources / "package.json").read_text())
    versions = package["dependencies"] | package["devDependencies"]
    assert all(version.replace(".", "").isdigit() for version in versions.values())
    lock = (sources / "package-lock.json").read_text()
    assert "://" not in lock
    assert all(
        json.loads(lock)["packages"][f"node_modules/{name}"]["version"] == version
        for name, version in versions.items()
    )
