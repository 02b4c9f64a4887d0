"""What a run or study has written is read as it was written, or refused in one line."""

import json
import random
import shutil
from contextlib import suppress

import pyarrow.parquet as pq
import pytest
from swept import COMMON
from swept import run as sweep

from agents.fork import fork
from agents.run import run_scenario
from twin.errors import InputError
from twin.export.czml import czml
from twin.export.events import select
from twin.export.graphml import graphml
from twin.export.omm import omm
from twin.report.document import report
from twin.runs import sums
from twin.runs.replay import snapshots
from twin.runs.store import open_run
from twin.runs.studies import open_study
from twin.runs.summary import summarise
from twin.runs.tables import TABLES
from twin.scenario import loader

FLIPS = 400


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    changes = ["simulation.steps=20", "ground.users=cities", "outages.availability=0.9"]
    scenario = loader.load("small", changes)
    return run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("parent"), run_id="p")


@pytest.fixture(scope="module")
def child(parent, tmp_path_factory):
    """A fork, which has all files that a run can have."""
    scenario, beginning = fork(parent, 4, fail=[3])
    folder = tmp_path_factory.mktemp("child")
    return run_scenario(scenario, runs_dir=folder, run_id="c", beginning=beginning)


@pytest.fixture
def copy(child, tmp_path):
    return shutil.copytree(child.path, tmp_path / "c")


def flip(file, rng):
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)


def outcome(call):
    """What a call gives, or the line with which it is refused."""
    try:
        return call(), None
    except InputError as error:
        line = str(error)
    assert "\n" not in line
    return None, line


def test_no_flipped_bit_is_read(child, copy):
    """Of 400 flips over all tables 268 were read as other numbers without sums."""
    files = [copy / f"{name}.parquet" for name in TABLES]
    read = 0
    for seed in range(FLIPS):
        rng = random.Random(seed)
        file = rng.choice(files)
        flip(file, rng)
        _, refused = outcome(lambda: open_run(copy))
        assert f"{file.name}: damaged: not what was written" in refused
        with suppress(Exception):  # of whatever kind Arrow likes
            read += not pq.read_table(file).equals(pq.read_table(child.path / file.name))
        shutil.copy(child.path / file.name, file)
    assert read > FLIPS / 4  # else the sums would do nothing
    assert open_run(copy).manifest == child.manifest


@pytest.mark.parametrize("name", ["manifest.json", "scenario.toml", "start.state"])
def test_no_flipped_bit_changes_what_is_said_of_a_run(child, copy, name):
    """Where a bit of the manifest makes no difference, as between two blanks, it is read."""
    for seed in range(60):
        flip(copy / name, random.Random(seed))
        read, refused = outcome(lambda: open_run(copy).manifest)
        if refused is None:
            assert name == "manifest.json"
            assert read == child.manifest
        shutil.copy(child.path / name, copy / name)


READERS = {
    "events": lambda run: select(run, kinds=(), satellite=None, from_s=None, to_s=None).rows(9),
    "summary": summarise,
    "czml": czml,
    "graphml": lambda run: graphml(run, run.first_step),
    "omm": lambda run: omm(run, ".csv"),
    "replay": lambda run: [up.sum() for _, up in snapshots(run)],
    "fork": lambda run: fork(run, 9),
    "report": lambda run: report([run.path]).title,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", ["cut short", "lost"])
def test_every_reader_refuses_a_damaged_file_in_one_line(copy, reader, damage):
    """The run was opened before: what is read later is looked at then."""
    opened = open_run(copy)
    files = sorted(path for path in copy.iterdir() if path.is_file())
    for file in files[list(READERS).index(reader) % 2 :: 2]:
        content = file.read_bytes()
        if damage == "lost":
            file.unlink()
        else:
            file.write_bytes(content[: len(content) // 2])
        read, refused = outcome(lambda: READERS[reader](opened))
        assert refused is not None or read is not None  # it may need this file or not
        assert str(copy) in outcome(lambda: open_run(copy))[1]
        file.write_bytes(content)
    READERS[reader](open_run(copy))


def without_sums(folder):
    """A run as an older twin wrote it."""
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["sha256"], manifest["sha256_of_manifest"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_older_run_opens_with_a_remark(twin, child, copy):
    assert child.remarks == []
    without_sums(copy)
    older = open_run(copy)
    assert older.table("steps").equals(child.table("steps"))
    assert ["checksums" in remark for remark in older.remarks] == [True]
    code, out, _ = twin("events", str(copy))
    assert code == 0
    assert f"note: {copy}: its manifest holds no checksums" in out
    (copy / "steps.parquet").write_bytes((copy / "steps.parquet").read_bytes()[:1000])
    _, refused = outcome(lambda: open_run(copy).table("steps"))
    assert "steps.parquet: damaged table: " in refused


def test_a_sum_is_computed_once_and_again_after_a_change(child, copy, monkeypatch):
    file = copy / "steps.parquet"
    first = sums.sha256(file)
    flip(file, random.Random(1))  # within the clock's tick, of the same size
    assert sums.sha256(file) != first
    calls = []
    digest = sums.hashlib.file_digest
    monkeypatch.setattr(sums.hashlib, "file_digest", lambda *args: calls.append(1) or digest(*args))
    monkeypatch.setattr(sums, "_SETTLED_NS", -1)
    assert sums.sha256(file) == sums.sha256(file)
    assert len(calls) == 1


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return sweep(f'name = "s"\n{COMMON}', tmp_path_factory.mktemp("study"))


def test_no_flipped_bit_of_a_study_is_read(study, tmp_path):
    copy = shutil.copytree(study, tmp_path / study.name)
    whole = open_study(study)
    points = whole.points()
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    assert len(files) == 5
    for seed in range(100):
        rng = random.Random(seed)
        file = rng.choice(files)
        content = file.read_bytes()
        flip(file, rng)
        read, refused = outcome(lambda: open_study(copy))
        if refused is None:
            assert read.manifest == whole.manifest
            assert read.points().equals(points)
        else:
            assert file.name in refused
        file.write_bytes(content)
    (copy / "points" / "part-9.parquet").write_bytes(b"")
    with pytest.raises(InputError, match="was not written by the study"):
        open_study(copy)


@pytest.mark.parametrize("name", ["notes", "conclusion", "written_utc", "versions"])
def test_an_older_manifest_that_lacks_something_is_refused(copy, name):
    without_sums(copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    for damaged in (manifest | {name: 3}, {k: v for k, v in manifest.items() if k != name}):
        (copy / "manifest.json").write_text(json.dumps(damaged))
        assert outcome(lambda: open_run(copy))[1].endswith(f"damaged: {name} is lost")
