"""`twin events` on real runs, held against the events table read whole."""

import json
import sys
from pathlib import Path

import pytest

from agents.run import run_scenario
from twin.cli.main import main
from twin.runs import store as runs
from twin.scenario import loader
from twin.vocabulary import EVENTS

NAMES = [f"P{p}S{s}" for p in range(6) for s in range(8)]


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    return run_scenario(loader.load("small"), runs_dir=tmp_path_factory.mktemp("kept") / "runs")


@pytest.fixture
def events(monkeypatch, small_run, capfd):
    """Call the command beside the folder of runs; gives exit code, output, errors, JSON."""
    monkeypatch.chdir(small_run.path.parents[1])

    def call(*args):
        Path("e.json").unlink(missing_ok=True)
        monkeypatch.setattr(sys, "argv", ["twin", "events", *args, "--json", "e.json"])
        with pytest.raises(SystemExit) as stop:
            main()
        written = Path("e.json").read_text() if Path("e.json").exists() else "null"
        return stop.value.code, *capfd.readouterr(), json.loads(written)

    return call


@pytest.fixture(scope="module")
def table(small_run):
    return small_run.table("events").to_pylist()


def test_all_events_by_path_or_by_id(events, small_run, table):
    code, out, _, data = events(str(small_run.path))
    assert code == 0
    assert events(small_run.path.name)[3] == data
    assert data["matched"] == len(table) == sum(c["events"] for c in data["counts"])
    assert [{k: e[k] for k in row} for e, row in zip(data["events"], table, strict=True)] == table
    assert f"20 of {len(table)} events" in out
    counted = {(c["kind"], c["cause"]): c["events"] for c in data["counts"]}
    for kind, cause in {(row["kind"], row["cause"]) for row in table}:
        expected = sum((row["kind"], row["cause"]) == (kind, cause) for row in table)
        assert counted.pop((kind, cause)) == expected
    assert not counted
    times = [row["t_s"] for row in table]
    assert times == sorted(times)


def test_kinds_that_occur_are_known(table):
    assert {row["kind"] for row in table} <= set(EVENTS)


def test_names_and_utc(events, small_run):
    data = events(small_run.path.name, "--kind", "isl-down", "--kind", "umbra-in")[3]
    assert {e["kind"] for e in data["events"]} == {"isl-down", "umbra-in"}
    for event in data["events"]:
        assert event["name"] == NAMES[event["satellite"]]
        other = event["other"]
        assert event["other_name"] == (None if other is None else NAMES[other])
        minutes, seconds = divmod(round(event["t_s"], 3), 60)
        clock = f"T{minutes // 60:02.0f}:{minutes % 60:02.0f}:{seconds:06.3f}Z"
        assert event["utc"] == f"2026-03-20{clock}"


@pytest.mark.parametrize("satellite", ["19", "P2S3"])
def test_filters_together(events, small_run, table, satellite):
    args = ("--satellite", satellite, "--from", "2500", "--to", "5221")
    _, out, _, data = events(small_run.path.name, *args)
    expected = [
        row for row in table
        if 19 in (row["satellite"], row["other"]) and 2500 <= row["t_s"] <= 5221
    ]  # fmt: skip
    assert len({row["kind"] for row in expected}) > 1
    assert any(row["other"] == 19 for row in expected)
    assert [(e["t_s"], e["kind"]) for e in data["events"]] == [
        (row["t_s"], row["kind"]) for row in expected
    ]
    assert "P2S3" in out


def test_limit(events, small_run, table):
    _, out, _, data = events(small_run.path.name, "--limit", "3")
    assert f"3 of {len(table)} events" in out
    assert len(data["events"]) == 3
    assert data["matched"] == len(table)


def test_a_known_kind_that_did_not_occur_is_no_mistake(events, small_run):
    code, _, _, data = events(small_run.path.name, "--kind", "replan-failed")
    assert (code, data["matched"], data["events"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing"], "nothing: neither a folder nor a run in runs/"),
        (["runs"], "runs: not a run (no readable manifest.json)"),
        (
            ["RUN", "--kind", "party"],
            "--kind party: unknown; kinds of events are: alarm, br",
        ),
        (["RUN", "--satellite", "48"], "--satellite 48: must be a number from 0 to 47"),
        (["RUN", "--from", "5", "--to", "4"], "--to 4: must not be before --from 5"),
    ],
)
def test_mistakes_are_told_in_one_line(events, small_run, args, said):
    code, _, err, data = events(*[small_run.path.name if a == "RUN" else a for a in args])
    assert code == 2
    assert data is None
    (line,) = [line for line in err.splitlines() if line.strip()]
    assert line.startswith("twin: ")
    assert said in line


@pytest.mark.parametrize(
    ("start", "inclination_deg", "steps", "expected_s"),
    [
        ("2026-03-20", 87, 383, (1790.08, 1798.62, 3926.94, 3935.47)),
        ("2026-06-21", 53, 96, (3277.44, 3287.34, 5296.97, 5306.88)),
    ],
)
def test_a_run_tells_the_shadow_at_its_instants(
    tmp_path, start, inclination_deg, steps, expected_s
):
    """Times that satkit and JPL's DE421 agree on, in steps of 15 and 60 s."""
    overrides = {
        "simulation.start_utc": f"{start}T00:00:00Z",
        "simulation.steps": steps,
        "constellation.altitude_km": 550,
        "constellation.inclination_deg": inclination_deg,
        "propagation.model": "kepler",
        "workload.tokens_per_step": 1,
    }
    scenario = loader.load("small", [f"{k}={v}" for k, v in overrides.items()])
    run = runs.open_run(run_scenario(scenario, runs_dir=tmp_path).path)
    edges = {"penumbra-in", "umbra-in", "umbra-out", "penumbra-out"}
    mine = [
        row for row in run.table("events").to_pylist()
        if row["kind"] in edges and row["satellite"] == 0
    ]  # fmt: skip
    assert [row["kind"] for row in mine] == ["penumbra-in", "umbra-in", "umbra-out", "penumbra-out"]
    assert [row["t_s"] for row in mine] == pytest.approx(expected_s, abs=0.5)
    step_s = 5738.993 / steps
    assert [row["step"] for row in mine] == [int(t // step_s) for t in expected_s]
