"""How long planning takes, for the paper's model and for the largest one there is a card of."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from placement.bounds import lower_bound_s
from placement.cost import cost
from placement.delays import mean_delay_s
from placement.problem import PlacementProblem
from placement.strategies.table import STRATEGIES
from twin.planning.problems import plan_deployment
from twin.scenario import loader
from twin.study.place import problem_of

_PAPER = ("space-xnet", "packed", "joint", "local-search")
_LARGE = ("space-xnet", "joint")
_MANY = ("constellation.planes=100", "constellation.satellites_per_plane=100")


def planning(
    *,
    seed: int = 0,
    rounds: int = 5,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time strategies once they are compiled; contestants take turns, medians in ms.

    1056 satellites; 32 layers x 8 experts with a floor of 36 tokens/s, and 58 x 256 (DeepSeek-V3
    in int8 on satellites of 64 GB); the former on 10,000 satellites too, once, and 33 and 300
    copies of it side by side on 1056 and on 10,000 satellites, once each. Beside them: mean
    delays between all satellites, of which `joint` needs a part, by our search and by scipy's
    csgraph.
    """
    paper = problem_of(loader.load("paper", [f"simulation.seed={seed}"]))
    large = problem_of(
        loader.load(
            "paper",
            [
                f"simulation.seed={seed}",
                "model.card=deepseek-v3",
                "model.precision=int8",
                "compute.memory_gb=64",
                "compute.gflops=20000",
                "placement.experts_per_satellite=1000",
                "workload.rate_per_s=0.001",
            ],
        )
    )
    jobs: dict[str, Callable[[], object]] = {
        f"32x8 {name}": _job(paper, name, 36.0) for name in _PAPER
    }
    jobs |= {f"58x256 {name}": _job(large, name, 0.0) for name in _LARGE}
    jobs["all-pairs delays"] = lambda: mean_delay_s(paper)
    jobs["all-pairs delays by csgraph"] = lambda: _csgraph(paper)
    jobs["lower bound"] = lambda: lower_bound_s(paper)
    placement = STRATEGIES["joint"](paper, rng=np.random.default_rng(seed))
    jobs["exact cost"] = lambda: cost(paper, placement)
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for i in range(rounds + 1):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            if i:
                times[name].append((time.perf_counter() - began) * 1e3)
        progress(i + 1, rounds + 4)
    many = problem_of(loader.load("paper", [f"simulation.seed={seed}", *_MANY]))
    began = time.perf_counter()
    _job(many, "joint", 36.0)()
    times[f"32x8 joint, {many.n_satellites} satellites"] = [(time.perf_counter() - began) * 1e3]
    progress(rounds + 2, rounds + 4)
    for k, (copies, settings) in enumerate({33: (), 300: _MANY}.items(), start=rounds + 3):
        times[f"{copies} copies, tiled"] = [1e3 * _tiled_s(copies, settings, seed)]
        progress(k, rounds + 4)
    median = {name: float(np.median(values)) for name, values in times.items()}
    ours, theirs = median["all-pairs delays"], median["all-pairs delays by csgraph"]
    return {
        "satellites": paper.n_satellites,
        "snapshots": len(paper.weight_s),
        "median_ms": median,
        "ratio": {
            "all_pairs_to_csgraph": ours / theirs,
            "joint_to_space_xnet": median["32x8 joint"] / median["32x8 space-xnet"],
        },
    }


def _job(problem: PlacementProblem, name: str, floor_per_s: float) -> Callable[[], object]:
    params = {} if name == "space-xnet" else {"min_tokens_per_s": floor_per_s}
    return lambda: STRATEGIES[name](problem, rng=np.random.default_rng(0), **params)


def _tiled_s(copies: int, settings: Sequence[str], seed: int) -> float:
    """Seconds that copies on tiles, each with a floor of 36 tokens/s, take to be planned."""
    tiled = ("placement.strategy=tiled", f"placement.instances={copies}")
    floor = "placement.params={min_tokens_per_s=36}"
    scenario = loader.load("paper", [f"simulation.seed={seed}", *tiled, floor, *settings])
    problem = problem_of(scenario)
    began = time.perf_counter()
    plan_deployment(scenario, problem, np.random.default_rng(seed))
    return time.perf_counter() - began


def _csgraph(problem: PlacementProblem) -> None:
    n = problem.n_satellites
    rows = np.repeat(np.arange(n), np.diff(problem.indptr))
    for weight_s in problem.weight_s:
        up = np.isfinite(weight_s)
        graph = csr_array((weight_s[up], (rows[up], problem.indices[up])), shape=(n, n))
        dijkstra(graph)
