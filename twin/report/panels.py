"""Panels that plots of runs share: columns over time, stacked areas; and bits of captions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.report.curves import in_a_row, over_time, told_of
from twin.report.drawing import legend_below, panels, stacked, time_axis
from twin.report.page import Picture
from twin.runs import repeats as data
from twin.runs.cells import text
from twin.runs.repeats import Case, Floats

MOST_PANELS = 6
"""Cases that get a panel of their own; with more they would be too small to read."""

AREA_POINTS = 96
"""Along the time of stacked areas, whose hatches need room."""


def lines_over_time(
    name: str,
    title: str,
    cases: list[Case],
    columns: Mapping[str, tuple[str, data.Reduce]],
    unit: str,
    told: Callable[[Case], str],
    scale: float = 1.0,
) -> Picture | None:
    """Columns of steps over time: one panel for one case, else a panel a column."""
    series = {
        label: [case.over_time(column, reduce) for case in cases]
        for column, (label, reduce) in columns.items()
    }
    shown = {
        label: [(t_s, scale * y) for t_s, y in lines]
        for label, lines in series.items()
        if any(np.isfinite(y).any() for _, y in lines)
    }
    if not shown:
        return None
    there = [column for column, (label, _) in columns.items() if label in shown]
    some = [case for case in cases if all(known_of(case, column).size for column in there)]
    sentences = [f"{told_of(case.label, len(cases))}{told(case)}." for case in some]
    caption = in_a_row([*sentences, *thinned(cases)])
    return over_time(name, title, [case.label for case in cases], shown, unit, caption)


def areas_over_time(
    name: str,
    title: str,
    cases: list[Case],
    shares: Callable[[Case], tuple[Floats, dict[str, Floats]]],
    unit: str,
    told: Callable[[Case], str],
) -> Picture | None:
    """Shares by cause over time, stacked; a panel a case."""
    found = [(case, *shares(case)) for case in cases[:MOST_PANELS]]
    order = list(found[0][2])
    there = [c for c in order if any((parts[c] > 0).any() for _, _, parts in found)]
    if not there:
        return None
    unit_s, label = time_axis(max(t_s[-1] for _, t_s, _ in found))
    columns = 1 if len(found) == 1 else 2

    def draw(figure: Any) -> None:
        made = panels(figure, len(found), columns=columns, share_y=True)
        for axes, (case, t_s, parts) in zip(made, found, strict=True):
            stacked(axes, t_s / unit_s, {c: parts[c] for c in there}, order)
            axes.set_xlabel(label)
            axes.set_ylabel(unit)
            if len(found) > 1:
                axes.set_title(case.label, loc="left")
        legend_below(figure, made[0])

    sentences = [f"{told_of(case.label, len(cases))}{told(case)}." for case, _, _ in found]
    if len(cases) > MOST_PANELS:
        sentences.append(f"Shown are the first {MOST_PANELS} cases.")
    return Picture(
        name=name,
        title=title,
        caption=in_a_row([*sentences, *thinned(cases, AREA_POINTS)]),
        size_in=(8, 0.7 + 2.6 * -(-len(found) // columns)),
        draw=draw,
    )


def thinned(cases: list[Case], points: int = data.MOST_POINTS) -> list[str]:
    """How many steps a point stands for, if not for one."""
    each = -(-len(cases[0].steps[0]["t_s"]) // points)
    return [f"A point stands for {each} steps."] if each > 1 else []


def ends_of(case: Case, column: str, scale: float = 1.0) -> str:
    """Least and greatest value of a column, for a sentence."""
    known = known_of(case, column)
    return f"{text(scale * float(known.min()))} and {text(scale * float(known.max()))}"


def least_of(case: Case, column: str) -> float:
    """Least value of a column over all runs of a case."""
    return float(known_of(case, column).min())


def known_of(case: Case, column: str) -> Floats:
    """Values of a column over all runs of a case, where there are any."""
    values = np.concatenate([steps[column] for steps in case.steps])
    return values[np.isfinite(values)]
