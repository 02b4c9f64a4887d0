"""Panels that figures of runs share: columns over time, stacked areas; and bits of captions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.study import report_data as data
from twin.study.report_data import Case, Floats
from twin.study.report_drawing import grid, legend_below, lines_of, panels, stacked, time_axis
from twin.study.report_page import Picture, text

MOST_PANELS = 6
"""Cases that get a panel of their own; figures of more would be too small to read."""

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
        column: [case.over_time(column, reduce) for case in cases]
        for column, (_, reduce) in columns.items()
    }
    shown = {c: s for c, s in series.items() if any(np.isfinite(y).any() for _, y in s)}
    if not shown:
        return None
    unit_s, label = time_axis(max(t_s[-1] for s in shown.values() for t_s, _ in s))
    many = len(cases) > 1

    def draw(figure: Any) -> None:
        made = panels(figure, len(shown) if many else 1, columns=min(len(shown), 3) if many else 1)
        styles = lines_of(max(len(cases), len(shown)))
        for i, (column, lines) in enumerate(shown.items()):
            axes = made[i if many else 0]
            for j, (t_s, y) in enumerate(lines):
                named = cases[j].label if many else columns[column][0]
                axes.plot(t_s / unit_s, scale * y, **styles[j if many else i], label=named)
            if many:
                axes.set_title(columns[column][0], loc="left")
        for axes in made:
            axes.set_xlabel(label)
            axes.margins(x=0)
            grid(axes)
        made[0].set_ylabel(unit)
        legend_below(figure, made[0], most=4)

    some = [case for case in cases if all(known_of(case, column).size for column in shown)]
    sentences = [f"{told_of(case, cases)}{told(case)}." for case in some]
    height = 3.4 if not many else 2.9 * -(-len(shown) // 3) + 0.3 * -(-len(cases) // 4)
    return Picture(
        name=name,
        title=title,
        caption=in_a_row([*sentences, *thinned(cases)]),
        size_in=(8 if not many else 10, height),
        draw=draw,
    )


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

    sentences = [f"{told_of(case, cases)}{told(case)}." for case, _, _ in found]
    if len(cases) > MOST_PANELS:
        sentences.append(f"Shown are the first {MOST_PANELS} cases.")
    return Picture(
        name=name,
        title=title,
        caption=in_a_row([*sentences, *thinned(cases, AREA_POINTS)]),
        size_in=(8, 0.7 + 2.6 * -(-len(found) // columns)),
        draw=draw,
    )


def told_of(case: Case, cases: list[Case]) -> str:
    """How a sentence on a case begins: with its label where there are several."""
    return f"{case.label}: " if len(cases) > 1 else ""


def in_a_row(told: list[str]) -> str:
    """Sentences one after the other."""
    joined = " ".join(told)
    return joined[:1].upper() + joined[1:] if ": " not in told[0] else joined


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


def percent(share: float) -> str:
    """A share for a sentence."""
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"
