"""Every command once, as a user types it, and the mistakes a user makes."""

import json
import subprocess
import sys
from types import SimpleNamespace

import networkx as nx
import pytest

from twin.scenario import loader
from twin.study import reproduce as reproducing


def test_run(twin, tmp_path):
    code, out, _ = twin("run", "small", "--seed", "3", "--json", "s.json")
    assert code == 0
    assert "latency_mean_s" in out
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["path"] in out
    saved = loader.load(tmp_path / summary["path"] / "scenario.toml")
    assert saved.simulation.seed == 3


def test_run_and_resume(twin, tmp_path):
    twin("run", "small")
    (folder,) = (tmp_path / "runs").iterdir()
    partial = folder.rename(folder.with_name(folder.name + ".partial"))
    code, out, _ = twin("run", "--resume", str(partial))
    assert code == 0
    assert f"kept in {folder}" in out
    assert not partial.exists()


def test_export(twin, tmp_path):
    assert twin("run", "small")[0] == 0
    (run,) = (tmp_path / "runs").iterdir()
    code, out, _ = twin("export", run.name, "--czml", "o.czml", "--graphml", "n.graphml")
    assert code == 0
    assert "czml in o.czml" in out
    assert "graphml in n.graphml" in out
    packets = json.loads((tmp_path / "o.czml").read_text())
    assert packets[0]["name"] == run.name
    assert len(packets) == 1 + 48
    assert nx.read_graphml(tmp_path / "n.graphml").graph["step"] == 0
    assert twin("export", str(run), "--graphml", "n.graphml", "--step", "59")[0] == 0
    graph = nx.read_graphml(tmp_path / "n.graphml")
    assert graph.graph["step"] == 59
    assert graph.number_of_nodes() == 48
    code, out, _ = twin("export", run.name, "--omm", "s.csv")
    assert code == 0
    assert "omm in s.csv" in out
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 1 + 48
    assert {file.name for file in tmp_path.iterdir()} == {"runs", "o.czml", "n.graphml", "s.csv"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing", "--czml", "o.czml"], "nothing: neither a folder nor a run in runs/"),
        (["runs", "--czml", "o.czml"], "runs: not a run (no readable manifest.json)"),
        (["RUN"], "give --czml FILE, --graphml FILE or --omm FILE"),
        (["RUN", "--czml", "o.czml", "--step", "3"], "--step 3: goes with --graphml FILE"),
        (["RUN", "--graphml", "x", "--step", "9"], "--step 9: must be from 0 to 8"),
        (["RUN", "--graphml", "x", "--step", "-1"], "--step -1: must be from 0 to 8"),
        (["RUN", "--czml", "x", "--graphml", "x", "--step", "9"], "must be different files"),
        (["RUN", "--czml", "x", "--graphml", "y", "--step", "9"], "--step 9: must be from 0"),
        (["RUN", "--czml", "no/o.czml"], "--czml no/o.czml: there is no folder no"),
        (["RUN", "--graphml", "no/n"], "--graphml no/n: there is no folder no"),
        (["RUN", "--czml", "runs"], "--czml runs: is a folder"),
        (["RUN", "--omm", "o.tle"], "--omm o.tle: must end in .csv, .json, .xml"),
    ],
)
def test_export_tells_mistakes_in_one_line_and_writes_nothing(twin, tmp_path, args, said):
    assert twin("run", "small", "--set", "simulation.steps=9")[0] == 0
    (run,) = (tmp_path / "runs").iterdir()
    code, _, err = twin("export", *[run.name if arg == "RUN" else arg for arg in args])
    assert code == 2
    (line,) = [line for line in err.splitlines() if line.strip()]
    assert line.startswith("twin: ")
    assert said in line
    assert [file.name for file in tmp_path.iterdir()] == ["runs"]


OWN_STRATEGY = """
from placement.strategies.space_xnet import compact_random
from twin.plugins import register

@register.strategy("mine")
def mine(problem, *, rng):
    return compact_random(problem, rng=rng)
"""


@pytest.fixture
def own_strategy(tmp_path):
    """A strategy file, in the folder that the command is called in."""
    from twin.plugins import loading

    (tmp_path / "own.py").write_text(OWN_STRATEGY)
    yield "own.py"
    loading.forget()


