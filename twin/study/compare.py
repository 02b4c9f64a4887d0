"""Strategies side by side on common random numbers: the twin, run once a strategy and replicate."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.metrics import estimate
from twin.scenario.schema import Scenario
from twin.study.pool import map_jobs


@dataclass(frozen=True)
class RunFigures:
    """What one run says of its strategy; NaN where no token was served."""

    latency_mean_s: float
    latency_p50_s: float
    latency_p95_s: float
    latency_p99_s: float
    served: float
    soc_min: float
    migrated_bytes: float


@dataclass(frozen=True)
class Comparison:
    """Figures of every run; ``runs[strategy][replicate]``."""

    scenario: str
    seed: int
    runs: dict[str, list[RunFigures]]

    def values(self, strategy: str, name: str) -> NDArray[np.float64]:
        """One figure over the replicates."""
        return np.array([getattr(run, name) for run in self.runs[strategy]])

    def as_json(self) -> dict[str, Any]:
        """Means and 95 % intervals, and paired ratios of mean latency to the first strategy."""
        reference = next(iter(self.runs))
        strategies: dict[str, Any] = {}
        for strategy, runs in self.runs.items():
            entry: dict[str, Any] = {"replicates": [asdict(run) for run in runs]}
            for name in RunFigures.__dataclass_fields__:
                entry[name] = estimate(self.values(strategy, name))._asdict()
            entry["ratio"] = self.ratio(strategy, reference)._asdict()
            strategies[strategy] = entry
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "reference": reference,
            "strategies": strategies,
        }

    def ratio(self, strategy: str, reference: str) -> Any:
        """Mean latency relative to a reference, replicate by replicate, with its interval."""
        mine = self.values(strategy, "latency_mean_s")
        return estimate(mine / self.values(reference, "latency_mean_s"))


def compare(
    scenario: Scenario,
    strategies: Sequence[str],
    *,
    replicates: int,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Comparison:
    """Run every strategy on replicates 0, 1, ... of a scenario.

    In a replicate all strategies meet the same orbits, outages, activations and tokens.

    Raises
    ------
    InputError
        If a strategy is unknown, named twice, or finds no placement.
    """
    unknown = [name for name in strategies if name not in STRATEGIES]
    if unknown:
        raise InputError(
            f"unknown placement strategy {unknown[0]!r}; known: {', '.join(STRATEGIES)}"
        )
    if not strategies or len(set(strategies)) < len(strategies):
        raise InputError(f"strategies must be named once each (got {', '.join(strategies)!r})")
    jobs = [(scenario, name, r) for name in strategies for r in range(replicates)]
    figures = iter(map_jobs(_figures, jobs, workers=workers, progress=progress))
    runs = {name: [next(figures) for _ in range(replicates)] for name in strategies}
    return Comparison(scenario.name, scenario.simulation.seed, runs)


def _figures(scenario: Scenario, strategy: str, replicate: int) -> RunFigures:
    model = TwinModel(
        scenario.model_copy(
            update={
                "placement": scenario.placement.model_copy(update={"strategy": strategy}),
                "simulation": scenario.simulation.model_copy(update={"replicate": replicate}),
            }
        )
    )
    latency_s, asked, soc_min, migrated = [], 0, 1.0, 0.0
    while model.running:
        model.step()
        latency_s.append(model.served.latency.total_s)
        asked += model.served.asked
        soc_min = min(soc_min, model.row["soc_min"])
        migrated += model.controller.migrated_bytes
    served_s = np.concatenate(latency_s)
    some = len(served_s) > 0
    p50, p95, p99 = np.percentile(served_s, [50, 95, 99]) if some else (np.nan,) * 3
    return RunFigures(
        latency_mean_s=float(served_s.mean()) if some else float("nan"),
        latency_p50_s=float(p50),
        latency_p95_s=float(p95),
        latency_p99_s=float(p99),
        served=len(served_s) / asked,
        soc_min=soc_min,
        migrated_bytes=migrated,
    )
