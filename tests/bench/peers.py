"""A step's shortest paths by our search, by graph libraries, and by another simulator.

None of the peers is needed for anything else. Those that are not installed are left out, by name.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from agents.model import TwinModel
from steps import graphs, positions_ms, take_turns
from twin.constants import C_KM_S
from twin.network.routing import shortest_paths
from twin.scenario import loader
from twin.scenario.world import Walker
from twin.world.world import World

type Delays = NDArray[np.float64]
type Job = Callable[[], Any]
type Reader = Callable[[Any], Delays]

SAME_S = 1e-6
"""Delays that differ by less are the same answer."""

WHOLE_STEP = "dsns"
"""The peer whose job is a whole step, and stands against a whole step of ours."""

SLOW = ("networkx", "dsns")
"""They take turns among themselves: after them, others would find cold caches and a spent slice
of the processor's time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """One snapshot, and the gateways to search from.

    Attributes
    ----------
    world : World
    csgraph : csr_array
        Links that are up, N x N, both directions.
    networkx : networkx.Graph
        The same, with ``delay_s`` at its edges.
    sources : (K,) int32
    """

    world: World
    csgraph: csr_array
    networkx: nx.Graph
    sources: NDArray[np.int32]

    @property
    def links(self) -> list[tuple[int, int, float]]:
        """Both ends and the delay of every link that is up."""
        return list(self.networkx.edges(data="delay_s"))


def peers(
    *,
    seed: int = 0,
    rounds: int = 15,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time delays from 32 gateways to all of 1056 satellites; contestants take turns.

    Graph libraries search a graph that is built before, on one thread, for delays alone, and
    need not turn them into arrays. ``dsns`` is a simulator of satellite networks: its step is
    positions, links, graph and one search from each gateway, and is compared with positions,
    snapshot and paths of ours. Medians in ms; ``times_ours`` is how many times as long as ours.
    """
    task, ours, whole_step = _task(seed)
    jobs: dict[str, Job] = {"twin, paths": ours, "twin, whole step": whole_step}
    differs_s, absent = {}, {}
    truth_s = ours()[0]
    for name, enter in PEERS.items():
        try:
            job, read = enter(task)
        except ImportError:
            absent[name] = f"not installed: pip install {name}"
            continue
        expected_s = _all_links_up_s(task) if name == WHOLE_STEP else truth_s
        differs_s[name] = _difference_s(read(job()), expected_s)
        jobs[name] = job
    slow = {name: jobs.pop(name) for name in SLOW if name in jobs}
    total = 2 * (rounds + 1)
    median = take_turns(jobs, rounds, lambda done: progress(done, total))
    median |= take_turns(slow, rounds, lambda done: progress(rounds + 1 + done, total))
    median["twin, whole step"] += positions_ms(task.world)
    return {
        "satellites": task.world.constellation.size,
        "sources": len(task.sources),
        "links_up": len(task.links),
        "rounds": rounds,
        "median_ms": median,
        "times_ours": {name: median[name] / median[_rival(name)] for name in differs_s},
        "largest_difference_s": differs_s,
        "absent": absent,
    }


def _task(seed: int) -> tuple[Task, Job, Job]:
    """The snapshot, and our own two jobs: its shortest paths, and a whole step."""
    scenario = loader.load("paper", [f"simulation.seed={seed}"])
    model = TwinModel(scenario)
    model.step()
    world = World(scenario)
    csgraph, graph = graphs(model.world, model.snapshot)
    sources = model.controller.placement.gateway
    skeleton, weight_s = world.skeleton, model.snapshot.weight_s
    steps = world.snapshots(scenario.simulation.replicate)

    def paths() -> tuple[Delays, NDArray[np.int32]]:
        return shortest_paths(skeleton.indptr, skeleton.indices, weight_s, sources)

    def whole_step() -> None:
        shortest_paths(skeleton.indptr, skeleton.indices, next(steps).weight_s, sources)

    return Task(world=world, csgraph=csgraph, networkx=graph, sources=sources), paths, whole_step


def _rival(name: str) -> str:
    return "twin, whole step" if name == WHOLE_STEP else "twin, paths"


def _difference_s(theirs_s: Delays, ours_s: Delays) -> float:
    """Largest difference where both are known (not NaN); infinite if only one has a path."""
    known = ~np.isnan(theirs_s)
    apart = np.isinf(theirs_s[known]) != np.isinf(ours_s[known])
    if apart.any():
        return float("inf")
    finite = known & np.isfinite(ours_s)
    return float(np.abs(theirs_s[finite] - ours_s[finite]).max())


def _scipy(task: Task) -> tuple[Job, Reader]:
    return lambda: dijkstra(task.csgraph, indices=task.sources), np.asarray


def _networkx(task: Task) -> tuple[Job, Reader]:
    graph, sources = task.networkx, task.sources.tolist()
    search = nx.single_source_dijkstra_path_length
    return lambda: [search(graph, s, weight="delay_s") for s in sources], _from_dicts(task)


