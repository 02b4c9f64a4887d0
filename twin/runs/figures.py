"""The one table of figures: what each is called, what it is, how it is drawn and how it merges.

A step's figures are the columns of a run's table ``steps``. A run's figures are drawn from the
merge of all its steps, its events and its conclusion. Whoever shows a figure looks it up here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.runs import rules
from twin.runs.distribution import Distribution
from twin.runs.fleet_figures import ENERGY, NETWORK, PLACEMENT, SATELLITES
from twin.runs.rules import Columns, Floats, Quantile, Ratio, StepFigure
from twin.runs.token_figures import LATENCY, TIME, TOKENS

STEP_FIGURES: dict[str, StepFigure] = {
    figure.name: figure
    for figure in (*TIME, *TOKENS, *LATENCY, *NETWORK, *SATELLITES, *ENERGY, *PLACEMENT)
}
"""Columns of a run's table ``steps``, in their order."""

QUANTITIES = tuple(
    dict.fromkeys(f.rule.quantity for f in STEP_FIGURES.values() if isinstance(f.rule, Quantile))
)
"""Quantities whose distribution over the tokens is kept, each in a table of its name."""


def merge_rows(
    rows: Columns,
    weights: Floats | None = None,
    distributions: Mapping[str, Distribution] | None = None,
) -> dict[str, float]:
    """Merge consecutive rows of `STEP_FIGURES` into one, each column by its rule.

    Parameters
    ----------
    rows : mapping of str to (R,) array
        At least one row. Ratios and quantiles need not be there: they are computed again.
    weights : (R,) float64, optional
        Number of steps that each row stands for, if the rows were merged before; default: 1.
    distributions : mapping of str to Distribution, optional
        By the names in `QUANTITIES`, merged over the same steps. Without it quantiles are NaN.
    """
    each = {name: (found,) for name, found in (distributions or {}).items()}
    merged = merge_blocks(rows, np.zeros(1, np.intp), weights, each)
    return {name: float(values[0]) for name, values in merged.items()}


def merge_blocks(
    rows: Columns,
    starts: np.ndarray[Any, np.dtype[np.integer]],
    weights: Floats | None = None,
    distributions: Mapping[str, Sequence[Distribution]] | None = None,
) -> dict[str, Floats]:
    """Merge many blocks of rows at once; block b begins at row ``starts[b]``."""
    return rules.merge_blocks(STEP_FIGURES, rows, starts, weights, distributions)


_RATIOS = {f.name: f.rule for f in STEP_FIGURES.values() if isinstance(f.rule, Ratio)}


def ratios(row: Mapping[str, float]) -> dict[str, float]:
    """The ratios of a single step from its other figures; NaN where the whole is 0."""
    found = {}
    for name, rule in _RATIOS.items():
        whole = sum(row[part] for part in rule.whole)
        found[name] = sum(row[part] for part in rule.part) / whole if whole else float("nan")
    return found
