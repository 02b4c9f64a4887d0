"""GraphML of real runs, held against the tables that the runs recorded."""

import re
from io import BytesIO
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

from agents.run import run_scenario
from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export.graphml import graphml
from twin.runs.replay import snapshots
from twin.scenario import loader
from twin.vocabulary import LinkState
from twin.world.world import World

RUNS = ("plain", "faults", "brown-outs", "dark at first", "both, and a seam that changes")


def states(run):
    """Link states as `twin.runs.replay` finds them, (T, E), and who was up, (T, N)."""
    both = [(snapshot.link_state, up) for snapshot, up in snapshots(run)]
    return tuple(np.stack(part) for part in zip(*both, strict=True))


def read(text):
    return nx.read_graphml(BytesIO(text.encode()), node_type=int)


@pytest.mark.parametrize("name", RUNS)
def test_links_are_replayed_as_the_run_counted_them(runs, name):
    run = runs[name]
    link_state, up = states(run)
    table = run.table("steps")
    for state in LinkState:
        if state is not LinkState.UNPAIRED:
            column = f"links_{'' if state is LinkState.UP else 'down_'}{state.name.lower()}"
            np.testing.assert_array_equal((link_state == state).sum(axis=1), table[column])
    faulty, unpowered = table["faulty"].to_numpy(), table["unpowered"].to_numpy()
    # Both are counted at the end of a step; links follow the power at its start.
    dark = np.append((~up[:1]).sum() - faulty[:1], unpowered[:-1])
    assert np.all((~up).sum(axis=1) >= np.maximum(faulty, dark))
    assert np.all((~up).sum(axis=1) <= faulty + dark)
    if name == "faults":
        assert faulty.max() > 0
    if name == "brown-outs":
        kinds = set(run.table("events")["kind"].to_pylist())
        assert {"brown-out", "power-recovered"} <= kinds


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("step", [0, 21, 43, 59])
def test_graphml_reads_back_with_the_links_of_the_run(runs, name, step):
    run = runs[name]
    graph = read(graphml(run, step))
    steps = run.table("steps").to_pylist()[step]
    edges = [data for _, _, data in graph.edges(data=True)]
    assert sum(e["up"] for e in edges) == steps["links_up"]
    assert all(e["up"] == (e["state"] == "up") for e in edges)
    assert sum(e["state"] == "power" for e in edges) == steps["links_down_power"]
    paired = [v for k, v in steps.items() if k == "links_up" or k.startswith("links_down_")]
    assert len(edges) == sum(paired)
    assert graph.graph["step"] == step
    assert graph.graph["t_s"] == steps["t_s"]
    assert all(
        graph.nodes[i]["up"] for a, b, e in graph.edges(data=True) if e["up"] for i in (a, b)
    )
    for a, b, e in graph.edges(data=True):
        r_a, r_b = (np.array([graph.nodes[i][f"{x}_km"] for x in "xyz"]) for i in (a, b))
        assert e["distance_km"] == pytest.approx(np.linalg.norm(r_a - r_b), rel=1e-12)
        assert e["delay_s"] == pytest.approx(e["distance_km"] / C_KM_S, rel=1e-12)


def test_delays_are_those_that_tokens_were_routed_over(plain):
    world = World(plain.scenario)
    *_, (snapshot, _) = snapshots(plain, world)
    graph = read(graphml(plain, snapshot.step))
    delay_s = snapshot.weight_s[world.skeleton.entry[:, 0]]
    for (a, b), expected_s in zip(world.skeleton.edges.tolist(), delay_s, strict=True):
        if np.isfinite(expected_s):
            assert graph.edges[a, b]["delay_s"] == pytest.approx(expected_s, rel=1e-12)


@pytest.mark.parametrize("step", [21, 22])
def test_nodes_tell_what_the_run_recorded(runs, step):
    run = runs["faults"]
    graph = read(graphml(run, step))
    assert graph.number_of_nodes() == 48
    recorded = {
        row["satellite"]: row
        for row in run.table("satellites").to_pylist() if row["step"] == step
    }  # fmt: skip
    assert bool(recorded) == (step == 21)
    hosted = run.table("placements").to_pylist()
    for i, node in graph.nodes(data=True):
        assert (node["name"], node["plane"], node["slot"]) == (f"P{i // 8}S{i % 8}", i // 8, i % 8)
        mine = [row for row in hosted if row["satellite"] == i]
        assert node["experts"] == sum(row["expert"] >= 0 for row in mine)
        assert node["gateway"] == any(row["expert"] < 0 for row in mine)
        assert node["layer"] in {row["layer"] for row in mine} or {-1}
        assert (node["layer"] == -1) == (not mine)
        assert ("soc" in node) == bool(recorded)
        if recorded:
            assert node["soc"] == recorded[i]["soc"]
            assert node["sunlit"] == pytest.approx(recorded[i]["sunlit"], abs=1e-6)
            assert [node[f"{x}_km"] for x in "xyz"] == [recorded[i][f"{x}_km"] for x in "xyz"]


def test_nodes_follow_the_placement_of_their_step(tmp_path):
    overrides = ["controller.policy=periodic", "controller.params.every_steps=10",
                 "placement.strategy=rand-place"]  # fmt: skip
    run = run_scenario(loader.load("small", overrides), runs_dir=tmp_path)
    placements = run.table("placements").to_pylist()
    in_force = run.table("steps")["placement"].to_pylist()
    assert len(set(in_force)) > 1
    for step in (0, 59):
        mine = [r for r in placements if r["placement"] == in_force[step] and r["expert"] < 0]
        graph = read(graphml(run, step))
        for row in mine:
            assert graph.nodes[row["satellite"]]["layer"] == row["layer"]
        gateways = {i for i, gateway in graph.nodes(data="gateway") if gateway}
        assert gateways == {row["satellite"] for row in mine}


SPACE = "{http://graphml.graphdrawing.org/xmlns}"
TYPES = {
    "boolean": r"true|false",
    "long": r"-?\d+",
    "double": r"-?\d+(\.\d+)?(e[+-]\d+)?",
    "string": r".+",
}


@pytest.mark.parametrize("name", ["faults", "both, and a seam that changes"])
def test_it_is_what_its_schema_asks_for(runs, name):
    """graphml-structure.xsd: every id once, keys first, what refers to them exists; and types."""
    root = ElementTree.fromstring(graphml(runs[name], 21))
    assert root.tag == SPACE + "graphml"
    *keys, graph = root
    assert graph.tag == SPACE + "graph"
    assert graph.get("edgedefault") == "undirected"
    assert {key.tag for key in keys} == {SPACE + "key"}
    known = {key.get("id"): key for key in keys}
    assert len(known) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]+", i) for i in known)
    nodes = [e.get("id") for e in graph.iter(SPACE + "node")]
    assert len(set(nodes)) == len(nodes) == 48
    for element in root.iter():
        if element.tag == SPACE + "edge":
            assert {element.get("source"), element.get("target")} <= set(nodes)
        for data in element.findall(SPACE + "data"):
            key = known[data.get("key")]
            assert SPACE + key.get("for") == element.tag
            assert re.fullmatch(TYPES[key.get("attr.type")], data.text), data.get("key")


@pytest.mark.parametrize("step", [-1, 60])
def test_no_step_outside_the_run(plain, step):
    with pytest.raises(InputError, match=f"--step {step}: must be from 0 to 59"):
        graphml(plain, step)
