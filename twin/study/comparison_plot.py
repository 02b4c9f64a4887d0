"""A comparison as a plot: latency against each other objective, and latency run by run."""

import math
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twin.study.compare import OBJECTIVES, Comparison, Outcome
from twin.study.plots import blank_plot, save_plot, strategy_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vP*X<>"
"""Markers of the policies, in their order."""

LABELS = {
    "throughput_per_s": "throughput of the busiest satellite (tokens/s)",
    "energy_per_token_j": "energy drawn by the fleet (J/token)",
    "served": "tokens served (share of those asked)",
}
BETTER = {1: "less is better", -1: "more is better"}
_LOG_SPAN = 5.0
"""Values that span a larger factor get a logarithmic axis."""

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
    """Draw latency against throughput, energy and availability, and every run's mean latency.

    Cases that no other beats in both are outlined, joined and named.
    """
    rows = len(result.outcomes)
    bars_in = 1.0 + 0.3 * rows
    figure, plt = blank_plot(13, 5.2 + bars_in)
    grid = figure.add_gridspec(2, 3, height_ratios=(4.6, bars_in))
    styles = _Styles(result)
    panels = {name: figure.add_subplot(grid[0, i]) for i, name in enumerate(OBJECTIVES)}
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
    save_plot(figure, plt, path)


def _trade_off(axes: "Axes", result: Comparison, objective: str, styles: _Styles) -> None:
    best = result.non_dominated(objective)
    at = [_point(outcome, objective) for outcome in best]
    axes.plot(*np.array(sorted(at)).reshape(-1, 2).T, color="#999999", lw=1, zorder=1)
    for outcome in result.feasible:
        style = styles.of(outcome)
        x, y = outcome.estimate("latency_mean_s"), outcome.estimate(objective)
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
    _scale(axes, "x", result, "latency_mean_s")
    _scale(axes, "y", result, objective)
    if objective == "served":  # not more than all
        low, high = axes.get_ylim()
        axes.set_ylim(low, min(high, 1.0 + 0.1 * (1.0 - low)))
    axes.set_xlabel("seconds per token (less is better)")
    axes.set_ylabel(f"{LABELS[objective]}, {BETTER[OBJECTIVES[objective]]}", fontsize=9)
    axes.grid(alpha=0.25)


def _scale(axes: "Axes", which: Literal["x", "y"], result: Comparison, name: str) -> None:
    """Make an axis logarithmic over wide spans, and never so narrow that noise fills it."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    mean, half = np.array([outcome.estimate(name) for outcome in result.feasible]).T
    if not np.isfinite(mean).any():
        return
    low, high = np.nanmin(mean), np.nanmax(mean)
    if name != "served" and low > 0 and high > _LOG_SPAN * low:
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
    marks = [to_pixels(_point(outcome, objective)) for outcome in result.feasible]
    taken: list[Any] = []
    for point, names in _together(result.non_dominated(objective), objective, to_pixels):
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
    outcomes: list[Outcome], objective: str, to_pixels: Any
) -> list[tuple[tuple[float, float], list[str]]]:
    """Points from left to right, each with the names of all that lie on it."""
    groups: list[tuple[tuple[float, float], list[str]]] = []
    for outcome in sorted(outcomes, key=lambda o: _point(o, objective)):
        point = _point(outcome, objective)
        if groups and np.hypot(*(to_pixels(point) - to_pixels(groups[-1][0]))) < _SAME_PX:
            groups[-1][1].append(outcome.case.name)
        else:
            groups.append((point, [outcome.case.name]))
    return groups


def _move(label: Any, offset: tuple[float, float]) -> None:
    label.set_position(offset)
    label.set_horizontalalignment("left" if offset[0] > 0 else "right")


def _bars(axes: "Axes", result: Comparison, styles: _Styles) -> None:
    names = [outcome.case.name for outcome in result.outcomes]
    for y, outcome in enumerate(result.outcomes):
        if outcome.infeasible:
            axes.annotate(" infeasible", (0, y), va="center", fontsize=9, color="#666666")
            continue
        style = styles.of(outcome)
        values = outcome.values("latency_mean_s")
        p99 = outcome.estimate("latency_p99_s").mean
        axes.barh(y, values.mean(), 0.6, color=style["color"], alpha=0.55)
        axes.plot(values, np.full(len(values), y), **style, ls="none", ms=4, mec="white", mew=0.4)
        axes.plot(p99, y, "|", color="black", ms=11)
        furthest = np.nanmax([*values, p99, 0.0])
        axes.annotate(f"  {values.mean():.3f} s", (furthest, y), va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("seconds per token (bar: mean, marks: replicates, black line: 99th percentile)")
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


def _point(outcome: Outcome, objective: str) -> tuple[float, float]:
    return outcome.estimate("latency_mean_s").mean, outcome.estimate(objective).mean
