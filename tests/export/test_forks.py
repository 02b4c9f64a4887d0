"""A fork is handed on as any other run: its orbits, and the links of its steps."""

import io

import networkx as nx
import pytest

from agents.fork import fork
from agents.run import run_scenario
from twin.errors import InputError
from twin.export.czml import czml
from twin.export.graphml import graphml
from twin.report.document import report
from twin.scenario import loader
from twin.views import replay, trace
from twin.views.live import Tap
from twin.world.world import World


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    """A fork, its parent, and the frames that the page got of it while it was computed."""
    folder = tmp_path_factory.mktemp("runs")
    parent = run_scenario(loader.load("small"), runs_dir=folder, run_id="p")
    scenario, beginning = fork(parent, 25, fail=[3], cut=[(10, 11)])
    frames = []
    run = run_scenario(
        scenario,
        runs_dir=folder,
        run_id="c",
        beginning=beginning,
        watch=Tap(lambda model, plan: None, frames.append),
    )
    return parent, run, frames


def test_links_and_orbits_of_a_fork(child):
    parent, run, _ = child
    graph = nx.read_graphml(io.BytesIO(graphml(run, 40).encode()))
    before = nx.read_graphml(io.BytesIO(graphml(parent, 40).encode()))
    up = {n: sum(d["up"] for *_, d in g.edges(data=True)) for n, g in (("c", graph), ("p", before))}
    assert up["c"] == run.table("steps")["links_up"].to_pylist()[40 - 25]
    assert up["p"] == parent.table("steps")["links_up"].to_pylist()[40]
    assert up["c"] < up["p"]
    assert '"id":"document"' in czml(run)
    with pytest.raises(InputError, match="must be from 25 to 59"):
        graphml(run, 24)


def test_the_page_replays_a_fork_as_it_was_seen_live(child):
    _, run, live = child
    world = World(run.scenario)
    planned = trace.plan(world, run.first_step)
    again = list(replay.frames(run, world, planned))
    assert len(again) == len(live) == planned.frames == 35
    packed = [trace.chunk(frames, first=0, last=True) for frames in (live, again)]
    assert packed[0] == packed[1]
    assert again[0].events[0]["t_s"] == 0.0


def test_a_fork_is_reported_beside_its_parent(child):
    parent, run, _ = child
    assert report([parent.path, run.path]).title
