"""What a report on runs is made from: runs put together as cases, and what tells these apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.runs.statistics import SHARES, Distribution, Estimate, estimate, pooled
from twin.runs.store import Run
from twin.runs.summary import summarise
from twin.scenario.attachments import FIELDS, identity
from twin.scenario.schema import Scenario

type Floats = NDArray[np.float64]
type Reduce = Callable[[Floats, NDArray[np.intp]], Floats]

MOST_POINTS = 300
"""Along the time of a run: more are taken together, a few steps a point."""

REPETITION = ("simulation.seed", "simulation.replicate")
"""Fields in which repetitions of one case differ."""

_AT_WILL = ("name", "description")
"""Fields that nothing depends on."""


@dataclass(frozen=True, eq=False)
class Case:
    """Runs that differ in nothing but seed and replicate, so that each repeats the others."""

    label: str
    runs: tuple[Run, ...]

    @property
    def scenario(self) -> Scenario:
        """Of its first run."""
        return self.runs[0].scenario

    @property
    def keys(self) -> tuple[tuple[int, int], ...]:
        """(seed, replicate) of every run."""
        return tuple(repetition(run) for run in self.runs)

    @cached_property
    def summaries(self) -> list[dict[str, float | None]]:
        """Figures of every run, as `twin run` prints them."""
        return [summarise(run) for run in self.runs]

    @cached_property
    def steps(self) -> list[dict[str, Floats]]:
        """Columns of every run's steps table."""
        tables = [run.table("steps") for run in self.runs]
        return [
            {n: np.asarray(t[n].to_numpy(), np.float64) for n in t.column_names} for t in tables
        ]

    def values(self, name: str) -> Floats:
        """A figure of every run, NaN where there is none."""
        found = [summary.get(name) for summary in self.summaries]
        return np.array([np.nan if value is None else value for value in found])

    def total(self, column: str) -> float:
        """Sum of a column over all steps of all runs."""
        return float(sum(np.nansum(steps[column]) for steps in self.steps))

    def over_time(
        self, column: str, reduce: Reduce, points: int = MOST_POINTS
    ) -> tuple[Floats, Floats]:
        """Seconds and values, few enough to draw; the mean over the runs."""
        t_s, starts = bins(self.steps[0]["t_s"], points)
        return t_s, np.mean([reduce(steps[column], starts) for steps in self.steps], axis=0)

    @cached_property
    def _pooled(self) -> tuple[Floats, Floats]:
        """Quantiles of each step that served tokens, (S, Q), and how many it served, (S,)."""
        quantiles, served = [], []
        for run, steps in zip(self.runs, self.steps, strict=True):
            latency_s = run.table("quantiles", ["latency_s"])["latency_s"].to_numpy()
            quantiles.append(np.asarray(latency_s, np.float64).reshape(-1, len(SHARES)))
            served.append(steps["tokens_served"])
        joined, weight = np.concatenate(quantiles), np.concatenate(served)
        some = (weight > 0) & np.isfinite(joined).all(axis=1)
        return joined[some], weight[some]

    @cached_property
    def distribution(self) -> Distribution | None:
        """Latency of all tokens served; None if none was."""
        quantiles, served = self._pooled
        return pooled(quantiles, served) if served.size else None

    def latency_at(self, share: float) -> float:
        """Seconds within which so large a share of all tokens came; NaN if none was served."""
        found = self.distribution
        return float("nan") if found is None else float(found.latency_at(share))

    def by_layer(self) -> tuple[Floats, Floats]:
        """Propagation and compute of each layer, s, (L,): means over the tokens served, or NaN."""
        parts = []
        for name in ("propagation_mean_s", "compute_mean_s"):
            total: Any = 0.0
            weight = 0.0
            for run, steps in zip(self.runs, self.steps, strict=True):
                table = run.table("layers", [name])[name].to_numpy()
                values = np.asarray(table, np.float64).reshape(len(steps["step"]), -1)
                known = np.isfinite(values[:, 0])
                total = total + steps["tokens_served"][known] @ values[known]
                weight += steps["tokens_served"][known].sum()
            parts.append(total / weight if weight else total * np.nan)
        return parts[0], parts[1]


