"""Space-XNet's own experiment (arXiv 2605.00515): its table, its trends, and how firm they are."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twin.moe.activations import MIXTRAL_TOPICS
from twin.runs.statistics import estimate
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.study.evaluate import Evaluation, evaluate
from twin.study.pool import map_jobs

PUBLISHED_RANGE_S: dict[str, tuple[float, float]] = {
    "rand-place": (5.28, 5.30),
    "rand-intra": (4.13, 4.16),
    "rand-intra-cg": (3.34, 3.37),
    "space-xnet": (1.02, 1.07),
}
"""Seconds a token, arXiv 2605.00515."""
PUBLISHED_S: dict[str, float] = {
    name: round(sum(ends) / 2 + 1e-9, 2) for name, ends in PUBLISHED_RANGE_S.items()
}
"""The middle of each."""

TREND_STRATEGIES = tuple(PUBLISHED_S)
TABLE_STRATEGIES = (
    "rand-place",
    "rand-intra",
    "rand-intra-cg",
    "compact-random",
    "space-xnet",
    "single-satellite",
)
"""The paper's, the ablation that keeps its footprint, and everything in one place."""
ALTITUDES_KM = (350.0, 550.0, 800.0, 1150.0, 1500.0)
PLANES = (17, 25, 33, 41, 49)
SURVIVAL = (0.8, 0.85, 0.9, 0.95, 1.0)
TRACKING_RAD_S = (0.0012, 0.0014, 0.0017, 0.002, 0.12)
"""Neighbours never turn faster than 0.0022 rad/s here: the paper's limit, 0.12, does not bind."""
TREND_STEPS = 25
TREND_REPLICATES = 16
"""The trends take fewer steps over the orbit, and at most this many replicates.

Placements differ far more than steps: half the steps move a mean by 0.1 %. Each point has
replicates of its own, so that lucky draws of `rand-intra` do not shift a whole trend.
"""


@dataclass(frozen=True)
class Row:
    """One strategy's latency over the replicates."""

    mean_s: float
    ci95_s: float
    served: float
    infeasible: str = ""
    values_s: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data, without the replicates."""
        return {name: value for name, value in asdict(self).items() if name != "values_s"}


Table = dict[str, Row]


@dataclass(frozen=True)
class Reproduction:
    """Everything `reproduce` computed; trends are lists of (value, table)."""

    replicates: int
    seed: int
    tables: dict[str, Table]
    trends: dict[str, list[tuple[float, Table]]]
    assumptions: list[str]

    def as_json(self) -> dict[str, Any]:
        """Plain data: the paper's table first, then everything else."""
        paper = self.tables["paper"]
        return {
            "strategies": {
                name: row.as_json()
                | {"paper_s": PUBLISHED_S.get(name), "paper_range_s": PUBLISHED_RANGE_S.get(name)}
                for name, row in paper.items()
            },
            "ratio_vs": ratios(paper),
            "replicates": self.replicates,
            "seed": self.seed,
            "tables": {
                key: {name: row.as_json() for name, row in table.items()}
                for key, table in self.tables.items()
            },
            "trends": {
                axis: [
                    {"value": value, "strategies": {n: r.as_json() for n, r in table.items()}}
                    for value, table in points
                ]
                for axis, points in self.trends.items()
            },
            "assumptions": self.assumptions,
        }


def ratios(table: Mapping[str, Row]) -> dict[str, float]:
    """How many times the latency of `space-xnet` each other strategy takes."""
    best = table["space-xnet"].mean_s
    return {name: row.mean_s / best for name, row in table.items() if name != "space-xnet"}


