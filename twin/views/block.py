"""What a frame says of all the steps that it stands for: merged rows, durations and layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.runs.distribution import Distribution
from twin.runs.figures import STEP_FIGURES, merge_rows
from twin.runs.rules import Mean, Pick, Quantile, Ratio, Reduce, StepFigure
from twin.views import load
from twin.views.load import LOAD

type Floats = NDArray[np.float64]

FIGURES = tuple(name for name in STEP_FIGURES if name not in ("step", "placement"))
"""Columns of a run's steps that every frame has, merged over its steps; `LOAD` comes after them."""

SHARES = np.linspace(0, 1, 21)
"""Of a frame's tokens, whose latencies it has: from the fastest by twentieths to the slowest."""


@dataclass(kw_only=True)
class Block:
    """Consecutive steps that one frame stands for; live and replayed runs fill it alike.

    Attributes
    ----------
    rows : list of dict
        Each step's row of the table ``steps``, with its `LOAD`.
    durations : list of dict
        Each step's distributions, by quantity.
    propagation_s, compute_s : list of (L,) float64
        Of each step's mean token, by layer.
    events : list of dict
        Of all steps.
    start_s : float
        Start of the first step shown, since the scenario's: the page counts time from it.
    """

    start_s: float = 0.0
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    durations: list[Mapping[str, Distribution]] = field(default_factory=list)
    propagation_s: list[Floats] = field(default_factory=list)
    compute_s: list[Floats] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def merged(self) -> dict[str, Any]:
        """The fields of a frame that all its steps make up."""
        together = {
            name: Distribution.merged([each[name] for each in self.durations])
            for name in self.durations[0]
        }
        columns = {
            name: np.array([row.get(name, np.nan) for row in self.rows], np.float64)
            for name in STEP_FIGURES
        }
        row = merge_rows(columns, distributions=together)
        served, latency = columns["tokens_served"], together["latency"]
        return {
            "figures": [*(row.get(name, np.nan) for name in FIGURES), *load.merged(self.rows)],
            "steps": len(self.rows),
            "latency": latency.binned(),
            "quantiles_s": latency.quantile(SHARES),
            "layer_propagation_s": _mean(self.propagation_s, served),
            "layer_compute_s": _mean(self.compute_s, served),
            "events": [event | {"t_s": event["t_s"] - self.start_s} for event in self.events],
        }


def _mean(values: Sequence[Floats], weight: Floats) -> Floats:
    """Mean of the known rows by weight; NaN where there are none, and a single row as it is."""
    if len(values) == 1:
        return values[0]
    table = np.stack(values)
    known = np.isfinite(table) & (weight > 0)[:, None]
    total = np.where(known, weight[:, None], 0.0).sum(axis=0)
    summed = np.where(known, table * weight[:, None], 0.0).sum(axis=0)
    return np.asarray(np.where(total > 0, summed / np.where(total > 0, total, 1.0), np.nan))


def described() -> list[dict[str, Any]]:
    """What the page's scripts need to name, show and merge figures, in their order."""
    return [_described(f) for f in (*(STEP_FIGURES[name] for name in FIGURES), *LOAD.values())]


def _described(figure: StepFigure) -> dict[str, Any]:
    rule = figure.rule
    found: dict[str, Any] = {
        "name": figure.name,
        "label": figure.label,
        "unit": figure.unit,
        "scale": figure.scale,
        "sentence": figure.sentence,
    }
    match rule:
        case Reduce():
            how = {np.add: "sum", np.fmin: "least", np.fmax: "most"}[rule.ufunc]
            return found | {"merge": how}
        case Pick():
            return found | {"merge": "last" if rule.last else "first"}
        case Mean():
            return found | {"merge": "mean", "weight": rule.weight}
        case Ratio():
            return found | {"merge": "ratio", "part": rule.part, "whole": rule.whole}
        case Quantile():
            return found | {"merge": "quantile", "quantity": rule.quantity, "share": rule.share}
