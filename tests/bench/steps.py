"""How fast the hot path is, beside the alternatives, in one and the same process.

Every figure comes as a ratio too: machines differ, and a shared one differs from hour to hour.
Contestants take turns, round after round, so that a slow moment hits all of them.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from agents.model import TwinModel
from agents.recorder import Recorder
from twin.network.routing import shortest_paths
from twin.runs.writer import RunWriter
from twin.scenario import loader
from twin.world.topology import Snapshot, to_networkx
from twin.world.world import World
from wholeprocess import peak_mib


def kernel(
    *,
    seed: int = 0,
    rounds: int = 30,
    networkx_rounds: int = 3,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time positions + snapshot + shortest paths with predecessors from 32 gateways.

    Contestants: the same shortest paths alone by scipy's csgraph (a) and by networkx (b), on the
    same graph; and a whole model step at 256 tokens. Times are medians in ms.
    """
    scenario = loader.load("paper", [f"simulation.seed={seed}"])
    model = TwinModel(scenario)
    model.step()
    gateway = model.controller.placement.gateway
    world = World(scenario)
    csgraph_graph, nx_graph = graphs(model.world, model.snapshot)
    difference_s = _disagreement(model, csgraph_graph)
    steps = world.snapshots(scenario.simulation.replicate)

    def ours() -> None:
        snapshot = next(steps)
        skeleton = world.skeleton
        shortest_paths(skeleton.indptr, skeleton.indices, snapshot.weight_s, gateway)

    def csgraph() -> None:
        dijkstra(csgraph_graph, indices=gateway, return_predecessors=True)

    def by_networkx() -> None:
        for source in gateway.tolist():
            nx.dijkstra_predecessor_and_distance(nx_graph, source, weight="delay_s")

    contestants = {"kernel": ours, "csgraph": csgraph, "model_step": model.step}
    total = rounds + networkx_rounds + 2
    times = take_turns(contestants, rounds, lambda done: progress(done, total))
    # Positions come a chunk at a time, so that no median shows them: their mean is added.
    times["positions"] = positions_ms(world)
    times["kernel"] += times["positions"]
    times["model_step"] += times["positions"]
    slow = take_turns(
        {"networkx": by_networkx}, networkx_rounds, lambda done: progress(rounds + 1 + done, total)
    )
    times |= slow
    return {
        "satellites": world.constellation.size,
        "links": world.skeleton.pairings,
        "sources": len(gateway),
        "tokens_per_step": scenario.workload.tokens_per_step,
        "rounds": rounds,
        "median_ms": times,
        "ratio": {
            "kernel_to_csgraph": times["kernel"] / times["csgraph"],
            "networkx_to_kernel": times["networkx"] / times["kernel"],
            "model_step_to_csgraph": times["model_step"] / times["csgraph"],
        },
        "largest_difference_s": difference_s,
    }


PHASES = ("_observe", "_decide", "_serve", "_power", "_record")


