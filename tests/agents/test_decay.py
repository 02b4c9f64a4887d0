"""A satellite that SGP4 gives up during a run is lost from then on, and the run goes on."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle

from agents.fork import fork, state_at
from agents.model import TwinModel
from agents.run import RunCancelledError, resume, run_scenario
from twin.errors import InputError
from twin.export.czml import czml
from twin.export.ephemeris import satellite_ephemeris
from twin.runs.replay import snapshots
from twin.scenario import loader
from twin.vocabulary import EventKind
from twin.world import state as states

STEPS = 24
CYCLE_STEPS = 12


def lines(number, *, slot, plane, per_day, bstar=0.0):
    satrec = Satrec()
    satrec.sgp4init(
        WGS72, "i", number, 26536.0, bstar, 0.0, 0.0, 2e-4, 0.0, np.radians(60.0),
        2 * np.pi * (slot / 8 + plane / 48) % (2 * np.pi), per_day * np.pi / 720,
        np.pi / 3 * plane,
    )  # fmt: skip
    satrec.classification, satrec.intldesg = "U", "24001A"
    return export_tle(satrec)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """48 satellites low down, of which the drag of one is far too large."""
    path = tmp_path_factory.mktemp("sets") / "low.tle"
    text = ""
    for i in range(48):
        name = "LOW" if i == 20 else f"SAT-{i}"
        first, second = lines(
            i + 1, slot=i % 8, plane=i // 8, per_day=16.2, bstar=0.7 if i == 20 else 0.0
        )
        text += f"{name}\n{first}\n{second}\n"
    path.write_text(text)
    return loader.load(
        "small",
        {
            "constellation": {"kind": "tle", "tle": str(path)},
            "propagation": {"model": "sgp4", "chunk_steps": CYCLE_STEPS},
            "simulation.steps": STEPS,
            "simulation.record_satellites_every": 1,
        },
    )


@pytest.fixture(scope="module")
def run(scenario, tmp_path_factory):
    return run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"))


def lost_at(run):
    [event] = [e for e in run.table("events").to_pylist() if e["kind"] == EventKind.SATELLITE_LOST]
    return event["step"], event["satellite"], event["cause"]


def test_it_is_lost_at_the_first_step_that_sgp4_gives_it_up(scenario, run):
    step, row, cause = lost_at(run)
    model = TwinModel(scenario)
    assert model.world.constellation.names[row] == "LOW"
    assert cause == "decayed"
    satrec = model.world.constellation.satrecs[row]
    errors = [
        satrec.sgp4(satrec.jdsatepoch, satrec.jdsatepochF + t / 86400)[0]
        for t in model.world.ephemeris.t_s
    ]
    assert 0 < step < STEPS
    assert not any(errors[:step])
    assert errors[step]


def test_the_run_goes_on_without_it(run):
    step, row, _ = lost_at(run)
    assert run.manifest["status"] == "complete"
    assert run.table("steps").num_rows == STEPS
    for snapshot, up in snapshots(run):
        assert up[row] == (snapshot.step < step)
        assert up.sum() == 48 - (snapshot.step >= step)
        assert np.isfinite(snapshot.instant.r_km).all()
    rows = [r for r in run.table("satellites").to_pylist() if r["satellite"] == row]
    assert all((r["speed"] == 0) == (r["step"] >= step) for r in rows)


def same_tables(a, b):
    names = sorted(p.name for p in a.path.glob("*.parquet"))
    assert names == sorted(p.name for p in b.path.glob("*.parquet"))
    return all((a.path / n).read_bytes() == (b.path / n).read_bytes() for n in names)


@pytest.mark.parametrize("steps", [3, 10, 20])
def test_resumed_it_ends_in_the_same_bytes(scenario, run, tmp_path, steps, monkeypatch):
    monkeypatch.setattr("twin.runs.checkpoints.Checkpoints.due", True)
    done = []
    with pytest.raises(RunCancelledError):
        run_scenario(
            scenario, runs_dir=tmp_path, run_id="half",
            progress=lambda step, _: done.append(step), cancelled=lambda: len(done) == steps,
        )  # fmt: skip
    again = resume(tmp_path / "half.partial")
    assert same_tables(run, again)


def test_a_fork_before_and_after_loses_it_too(run, tmp_path):
    step, row, _ = lost_at(run)
    for begin in (step - 2, step, step + 3):
        scenario, beginning = fork(run, begin)
        child = run_scenario(scenario, runs_dir=tmp_path, beginning=beginning)
        rest = run.table("steps").slice(begin)
        assert child.table("steps").equals(rest)
        assert bool(state_at(child, STEPS - 1).lost[row])
        if begin <= step:
            assert lost_at(child) == (step, row, "decayed")


def test_its_state_says_so(run):
    step, row, _ = lost_at(run)
    assert not state_at(run, step).lost.any()
    after = state_at(run, step + 1)
    assert np.flatnonzero(after.lost).tolist() == [row]
    assert states.copy(after).lost[row]


def test_orbits_that_are_exported_end_there(scenario, run):
    import json

    step, row, _ = lost_at(run)
    packets = {p["id"]: p for p in json.loads(czml(run))}
    low, other = packets[f"satellite-{row}"], packets[f"satellite-{row - 1}"]
    assert "availability" in low
    assert "availability" not in other
    assert len(low["position"]["cartesian"]) < len(other["position"]["cartesian"])
    with pytest.raises(InputError, match=rf"LOW: decays within .*; there are {step} steps before"):
        satellite_ephemeris(scenario, "LOW")


def test_tables_hold_the_word(run):
    """It is no word of all runs: files of other runs stay as they were."""
    from twin.vocabulary import EVENT_CAUSES

    assert "decayed" not in EVENT_CAUSES
    assert "decayed" in pq.read_table(run.path / "events.parquet")["cause"].to_pylist()
