"""The table of runs and studies, and who may keep house."""

import shutil

import pytest

from agents.run import RunCancelledError, run_scenario
from twin.errors import BusyError, InputError
from twin.runs.lock import Lock
from twin.runs.store import open_run
from twin.runs.summary import summarise
from twin.scenario import loader
from twin.views import keeping
from twin.views.listing import FIGURES, Listing
from twin.views.public import public
from twin.views.runs_table import RunsTable


@pytest.fixture
def root(tmp_path):
    run_scenario(loader.load("small", ["simulation.steps=4"]), runs_dir=tmp_path, run_id="a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    calls = iter(range(9))
    with pytest.raises(RunCancelledError):
        run_scenario(
            loader.load("small", ["simulation.steps=4"]),
            runs_dir=tmp_path,
            run_id="c",
            cancelled=lambda: next(calls) >= 2,
        )
    return tmp_path


def by_id(found):
    return {row["id"]: row for row in found["rows"]}


def test_rows_are_found_ordered_and_have_their_figures(root):
    listing = Listing(root)
    found = listing.rows({})
    assert {row["id"]: row["status"] for row in found["rows"]} == {
        "a": "complete",
        "b": "complete",
        "c": "interrupted",
    }
    assert listing.rows({"text": "interrupted"})["matched"] == 1
    with pytest.raises(InputError, match="not one of"):
        listing.rows({"by": "colour"})
    while listing.rows({})["busy"]:
        pass
    told = by_id(listing.rows({}))["a"]["figures"][FIGURES.index("latency_mean_s")]
    assert told == summarise(open_run(root / "a"))["latency_mean_s"]


def test_what_another_process_writes_is_running_and_cannot_be_deleted(root):
    with Lock.take(root / "c.partial"):
        assert by_id(Listing(root).rows({}))["c"]["status"] == "running"
        with pytest.raises(BusyError):
            keeping.delete(root, "c")
    keeping.delete(root, "c")
    assert not (root / "c.partial").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "nothing", "a/../b", "a\n"])
def test_only_what_is_listed_can_be_deleted(root, name):
    with pytest.raises(InputError, match="no such run"):
        keeping.delete(root, name)
    assert (root / "a").is_dir()


def test_a_link_to_elsewhere_is_not_followed(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (root / "b").rename(elsewhere / "b")
    (root / "b").symlink_to(elsewhere / "b")
    with pytest.raises(InputError, match="no such run"):
        keeping.delete(root, "b")
    assert (elsewhere / "b" / "manifest.json").is_file()


def test_who_is_near_or_has_the_token_may_keep_house(monkeypatch):
    assert keeping.may({"x-twin-near": ["1"]}, "")
    assert not keeping.may({}, "")
    assert not keeping.may(None, "secret")
    monkeypatch.setenv(keeping.TOKEN, "secret")
    assert keeping.may(None, "secret")
    assert not keeping.may({"x-twin-near": ["1"]}, "other")


@pytest.mark.parametrize("act", ["delete", "resume"])
def test_nothing_is_done_with_runs_for_who_may_not(root, act):
    names = sorted(each.name for each in root.iterdir())
    table = RunsTable(listing=Listing(root), root=root, near=False)
    assert table._answer({act: "c"}) == {"wrong": public(keeping.REFUSED)}
    assert sorted(each.name for each in root.iterdir()) == names
    assert table._answer({})["total"] > 0


def test_a_way_on_the_server_keeps_the_token():
    assert keeping.with_token("/overview", "") == "/overview"
    way = keeping.with_token("/overview", "a&b c")
    assert keeping.token_of(way.partition("?")[2]) == "a&b c"
    assert keeping.token_of(None) == ""