def reproduce(
    *,
    replicates: int,
    seed: int,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Reproduction:
    """Compute the paper's table, its variants and its trends.

    Every strategy meets the same outages and activations in a replicate. Confidence intervals
    are over replicates, each with its own outages, activation ranks and random placements. No two
    points of the trends have a replicate in common.

    Parameters
    ----------
    replicates : int
        Independent repetitions, at least 2 for an interval.
    seed : int
        Of all of them.
    workers : int, optional
        Processes, all processors by default.
    progress : callable
        Called with (jobs done, jobs in all).
    """
    paper = loader.load("paper", [f"simulation.seed={seed}"])
    star = loader.load("paper-star", [f"simulation.seed={seed}"])
    skies = [("tables", _paper_variants(paper)), ("star", _strategies(star, "paper-star"))]
    for axis, points in _trend_points(seed).items():
        skies += [(f"{axis}={v!r}", _strategies(s, v, TREND_STRATEGIES)) for v, s in points]
    few = min(replicates, TREND_REPLICATES)
    repeats = [
        range(replicates) if name in ("tables", "star") else range(few * place, few * (place + 1))
        for place, (name, _) in enumerate(skies)
    ]
    jobs = [(v, r) for (_, v), mine in zip(skies, repeats, strict=True) for r in mine]
    results = iter(map_jobs(evaluate, jobs, workers=workers, progress=progress))
    tables: dict[str, Table] = {}
    trends: dict[str, list[tuple[float, Table]]] = {}
    for (name, variants), mine in zip(skies, repeats, strict=True):
        found = _tabulate(variants, [next(results) for _ in mine])
        if name in ("tables", "star"):
            tables |= {str(key): table for key, table in found.items()}
        else:
            axis = name.partition("=")[0]
            trends.setdefault(axis, []).extend((float(v), t) for v, t in found.items())
    return Reproduction(replicates, seed, tables, trends, assumptions(paper))


def assumptions(scenario: Scenario) -> list[str]:
    """Fields of a scenario that the paper does not state, with the value they have here."""
    told = []
    for table_name in type(scenario).model_fields:
        if table_name == "requests" and scenario.serving.mode == "tokens":
            continue
        table = getattr(scenario, table_name)
        for name, field in getattr(type(table), "model_fields", {}).items():
            if (field.description or "").endswith("assumption"):
                text = (field.description or "").removesuffix("assumption").rstrip("; ")
                note = f" ({text})" if text else ""
                told.append(f"{table_name}.{name} = {getattr(table, name)!r}{note}")
    return told


def _strategies(
    scenario: Scenario, group: Any, names: tuple[str, ...] = TABLE_STRATEGIES
) -> dict[str, Scenario]:
    """Variants of one scenario under several strategies, keyed ``group|strategy``."""
    return {
        f"{group}|{name}": scenario.model_copy(
            update={"placement": scenario.placement.model_copy(update={"strategy": name})}
        )
        for name in names
    }


def _paper_variants(paper: Scenario) -> dict[str, Scenario]:
    full = paper.compute.model_copy(update={"accounting": "full"})
    variants = _strategies(paper, "paper")
    variants |= _strategies(paper.model_copy(update={"compute": full}), "full accounting")
    for topic in MIXTRAL_TOPICS:
        measured = paper.activations.model_copy(update={"kind": "mixtral", "topic": topic})
        topical = paper.model_copy(update={"activations": measured})
        variants |= _strategies(topical, f"mixtral {topic}")
    return variants


def _trend_points(seed: int) -> dict[str, list[tuple[float, Scenario]]]:
    def paper(*overrides: str) -> Scenario:
        few = f"simulation.steps={TREND_STEPS}"
        return loader.load("paper", [f"simulation.seed={seed}", few, *overrides])

    def sized(planes: int) -> Scenario:
        # The same fraction of a slot between neighbouring planes as with 33.
        phasing = round(planes * 17 / 33)
        return paper(f"constellation.planes={planes}", f"constellation.phasing={phasing}")

    return {
        "altitude_km": [(h, paper(f"constellation.altitude_km={h}")) for h in ALTITUDES_KM],
        "satellites": [(32.0 * p, sized(p)) for p in PLANES],
        "survival": [(s, paper(f"outages.availability={s}")) for s in SURVIVAL],
        "tracking_rad_s": [(w, paper(f"links.max_angular_rate_rad_s={w}")) for w in TRACKING_RAD_S],
    }


def _tabulate(
    variants: Mapping[str, Scenario], results: list[dict[str, Evaluation]]
) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for key in variants:
        group, _, strategy = key.rpartition("|")
        found = [result[key] for result in results]
        if found[0].infeasible:
            row = Row(float("nan"), float("nan"), 0.0, found[0].infeasible)
        else:
            values_s = tuple(e.mean_s for e in found)
            served = float(np.mean([e.served.mean() for e in found]))
            row = Row(*estimate(np.array(values_s)), served, values_s=values_s)
        tables.setdefault(group, {})[strategy] = row
    return tables
