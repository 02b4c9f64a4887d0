"""A comparison as a plot: a time against each other objective, and the time run by run."""

import math
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twin.runs.cells import text
from twin.runs.figures import FIGURES
from twin.runs.rules import LESS, MORE
from twin.study.compare import Comparison, Outcome
from twin.study.plots import blank_plot, save_plot, strategy_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vP*X<>"
"""Markers of the policies, in their order."""

_BETTER = {LESS: "less is better", MORE: "more is better"}
_LOG_SPAN = 5.0
"""Values that span a larger factor get a logarithmic axis."""

_SHARE = "_served_share"
"""Ending of figures that are at most 100 %."""

_NARROWEST = 0.01
"""Least span of an axis, as a share of its values: smaller differences do not matter."""

_OFFSETS = [(dx, dy) for dy in (7, -7, 18, -18, 29, -29, 40, -40) for dx in (7, -7)]
"""Where a label may go, in points from its mark; the first place that is free."""


_SAME_PX = 12.0
"""Marks closer than this overlap and share a label."""


_MOST_NAMES = 4
"""Lines of a shared label."""


class _Styles:
    """Each strategy's colour and each policy's marker."""

    def __init__(self, result: Comparison) -> None:
        strategies = dict.fromkeys(o.case.strategy for o in result.outcomes)
        policies = dict.fromkeys(o.case.policy for o in result.outcomes)
        self.colour = strategy_colours(list(strategies))
        self.marker = dict(zip(policies, cycle(MARKERS), strict=False))

    def of(self, outcome: Outcome) -> dict[str, Any]:
        case = outcome.case
        return {"color": self.colour[case.strategy], "marker": self.marker[case.policy]}


def comparison_plot(result: Comparison, path: Path) -> None:
    """Draw mean latency against throughput, energy and availability, and that of every run.

    Where requests are served, theirs from end to end against goodput and the same two. Cases that
    no other beats in both are outlined, joined and named.
    """
    figure, plt = blank_plot(*size_in(result))
    draw(result, figure)
    save_plot(figure, plt, path)


def size_in(result: Comparison) -> tuple[float, float]:
    """Width and height of the plot."""
    return 13.0, 5.2 + _bars_in(result)


def _bars_in(result: Comparison) -> float:
    return 1.0 + 0.3 * len(result.outcomes)


def draw(result: Comparison, figure: Any) -> None:
    """Draw the same into a figure."""
    grid = figure.add_gridspec(2, 3, height_ratios=(4.6, _bars_in(result)))
    styles, objectives = _Styles(result), result.trade.objectives
    panels = {name: figure.add_subplot(grid[0, i]) for i, name in enumerate(objectives)}
    for name, axes in panels.items():
        _trade_off(axes, result, name, styles)
    _bars(figure.add_subplot(grid[1, :]), result, styles)
    _legend(figure, styles)
    figure.suptitle(
        f"scenario {result.scenario}, seed {result.seed}, {result.replicates} replicates "
        "(whiskers: 95 % interval; outlined and joined: beaten by no other in both)",
        fontsize=10,
    )
    figure.canvas.draw()  # labels depend on where the rest has been drawn
    figure.set_layout_engine("none")
    for name, axes in panels.items():
        _name_best(axes, result, name)


def _trade_off(axes: "Axes", result: Comparison, objective: str, styles: _Styles) -> None:
    time = result.trade.time
    best = result.non_dominated(objective, time)
    at = [_point(outcome, time, objective) for outcome in best]
    axes.plot(*np.array(sorted(at)).reshape(-1, 2).T, color="#999999", lw=1, zorder=1)
    for outcome in result.feasible:
        style = styles.of(outcome)
        x, y = outcome.shown(time), outcome.shown(objective)
        outlined = any(outcome is other for other in best)
        axes.errorbar(
            x.mean, y.mean, xerr=x.ci95, yerr=y.ci95, fmt="none", ecolor=style["color"], capsize=2
        )
        axes.plot(
            x.mean,
            y.mean,
            **style,
            ls="none",
            ms=9 if outlined else 7,
            mec="black" if outlined else "#777777",
            mew=1.4 if outlined else 0.6,
            zorder=4 if outlined else 3,
        )
    _scale(axes, "x", result, time)
    _scale(axes, "y", result, objective)
    if objective.endswith(_SHARE):  # not more than all
        low, high = axes.get_ylim()
        axes.set_ylim(low, min(high, 100.0 + 0.1 * (100.0 - low)))
    axes.set_xlabel(_axis(time))
    axes.set_ylabel(_axis(objective), fontsize=9)
    axes.grid(alpha=0.25)


