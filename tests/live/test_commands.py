"""The commands of the live twin, as a user types them."""

import json

import pytest

from twin.live import fields


def test_the_schema(twin):
    code, out, _ = twin("schema", "--telemetry")
    assert code == 0
    assert out == fields.schema_text()


def test_emit_and_mirror(twin, tmp_path):
    code, _, _ = twin("emit", "small", "--to", "said.jsonl", "--truth", "t.npz", "--seed", "3")
    assert code == 0
    assert (tmp_path / "t.npz").is_file()
    lines = (tmp_path / "said.jsonl").read_text().splitlines()
    assert len(lines) > 48 * 80
    code, out, _ = twin("live", "small", "--from", "said.jsonl", "--json", "f.json")
    assert code == 0
    assert "The message was used." in out
    found = json.loads((tmp_path / "f.json").read_text())
    assert found["messages"]["taken"] > 4000
    assert twin("report", found["path"])[0] == 0
    assert twin("events", found["path"])[0] == 0


def test_a_run_is_played_back_as_telemetry(twin, tmp_path):
    assert twin("run", "small", "--set", "simulation.record_satellites_every=1")[0] == 0
    (run,) = (tmp_path / "runs").iterdir()
    assert twin("emit", run.name, "--to", "back.jsonl")[0] == 0
    lines = (tmp_path / "back.jsonl").read_text().splitlines()
    assert len(lines) == 48 * 60
    code, _, _ = twin("live", "small", "--from", "back.jsonl", "--json", "f.json")
    assert code == 0
    found = json.loads((tmp_path / "f.json").read_text())
    assert found["messages"]["taken"] == 48 * 60
    assert found["alarms"] == {}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["live"], "twin live: give a scenario, or --resume FOLDER"),
        (["live", "small", "--from", "nowhere"], "--from nowhere: no such file or folder"),
        (["live", "--resume", "x", "--seed", "1"], "--resume: takes no --set or --seed"),
        (["live", "--resume", "x"], "x: not an interrupted run"),
        (["emit", "small", "--plant", "tail=3"], "--plant tail=3: must be KEY=VALUE; keys: "),
        (["emit", "small", "--plant", "lost=2"], "--plant lost=2: must be a number from 0 to 0.9"),
        (["emit", "small", "--to", "no/where"], "--to no/where: there is no folder no"),
        (["emit", "nothing"], "nothing"),
    ],
)
def test_mistakes_are_one_line(twin, args, said):
    code, _, err = twin(*args)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
