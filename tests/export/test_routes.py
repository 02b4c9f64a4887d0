"""Paths between places: Hypatia's published ones, networkx over the same graph, and real runs."""

import csv
import json
import math
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import twin as api
from agents.fork import fork
from agents.run import run_scenario
from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export.routes import route
from twin.network import ground
from twin.network.handover import NOBODY
from twin.network.places import place
from twin.runs import replay
from twin.scenario import loader
from twin.space.frames import gcrs_to_itrs
from twin.vocabulary import EventKind
from twin.world.topology import to_networkx
from twin.world.world import World

CITIES = {
    "Manila": (1173, 14.6042, 120.9822),
    "Sankt-Peterburg": (1229, 59.929858, 30.326228),
    "Dalian": (1241, 38.913811, 121.602322),
}
"""Hypatia's number and coordinates of each."""

TWO_MICROSECONDS_MS = 2e-3


def with_checksum(line):
    return line + str(sum(int(c) if c.isdigit() else c == "-" for c in line) % 10)


def kuiper_630(planes=34, slots=34):
    """Kuiper's first shell as Hypatia writes it: every second plane half a slot ahead."""
    for number in range(planes * slots):
        plane, slot = divmod(number, slots)
        raan_deg, anomaly_deg = plane * 360 / planes, (slot + plane % 2 / 2) * 360 / slots
        yield f"Kuiper-630 {number}"
        yield with_checksum(
            f"1 {number + 1:05}U 00000ABC 00001.00000000  .00000000  00000-0  00000+0 0    0"
        )
        yield with_checksum(
            f"2 {number + 1:05}  51.9000 {raan_deg:8.4f} 0000001   0.0000 {anomaly_deg:8.4f} "
            "14.80000000    0"
        )


@pytest.fixture(scope="module")
def kuiper(tmp_path_factory):
    file = tmp_path_factory.mktemp("kuiper") / "kuiper.tle"
    file.write_text("\n".join(kuiper_630()) + "\n")
    sites = [
        {"name": name, "latitude_deg": latitude, "longitude_deg": longitude}
        for name, (_, latitude, longitude) in CITIES.items()
    ]
    return loader.from_data(
        {
            "name": "kuiper-630",
            "simulation": {"start_utc": "2000-01-01T00:00:00Z", "steps": 2000, "step_s": 0.1},
            "constellation": {"kind": "tle", "tle": str(file)},
            "propagation": {"model": "sgp4"},
            "links": {"seam": "closed", "acquisition_s": 0.0, "sun_exclusion_deg": 0.0},
            "outages": {"availability": 1.0},
            "ground": {"sites": sites, "minimum_elevation_deg": 10.0},
        }
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [("Manila", "Sankt-Peterburg"), ("Manila", "Dalian"), ("Sankt-Peterburg", "Dalian")],
)
def test_hypatia_s_200_seconds_over_kuiper(kuiper, oracle, start, end):
    """All 2,000 round-trip times to 2 us and all paths, but for one sample at a change of path."""
    theirs = oracle("kuiper_630.json")["pairs"][f"{CITIES[start][0]}-{CITIES[end][0]}"]
    theirs_ms = np.cumsum(theirs["rtt_differences_ns"]) / 1e6
    # Hypatia's stations see up to the slant range that 30 degrees would have on a flat Earth.
    found = route(kuiper, start, end, by="best", max_slant_km=630 / math.sin(math.radians(30)))
    ours_ms = np.nan_to_num(found.rtt_s) * 1e3

    changes = dict(theirs["paths"])
    near_a_change = np.zeros(2000, bool)
    for nanoseconds in changes:
        at = nanoseconds // 100_000_000
        near_a_change[max(at - 1, 0) : at + 2] = True
    differ = np.abs(ours_ms - theirs_ms) > TWO_MICROSECONDS_MS
    assert not (differ & ~near_a_change).any()
    assert differ.sum() <= 1

    for nanoseconds, path in changes.items():
        row = nanoseconds // 100_000_000 + 1
        mine = [int(found.names[satellite].split()[1]) for satellite in found.paths[row]]
        assert mine == (path or [])
    assert len(found.changes) == sum(path is not None for path in changes.values()) - 1
    gaps = [t for t, path in changes.items() if path is None]
    assert [gap.from_s for gap in found.interruptions] == pytest.approx([t / 1e9 for t in gaps])