def _rustworkx(task: Task) -> tuple[Job, Reader]:
    rx = importlib.import_module("rustworkx")
    graph, sources = rx.PyGraph(), task.sources.tolist()
    graph.add_nodes_from(range(task.world.constellation.size))
    graph.add_edges_from(task.links)
    search, read = rx.graph_dijkstra_shortest_path_lengths, _from_dicts(task)
    # It leaves the source itself out.
    return (
        lambda: [search(graph, s, float) for s in sources],
        lambda found: read(
            [{s: 0.0, **lengths} for s, lengths in zip(sources, found, strict=True)]
        ),
    )


def _igraph(task: Task) -> tuple[Job, Reader]:
    ig = importlib.import_module("igraph")
    links, sources = task.links, task.sources.tolist()
    graph = ig.Graph(task.world.constellation.size, [link[:2] for link in links])
    graph.es["delay_s"] = [link[2] for link in links]
    return (
        lambda: graph.distances(sources, weights="delay_s", algorithm="dijkstra"),
        np.array,
    )


def _networkit(task: Task) -> tuple[Job, Reader]:
    nk = importlib.import_module("networkit")
    nk.setNumberOfThreads(1)
    graph, sources = nk.Graph(task.world.constellation.size, weighted=True), task.sources.tolist()
    for a, b, delay_s in task.links:
        graph.addEdge(a, b, delay_s)

    def search() -> Any:
        job = nk.distance.SPSP(graph, sources)
        job.run()
        return job.getDistances()

    # For no path it gives the largest number.
    return search, lambda found: np.where(np.array(found) < 1e300, found, np.inf)


def _dsns(task: Task) -> tuple[Job, Reader]:
    """Its Walker constellation and best-effort routing; it has neither J2 nor outages.

    A call of its routing searches the whole graph and gives the delay to one satellite.
    """
    routing = importlib.import_module("dsns.message_actors").BestEffortRoutingDataProvider()
    world, ids = _dsns_sky(task.world)
    step_s, n, sources = task.world.step_s, len(ids), task.sources.tolist()
    pairs = [(s, (s + n // 2) % n) for s in sources]
    routing.initialize(world, 0.0)
    clock = iter(range(1_000_000))

    def step() -> list[float]:
        t_s = next(clock) * step_s
        world.update(t_s)
        routing.update(world, t_s)
        return [routing.get_path_cost(ids[a], ids[b]) for a, b in pairs]

    def read(found: list[float]) -> Delays:
        delay_s = np.full((len(sources), n), np.nan)
        delay_s[np.arange(len(sources)), [b for _, b in pairs]] = found
        return delay_s

    return step, read


def _dsns_sky(world: World) -> tuple[Any, list[Any]]:
    """The same orbits and grid in its own terms, and its name of each satellite."""
    parts = importlib.import_module("dsns.constellation")
    table = world.scenario.constellation
    assert isinstance(table, Walker)  # the paper's
    planes, slots = table.planes, table.satellites_per_plane
    grid = parts.WalkerISLHelper(planes, slots, True, 0, disable_cross_seam_links=True)
    shell = parts.WalkerConstellation(
        "paper",
        num_planes=planes,
        sats_per_plane=slots,
        inclination=table.inclination_deg,
        semi_major_axis=float(world.constellation.a_km[0]) * 1000,
        eccentricity=0.0,
        ascending_node_arc=table.raan_spread_deg,
        phase_offset=360.0 * table.phasing / (planes * slots),
        isl_helper=grid,
        id_helper=importlib.import_module("dsns.helpers").IDHelper(),
    )
    whole = importlib.import_module("dsns.multiconstellation").MultiConstellation()
    whole.add_constellation(shell)
    whole.update(0.0)
    return whole, [satellite.sat_id for satellite in whole.satellites]


def _all_links_up_s(task: Task) -> Delays:
    """Delays at the first step if every link of the grid were up."""
    skeleton, r_km = task.world.skeleton, task.world.ephemeris.at(0).r_km
    rows = np.repeat(np.arange(len(r_km)), np.diff(skeleton.indptr))
    weight_s = np.linalg.norm(r_km[rows] - r_km[skeleton.indices], axis=1) / C_KM_S
    return shortest_paths(skeleton.indptr, skeleton.indices, weight_s, task.sources)[0]


def _from_dicts(task: Task) -> Reader:
    def read(found: list[Mapping[int, float]]) -> Delays:
        n = task.world.constellation.size
        return np.array([[lengths.get(j, np.inf) for j in range(n)] for lengths in found])

    return read


PEERS: Mapping[str, Callable[[Task], tuple[Job, Reader]]] = {
    "scipy": _scipy,
    "networkx": _networkx,
    "rustworkx": _rustworkx,
    "igraph": _igraph,
    "networkit": _networkit,
    "dsns": _dsns,
}
"""Makes a peer's job, and what turns its answer into delays (K, N); NaN where it gives none."""
