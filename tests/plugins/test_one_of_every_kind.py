"""One of every kind in a plug-in: it runs, and schema, list, report and page know it."""

import copy
import json
import pickle
import re
import sys
from pathlib import Path

import pytest

import twin as orbital_twin
from agents.model import TwinModel
from agents.run import run_scenario
from twin.plugins import loading
from twin.plugins.choices import load_scenario
from twin.plugins.kinds import KINDS
from twin.report.document import report
from twin.report.page import html
from twin.runs.summary import summarise
from twin.views import form, replay, trace
from twin.world.world import World

EVERYTHING = str(Path(__file__).with_name("everything.py"))
MINE = {
    "strategy": "compact-here",
    "policy": "when-low",
    "propagator": "circles",
    "outage-model": "every-other",
    "fault-model": "first-fails",
    "dispatch": "always-first",
    "handover-rule": "lowest",
    "satellite-rule": "idle",
    "bus-profile": "workshop",
    "model-card": "toy-mine",
    "board": "orin-mine",
    "sampler": "fresh",
    "figure": "heartbeats",
    "event-kind": "heartbeat",
}
SITES = [{"name": "Quito", "latitude_deg": -0.2, "longitude_deg": -78.5}]
OVERRIDES = {
    "simulation.steps": 8,
    "simulation.record_tokens_per_step": 8,
    "outages.params": {"phase": 1},
    "faults.params": {"row": 47},
    "controller.params": {"floor": 0.1},
    "ground.sites": SITES,
    **{
        KINDS[kind].registry.field: name
        for kind, name in MINE.items()
        if KINDS[kind].registry.field
    },
}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The plug-in as an installed package that says so by its entry point."""
    (tmp_path / "workshop.py").write_text(Path(EVERYTHING).read_text(encoding="utf-8"))
    info = tmp_path / "workshop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: workshop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[orbital_twin.plugins]\nworkshop = workshop\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("workshop", None)


def test_there_is_one_of_every_kind():
    assert MINE.keys() == KINDS.keys()


def test_all_of_them_run_and_are_reported_and_shown(tmp_path, installed):
    scenario = orbital_twin.load_scenario("small", OVERRIDES)
    run = run_scenario(
        scenario, runs_dir=tmp_path, watch=lambda model: model.log.add("heartbeat", satellite=0)
    )
    given = sys.modules["workshop"].seen["soc"]
    assert given.shape == (48,)
    assert not given.flags.writeable
    steps = run.table("steps").to_pandas()
    assert (steps["tokens_asked"] > 0).all()
    replans = run.table("events").to_pandas().query("kind == 'replan' or kind == 'replan-failed'")
    assert "soc" in set(replans["cause"])
    text = html(report([run.path]), lambda picture: "")
    for kind in ("strategy", "policy", "outage-model", "fault-model", "handover-rule"):
        assert MINE[kind] in text, kind
    assert "Toy of mine" in text
    assert "Every other link is down, in turns" in text
    assert summarise(run)["heartbeats"] == 7
    assert "heartbeats" in text
    assert "heartbeat" in set(run.table("events").to_pandas()["kind"])
    assert "<td>phase = 1</td>" in re.sub(' class="w"', "", text)
    world = World(scenario)
    head = trace.head(world, trace.plan(world), run_id="mine")
    assert b'"strategy": "compact-here"' in head
    assert b'"model": "toy-mine"' in head
    assert b"A satellite says that it is alive." in head
    assert len(list(replay.frames(run, world, trace.plan(world)))) == 8


def test_the_form_of_the_page_offers_them(installed):
    loading.load_plugins()
    offered = {field.path: field.choices for field in form.FIELDS if field.kind}
    assert MINE["model-card"] in offered["model.card"]
    assert MINE["outage-model"] in offered["outages.model"]
    values = form.initial("small") | {"outages.model": "every-other", "bus.profile": "workshop"}
    assert form.mistakes("small", values) == {}
    found = form.mistakes("small", values | {"outages.model": "rain"})
    assert "unknown outage model 'rain'" in found["outages.model"]


def test_the_command_lists_them_and_the_schema_has_them(twin):
    for kind, name in MINE.items():
        code, out, _ = twin("list", KINDS[kind].plural, "--plugin", EVERYTHING, "--json", "-")
        assert code == 0
        entry = json.loads(out)[KINDS[kind].plural][name]
        assert entry["purpose"] or kind == "satellite-rule"
        if kind == "outage-model":
            assert entry["parameters"] == {"phase": 0}
    schema = json.loads(twin("schema", "--plugin", EVERYTHING)[1])
    for kind, name in MINE.items():
        table, _, key = KINDS[kind].registry.field.partition(".")
        if table:
            definition = schema["properties"][table]["$ref"].rpartition("/")[2]
            assert name in schema["$defs"][definition]["properties"][key]["enum"]
    assert MINE["strategy"] in twin("compare", "--help")[1]


def test_run_compare_place_and_sweep_take_them(twin, tmp_path):
    few = ("--set", "simulation.steps=4", "--workers", "2", "--replicates", "2")
    plugin = ("--plugin", EVERYTHING)
    outages = ("--set", "outages.model=every-other")
    code, out, _ = twin("run", "small", *plugin, *outages, "--set", "simulation.steps=4")
    assert code == 0
    code, out, err = twin("compare", "small", *plugin, *outages, *few, "--strategies",
                          "space-xnet,compact-here", "--policies", "static,when-low")  # fmt: skip
    assert code == 0, err
    assert "compact-here" in out
    assert twin("place", "small", *plugin, *few, "--strategies", "compact-here")[0] == 0
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nscenario = "small"\nreplicates = 2\nstrategies = ["compact-here"]\n'
        'set = ["simulation.steps=4"]\n'
        '[[axes]]\n"outages.model" = ["iid", "every-other"]\n'
    )
    loading.forget()
    assert "unknown placement strategy 'compact-here'" in twin("sweep", "mine.toml")[2]
    code, out, err = twin("sweep", "mine.toml", *plugin, "--workers", "2", "--json", "s.json")
    assert code == 0, err
    assert json.loads((tmp_path / "s.json").read_text())["failed"] == 0


def test_a_model_of_plug_ins_is_pickled_and_copied():
    model = TwinModel(load_scenario("small", OVERRIDES, plugins=[EVERYTHING]))
    model.step()
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    for _ in range(4):
        for each in (model, *copies):
            each.step()
        for each in copies:
            assert {k: v for k, v in each.row.items() if v == v} == {
                k: v for k, v in model.row.items() if v == v
            }


def test_a_run_is_the_same_whichever_way_the_plug_in_came(tmp_path):
    one = orbital_twin.run(
        load_scenario("small", OVERRIDES, plugins=[EVERYTHING]), runs_dir=tmp_path / "a"
    )
    loading.load_plugins([EVERYTHING])
    two = orbital_twin.run(load_scenario("small", OVERRIDES), runs_dir=tmp_path / "b")
    assert one.table("steps").equals(two.table("steps"))