def _scale(axes: "Axes", which: Literal["x", "y"], result: Comparison, name: str) -> None:
    """Make an axis logarithmic over wide spans, and never so narrow that noise fills it."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    mean, half = np.array([outcome.shown(name) for outcome in result.feasible]).T
    if not np.isfinite(mean).any():
        return
    low, high = np.nanmin(mean), np.nanmax(mean)
    if not name.endswith(_SHARE) and low > 0 and high > _LOG_SPAN * low:
        axis = axes.xaxis if which == "x" else axes.yaxis
        axes.set(**{f"{which}scale": "log", f"{which}lim": (low / 1.5, high * 1.5)})
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_locator(NullLocator())
        return
    low = max(np.nanmin([*(mean - half), low]), 0.0)
    high = np.nanmax([*(mean + half), high])
    span = max(high - low, _NARROWEST * high, 1e-12)
    middle = (low + high) / 2
    axes.set(**{f"{which}lim": (max(middle - 0.7 * span, -0.04 * span), middle + 0.7 * span)})


def _name_best(axes: "Axes", result: Comparison, objective: str) -> None:
    """Put the names of the best beside their marks, where they cover neither names nor marks."""
    from matplotlib.patheffects import withStroke

    to_pixels, frame = axes.transData.transform, axes.get_window_extent()
    time = result.trade.time
    marks = [to_pixels(_point(outcome, time, objective)) for outcome in result.feasible]
    taken: list[Any] = []
    best = {o.case.name: _point(o, time, objective) for o in result.non_dominated(objective, time)}
    for point, names in _together(best, to_pixels):
        if len(names) > _MOST_NAMES:
            names[_MOST_NAMES - 1 :] = [f"and {len(names) - _MOST_NAMES + 1} more"]
        label = axes.annotate(
            "\n".join(names),
            point,
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
            zorder=5,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )
        height = 5 * (len(names) - 1)
        places = [(dx, dy + math.copysign(height, dy)) for dx, dy in _OFFSETS]
        crowding = []
        for place in places:
            _move(label, place)
            box = label.get_window_extent().padded(1)
            outside = not (frame.x0 <= box.x0 and box.x1 <= frame.x1)
            outside |= not (frame.y0 <= box.y0 and box.y1 <= frame.y1)
            covered = sum(box.overlaps(other) for other in taken)
            covered += sum(bool(box.padded(4).contains(*mark)) for mark in marks)
            crowding.append(covered + 9 * outside)
        _move(label, places[int(np.argmin(crowding))])
        taken.append(label.get_window_extent())


def _together(
    points: dict[str, tuple[float, float]], to_pixels: Any
) -> list[tuple[tuple[float, float], list[str]]]:
    """Points from left to right, each with the names of all that lie on it."""
    groups: list[tuple[tuple[float, float], list[str]]] = []
    for name, point in sorted(points.items(), key=lambda item: item[1]):
        if groups and np.hypot(*(to_pixels(point) - to_pixels(groups[-1][0]))) < _SAME_PX:
            groups[-1][1].append(name)
        else:
            groups.append((point, [name]))
    return groups


def _move(label: Any, offset: tuple[float, float]) -> None:
    label.set_position(offset)
    label.set_horizontalalignment("left" if offset[0] > 0 else "right")


def _bars(axes: "Axes", result: Comparison, styles: _Styles) -> None:
    names, trade = [outcome.case.name for outcome in result.outcomes], result.trade
    for y, outcome in enumerate(result.outcomes):
        if outcome.infeasible:
            axes.annotate(" infeasible", (0, y), va="center", fontsize=9, color="#666666")
            continue
        style = styles.of(outcome)
        values = outcome.values(trade.time)
        p99 = outcome.estimate(trade.tail).mean
        mean = outcome.estimate(trade.time).mean
        axes.barh(y, mean, 0.6, color=style["color"], alpha=0.55)
        axes.plot(values, np.full(len(values), y), **style, ls="none", ms=4, mec="white", mew=0.4)
        axes.plot(p99, y, "|", color="black", ms=11)
        furthest = np.nanmax([*values, p99, 0.0])
        axes.annotate(f"  {text(mean)} s", (furthest, y), va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(
        f"{FIGURES[trade.time].header} (bar; marks: replicates); "
        f"black line: {FIGURES[trade.tail].label}"
    )
    axes.set_xlim(0, 1.12 * (axes.dataLim.x1 if np.isfinite(axes.dataLim.x1) else 1.0))


def _legend(figure: Any, styles: _Styles) -> None:
    from matplotlib.lines import Line2D

    strategies = [
        Line2D([], [], color=colour, marker="s", ls="none", ms=9, label=name)
        for name, colour in styles.colour.items()
    ]
    policies = [
        Line2D([], [], color="#444444", marker=marker, ls="none", mfc="none", ms=8, label=name)
        for name, marker in styles.marker.items()
        if len(styles.marker) > 1
    ]
    figure.legend(
        handles=strategies + policies,
        loc="outside lower center",
        ncols=min(len(strategies) + len(policies), 7),
        frameon=False,
        fontsize=9,
    )


def _axis(name: str) -> str:
    """Label of an axis."""
    return f"{FIGURES[name].header} ({_BETTER[FIGURES[name].better]})"


def _point(outcome: Outcome, time: str, objective: str) -> tuple[float, float]:
    return outcome.shown(time).mean, outcome.shown(objective).mean
