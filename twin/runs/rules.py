"""What a figure is, and the rules by which its values over several steps become one.

Every rule is associative: merging blocks that were merged before gives what merging all their
steps at once gives. Means and ratios are therefore never merged themselves, but their parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.runs.distribution import Distribution
from twin.runs.statistics import Estimate, Share, estimate

type Floats = NDArray[np.float64]
type Columns = Mapping[str, Floats]

LESS, MORE, NEITHER = 1, -1, 0
"""Which way a figure is better."""


@dataclass(frozen=True)
class Reduce:
    """The sum, the least or the greatest of the known values; NaN where none is known."""

    ufunc: Any
    known: Any
    """Value that an unknown one is replaced by, which changes nothing."""


SUM = Reduce(np.add, 0.0)
LEAST = Reduce(np.fmin, np.nan)
MOST = Reduce(np.fmax, np.nan)


@dataclass(frozen=True)
class Pick:
    """The value of the first or of the last step."""

    last: bool


FIRST, LAST = Pick(last=False), Pick(last=True)


@dataclass(frozen=True)
class Mean:
    """The mean of the known values.

    Attributes
    ----------
    weight : str, optional
        Column that says how much each row counts; default: the number of steps it stands for.
    """

    weight: str | None = None


@dataclass(frozen=True)
class Ratio:
    """One sum of columns by another, each merged by its own rule; NaN where that is 0."""

    part: tuple[str, ...]
    whole: tuple[str, ...]


@dataclass(frozen=True)
class Quantile:
    """A quantile of a merged distribution, over all tokens of the steps.

    Attributes
    ----------
    quantity : str
        ``latency`` or ``ttft``: the run's table that holds the distribution of every step.
    share : float
        0 to 1.
    """

    quantity: str
    share: float


type Rule = Reduce | Pick | Mean | Ratio | Quantile


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure, of a step or of a run.

    Over replicates every figure is the mean of those that have it, with Student's t interval
    (`twin.runs.statistics.over_replicates`).

    Attributes
    ----------
    name : str
        With the unit that it has in tables and in JSON.
    label : str
        In a few words, for a row, a column or an axis.
    unit : str
        In which it is shown; empty for a number of things.
    scale : float
        What the value is multiplied by for that unit.
    better : int
        `LESS`, `MORE` or `NEITHER`.
    share : bool
        Whether it is between none and all of something.
    sentence : str
        What it is.
    """

    name: str
    label: str
    unit: str = ""
    scale: float = 1.0
    better: int = NEITHER
    share: bool = False
    sentence: str

    @property
    def header(self) -> str:
        """Label and unit, for a row or a column."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def gap_unit(self) -> str:
        """In which a difference is shown."""
        return "percentage points" if self.unit.startswith("%") else self.unit

    def shown(self, values: Floats) -> Estimate:
        """Mean of values and its interval, in the unit that the figure is shown in."""
        found = estimate(self.scale * values)
        return Share(*found) if self.share else found


@dataclass(frozen=True, kw_only=True)
class StepFigure(Figure):
    """A column of a run's table ``steps``.

    Attributes
    ----------
    kind : pyarrow.DataType
        In the table.
    rule : Rule
        How steps merge.
    of_run : bool
        Whether the merge over all steps is a figure of the run under the same name.
    """

    kind: pa.DataType
    rule: Rule
    of_run: bool = False


NUMBER, REAL = pa.int32(), pa.float64()


def column(name: str, label: str, rule: Rule, sentence: str, **more: Any) -> StepFigure:
    """A column of real numbers, unless `more` says otherwise."""
    kind = more.pop("kind", REAL)
    return StepFigure(name=name, label=label, rule=rule, sentence=sentence, kind=kind, **more)


def share(name: str, label: str, rule: Rule, sentence: str, **more: Any) -> StepFigure:
    """A column of shares, 0 to 1, shown in %."""
    shown = {"unit": "%", "scale": 100.0, "share": True}
    return column(name, label, rule, sentence, **(shown | more))


def merge_blocks(
    figures: Mapping[str, StepFigure],
    rows: Columns,
    starts: NDArray[np.integer],
    weights: Floats | None = None,
    distributions: Mapping[str, Sequence[Distribution]] | None = None,
) -> dict[str, Floats]:
    """Merge blocks of consecutive rows, each by its figures' rules.

    Parameters
    ----------
    figures : mapping of str to StepFigure
        What is known of the columns.
    rows : mapping of str to (R,) array
        Those columns that are merged, at least one row; ratios and quantiles need not be there.
    starts : (B,) int
        First row of each block, ascending from 0.
    weights : (R,) float64, optional
        Number of steps that each row stands for; default: 1.
    distributions : mapping of str to sequence of Distribution, optional
        By quantity the merged distribution of each block. Without it quantiles are NaN.

    Returns
    -------
    dict of str to (B,) float64
        Every column of `rows`, and all ratios and quantiles whose parts are there.
    """
    length = len(next(iter(rows.values())))
    steps = np.ones(length) if weights is None else np.asarray(weights, np.float64)
    merged: dict[str, Floats] = {}
    for name, figure in figures.items():
        rule = figure.rule
        if isinstance(rule, Quantile):
            found = (distributions or {}).get(rule.quantity, ())
            values = [float(one.quantile(rule.share)) for one in found]
            merged[name] = np.array(values) if values else np.full(len(starts), np.nan)
        elif name not in rows or isinstance(rule, Ratio):
            continue
        elif isinstance(rule, Mean):
            weight = _weight(figures, rows, rule.weight, steps)
            merged[name] = _mean(np.asarray(rows[name], np.float64), weight, starts)
        else:
            merged[name] = _single(rule, np.asarray(rows[name], np.float64), starts)
    return merged | _ratios(figures, merged)


def _ratios(figures: Mapping[str, StepFigure], merged: Columns) -> dict[str, Floats]:
    """All ratios whose parts were merged."""
    found = {}
    for name, figure in figures.items():
        rule = figure.rule
        if isinstance(rule, Ratio) and {*rule.part, *rule.whole} <= merged.keys():
            part, whole = (
                np.sum([merged[n] for n in names], axis=0) for names in (rule.part, rule.whole)
            )
            found[name] = _divide(part, whole)
    return found


def _weight(
    figures: Mapping[str, StepFigure], rows: Columns, name: str | None, steps: Floats
) -> Floats:
    """How much each row counts in a mean; a column that is a mean itself counts for every step."""
    if name is None:
        return steps
    weight = np.nan_to_num(np.asarray(rows[name], np.float64))
    return weight * steps if isinstance(figures[name].rule, Mean) else weight


def _single(rule: Reduce | Pick, values: Floats, starts: Any) -> Floats:
    if isinstance(rule, Pick):
        rows = np.append(starts[1:], len(values)) - 1 if rule.last else starts
        return np.asarray(values[rows])
    known = np.isfinite(values)
    found = rule.ufunc.reduceat(np.where(known, values, rule.known), starts)
    return np.where(np.logical_or.reduceat(known, starts), found, np.nan)


def _mean(values: Floats, weight: Floats, starts: Any) -> Floats:
    weight = np.where(np.isfinite(values), weight, 0.0)
    total = np.add.reduceat(np.where(weight > 0, values, 0.0) * weight, starts)
    return _divide(total, np.add.reduceat(weight, starts))


def _divide(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole != 0))