def make_cases(runs: Sequence[Run]) -> list[Case]:
    """Put repetitions together, in the order in which their first runs were given."""
    groups: list[tuple[dict[str, Any], list[Run]]] = []
    for run in runs:
        mine = {k: v for k, v in fields(run.scenario).items() if k not in REPETITION}
        for theirs, members in groups:
            if theirs == mine and repetition(run) not in map(repetition, members):
                members.append(run)
                break
        else:
            groups.append((mine, [run]))
    labels = _labels([content for content, _ in groups], [runs[0] for _, runs in groups])
    return [Case(label, tuple(g)) for label, (_, g) in zip(labels, groups, strict=True)]


def repetition(run: Run) -> tuple[int, int]:
    """Seed and replicate of a run."""
    simulation = run.scenario.simulation
    return simulation.seed, simulation.replicate


def fields(scenario: Scenario) -> dict[str, Any]:
    """Every field of a scenario that counts, by ``table.key``."""
    found: dict[str, Any] = {}
    for name, value in scenario.model_dump(mode="json").items():
        if name not in _AT_WILL:
            found |= {f"{name}.{key}": inner for key, inner in value.items()}
    for table, key in FIELDS:
        if found.get(f"{table}.{key}") is not None:
            found[f"{table}.{key}"] = identity(found[f"{table}.{key}"])
    return found


def differing(all_fields: Sequence[dict[str, Any]]) -> list[str]:
    """Fields that are not the same in all."""
    names = dict.fromkeys(name for content in all_fields for name in content)
    return [n for n in names if any(c.get(n) != all_fields[0].get(n) for c in all_fields)]


def _labels(contents: list[dict[str, Any]], runs: list[Run]) -> list[str]:
    """Short names that tell the cases apart."""
    names = differing(contents)
    if len(contents) == 1:
        return [contents[0]["placement.strategy"]]
    labels: list[str] = []
    for content, run in zip(contents, runs, strict=True):
        plain = ("placement.strategy", "controller.policy")
        parts = [str(content[n]) for n in plain if n in names]
        others = [n for n in names if n not in plain]
        parts += [f"{n.partition('.')[2]}={content.get(n)}" for n in others if len(others) <= 2]
        label = ", ".join(parts or [run.scenario.name])
        label = label if len(label) <= 60 else label[:59] + "…"
        again = 1 + sum(old == label or old.startswith(f"{label} #") for old in labels)
        labels.append(label if again == 1 else f"{label} #{again}")
    return labels


def difference(case: Case, first: Case, name: str) -> Estimate:
    """How much more of a figure than in the first case, repetition by repetition if they agree."""
    mine, theirs = case.values(name), first.values(name)
    if set(case.keys) == set(first.keys):
        order = np.argsort([first.keys.index(key) for key in case.keys])
        return estimate(mine[order] - theirs)
    return Estimate(float(np.mean(mine) - np.mean(theirs)), float("nan"))


def bins(t_s: Floats, points: int = MOST_POINTS) -> tuple[Floats, NDArray[np.intp]]:
    """Middles of stretches of steps, s, and the first step of each."""
    steps = len(t_s)
    starts = np.arange(0, steps, -(-steps // points))
    last = np.append(starts[1:], steps) - 1
    return (t_s[starts] + t_s[last]) / 2, starts


def mean(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Mean of what is known in each stretch, NaN where nothing is."""
    known = np.add.reduceat(np.isfinite(values).astype(np.float64), starts)
    total = np.add.reduceat(np.nan_to_num(values), starts)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)


def least(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Least value in each stretch."""
    return np.fmin.reduceat(values, starts)


def most(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Greatest value in each stretch."""
    return np.fmax.reduceat(values, starts)
