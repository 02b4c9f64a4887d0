"""Figures as text for a reader, the same in a terminal and in a report."""

import math

from twin.runs.statistics import Estimate, Share

type Cell = str | int | float | Estimate | None
"""Of a table; None and NaN where there is no such figure."""

ROUNDING = 1e-9
"""Values that differ by no more than this part of them are the same."""


def same(one: float, other: float) -> bool:
    """Whether two values differ by rounding only."""
    return bool(abs(one - other) <= ROUNDING * max(abs(one), abs(other)))


def whole(value: float) -> int | float:
    """The value, as an integer if it is one."""
    return int(value) if float(value).is_integer() else float(value)


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


def amount(value: Cell, unit: str = "") -> str:
    """A value with its unit, and with its interval if that is not zero."""
    if isinstance(value, Estimate) and value.ci95 <= ROUNDING * abs(value.mean):
        value = value.mean
    told = text(value)
    unit = "%" if unit.startswith("%") else unit
    return f"{told}\N{NO-BREAK SPACE}{unit}" if unit else told


def doubt(gap: Estimate) -> str:
    """Whether a difference may be chance: it is no greater than its interval, or has none."""
    if not math.isfinite(gap.ci95):
        return "one run each, so that it may be chance"
    return "which may be chance" if abs(gap.mean) <= gap.ci95 else "more than chance explains"


def _interval(value: Estimate) -> str:
    if not math.isfinite(value.ci95):
        return text(value.mean)
    if value.ci95 <= ROUNDING * abs(value.mean):
        return f"{text(value.mean)} ± 0"
    low, high = value.mean - value.ci95, value.mean + value.ci95
    if isinstance(value, Share) and not 0.0 <= low <= high <= 100.0:
        decimals = _decimals(value.ci95, 2)
        ends = [f"{min(max(end, 0.0), 100.0):,.{decimals}f}" for end in (value.mean, low, high)]
        return f"{ends[0]} ({ends[1]} to {ends[2]})"
    if not 1e-4 <= abs(value.ci95) < 1e9:
        return f"{value.mean:.4g} ± {value.ci95:.2g}"
    decimals = _decimals(value.ci95, 2)
    return f"{value.mean:,.{decimals}f} ± {value.ci95:,.{decimals}f}"


def _decimals(value: float, figures: int) -> int:
    """Places behind the point that show a number of digits of a value."""
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return max(figures - 1 - magnitude, 0)
