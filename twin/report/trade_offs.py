"""Plots of a study's trade-offs: a time against what else is better low or high."""

from typing import Any

import numpy as np

from twin.report.curves import caption_of
from twin.report.drawing import INK, legend_below, panels, points_of
from twin.report.page import Picture, capital
from twin.report.study_plots import (
    draw_cases,
    legend_rows,
    near,
    reach,
    whiskers,
)
from twin.runs.figures import FIGURES, LATENCIES
from twin.runs.rules import LESS, MORE, NEITHER
from twin.runs.statistics import Estimate
from twin.study.compare import Comparison, non_dominated
from twin.study.study_cells import Cells, cell, constant

_MOST_TRADES = 3
"""Plots, at most, of another figure against latency."""

_NAMED = 6
"""Cells that a caption names."""


def trade_offs(cells: Cells) -> list[Picture]:
    """The first latency of the study against what else is better low or high."""
    latency = next((metric for metric in cells.metrics if metric in LATENCIES), None)
    others = [
        metric
        for metric in cells.metrics
        if metric not in LATENCIES
        and FIGURES[metric].better != NEITHER
        and not constant(cells.values(metric))
    ]
    found = [_trade_off(cells, latency, other) for other in others[:_MOST_TRADES] if latency]
    return [picture for picture in found if picture is not None]


type _Known = list[tuple[tuple[int, int], Estimate, Estimate]]
"""Place and case of each cell that has both figures, and these."""


def _both(cells: Cells, one: str, other: str) -> _Known:
    x, y = cells.values(one), cells.values(other)
    found = [(at, cell(one, x[at]), cell(other, y[at])) for at in np.ndindex(cells.shape[:2])]
    return [(at, a, b) for at, a, b in found if a is not None and b is not None]


def _best(known: _Known, other: str) -> list[bool]:
    """Which cells no other beats in both; means that differ by rounding only are the same."""
    means = [[a.mean, FIGURES[other].better * b.mean] for _, a, b in known]
    return [
        bool(good)
        for good in non_dominated(np.array([[float(f"{v:.9g}") for v in p] for p in means]))
    ]


def _trade_off(cells: Cells, latency: str, other: str) -> Picture | None:
    known = _both(cells, latency, other)
    if len(known) < 2:
        return None
    names = [
        cells.cell_name(*at)
        for (at, _, _), good in zip(known, _best(known, other), strict=True)
        if good
    ]
    more = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        _draw_trade_off(axes, cells, latency, other)
        legend_below(figure, axes, least=2)

    return Picture(
        name=f"pareto-{other}",
        title=f"{capital(FIGURES[latency].label)} against {FIGURES[other].label}",
        caption="Each point is a cell; outlined are those that no other beats in both: "
        f"{'; '.join(names[:_NAMED])}{more}. {whiskers(cells)}".rstrip(),
        size_in=(8, 3.7 + 0.2 * legend_rows(cells)),
        draw=draw,
    )


def _draw_trade_off(axes: Any, cells: Cells, latency: str, other: str) -> None:
    known = _both(cells, latency, other)
    styles = points_of(len(cells.labels))
    seen: set[int] = set()
    best = _best(known, other) if known else []
    for ((_, case), a, b), good in sorted(
        zip(known, best, strict=True), key=lambda one: one[0][0][1]
    ):
        style = styles[case] | {"ls": "none"}
        axes.errorbar(
            a.mean, b.mean, np.array([reach(b)]).T, np.array([reach(a)]).T, **style,
            ms=8 if good else 5, mec=INK if good else style["color"], mew=1.2, capsize=2,
            elinewidth=0.8, label=None if case in seen else cells.labels[case],
        )  # fmt: skip
        seen.add(case)
    near(axes.xaxis, latency, [a.mean for _, a, _ in known])
    near(axes.yaxis, other, [b.mean for _, _, b in known])
    which = {LESS: "less is better", MORE: "more is better"}
    axes.set_xlabel(f"{FIGURES[latency].header} ({which[FIGURES[latency].better]})")
    axes.set_title(f"{FIGURES[other].header} ({which[FIGURES[other].better]})")


def comparison_picture(result: Comparison) -> Picture:
    """A time by case, and against each of what is held against it."""
    cells, trade = Cells.of_comparison(result), result.trade

    def draw(figure: Any) -> None:
        first, *others = panels(figure, 1 + len(trade.objectives), columns=2)
        draw_cases(first, trade.time, cells.values(trade.time)[0], cells.labels)
        for axes, other in zip(others, trade.objectives, strict=True):
            _draw_trade_off(axes, cells, trade.time, other)
        legend_below(figure, others[0], least=2)

    return Picture(
        name="comparison",
        title="What is gained, and what it costs",
        caption=caption_of(
            (trade.time, *trade.objectives),
            "Outlined are the cases that no other beats in both.",
            whiskers(cells),
        ),
        size_in=(11, 5.4 + 0.2 * len(cells.labels) + 0.2 * legend_rows(cells)),
        draw=draw,
    )
