"""Runs on disk that a session opens: gone, damaged, half written, or none of its own."""

import shutil
import threading
import time

import pytest
from sessions import PATIENCE_S, on_stage, small, told, wait

from agents.run import run_scenario
from twin.views import opening, playback, stream
from twin.views.session import Session


def kept(tmp_path, *names):
    """A session over runs of a few steps, by their names."""
    for number, name in enumerate(names):
        scenario = small(f"simulation.seed={number}")
        run_scenario(scenario, runs_dir=tmp_path / "runs", run_id=name)
    return Session(tmp_path / "runs", run_scenario, allowed=True)


def test_nothing_outside_the_list_is_opened(tmp_path):
    run_scenario(small(), runs_dir=tmp_path / "elsewhere")
    session = Session(tmp_path / "runs", run_scenario, allowed=True)
    outside = next((tmp_path / "elsewhere").iterdir())
    for name in (str(outside), f"../elsewhere/{outside.name}", "..", ""):
        session.open([name])
        assert session.work.value is None
        assert "no such run" in session.error.value


def test_a_run_that_is_gone_is_told_and_the_others_are_shown(tmp_path):
    session = kept(tmp_path, "a", "b")
    shutil.rmtree(tmp_path / "runs" / "a")
    session.open(["a", "b"])
    assert told(session) == "There is no such run here; the list has those there are."
    assert on_stage(session) == ["b"]
    assert [run.path.name for run in session.runs.value] == ["b"]


@pytest.mark.parametrize("table", ["steps", "layers", "latency", "events", "tokens", "satellites"])
def test_a_damaged_table_is_told_and_what_was_on_stage_stays(tmp_path, table, caplog):
    session = kept(tmp_path, "a", "b")
    (tmp_path / "runs" / "b" / f"{table}.parquet").write_bytes(b"PAR1 nothing")
    session.open(["a"])
    assert told(session) == ""
    session.open(["b"])
    assert told(session).startswith("Run b cannot be read: ")
    assert str(tmp_path) not in session.error.value
    assert on_stage(session) == ["a"]
    session.open(["a", "b"])
    assert told(session).startswith("Run b cannot be read: ")
    assert on_stage(session) == ["a"]


def test_what_is_unreadable_is_told_with_its_reason(tmp_path):
    session = kept(tmp_path, "a", "b")
    (tmp_path / "runs" / "b" / "scenario.toml").write_text("future_key = 1")
    session.open(["b", "a"])
    assert told(session).startswith("Run b cannot be read: scenario.toml: ")
    assert on_stage(session) == ["a"]


def test_where_the_newest_cannot_be_read_the_next_is_shown(tmp_path):
    session = kept(tmp_path, "a", "b", "c")
    newest = [run.path.name for run in session.runs.value]
    (tmp_path / "runs" / newest[0] / "steps.parquet").write_bytes(b"")
    session.open([])
    assert told(session).startswith(f"Run {newest[0]} cannot be read: ")
    assert on_stage(session) == [newest[1]]


def test_where_nothing_that_is_asked_for_is_there_the_newest_is_shown(tmp_path):
    session = kept(tmp_path, "a")
    (tmp_path / "runs" / "b.partial").mkdir()
    for _ in range(2):
        session.open(["b", "../a", "a/../a", "x" * 5000, "é" * 199, "\0"])
        assert told(session) == (
            "Run b is not complete: it is being computed, or was interrupted. "
            "There is no such run here; the list has those there are."
        )
        assert on_stage(session) == ["a"]


def test_a_run_deleted_while_it_is_opened_is_told(tmp_path, monkeypatch):
    session = kept(tmp_path, "a")
    frames = playback.replay.frames

    def vanishing(run, world, planned):
        yield next(frames(run, world, planned))
        shutil.rmtree(run.path)
        raise FileNotFoundError(run.path)

    monkeypatch.setattr(playback.replay, "frames", vanishing)
    session.open(["a"])
    assert told(session) == "Run a is no longer here."
    assert on_stage(session) == ["a"]


def test_a_run_that_was_opened_in_part_is_opened_again(tmp_path, monkeypatch):
    session = kept(tmp_path, "a")
    frames, halfway = playback.replay.frames, threading.Event()

    def slow(run, world, planned):
        for frame in frames(run, world, planned):
            yield frame
            halfway.set()
            time.sleep(0.05)

    monkeypatch.setattr(playback.replay, "frames", slow)
    session.open(["a"])
    halfway.wait(PATIENCE_S)
    wait(lambda: session.shown.value)
    first = session.shown.value[0].stream
    session.open(["a"])
    assert told(session) == ""
    (shown,) = session.shown.value
    assert shown.stream is not first
    assert shown.stream.whole


def messages(session):
    """All that a page is sent of the run on stage."""
    (shown,), found = session.shown.value, []
    for number in range(100):
        shown.stream.want(number, found.append)
        if len(found) == number:
            return found
    raise AssertionError("no end")


def test_a_run_that_was_begun_before_the_page_asked_is_the_one_that_it_shows(tmp_path, monkeypatch):
    session = kept(tmp_path, "a", "b")
    root, begun, play = tmp_path / "runs", [], playback.play
    session.open(["a"])
    assert told(session) == ""
    whole = messages(session)
    monkeypatch.setattr(playback, "play", lambda run, feed: begun.append(run) or play(run, feed))
    opening.ahead(root, ["nothing-like-it", "a"])
    wait(lambda: root / "a" in opening._ahead)
    another = Session(root, run_scenario, allowed=True)
    another.open(["a"])
    assert told(another) == ""
    assert messages(another) == whole
    assert len(begun) == 1
    assert not opening._ahead


def test_a_run_that_was_begun_and_then_replaced_is_read_again(tmp_path):
    session = kept(tmp_path, "a", "b")
    root = tmp_path / "runs"
    opening.ahead(root, ["a"])
    wait(lambda: root / "a" in opening._ahead)
    shutil.rmtree(root / "a")
    (root / "b").rename(root / "a")
    session.open(["a"])
    assert told(session) == ""
    assert session.shown.value[0].scenario.simulation.seed == 1


def test_the_rest_of_a_run_waits_until_its_first_frames_are_drawn(tmp_path, monkeypatch):
    session = kept(tmp_path, "a")
    monkeypatch.setattr(stream, "CHUNK_BYTES", 1)
    monkeypatch.setattr(opening, "patience_s", PATIENCE_S)
    session.open(["a"])
    wait(lambda: session.shown.value)
    (shown,) = session.shown.value
    there = []
    for number in (0, 1):
        shown.stream.want(number, there.append)
        wait(lambda number=number: len(there) > number)
    time.sleep(0.3)
    assert session.work.value is not None
    assert not shown.stream.whole
    shown.stream.want(2, lambda _: None)
    assert told(session) == ""
    assert shown.stream.whole
