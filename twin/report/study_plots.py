"""Plots of a report on a study: figures along each axis or by case."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.report.curves import caption_of
from twin.report.drawing import legend_below, panels, points_of
from twin.report.page import Picture
from twin.runs.figures import FIGURES
from twin.runs.rules import Floats
from twin.runs.statistics import Estimate, Share
from twin.study.study_cells import Axis, Cells, cell, changes, constant

_DECADES = 50
"""Values this many times apart stand on a logarithmic scale."""

_TICKS = 8
"""Values of an axis that stand at it as they are, unless two are too close."""

_IN_LEAD = 2
"""Figures of the first plot."""


def lead_picture(cells: Cells) -> Picture | None:
    """How the first figures go along the first axis that changes them, or by case."""
    metrics = cells.metrics[:_IN_LEAD]
    along = (_sensitivity(cells, n, metrics, "lead-") for n in range(len(cells.axes)))
    return next(filter(None, along), None) or _by_case(cells, metrics, "lead-")


def study_pictures(cells: Cells) -> list[Picture]:
    """What changes along each axis, or by case where there is none."""
    made = [_sensitivity(cells, number, cells.metrics) for number in range(len(cells.axes))]
    if not any(len(axis.values) > 1 for axis in cells.axes):
        made = [_by_case(cells, cells.metrics)]
    return [picture for picture in made if picture is not None]


def _sensitivity(
    cells: Cells, number: int, metrics: Sequence[str], lead: str = ""
) -> Picture | None:
    axis = cells.axes[number]
    found = {metric: cells.along(metric, number) for metric in metrics}
    changing = {m: values for m, values in found.items() if any(map(changes, values))}
    if not changing:
        return None
    # Names on an axis need the room of a whole row.
    columns = 1 if not axis.numeric and _letters(axis) > 50 else min(len(changing), 2)

    def draw(figure: Any) -> None:
        made = panels(figure, len(changing), columns=columns)
        for axes, (metric, values) in zip(made, changing.items(), strict=True):
            _draw_along(axes, axis, metric, values, cells.labels)
            axes.set_title(FIGURES[metric].header)
        # Long names stand once, below all panels.
        for axes in made[:-1] if columns == 1 else ():
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
        legend_below(figure, made[0], least=2)

    still = [FIGURES[metric].label for metric in found if metric not in changing]
    rows = -(-len(changing) // columns)
    return Picture(
        name=f"{lead}sensitivity-{axis.names[0].replace('.', '-')}",
        title=f"What changes with {axis.label}",
        caption=caption_of(
            changing,
            f"Not along this axis: {', '.join(still)}." if still else "",
            "Means over the other axes." if len(cells.axes) > 1 else "",
            whiskers(cells),
        ),
        size_in=(9 if columns > 1 else 8, 0.5 + 2.7 * rows + 0.2 * legend_rows(cells)),
        draw=draw,
    )


def _draw_along(axes: Any, axis: Axis, metric: str, values: Floats, labels: list[str]) -> None:
    first = [value[0] for value in axis.values]
    x = np.array(first if axis.numeric else range(len(first)), np.float64)
    for i, style in enumerate(points_of(len(labels))):
        found = {k: e for k, one in enumerate(values[i]) if (e := cell(metric, one)) is not None}
        if not found:
            continue
        # At a name cases stand aside of each other, so that whiskers do not hide others.
        aside = 0.0 if axis.numeric else 0.5 * ((i + 0.5) / len(labels) - 0.5)
        at = x[list(found)] + aside
        order = np.argsort(at)
        mean = np.array([e.mean for e in found.values()])
        ends = np.array([reach(e) for e in found.values()]).T
        drawn = style if axis.numeric else style | {"ls": "none"}
        axes.errorbar(at[order], mean[order], ends[:, order], **drawn, ms=4,
                      capsize=2.5, elinewidth=1.0, label=labels[i])  # fmt: skip
    _scale(axes, axis, x)
    axes.set_xlabel(axis.label)
    if _decades(values):
        axes.set_yscale("log")
    else:
        near(axes.yaxis, metric, [e.mean for v in values for one in v if (e := cell(metric, one))])


def reach(value: Estimate) -> tuple[float, float]:
    """How far whiskers go below a mean and above it; none without interval."""
    half = float(np.nan_to_num(value.ci95))
    if isinstance(value, Share):
        return min(half, max(value.mean, 0.0)), min(half, max(100.0 - value.mean, 0.0))
    return half, half


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


def _letters(axis: Axis) -> int:
    return sum(len(str(value[0])) for value in axis.values)


def _by_case(cells: Cells, metrics: Sequence[str], lead: str = "") -> Picture | None:
    """Figures by case, for a study of one place."""
    found = {metric: cells.values(metric)[0] for metric in metrics}
    shown = {metric: values for metric, values in found.items() if not constant(values)}
    if not shown or len(cells.labels) < 2:
        return None

    def draw(figure: Any) -> None:
        made = panels(figure, len(shown), columns=min(len(shown), 2), share_y=True)
        for axes, (metric, values) in zip(made, shown.items(), strict=True):
            draw_cases(axes, metric, values, cells.labels)

    rows = -(-len(shown) // 2)
    return Picture(
        name=f"{lead}by-case",
        title="Figures by case",
        caption=caption_of(shown, whiskers(cells)),
        size_in=(9, max(2.6, rows * (0.9 + 0.24 * len(cells.labels)))),
        draw=draw,
    )


def draw_cases(axes: Any, metric: str, values: Floats, labels: list[str]) -> None:
    """Each case's mean and interval, and its replicates as faint marks."""
    y, found = np.arange(len(labels)), [cell(metric, one) for one in values]
    for i, style in enumerate(points_of(len(y))):
        point = style | {"ls": "none"}
        axes.plot(values[i], np.full(len(values[i]), y[i]), **point, ms=3, alpha=0.4)
        if (value := found[i]) is not None:
            ends = np.array([reach(value)]).T
            axes.errorbar(value.mean, y[i], xerr=ends, capsize=2.5, elinewidth=1.0, **point)
    axes.set_title(FIGURES[metric].header)
    axes.set_yticks(y, labels)
    axes.set_ylim(len(y) - 0.5, -0.5)
    near(axes.xaxis, metric, [e.mean for e in found if e])


def near(axis: Any, metric: str, means: Sequence[float]) -> None:
    """Keep an axis to the means where whiskers would dwarf their differences, a share to 100 %."""
    if not means:
        return
    least, most = min(means), max(means)
    room = (most - least) or 0.1 * abs(most) or 1.0
    low, high = axis.get_view_interval()
    low, high = max(low, least - room), min(high, most + room)
    if FIGURES[metric].share:
        low, high = max(low, -1.0), min(high, 101.0)
    axis.axes.set(**{f"{axis.axis_name}lim": (low, high)})


def whiskers(cells: Cells) -> str:
    """What whiskers are, where there are any."""
    if cells.replicates == 1:
        return ""
    return "Whiskers: 95 % intervals over the replicates; very long ones leave the panel."


def legend_rows(cells: Cells) -> int:
    """Lines that it takes."""
    return -(-len(cells.labels) // 4)