def test_compare(twin, tmp_path, own_strategy):
    args = (
        "compare", "small", "--replicates", "2", "--set", "simulation.steps=20",
        "--strategies", "space-xnet,compact-random,mine", "--plugin", own_strategy,
        "--policies", "static,periodic", "--policy-params", "periodic.every_steps=5",
    )  # fmt: skip
    code, out, _ = twin(*args, "--workers", "1", "--json", "1.json", "--figure", "c.png")
    assert code == 0
    assert "mine / periodic" in out
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert twin(*args, "--workers", "2", "--json", "2.json")[0] == 0
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    data = json.loads((tmp_path / "1.json").read_text())
    assert data["reference"] == "space-xnet / static"
    assert data["cases"]["space-xnet / static"]["ratio"] == {"mean": 1.0, "ci95": 0.0}
    for policy in ("static", "periodic"):
        own, theirs = (data["cases"][f"{name} / {policy}"] for name in ("mine", "compact-random"))
        assert own["replicates"] == theirs["replicates"]
    assert data["cases"]["mine / periodic"]["policy_params"] == {"every_steps": 5}
    assert data["cases"]["mine / static"]["placements"]["mean"] == 1
    assert data["cases"]["mine / periodic"]["placements"]["mean"] > 1
    assert data["cases"]["mine / static"]["ttft_p50_s"]["mean"] is None


def test_run_with_a_strategy_of_ones_own(twin, tmp_path, own_strategy):
    code, out, _ = twin(
        "run", "small", "--plugin", own_strategy, "--set", "placement.strategy=mine",
        "--json", "s.json",
    )  # fmt: skip
    assert code == 0
    assert "small: mine, static" in out
    saved = tmp_path / json.loads((tmp_path / "s.json").read_text())["path"] / "scenario.toml"
    assert loader.load(saved).placement.strategy == "mine"


def test_reproduce(twin, tmp_path, monkeypatch):
    """With as few steps in its tables as in its trends: all 200 are tests/published's."""
    few = f"simulation.steps={reproducing.TREND_STEPS}"
    monkeypatch.setattr(
        reproducing,
        "loader",
        SimpleNamespace(load=lambda name, changes: loader.load(name, [few, *changes])),
    )
    args = ("reproduce", "space-xnet", "--replicates", "2", "--workers", "1", "--json", "r.json")
    code, out, _ = twin(*args)
    assert code == 0
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["strategies"]["rand-place"]["paper_s"] == 5.29
    assert data["ratio_vs"]["rand-place"] > 4
    assert set(data["strategies"]["space-xnet"]) >= {"mean_s", "ci95_s", "paper_s"}
    assert len(data["strategies"]) == 6
    tables = data["tables"]
    assert len([k for k in tables if k.startswith("mixtral ")]) == 14
    assert {"paper", "paper-star", "full accounting"} <= tables.keys()
    assert "constellation.phasing = 17" in out
    assert (tmp_path / "runs" / "reproduce-space-xnet.png").exists()
    trend = {
        axis: [p["strategies"]["space-xnet"]["mean_s"] for p in points]
        for axis, points in data["trends"].items()
    }
    assert trend["altitude_km"] == sorted(trend["altitude_km"])
    assert trend["satellites"] == sorted(trend["satellites"], reverse=True)
    assert trend["survival"] == sorted(trend["survival"], reverse=True)
    random = [p["strategies"]["rand-place"]["mean_s"] for p in data["trends"]["satellites"]]
    assert random == sorted(random)


