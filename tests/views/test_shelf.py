import os
import shutil

import pytest
from resealed import reseal

from twin.views import shelf


@pytest.fixture
def root(run, tmp_path):
    """A folder with one good run, and copies of it under other names, which tests damage."""
    shutil.copytree(run.path, tmp_path / "good")
    return tmp_path


def copy(root, name="other"):
    shutil.copytree(root / "good", root / name)
    return root / name


def names(found):
    return [run.path.name for run in found.runs]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: prepend(f / "scenario.toml", "future_key = 1\n"), "future_key"),
        (lambda f: (f / "scenario.toml").write_text("["), "scenario.toml"),
        (lambda f: (f / "scenario.toml").write_bytes(b"\xff\xfe"), "scenario.toml"),
        (lambda f: (f / "scenario.toml").unlink(), "files are missing: scenario.toml"),
        (lambda f: (f / "steps.parquet").unlink(), "files are missing: steps.parquet"),
        (lambda f: (f / "manifest.json").write_text("{"), "its manifest is damaged"),
        (lambda f: (f / "manifest.json").write_text("[" * 100_000), "damaged"),
        (lambda f: (f / "manifest.json").write_text("[]"), "its manifest is damaged"),
        (lambda f: edit(f, written_utc=5), "damaged"),
        (lambda f: edit(f, written_utc=None), "damaged"),
        (lambda f: edit(f, forked=5), "damaged"),
        (lambda f: edit(f, forked={"step": "x"}), "damaged"),
        (lambda f: edit(f, attachments={"x": {"file": "nothing", "sha256": ""}}), "nothing"),
    ],
)
def test_a_run_that_cannot_be_read_is_listed_as_that(root, damage, said):
    damage(copy(root))
    found = shelf.look(root)
    assert names(found) == ["good"]
    assert list(found.unreadable) == ["other"]
    assert said in found.unreadable["other"]
    assert str(root) not in found.unreadable["other"]
    assert found.unreadable["other"].isprintable()


@pytest.mark.parametrize(
    "make",
    [
        lambda f: f.mkdir(),
        lambda f: f.write_text("no folder"),
        lambda f: f.symlink_to(f.parent / "nowhere"),
        lambda f: f.symlink_to(f),
        lambda f: (f.mkdir(), (f / "manifest.json").mkdir()),
        lambda f: (f.mkdir(), os.mkfifo(f / "manifest.json")),
    ],
)
def test_what_is_no_run_is_not_listed(root, make):
    make(root / "other")
    found = shelf.look(root)
    assert names(found) == ["good"]
    assert found.unreadable == {}


def test_runs_that_are_made_or_whose_names_cannot_be_shown_are_not_listed(root):
    for name in ("other.partial", "other.study", "a\x1b[31mb", "a\nb", os.fsdecode(b"\xff")):
        copy(root, name)
    edit(copy(root, "running"), status="running")
    assert names(shelf.look(root)) == ["good"]
    assert shelf.look(root).unreadable == {}


def test_a_copy_goes_by_the_name_of_its_folder(root):
    copy(root)
    assert sorted(names(shelf.look(root))) == ["good", "other"]


def test_a_run_that_changes_is_read_again(root):
    folder = copy(root)
    assert len(shelf.look(root).runs) == 2
    prepend(folder / "scenario.toml", "future_key = 1\n")
    assert len(shelf.look(root).runs) == 1
    shutil.rmtree(folder)
    assert shelf.look(root).unreadable == {}


def test_the_newest_comes_first(root):
    edit(copy(root, "later"), written_utc="2999-01-01T00:00:00Z")
    edit(copy(root, "earlier"), written_utc="1999-01-01T00:00:00Z")
    assert names(shelf.look(root)) == ["later", "good", "earlier"]


def test_a_folder_that_is_none_holds_no_runs(tmp_path):
    (tmp_path / "file").touch()
    assert shelf.look(tmp_path / "file").runs == []
    assert shelf.look(tmp_path / "nothing").runs == []


def prepend(path, text):
    """Write as another version might have written."""
    path.write_text(text + path.read_text())
    reseal(path.parent)


def edit(folder, **changes):
    reseal(folder, **changes)
