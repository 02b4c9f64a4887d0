"""Plots of points that commands found, as a picture of a report: what the page draws too."""

from collections.abc import Sequence
from typing import Any

from twin.report.drawing import COLOURS, MARKERS, legend_below, panels
from twin.report.page import Picture
from twin.study.answers import Plot, Series

_BESIDE = 3
"""Panels in a row."""


def scatter(
    name: str, title: str, caption: str, plots: Sequence[Plot], *, logarithmic: bool = False
) -> Picture:
    """Draw plots side by side; hollow marks where they say so."""

    def draw(figure: Any) -> None:
        made = panels(figure, len(plots), columns=min(len(plots), _BESIDE))
        named: set[str] = set()
        for axes, plot in zip(made, plots, strict=True):
            for series in plot.series:
                _draw(axes, series)
                if series.label not in named:  # the legend is of the first panel
                    made[0].plot([], [], **_style(series), label=series.label)
                    named.add(series.label)
            axes.set(xlabel=plot.x, ylabel=plot.y, title=plot.title)
            if logarithmic:
                _scale(axes)
        if named:
            legend_below(figure, made[0])

    rows, labels = -(-len(plots) // _BESIDE), {s.label for plot in plots for s in plot.series}
    size_in = 4.0 * min(max(len(plots), 2), _BESIDE), 3.8 * rows + 0.2 * -(-len(labels) // 4)
    return Picture(name=name, title=title, caption=caption, size_in=size_in, draw=draw)


def _style(series: Series) -> dict[str, Any]:
    colour, mark = COLOURS[series.hue % len(COLOURS)], MARKERS[series.shape % len(MARKERS)]
    return {"color": colour, "marker": mark, "ls": "-" if series.joined else "none", "ms": 5}


def _draw(axes: Any, series: Series) -> None:
    style = _style(series)
    axes.plot(
        [p[0] for p in series.points], [p[1] for p in series.points], **style | {"marker": ""}
    )
    for x, y, low, high, solid in series.points:
        ends = None if low is None or high is None else [[y - low], [high - y]]
        hollow = {} if solid else {"mfc": "none"}
        axes.errorbar(x, y, ends, **style, **hollow, elinewidth=0.8, capsize=2)


def _scale(axes: Any) -> None:
    """Logarithmic axes, with nothing at the foot of the vertical one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set_ylim(-0.2, max(2.0, 2.0 * axes.dataLim.y1))
    wide = axes.dataLim.x1 > 1e3 * axes.dataLim.x0
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
