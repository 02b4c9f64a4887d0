"""Space-XNet's own experiment (arXiv 2605.00515): its table, its trends, and how firm they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.moe.activations import MIXTRAL_TOPICS
from twin.runs.statistics import Estimate, estimate
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.study.evaluate import Evaluation, evaluate
from twin.study.pool import Pool

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
    """One strategy's latency, s a token, in each replicate; or why there is none."""

    values_s: tuple[float, ...]
    served: float
    infeasible: str = ""

    @property
    def latency_s(self) -> Estimate:
        """Mean and interval."""
        return estimate(np.array(self.values_s))

    def as_json(self) -> dict[str, Any]:
        """Plain data, without the replicates."""
        mean, half = self.latency_s
        found = {"mean_s": mean, "ci95_s": half, "served": self.served}
        return found | {"infeasible": self.infeasible}


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
    means = {name: row.latency_s.mean for name, row in table.items()}
    best = means.pop("space-xnet")
    return {name: mean / best for name, mean in means.items()}


def reproduce(*, replicates: int, seed: int, pool: Pool) -> Reproduction:
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
    pool : Pool
    """
    paper = loader.load("paper", [f"simulation.seed={seed}"])
    star = loader.load("paper-star", [f"simulation.seed={seed}"])
    points, few = list(_trend_points(seed)), min(replicates, TREND_REPLICATES)
    skies = [(_paper_variants(paper), range(replicates))]
    skies.append((_strategies(star, "paper-star"), range(replicates)))
    for place, (axis, _, scenario) in enumerate(points, len(skies)):
        mine = range(few * place, few * (place + 1))
        skies.append((_strategies(scenario, axis, TREND_STRATEGIES), mine))
    jobs = [(variants, replicate) for variants, mine in skies for replicate in mine]
    results = iter(pool.map(evaluate, jobs))
    found = [_tabulate(variants, [next(results) for _ in mine]) for variants, mine in skies]
    trends: dict[str, list[tuple[float, Table]]] = {}
    for (axis, value, _), tables in zip(points, found[2:], strict=True):
        trends.setdefault(axis, []).append((value, tables[axis]))
    return Reproduction(replicates, seed, found[0] | found[1], trends, assumptions(paper))


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
    scenario: Scenario, group: str, names: tuple[str, ...] = TABLE_STRATEGIES
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


def _trend_points(seed: int) -> Iterator[tuple[str, float, Scenario]]:
    """Axis, value on it, and scenario there."""

    def paper(*overrides: str) -> Scenario:
        few = f"simulation.steps={TREND_STEPS}"
        return loader.load("paper", [f"simulation.seed={seed}", few, *overrides])

    def sized(planes: int) -> Scenario:
        # The same fraction of a slot between neighbouring planes as with 33.
        phasing = round(planes * 17 / 33)
        return paper(f"constellation.planes={planes}", f"constellation.phasing={phasing}")

    for height_km in ALTITUDES_KM:
        yield "altitude_km", height_km, paper(f"constellation.altitude_km={height_km}")
    for planes in PLANES:
        yield "satellites", 32.0 * planes, sized(planes)
    for share in SURVIVAL:
        yield "survival", share, paper(f"outages.availability={share}")
    for most in TRACKING_RAD_S:
        yield "tracking_rad_s", most, paper(f"links.max_angular_rate_rad_s={most}")


def _tabulate(
    variants: Mapping[str, Scenario], results: list[dict[str, Evaluation]]
) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for key in variants:
        group, _, strategy = key.rpartition("|")
        found = [result[key] for result in results]
        row = Row((), 0.0, found[0].infeasible)
        if not found[0].infeasible:
            served = float(np.mean([each.served.mean() for each in found]))
            row = Row(tuple(each.mean_s for each in found), served)
        tables.setdefault(group, {})[strategy] = row
    return tables
