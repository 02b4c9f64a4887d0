"""Figures as text for a reader, the same in a terminal and in a report."""

import math

from twin.runs.statistics import Estimate

type Cell = str | int | float | Estimate | None
"""Of a table; None and NaN where there is no such figure."""

_ROUNDING = 1e-9
"""An interval no wider than this part of its mean is none."""


def text(cell: Cell) -> str:
    """A cell for the reader: four figures, or as many as its interval lets one trust."""
    if isinstance(cell, Estimate):
        return _interval(cell)
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "–"  # noqa: RUF001 (a dash for nothing)
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    if not 1e-3 <= abs(cell) < 1e9:
        return f"{cell:.3g}"
    return f"{cell:,.{_decimals(cell, 4)}f}"


def _interval(value: Estimate) -> str:
    if not math.isfinite(value.ci95):
        return text(value.mean)
    if value.ci95 <= _ROUNDING * abs(value.mean):
        return f"{text(value.mean)} ± 0"
    if not 1e-4 <= abs(value.ci95) < 1e9:
        return f"{value.mean:.4g} ± {value.ci95:.2g}"
    decimals = _decimals(value.ci95, 2)
    return f"{value.mean:,.{decimals}f} ± {value.ci95:,.{decimals}f}"


def _decimals(value: float, figures: int) -> int:
    """Places behind the point that show a number of digits of a value."""
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return max(figures - 1 - magnitude, 0)
