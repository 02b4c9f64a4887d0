"""What a report on runs is made from: runs put together as cases, and how these differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.runs.distribution import Distribution, blocks
from twin.runs.figures import FIGURES, QUANTITIES, merge_blocks
from twin.runs.rules import Floats
from twin.runs.statistics import Estimate, estimate, mean_known
from twin.runs.store import Run
from twin.runs.summary import distribution, step_columns, summarise
from twin.scenario.attachments import FIELDS, identity
from twin.scenario.schema import Scenario

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
        """Of its first run, as it was asked for."""
        return self.runs[0].asked

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
        return [step_columns(run) for run in self.runs]

    def values(self, name: str) -> Floats:
        """A figure of every run, NaN where there is none."""
        found = [summary.get(name) for summary in self.summaries]
        return np.array([np.nan if value is None else value for value in found])

    def shown(self, name: str) -> Estimate:
        """Mean and interval of a figure over the runs, in the unit that it is shown in."""
        return FIGURES[name].shown(self.values(name))

    def total(self, column: str) -> float:
        """Sum of a column over all steps of all runs."""
        return float(np.nansum(self.all_steps(column)))

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of a table of all runs."""
        return pa.concat_tables([run.table(name, columns) for run in self.runs])

    def all_steps(self, column: str) -> Floats:
        """A column of all steps of all runs."""
        return np.concatenate([steps[column] for steps in self.steps])

    def over_time(self, column: str, points: int = MOST_POINTS) -> tuple[Floats, Floats]:
        """Seconds and values of a step figure, few enough to draw.

        Steps are merged by the figure's rule; then the mean over the runs that have it.
        """
        t_s, merged = self._merged(points)
        return t_s, mean_known(np.stack([columns[column] for columns in merged]), axis=0)

    def _merged(self, points: int) -> tuple[Floats, list[dict[str, Floats]]]:
        """Middles of stretches of steps, s, and every run's steps merged to one row for each."""
        if points not in self._stretches:
            # Some may have gone on for longer than others.
            longest = max((steps["t_s"] for steps in self.steps), key=len)
            t_s, starts = bins(longest, points)
            merged = []
            for run, steps in zip(self.runs, self.steps, strict=True):
                mine = starts[starts < len(steps["t_s"])]
                found = merge_blocks(steps, mine, None, _distributions(run, mine))
                missing = np.full(len(starts) - len(mine), np.nan)
                merged.append({n: np.append(values, missing) for n, values in found.items()})
            self._stretches[points] = t_s, merged
        return self._stretches[points]

    @cached_property
    def _stretches(self) -> dict[int, tuple[Floats, list[dict[str, Floats]]]]:
        return {}

    @cached_property
    def distribution(self) -> Distribution | None:
        """Latency of all tokens served; None if none was."""
        found = Distribution.merged(distribution(run, "latency") for run in self.runs)
        return found if found.size else None

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
        mine = {k: v for k, v in fields(run.asked).items() if k not in REPETITION}
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
    """Short names, a different one for each case."""
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
    return Estimate(estimate(mine).mean - estimate(theirs).mean, float("nan"))


def bins(t_s: Floats, points: int = MOST_POINTS) -> tuple[Floats, NDArray[np.intp]]:
    """Middles of stretches of steps, s, and the first step of each."""
    steps = len(t_s)
    starts = np.arange(0, steps, -(-steps // points))
    last = np.append(starts[1:], steps) - 1
    return (t_s[starts] + t_s[last]) / 2, starts


def _distributions(run: Run, starts: NDArray[np.intp]) -> dict[str, list[Distribution]]:
    """By quantity the merged distribution of each stretch of steps."""
    found = {}
    for quantity in QUANTITIES:
        table = run.table(quantity)
        step, value_s, count = (table[n].to_numpy() for n in ("step", "value_s", "count"))
        found[quantity] = blocks(step, value_s, count, starts)
    return found