@pytest.mark.parametrize("limit_km", [None, 1500.0])
def test_the_best_pair_is_networkx_s(limit_km):
    """Dijkstra over the links and all satellites in sight; places and slants worked out apart."""
    scenario = loader.load("paper", ["simulation.steps=12", "outages.availability=0.8"])
    found = route(scenario, "Lima", "48.86,2.35", by="best", max_slant_km=limit_km)
    world = World(scenario)
    both = tuple(place(text, scenario.ground, option="") for text in ("Lima", "48.86,2.35"))
    sites = ground.sites(scenario.ground.model_copy(update={"sites": both}))
    for snapshot, rtt_s, path in zip(
        world.snapshots(scenario.simulation.replicate), found.rtt_s, found.paths, strict=True
    ):
        graph = to_networkx(world, snapshot)
        turn = gcrs_to_itrs(world.constellation.epoch_utc, np.array([snapshot.instant.t_s]))[0]
        r_km = snapshot.instant.r_km @ turn.T
        for g, end in enumerate("AB"):
            ray = r_km - sites.r_km[g]
            slant_km = np.linalg.norm(ray, axis=1)
            seen = ray @ sites.up[g] / slant_km >= np.sin(np.radians(25.0))
            seen &= slant_km <= (limit_km or np.inf)
            for satellite in np.flatnonzero(seen):
                graph.add_edge(end, int(satellite), delay_s=slant_km[satellite] / C_KM_S)
        if not (graph.has_node("A") and graph.has_node("B") and nx.has_path(graph, "A", "B")):
            assert np.isnan(rtt_s)
            assert path == ()
            continue
        best_s, best = nx.single_source_dijkstra(graph, "A", "B", weight="delay_s")
        assert rtt_s == pytest.approx(2 * best_s, rel=1e-12)
        assert list(path) == best[1:-1]
    assert np.isfinite(found.rtt_s).any()


def service_of(run, site):
    """Satellite that serves a site of a run at the start of each step, by its events."""
    step_s = World(run.scenario).step_s
    names = ground.sites(run.scenario.ground).names
    kinds = {EventKind.SERVICE_BEGUN, EventKind.SERVICE_LOST, EventKind.GROUND_HANDOVER}
    events = [
        (e["t_s"], -1 if e["satellite"] is None else e["satellite"])
        for e in run.table("events").to_pylist()
        if e["kind"] in kinds and e["value"] == names.index(site)
    ]
    serving = []
    for step in range(run.first_step, run.scenario.simulation.steps):
        before = [satellite for t_s, satellite in events if t_s <= step * step_s + 1e-6]
        serving.append(before[-1] if before else NOBODY)
    return serving


def test_satellites_that_serve_are_the_run_s(plain):
    found = route(plain, "london", "Tokyo")
    served = list(zip(service_of(plain, "London"), service_of(plain, "Tokyo"), strict=True))
    for path, cause, (near, far) in zip(found.paths, found.cause, served, strict=True):
        if path:
            assert (path[0], path[-1]) == (near, far)
        elif NOBODY in (near, far):
            missing = [n for n, s in (("London", near), ("Tokyo", far)) if s == NOBODY]
            assert cause == f"no satellite at {' and '.join(missing)}"
        else:
            assert cause == "no path between"
    assert len({bool(path) for path in found.paths}) == 2


@pytest.mark.parametrize("name", ["faults", "brown-outs", "dark at first"])
@pytest.mark.parametrize("by", ["serving", "best"])
def test_a_run_s_paths_take_links_and_satellites_that_are_up(runs, name, by):
    run = runs[name]
    found = route(run, "Cairo", "Delhi", by=by)
    world = World(run.scenario)
    for (snapshot, up), path, rtt_s in zip(
        replay.snapshots(run, world), found.paths, found.rtt_s, strict=True
    ):
        ends = {tuple(sorted(e)) for e in world.skeleton.edges[snapshot.up].tolist()}
        assert up[list(path)].all()
        assert {tuple(sorted(pair)) for pair in pairwise(path)} <= ends
        r_km = snapshot.instant.r_km[list(path)]
        between_s = np.linalg.norm(np.diff(r_km, axis=0), axis=1).sum() / C_KM_S if path else 0.0
        assert not path or rtt_s > 2 * between_s
    assert any(found.paths)
    assert name != "dark at first" or not found.paths[0]


