"""A reward from named figures, of the steps since the last action."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.errors import InputError, shown
from twin.runs.figures import STEP_FIGURES, merge_rows
from twin.runs.rules import NEITHER, Quantile
from twin.text import meant

REWARDING = {
    name: figure
    for name, figure in STEP_FIGURES.items()
    if figure.better != NEITHER and not isinstance(figure.rule, Quantile)
}
"""Figures that may be rewarded: those of a step that are better when they are more, or less."""

USUAL = {"tokens_served_share": 1.0, "latency_mean_s": 0.1}


def checked(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of each figure.

    Raises
    ------
    InputError
        If there is no such figure, or a weight is no number.
    """
    if not weights:
        raise InputError("reward: name at least one figure")
    for name, weight in weights.items():
        if name not in REWARDING:
            known = f"known: {', '.join(REWARDING)}{meant(str(name), REWARDING)}"
            raise InputError(f"reward: unknown figure {shown(name)}; {known}")
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not math.isfinite(weight):
            raise InputError(f"reward: {name} must be a finite number (got {shown(weight)})")
    return {name: float(weight) for name, weight in weights.items()}


def merged(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Figures of consecutive steps together, those that there are."""
    there = [name for name in STEP_FIGURES if name in rows[0]]
    found = {name: float(rows[0][name]) for name in there}
    if len(rows) > 1:
        found = merge_rows({n: np.array([row[n] for row in rows], np.float64) for n in there})
    return {name: value for name, value in found.items() if math.isfinite(value)}


def reward(weights: Mapping[str, float], figures: Mapping[str, float]) -> float:
    """Weighted sum of figures, less those that are better when less; 0 for one that is missing."""
    return sum(
        -REWARDING[name].better * weight * figures.get(name, 0.0)
        for name, weight in weights.items()
    )
