"""Plots of a report on a study: figures along each axis or by case, and trade-offs."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from twin.report.drawing import INK, grid, legend_below, panels, points_of
from twin.report.page import Picture
from twin.report.study_cells import Axis, Cells, changes, constant, known_estimate
from twin.report.study_words import amount, capital, courses, told_mean
from twin.runs.figures import FIGURES, LATENCIES
from twin.runs.rules import LESS, NEITHER, Floats
from twin.runs.statistics import Estimate, mean_known
from twin.study.compare import non_dominated

_MOST_TRADES = 3
"""Plots, at most, of another figure against latency."""

_DECADES = 50
"""Values this many times apart stand on a logarithmic scale."""

_TICKS = 8
"""Values of an axis that stand at it as they are, unless two are too close."""

_NAMED = 6
"""Cells that a caption names."""


def study_pictures(cells: Cells) -> list[Picture]:
    """What changes along each axis, or by case where there is none; and trade-offs."""
    made = [_sensitivity(cells, number) for number in range(len(cells.axes))]
    if not any(len(axis.values) > 1 for axis in cells.axes):
        made = [_by_case(cells)]
    return [picture for picture in (*made, *_trade_offs(cells)) if picture is not None]


def _sensitivity(cells: Cells, number: int) -> Picture | None:
    axis = cells.axes[number]
    found = {metric: cells.along(metric, number) for metric in cells.metrics}
    changing = {m: values for m, values in found.items() if any(map(changes, values))}
    if not changing:
        return None
    # Names on an axis need the room of a whole row.
    columns = 1 if not axis.numeric and _letters(axis) > 50 else min(len(changing), 2)

    def draw(figure: Any) -> None:
        made = panels(figure, len(changing), columns=columns)
        for axes, (metric, values) in zip(made, changing.items(), strict=True):
            _draw_along(axes, axis, values, cells.labels)
            axes.set_title(FIGURES[metric].header, loc="left")
        # Long names stand once, below all panels.
        for axes in made[:-1] if columns == 1 else ():
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
        _below(figure, made[0])

    told = [_told_along(cells, metric, number) for metric in changing]
    still = [FIGURES[metric].label for metric in found if metric not in changing]
    if still:
        told.append(f"Not along this axis: {', '.join(still)}.")
    if len(cells.axes) > 1:
        told.append("Means over the other axes, over places where nothing failed along this one.")
    rows = -(-len(changing) // columns)
    return Picture(
        name=f"sensitivity-{'-'.join(axis.names[:1]).replace('.', '-')}",
        title=f"What changes with {axis.label}",
        caption=" ".join([*told, _whiskers(cells)]).rstrip(),
        size_in=(9 if columns > 1 else 8, 0.5 + 2.7 * rows + 0.2 * _legend_rows(cells)),
        draw=draw,
    )


def _draw_along(axes: Any, axis: Axis, values: Floats, labels: list[str]) -> None:
    first = [value[0] for value in axis.values]
    x = np.array(first if axis.numeric else range(len(first)), np.float64)
    live = np.flatnonzero(np.isfinite(values).any(axis=(1, 2)))
    for i, style in enumerate(points_of(len(labels))):
        if i not in live:
            continue
        estimates = [known_estimate(one) for one in values[i]]
        there = np.array([e is not None for e in estimates])
        mean, half = np.array([e for e in estimates if e is not None]).T
        at = x[there] if axis.numeric else x[there] + _aside(i, len(labels))
        order = np.argsort(at)
        drawn = style if axis.numeric else style | {"ls": "none"}
        axes.errorbar(at[order], mean[order], np.nan_to_num(half[order]), **drawn, ms=4,
                      capsize=2.5, elinewidth=1.0, label=labels[i])  # fmt: skip
    _scale(axes, axis, x)
    axes.set_xlabel(axis.label)
    _plain_numbers(axes.yaxis)
    if _decades(values):
        axes.set_yscale("log")
    else:
        _near(axes.yaxis, [e.mean for one in values for e in map(known_estimate, one) if e])
    grid(axes)


def _decades(values: Floats) -> bool:
    """Whether values need a logarithmic scale."""
    known = values[np.isfinite(values)]
    return bool(known.min() > 0 and known.max() >= _DECADES * known.min())


def _scale(axes: Any, axis: Axis, x: Floats) -> None:
    if not axis.numeric:
        names = [str(value[0]) for value in axis.values]
        slanted = {"rotation": 25, "ha": "right"} if _letters(axis) > 90 else {}
        axes.set_xticks(x, names, **slanted)
        axes.set_xlim(-0.5, len(x) - 0.5)
        return
    if _decades(x):
        axes.set_xscale("log")
    at = np.sort(np.log(x) if _decades(x) else x)
    if len(x) <= _TICKS and np.diff(at).min() * 2 * _TICKS > np.ptp(at):
        axes.set_xticks(x, [f"{v:.6g}" for v in x])
        axes.minorticks_off()


def _aside(case: int, cases: int) -> float:
    """How far from its name a case stands, so that whiskers do not hide each other."""
    return 0.5 * ((case + 0.5) / cases - 0.5)


def _letters(axis: Axis) -> int:
    return sum(len(str(value[0])) for value in axis.values)


def _told_along(cells: Cells, metric: str, number: int) -> str:
    """How a figure goes along an axis: for the first case, and for the one that changes most."""
    means = mean_known(cells.along(metric, number), axis=2)
    live = np.flatnonzero(np.isfinite(means).any(axis=1))
    spread = [float(np.nanmax(means[i]) - np.nanmin(means[i])) for i in live]
    most = int(live[int(np.argmax(spread))])
    said = courses(cells, metric, dict.fromkeys((int(live[0]), most)), number)
    return f"{capital(FIGURES[metric].label)}: {said}"


def _by_case(cells: Cells) -> Picture | None:
    """Every figure by case, for a study of one place."""
    found = {metric: cells.values(metric)[0] for metric in cells.metrics}
    shown = {metric: values for metric, values in found.items() if not constant(values)}
    if not shown or len(cells.labels) < 2:
        return None

    def draw(figure: Any) -> None:
        made = panels(figure, len(shown), columns=min(len(shown), 2), share_y=True)
        y = np.arange(len(cells.labels))
        for axes, (metric, values) in zip(made, shown.items(), strict=True):
            for i, style in enumerate(points_of(len(y))):
                value = known_estimate(values[i])
                if value is not None:
                    half = np.nan_to_num(value.ci95)
                    point = style | {"ls": "none", "elinewidth": 1.0}
                    axes.errorbar(value.mean, y[i], xerr=half, capsize=2.5, **point)
            axes.set_title(FIGURES[metric].header, loc="left")
            axes.set_yticks(y, cells.labels)
            axes.set_ylim(len(y) - 0.5, -0.5)
            _plain_numbers(axes.xaxis)
            _near(axes.xaxis, [e.mean for e in map(known_estimate, values) if e])
            grid(axes)

    told = []
    for metric, values in shown.items():
        means = mean_known(values, axis=1)
        low, high = int(np.nanargmin(means)), int(np.nanargmax(means))
        told.append(
            f"{capital(FIGURES[metric].label)}: from {told_mean(values[low], metric)} "
            f"({cells.labels[low]}) to {told_mean(values[high], metric)} ({cells.labels[high]})."
        )
    rows = -(-len(shown) // 2)
    return Picture(
        name="by-case",
        title="Figures by case",
        caption=" ".join([*told, _whiskers(cells)]).rstrip(),
        size_in=(9, rows * (0.9 + 0.24 * len(cells.labels))),
        draw=draw,
    )


def _trade_offs(cells: Cells) -> list[Picture | None]:
    """The first latency of the study against what else is better low or high."""
    latency = next((metric for metric in cells.metrics if metric in LATENCIES), None)
    others = [
        metric
        for metric in cells.metrics
        if metric not in LATENCIES
        and FIGURES[metric].better != NEITHER
        and not constant(cells.values(metric))
    ]
    return [_trade_off(cells, latency, other) for other in others[:_MOST_TRADES] if latency]


def _rounded(value: Estimate) -> float:
    return float(f"{value.mean:.9g}")


def _trade_off(cells: Cells, latency: str, other: str) -> Picture | None:
    x, y = cells.values(latency), cells.values(other)
    at = [
        (int(place), int(case))
        for place, case in np.argwhere((np.isfinite(x) & np.isfinite(y)).any(axis=2))
    ]
    found = [(known_estimate(x[cell]), known_estimate(y[cell])) for cell in at]
    known = [(cell, a, b) for cell, (a, b) in zip(at, found, strict=True) if a and b]
    if len(known) < 2:
        return None
    # Means that differ by rounding only are the same.
    means = np.array([[_rounded(a), FIGURES[other].better * _rounded(b)] for _, a, b in known])
    best = [bool(good) for good in non_dominated(means)]
    names = [
        f"{cells.cell_name(*cell)} ({amount(a, latency)}, {amount(b, other)})"
        for (cell, a, b), good in zip(known, best, strict=True)
        if good
    ]
    more = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    outlined = (
        f"One cell, outlined, is best in both: {names[0]}."
        if len(names) == 1
        else "Outlined are the cells that no other beats in both: "
        f"{'; '.join(names[:_NAMED])}{more}."
    )
    return Picture(
        name=f"pareto-{other}",
        title=f"{capital(FIGURES[latency].label)} against {FIGURES[other].label}",
        caption=f"Each point is a cell. {outlined} {_whiskers(cells)}".rstrip(),
        size_in=(8, 3.7 + 0.2 * _legend_rows(cells)),
        draw=partial(_draw_trade_off, cells, known, best, latency, other),
    )


def _draw_trade_off(
    cells: Cells,
    known: list[tuple[tuple[int, int], Estimate, Estimate]],
    best: list[bool],
    latency: str,
    other: str,
    figure: Any,
) -> None:
    axes = figure.add_subplot()
    styles = points_of(len(cells.labels))
    seen: set[int] = set()
    drawn = sorted(zip(known, best, strict=True), key=lambda one: one[0][0][::-1])
    for ((_, case), a, b), good in drawn:
        style = styles[case] | {"ls": "none"}
        axes.errorbar(
            a.mean, b.mean, np.nan_to_num(b.ci95), np.nan_to_num(a.ci95), **style,
            ms=8 if good else 5, mec=INK if good else style["color"], mew=1.2, capsize=2,
            elinewidth=0.8, label=None if case in seen else cells.labels[case],
        )  # fmt: skip
        seen.add(case)
    _near(axes.xaxis, [a.mean for _, a, _ in known])
    _near(axes.yaxis, [b.mean for _, _, b in known])
    for axis, metric in ((axes.xaxis, latency), (axes.yaxis, other)):
        which = "less" if FIGURES[metric].better == LESS else "more"
        axis.set_label_text(f"{FIGURES[metric].header} ({which} is better)")
        _plain_numbers(axis)
    grid(axes)
    _below(figure, axes)


def _near(axis: Any, means: Sequence[float]) -> None:
    """Keep an axis to the means where whiskers would dwarf their differences."""
    least, most = min(means), max(means)
    room = (most - least) or abs(most) or 1.0
    low, high = axis.get_view_interval()
    axis.axes.set(**{f"{axis.axis_name}lim": (max(low, least - room), min(high, most + room))})


def _whiskers(cells: Cells) -> str:
    if cells.shape[2] == 1:
        return ""
    return "Whiskers: 95 % intervals over the replicates; very long ones leave the panel."


def _plain_numbers(axis: Any) -> None:
    """Whole values at the ticks, none that stand for a difference from one elsewhere."""
    axis.get_major_formatter().set_useOffset(False)


def _below(figure: Any, axes: Any) -> None:
    if len(axes.get_legend_handles_labels()[1]) > 1:
        legend_below(figure, axes, most=4)


def _legend_rows(cells: Cells) -> int:
    return -(-len(cells.labels) // 4)