def test_a_fork_goes_on_with_its_parent_s_service(plain, tmp_path):
    scenario, beginning = fork(plain, 20)
    child = run_scenario(scenario, runs_dir=tmp_path, beginning=beginning)
    whole, rest = (route(run, "London", "Tokyo") for run in (plain, child))
    assert rest.paths == whole.paths[20:]
    assert rest.step[0] == 20
    np.testing.assert_array_equal(rest.rtt_s, whole.rtt_s[20:])


def test_faults_of_a_scenario_are_drawn():
    overrides = ["faults.model=exponential", "faults.availability=0.01", "simulation.steps=5"]
    found = route(loader.load("paper", overrides), "London", "Paris", by="best")
    assert sum(map(len, found.paths)) <= 2


def test_command_line(twin):
    code, out, err = twin(
        "route", "paper", "--set", "simulation.step_s=20", "--set", "simulation.steps=30",
        "--from", "lima", "--to", "-33.9,18.4", "--by", "best",
        "--csv", "r.csv", "--json", "r.json", "--png", "r.png",
    )  # fmt: skip
    assert code == 0, err
    data = json.loads(Path("r.json").read_text())
    rows = list(csv.DictReader(Path("r.csv").read_text().splitlines()))
    assert Path("r.png").read_bytes().startswith(b"\x89PNG")
    assert [row["rtt_ms"] for row in rows] == [
        "" if ms is None else repr(ms) for ms in data["steps"]["rtt_ms"]
    ]
    assert [row["path"] for row in rows] == [
        "-".join(map(str, path)) for path in data["steps"]["path"]
    ]
    assert [int(row["hops"]) for row in rows] == [
        len(path) + 1 if path else 0 for path in data["steps"]["path"]
    ]
    assert rows[3]["utc"] == "2026-03-20T00:01:00.000Z"
    assert (data["from"]["name"], data["to"]["latitude_deg"], data["by"]) == ("Lima", -33.9, "best")
    gone_s = sum(gap["to_s"] - gap["from_s"] for gap in data["interruptions"])
    missing = sum(row["rtt_ms"] == "" for row in rows)
    assert gone_s == pytest.approx(20.0 * missing) == pytest.approx(data["interrupted_s"])
    assert f"{data['path_changes']} changes of path" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonesuch", "--from", "Paris", "--to", "Rome"], "unknown scenario 'nonesuch'"),
        (["small", "--from", "Paris", "--to", "Atlantis"], "--to Atlantis: must be one of"),
        (["small", "--from", "95,0", "--to", "Paris"], "--from 95,0: latitude_deg"),
        (["small", "--from", "Lima", "--to", "Paris", "--max-slant-km", "-1"], "must be above 0"),
        (["small", "--from", "Lima", "--to", "Paris", "--csv", "."], "--csv .: is a folder"),
        (
            ["small", "--from", "Lima", "--to", "Paris", "--png", "no/p.png"],
            "there is no folder no",
        ),
    ],
)
def test_mistakes(twin, arguments, said):
    code, _, err = twin("route", *arguments)
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_run_keeps_its_scenario(twin, plain):
    code, _, err = twin(
        "route", str(plain.path), "--from", "Lima", "--to", "Paris", "--set", "simulation.steps=2"
    )
    assert code == 2
    assert "is a run, which keeps its scenario" in err


def test_in_python(plain):
    found = api.route(plain, "London", "Tokyo", by="best")
    assert len(found.columns["rtt_ms"]) == plain.scenario.simulation.steps
    with pytest.raises(InputError, match="--by fast: must be serving or best"):
        api.route(plain.scenario, "London", "Tokyo", by="fast")
