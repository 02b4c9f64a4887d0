"""A live run is recorded, replayed byte for byte from its log, and goes on after it was killed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from twin.errors import InputError, StopSignal
from twin.export.events import select
from twin.live import journal, sources
from twin.live.journal import Journal
from twin.live.names import names_of
from twin.live.record import COLUMNS
from twin.live.session import KIND, Session, mirror, resume
from twin.live.state import Options
from twin.runs import checkpoints
from twin.runs.store import open_run
from twin.runs.tables import TABLES
from twin.scenario import loader
from twin.views.replay import frames
from twin.views.trace import plan
from twin.vocabulary import EVENTS
from twin.vocabulary.live import AlarmKind, Remark
from twin.world.world import World

CHANGES = {"simulation.orbits": None, "simulation.step_s": 60.0, "workload.tokens_per_step": 4}


def tables(run):
    """Digest of every table and of what the live run keeps beside them."""
    files = [run.path / f"{name}.parquet" for name in TABLES]
    files += sorted((run.path / "live").glob("*.parquet"))
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_it_is_a_run_of_its_kind(live_run, scenario, flown):
    run = open_run(live_run.path)
    assert run.manifest["kind"] == KIND
    steps = run.table("steps").num_rows
    assert steps == run.scenario.simulation.steps
    assert scenario.simulation.steps - 1 <= steps <= scenario.simulation.steps
    assert not json.loads((run.path / "manifest.json").read_text())["forked"]
    assert (run.path / journal.NAME).read_bytes().count(b"\n") == len(flown[0])


def test_every_message_is_accounted_for(live_run, flown):
    counts = live_run.manifest["conclusion"]["live"]["messages"]
    dropped = [Remark.LATE, Remark.DOUBLED, Remark.AHEAD]
    after_the_end = len(flown[0]) - sum(counts[r] for r in (Remark.TAKEN, *dropped))
    assert 0 <= after_the_end < 48 * 3
    assert counts[Remark.TAKEN] > 0.9 * len(flown[0])
    assert counts[Remark.MISSING] > 0


def test_estimates_are_nearer_than_the_design(live_run, flown):
    true = np.load(flown[1])
    last = pq.read_table(sorted((live_run.path / "live").glob("estimates-*"))[-1]).to_pandas()
    last = last[last["step"] == last["step"].max()]
    assert set(COLUMNS) <= set(last.columns)
    well = np.isinf(true["string_s"])
    for name, by in (("array", 3), ("load", 3), ("capacity", 1.5)):
        off, design = (np.std((x / true[name])[well]) for x in (last[name].to_numpy(), 1.0))
        assert by * off < design, name
    assert np.sqrt(np.mean((last["soc"] - true["soc"][last["step"].max()]) ** 2)) < 0.01


def test_charges_of_the_twin_follow_the_estimates(live_run):
    twin = live_run.table("satellites").to_pandas()
    found = pd.concat(pd.read_parquet(f) for f in (live_run.path / "live").glob("estimates-*"))
    both = twin.merge(found, on=["step", "satellite"])
    assert len(both) > 500
    assert np.abs(both["soc_x"] - both["soc_y"]).mean() < 0.005


def test_the_log_replays_to_the_same_bytes(live_run, scenario, tmp_path):
    log = str(live_run.path / journal.NAME)
    again = mirror(scenario, lambda skip: sources.lines(log, skip=skip), runs_dir=tmp_path)
    assert tables(again) == tables(live_run)


@pytest.mark.parametrize("at", [300, 4000])
def test_an_interrupted_run_goes_on_to_the_same_bytes(
    live_run, scenario, flown, tmp_path, monkeypatch, at
):
    monkeypatch.setattr(checkpoints, "WORTH", 0)
    said, _ = flown

    def cut(skip):
        yield from said[skip:at]
        raise StopSignal(15)

    with pytest.raises(StopSignal):
        mirror(scenario, cut, runs_dir=tmp_path)
    (partial,) = tmp_path.glob("*.partial")
    if at > 1000:
        assert checkpoints.files(partial)
    again = resume(partial, lambda skip: iter(said[skip:]))
    assert tables(again) == tables(live_run)


def test_a_damaged_checkpoint_is_done_without(live_run, scenario, flown, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "WORTH", 0)
    said, _ = flown

    def cut(skip):
        yield from said[skip:2000]
        raise StopSignal(15)

    with pytest.raises(StopSignal):
        mirror(scenario, cut, runs_dir=tmp_path)
    (partial,) = tmp_path.glob("*.partial")
    for file in checkpoints.files(partial):
        file.write_bytes(file.read_bytes()[:-7])
    assert tables(resume(partial, lambda skip: iter(said[skip:]))) == tables(live_run)


def test_kill_minus_nine(live_run, scenario, flown, tmp_path):
    """The command is killed while it follows; nothing that was logged is lost."""
    said, _ = flown
    (tmp_path / "said.jsonl").write_bytes(b"".join(said))
    from twin.scenario.loader import to_toml

    (tmp_path / "s.toml").write_text(to_toml(scenario))
    command = [sys.executable, "-c", "from twin.cli.entry import main; main()", "live"]
    process = subprocess.Popen(
        [*command, "s.toml", "--from", "said.jsonl"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any((tmp_path / "runs").glob("*.partial/checkpoints/*.state")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = list((tmp_path / "runs").glob("*.partial"))
    if not found:
        pytest.skip("it was done before it could be killed")
    again = resume(found[0], lambda skip: iter(said[skip:]))
    assert tables(again) == tables(live_run)


def test_a_plant_that_was_killed_flies_again(live_run, scenario, flown, tmp_path):
    """The same flight from its beginning: what the mirror has is dropped by its number."""
    said, _ = flown
    again = mirror(scenario, lambda skip: [*said[:3_000], *said], runs_dir=tmp_path)
    counts = again.manifest["conclusion"]["live"]["messages"]
    assert counts[Remark.DOUBLED] == 3_000
    assert again.table("steps").equals(live_run.table("steps"))


def test_alarms_are_events_too(live_run):
    table = pq.read_table(live_run.path / "live" / "alarms.parquet").to_pandas()
    events = live_run.table("events").to_pandas()
    told = events[events["kind"] == "alarm"]
    # An alarm of the last step is after all events.
    assert len(table) - 2 <= len(told) <= len(table)
    assert len(told) > 0
    assert set(told["cause"].astype(str)) <= set(map(str, AlarmKind))
    chosen = select(live_run, kinds=["alarm"], satellite=None, from_s=None, to_s=None)
    assert chosen.table.num_rows == len(told)
    assert EVENTS["alarm"].grave


def test_what_sites_saw_is_kept(flown, tmp_path, monkeypatch):
    """Requests and hand-overs are in a table of their own, also after an interruption."""
    monkeypatch.setattr(checkpoints, "WORTH", 0)
    sited = loader.load("small", CHANGES | {"simulation.steps": 70, "ground.users": "cities"})
    name = names_of(sited).sites[4]
    said, minutes = [], []
    for line in flown[0][: 48 * 74]:
        when = json.loads(line)["time_utc"][:-3] + "00Z"
        if when not in minutes:
            seen = {"site": name, "time_utc": when, "sequence": len(minutes), "requests_seen": 40}
            said.append(json.dumps(seen | ({"hand_overs": 1} if minutes else {})).encode())
            minutes.append(when)
        said.append(line)

    def cut(skip):
        yield from said[skip:2_000]
        raise StopSignal(15)

    with pytest.raises(StopSignal):
        mirror(sited, cut, runs_dir=tmp_path)
    (partial,) = tmp_path.glob("*.partial")
    run = resume(partial, lambda skip: iter(said[skip:]))
    found = pd.concat(pd.read_parquet(f) for f in sorted((run.path / "live").glob("sites-*")))
    assert list(found["t_s"]) == [60.0 * k for k in range(70)]
    assert set(found["site"]) == {4}
    assert found["requests_seen"].sum() == 70 * 40
    assert found["hand_overs"].isna().sum() == 1
    live = run.manifest["conclusion"]["live"]
    assert live["sites"] == {"requests_seen": 70 * 40, "hand_overs": 69}


def test_a_half_written_line_is_cut_off(tmp_path):
    file = tmp_path / journal.NAME
    with Journal(file) as log:
        log.append(b"one\n")
        log.append(b"two\nthree\n")
    file.write_bytes(file.read_bytes() + b"1.0\tfou")
    with Journal(file) as log:
        assert log.lines == 2
        log.append(b"five")
    assert list(journal.read(file)) == [b"one", b"two three", b"five"]


def test_without_a_message_there_is_no_run(scenario, tmp_path):
    with pytest.raises(InputError, match="no step could be mirrored: 1 malformed, 1 no-sender"):
        mirror(scenario, lambda skip: [b"{", b"{}"], runs_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_there_is_no_such_source():
    with pytest.raises(InputError, match="no such file or folder"):
        next(sources.lines("nowhere"))


def test_a_watcher_sees_every_step(scenario, flown, tmp_path):
    seen = []

    def look(session, step):
        assert isinstance(session, Session)
        seen.append(step.step)
        if step.step == 9:
            raise StopSignal(2)

    with pytest.raises(StopSignal):
        mirror(
            scenario, lambda skip: iter(flown[0]), runs_dir=tmp_path, options=Options(watch=look)
        )
    assert seen == list(range(10))


def test_the_page_plays_it(live_run):
    world = World(live_run.scenario)
    shown = list(frames(live_run, world, plan(world)))
    assert len(shown) == live_run.table("steps").num_rows
