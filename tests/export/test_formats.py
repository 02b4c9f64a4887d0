"""CZML and GraphML of real runs, held against the tables that the runs recorded."""

import json
from io import BytesIO

import networkx as nx
import numpy as np
import pytest
from czml3 import Document

from agents.run import run_scenario
from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export import formats as export
from twin.export.formats import czml, graphml
from twin.runs.replay import snapshots
from twin.scenario import loader
from twin.space import propagation
from twin.vocabulary import LinkState
from twin.world.world import World

ONE_METRE_KM = 1e-3

RUNS = {
    "plain": ["ground.users=cities"],
    "faults": [
        "faults.model=exponential", "faults.availability=0.8", "faults.mean_down_s=600",
        "placement.strategy=replicated",
    ],
    "brown-outs": ["bus.battery_wh=40", "bus.initial_soc=0.6"],
    "dark at first": ["bus.initial_soc=0.0"],
    "both, and a seam that changes": [
        "bus.battery_wh=40", "faults.model=exponential", "faults.availability=0.9",
        "links.seam=dynamic", "links.acquisition_s=10.0", "constellation.raan_spread_deg=180",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: run_scenario(
            loader.load("small", [*overrides, "simulation.record_satellites_every=3"]),
            runs_dir=folder,
        )
        for name, overrides in RUNS.items()
    }


@pytest.fixture(scope="module")
def plain(runs):
    return runs["plain"]


def recorded_km(run):
    """Steps with a record, and positions then, (K, N, 3)."""
    table = run.table("satellites")
    step = np.unique(table["step"].to_numpy())
    r_km = np.stack([table[f"{axis}_km"].to_numpy() for axis in "xyz"], axis=1)
    return step, r_km.reshape(len(step), -1, 3)


def packets(text):
    return {packet["id"]: packet for packet in json.loads(text)}


def sampled(text, size):
    """Times in s, (T,), and positions in km, (T, N, 3), of a document's satellites."""
    found = packets(text)
    table = [
        np.reshape(found[f"satellite-{i}"]["position"]["cartesian"], (-1, 4)) for i in range(size)
    ]
    t_s, r_m = table[0][:, 0], np.stack([rows[:, 1:] for rows in table], axis=1)
    assert all(np.array_equal(rows[:, 0], t_s) for rows in table)
    return t_s, r_m / 1000


def lagrange(t_s, r_km, at_s, degree):
    """The polynomial through the samples around one time, at that time."""
    first = np.searchsorted(t_s, at_s) - (degree + 1) // 2
    first = np.clip(first, 0, max(len(t_s) - degree - 1, 0))
    t, r = t_s[first : first + degree + 1], r_km[first : first + degree + 1]
    basis = [
        np.prod([(at_s - t[j]) / (t[i] - t[j]) for j in range(len(t)) if j != i])
        for i in range(len(t))
    ]
    return np.tensordot(basis, r, axes=1)


def worst_km(run, text, at_s):
    """How far interpolated positions are from propagated ones, at the worst."""
    world = World(run.scenario)
    t_s, r_km = sampled(text, world.constellation.size)
    true_km, _ = propagation.propagate(world.constellation, run.scenario.propagation.model, at_s)
    found_km = np.stack([lagrange(t_s, r_km, t, export.DEGREE) for t in at_s])
    return np.linalg.norm(found_km - true_km, axis=-1).max()


def states(run):
    """Link states as `twin.runs.replay` finds them, (T, E), and who was up, (T, N)."""
    both = [(snapshot.link_state, up) for snapshot, up in snapshots(run)]
    return tuple(np.stack(part) for part in zip(*both, strict=True))


def read(text):
    return nx.read_graphml(BytesIO(text.encode()), node_type=int)


def test_czml_is_a_document_with_the_clock_of_the_run(plain):
    text = czml(plain)
    document = Document.model_validate_json(text)
    assert document.packets[0].version == "1.0"
    clock = packets(text)["document"]["clock"]
    assert clock["interval"] == "2026-03-20T00:00:00.000000Z/2026-03-20T01:49:25.301Z"
    assert clock["currentTime"] == "2026-03-20T00:00:00.000000Z"
    assert clock["multiplier"] == pytest.approx(6565.301 / 60)
    assert len(document.packets) == 1 + 48 + 50


def test_positions_are_those_the_run_recorded(plain):
    found = packets(czml(plain))
    assert {found[f"satellite-{i}"]["position"]["referenceFrame"] for i in range(48)} == {
        "INERTIAL"
    }
    t_s, r_km = sampled(czml(plain), 48)
    np.testing.assert_allclose(t_s, np.arange(61) * World(plain.scenario).step_s, atol=1e-6)
    step, expected_km = recorded_km(plain)
    assert len(step) == 20
    assert np.linalg.norm(r_km[step] - expected_km, axis=-1).max() < ONE_METRE_KM


def test_between_samples_cesium_finds_the_orbit(plain):
    text = czml(plain)
    position = packets(text)["satellite-7"]["position"]
    assert position["interpolationAlgorithm"] == "LAGRANGE"
    assert position["interpolationDegree"] == export.DEGREE
    half_s = (np.arange(60) + 0.5) * World(plain.scenario).step_s
    assert worst_km(plain, text, half_s) < ONE_METRE_KM


def test_the_coarsest_sampling_of_a_long_run_still_follows_the_orbit(plain):
    world = World(plain.scenario)
    text = czml(plain, every_s=world.period_s / export.SAMPLES_PER_ORBIT)
    t_s, _ = sampled(text, 48)
    np.testing.assert_allclose(np.diff(t_s), 4 * world.step_s, atol=1e-5)
    assert worst_km(plain, text, np.linspace(0, t_s[-1], 200)) < 0.1


@pytest.mark.parametrize(
    ("steps", "orbits", "samples"),
    [(60, 1.0, 61), (400, 1.0, 201), (401, 1.0, 135), (5, 1.0, 6), (2400, 40.0, 601)],
)
def test_long_runs_are_thinned_but_not_below_what_an_orbit_needs(steps, orbits, samples):
    overrides = [f"simulation.steps={steps}", f"simulation.orbits={orbits}"]
    world = World(loader.load("small", overrides))
    t_s = export._sample_times_s(world, None)
    assert len(t_s) == samples
    assert t_s[0] == 0
    assert t_s[-1] == steps * world.step_s
    assert np.all(np.diff(t_s) > 0)


@pytest.mark.parametrize(("in_steps", "samples"), [(0.1, 61), (3, 21), (3.9, 21), (1e9, 2)])
def test_the_caller_may_set_the_sampling(plain, in_steps, samples):
    world = World(plain.scenario)
    assert len(export._sample_times_s(world, in_steps * world.step_s)) == samples


@pytest.mark.parametrize("every_s", [0.0, -3.0, float("nan")])
def test_no_sampling_backwards(plain, every_s):
    with pytest.raises(InputError, match="must be above 0 s"):
        czml(plain, every_s=every_s)


@pytest.mark.parametrize("name", ["plain", "faults"])
def test_colour_and_description_tell_the_first_placement(runs, name):
    found = packets(czml(runs[name]))
    rows = [r for r in runs[name].table("placements").to_pylist() if r["placement"] == 0]
    gateways = {r["satellite"]: r["layer"] for r in rows if r["expert"] < 0 and r["copy"] == 0}
    standby = {r["satellite"] for r in rows if r["expert"] < 0 and r["copy"] > 0}
    experts = {r["satellite"] for r in rows if r["expert"] >= 0}
    assert gateways
    assert bool(standby) == (name == "faults")
    for i in range(48):
        packet = found[f"satellite-{i}"]
        colour = packet["point"]["color"]["rgba"]
        place, hosted = packet["description"].split("<br>")
        assert packet["name"] == f"P{i // 8}S{i % 8}"
        assert packet["path"]["width"] == 1
        assert place == f"plane {i // 8}, slot {i % 8}"
        if i in gateways:
            assert hosted.startswith(f"layer {gateways[i]}: gateway")
        if i in gateways or i in standby:
            assert colour == export.GATEWAY_RGBA
        elif i in experts:
            count = sum(r["satellite"] == i and r["expert"] >= 0 for r in rows)
            assert f": {count} expert" in hosted
            assert colour == export.EXPERT_RGBA
        else:
            assert (colour, hosted) == (export.IDLE_RGBA, "hosts nothing")


def test_sites_stand_on_the_ground(plain):
    sites = [p for p in packets(czml(plain)).values() if p["id"].startswith("site-")]
    assert len({site["name"] for site in sites}) == 50
    assert all("referenceFrame" not in site["position"] for site in sites)  # Earth-fixed
    tokyo = next(site for site in sites if site["name"] == "Tokyo")
    x, y, z = tokyo["position"]["cartesian"]
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(139.7, abs=0.3)
    assert np.hypot(np.hypot(x, y), z) == pytest.approx(6_371_000, abs=10_000)


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
    assert len(edges) == sum(v for k, v in steps.items() if k.startswith("links_"))
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


@pytest.mark.parametrize("step", [-1, 60])
def test_no_step_outside_the_run(plain, step):
    with pytest.raises(InputError, match=f"--step {step}: must be from 0 to 59"):
        graphml(plain, step)
