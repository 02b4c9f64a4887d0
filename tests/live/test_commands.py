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
    options = ("--json", "f.json", "--outlook-every", "20", "--metrics", "0")
    code, out, _ = twin("live", "small", "--from", "said.jsonl", *options)
    assert code == 0
    assert "The message was used." in out
    assert "outlooks: " in out
    found = json.loads((tmp_path / "f.json").read_text())
    assert found["messages"]["taken"] > 4000
    assert twin("report", found["path"])[0] == 0
    assert twin("events", found["path"])[0] == 0
    ahead = ("--orbits", "0.1", "--json", "a.json")
    assert twin("outlook", found["path"], "--members", "8", *ahead)[0] == 0
    assert json.loads((tmp_path / "a.json").read_text())["members"] == 8
    advised = ("--members", "2", "--strategies", "space-xnet")
    code, out, _ = twin("advise", found["path"], *advised, *ahead)
    assert code == 0
    assert "advice: " in out


def test_emit_mirror_and_act(twin, tmp_path):
    """Commands go to a file; a plant that finds them there carries out the last of them."""
    few = ("--set", "simulation.orbits=0.5", "--set", "bus.battery_wh=150")
    code, _, err = twin("emit", "small", *few, "--serve", "--to", "said.jsonl", "--truth", "t.npz")
    assert code == 0
    assert err.startswith("served ")
    advise = ("--advise-every", "8", "--strategies", "energy-aware", "--members", "2")
    options = (*advise, "--orbits", "0.1", "--act", "commands.jsonl")
    code, out, err = twin("live", "small", *few, "--from", "said.jsonl", *options)
    assert code == 0, err
    assert "advice: 6 made, " in out
    sent = (tmp_path / "commands.jsonl").read_text().splitlines()
    assert sent
    (run,) = (tmp_path / "runs").iterdir()
    code, out, err = twin("judge", run.name, "--json", "judged.json")
    assert code == 0, err
    judged = json.loads((tmp_path / "judged.json").read_text())
    assert [one["step"] for one in judged] == [8, 16, 24, 32, 40, 48]
    assert {one["done"] for one in judged} <= {"nothing", "sent, without an answer"}
    code, _, _ = twin("emit", "small", *few, "--commands", "commands.jsonl", "--to", "again.jsonl")
    assert code == 0
    answers = [json.loads(x) for x in (tmp_path / "again.jsonl").read_text().splitlines()]
    answers = [m for m in answers if "controller" in m and "tokens_asked" not in m]
    assert answers[-1]["command"] == json.loads(sent[-1])["command"]
    assert answers[-1]["placement"] == json.loads(sent[-1])["placement"]


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
        (
            ["emit", "small", "--plant", "every_s=10"],
            "every_s=10: must be a number from 60 to 1e+09",
        ),
        (["emit", "small", "--to", "no/where"], "--to no/where: there is no folder no"),
        (["emit", "nothing"], "nothing"),
        (["emit", "small", "--spool", "s"], "--spool s: is for what goes to a broker"),
        (["emit", "small", "--to", "mqtt://h", "--spool", "said"], "--spool said: "),
        (
            ["emit", "small", "--serve", "--set", "model.card=deepseek-v3"],
            "14,848 experts does not",
        ),
        (["judge", "nothing"], "nothing: neither a folder nor a run in runs/"),
        (["live", "small", "--advise-every", "9", "--policies", "x"], "policy"),
        (["live", "small", "--advise-every", "9", "--dispatches", "x"], "dispatch"),
        (["emit", "small", "--commands", "."], "--commands .: is a folder; give a file"),
        (["live", "small", "--act", "c"], "--act: needs --advise-every, how often to advise"),
        (["live", "small", "--advise-every", "9", "--act", "no/c"], "--act no/c: there is no"),
        (["live", "small", "--advise-every", "9", "--act", "mqtt://"], "mqtt://: must look like"),
        (["live", "small", "--advise-every", "9", "--strategies", "x"], "strategy"),
        (["outlook", "nothing"], "nothing: neither a folder nor a run in runs/"),
        (["live", "small", "--from", "said", "--metrics", "x"], "--metrics x: must be PORT"),
    ],
)
def test_mistakes_are_one_line(twin, args, said, tmp_path):
    (tmp_path / "said").touch()
    code, _, err = twin(*args)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