def day(
    *,
    seed: int = 0,
    steps: int = 5760,
    changes: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time a day of 15 s steps with everything on, beside the bare routing of the same steps.

    A Walker shell of 1056 satellites, with batteries, heat, laser terminals, shadow, users in
    fifty cities, and all of it recorded as a run; `changes` say what else is other than in
    ``eclipse-study``, by ``table.key``. Every hundredth step's shortest paths are also timed
    alone, by our search and by scipy's csgraph.
    """
    everything = {
        "simulation.seed": seed,
        "simulation.steps": steps,
        "ground.users": "cities",
    }
    scenario = loader.load("eclipse-study", everything | dict(changes or {}))
    with tempfile.TemporaryDirectory() as folder, RunWriter(Path(folder), scenario) as writer:
        model = TwinModel(scenario)
        model.recorder = Recorder(writer, model)
        return _day(model, progress)


def _day(model: TwinModel, progress: Callable[[int, int], None]) -> dict[str, Any]:
    steps = model.config.simulation.steps
    model.step()
    spent = dict.fromkeys(PHASES, 0.0)
    for phase in PHASES:
        setattr(model, phase, _timed(getattr(model, phase), spent, phase))
    alone: dict[str, list[float]] = {"routing": [], "csgraph": []}
    wall_s = 0.0
    for step in range(1, steps):
        began = time.perf_counter()
        model.step()
        wall_s += time.perf_counter() - began
        if step % 100 == 0:
            _routing_alone(model, alone)
        progress(step + 1, steps)
    routing = {name: float(np.median(times)) * 1e3 for name, times in alone.items()}
    step_ms = wall_s * 1e3 / (steps - 1)
    return {
        "satellites": model.fleet.size,
        "steps": steps,
        "wall_s": wall_s,
        "peak_mib": peak_mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss),
        "step_ms": step_ms,
        "routing_alone_ms": routing["routing"],
        "csgraph_alone_ms": routing["csgraph"],
        "phase_ms": {name[1:]: s * 1e3 / (steps - 1) for name, s in spent.items()},
        "ratio": {
            "step_to_routing": step_ms / routing["routing"],
            "step_to_csgraph": step_ms / routing["csgraph"],
        },
    }


def _timed(phase: Callable[[], None], spent: dict[str, float], name: str) -> Callable[[], None]:
    def call() -> None:
        began = time.perf_counter()
        phase()
        spent[name] += time.perf_counter() - began

    return call


def _routing_alone(model: TwinModel, times: dict[str, list[float]]) -> None:
    """Time one step's shortest paths by themselves, twice over."""
    skeleton, gateway = model.world.skeleton, model.controller.placement.gateway
    graph, _ = graphs(model.world, model.snapshot)
    weight_s = model.snapshot.weight_s
    began = time.perf_counter()
    shortest_paths(skeleton.indptr, skeleton.indices, weight_s, gateway)
    between = time.perf_counter()
    dijkstra(graph, indices=gateway, return_predecessors=True)
    times["routing"].append(between - began)
    times["csgraph"].append(time.perf_counter() - between)


def positions_ms(world: World) -> float:
    """Cost of propagation a step, from whole chunks."""
    steps = np.arange(len(world.ephemeris.t_s))
    began = time.perf_counter()
    rounds = 3
    for _ in range(rounds):
        world.ephemeris.states(steps)
    return (time.perf_counter() - began) * 1e3 / (rounds * len(steps))


def graphs(world: World, snapshot: Snapshot) -> tuple[csr_array, nx.Graph]:
    """The same snapshot for csgraph (links that are up only) and for networkx."""
    skeleton, n = world.skeleton, world.constellation.size
    up = np.isfinite(snapshot.weight_s)
    rows = np.repeat(np.arange(n), np.diff(skeleton.indptr))[up]
    graph = csr_array((snapshot.weight_s[up], (rows, skeleton.indices[up])), shape=(n, n))
    return graph, to_networkx(world, snapshot)


def _disagreement(model: TwinModel, graph: csr_array) -> float:
    """Largest difference of the model's delays from csgraph's on the same snapshot."""
    theirs = dijkstra(graph, indices=model.controller.placement.gateway)
    reached = np.isfinite(theirs)
    if not np.array_equal(reached, np.isfinite(model.delay_s)):
        return float("inf")
    return float(np.abs(model.delay_s[reached] - theirs[reached]).max())


def take_turns(
    contestants: dict[str, Callable[[], None]], rounds: int, progress: Callable[[int], None]
) -> dict[str, float]:
    """Median time of each contestant in ms, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(rounds + 1):
        for name, job in contestants.items():
            began = time.perf_counter()
            job()
            if i:
                times[name].append(time.perf_counter() - began)
        progress(i + 1)
    return {name: float(np.median(values)) * 1e3 for name, values in times.items()}