def test_scenarios_and_schema(twin):
    assert "paper-star" in twin("scenarios")[1]
    assert twin("scenarios", "show", "small")[1] == loader.preset_text("small")
    schema = json.loads(twin("schema")[1])
    assert set(schema["properties"]) >= {"simulation", "constellation", "ground"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["run", "papr"], "unknown scenario 'papr'; presets: drift-study"),
        (["run"], "give a scenario, --resume FOLDER or --from RUN@STEP"),
        (["run", "missing.toml"], "missing.toml: cannot be read: No such file"),
        (["run", "small", "--set", "links.seam=half"], "links.seam: input should be"),
        (["run", "small", "--json", "no/where.json"], "there is no folder no"),
        (
            ["run", "small", "--set", "bus.profile=nimbus"],
            "bus.profile: unknown bus profile 'nimbus'",
        ),
        (["run", "small", "--set", "model.card=gpt-9"], "gpt-9"),
        (["run", "oneweb", "--set", "constellation.tle=none.tle"], "none.tle: cannot be read"),
        (
            ["run", "small", "--set", "model.card=mixtral-8x7b"],
            "layer 0's subnet: room for 1 experts, needs 8",
        ),
        (["compare", "small", "--strategies", "space-xnet,best"], "strategy 'best'; known"),
        (["compare", "small", "--policies", "static,now"], "unknown policy 'now'; known"),
        (["compare", "small", "--plugin", "no.py"], "plug-in no.py: cannot be read: No such file"),
        (["run", "small", "--plugin", "no.where"], "plug-in no.where: there is no such module"),
        (
            ["run", "small", "--set", "outages.model=rain"],
            "outages.model: unknown outage model 'rain'; ",
        ),
        (
            ["run", "small", "--set", "faults.model=x"],
            "faults.model: unknown fault model 'x'; known",
        ),
        (["run", "small", "--set", "propagation.model=x"], "propagation.model: unknown propagator"),
        (["run", "small", "--set", "ground.handover=x"], "ground.handover: unknown hand-over rule"),
        (
            ["run", "small", "--set", "activations.sampler=x"],
            "activations.sampler: unknown sampler",
        ),
        (
            ["run", "small", "--set", "outages.params={rain=1}"],
            "outages.params: outage model 'gilbert-elliott' has no parameter 'rain'; it takes",
        ),
        (["list", "planets"], "unknown kind 'planets'; known: strategies, policies"),
        (["reproduce", "moon"], "unknown experiment 'moon'; known: space-xnet"),
        (["run", "--resume", "."], "not an interrupted run"),
        (["scenarios", "show", "papr"], "unknown scenario 'papr'"),
        (["fly"], "no such command 'fly'; see: twin --help"),
        (["run", "--fast"], "run: no such option: --fast (Possible options: --fail"),
        (["sweep"], "sweep: missing argument 'study'"),
        (["ephemeris", "small"], "ephemeris: missing option '--satellite'"),
        (["compare", "small", "--replicates", "1"], "--replicates': Input should be greater than"),
        (["run", "small", "--seed", "x"], "run: invalid value for '--seed': "),
        (["run", "small", "--seed"], "option '--seed' requires an argument"),
        (["scenarios", "show"], "scenarios show: missing argument 'name'"),
    ],
)
def test_mistakes_are_told_in_one_line_with_exit_code_2(twin, args, said):
    code, out, err = twin(*args)
    assert code == 2
    assert said in err
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("twin: ")
    assert "Traceback" not in out + err


def test_without_a_command_there_is_help(twin):
    code, out, _ = twin()
    assert code == 0
    assert "sweep" in out


def test_nothing_half_written_is_left_by_a_mistake_in_the_scenario(twin, tmp_path):
    twin("run", "small", "--set", "links.seam=half")
    twin("run", "small", "--set", "placement.strategy=best")
    assert not [f for f in tmp_path.rglob("*") if f.is_file()]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "requests.trace t.csv: cannot be read: No such file"),
        (b"", "requests.trace t.csv: is empty; must be a CSV file with the columns"),
        (b"\x89PNG\r\n\x1a\n\xff", "requests.trace t.csv: not a text file in UTF-8"),
        (
            b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1000000,44\n",
            "requests.trace t.csv: line 2: prompt of 1000000 tokens; allowed are 1 to 262,144",
        ),
    ],
)
def test_a_bad_trace_is_told_in_one_line_and_nothing_is_written(twin, tmp_path, content, said):
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    fields = ("serving.mode=requests", "requests.arrivals=trace", "requests.trace=t.csv")
    code, _, err = twin("run", "small", *(part for field in fields for part in ("--set", field)))
    assert code == 2
    assert said in err
    assert len([line for line in err.splitlines() if line.strip()]) == 1
    assert {f.name for f in tmp_path.rglob("*") if f.is_file()} <= {"t.csv"}


def test_the_command_is_a_process_that_ends_with_code_2():
    command = [sys.executable, "-c", "from twin.cli.main import main; main()", "run", "papr"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
