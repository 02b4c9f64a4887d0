"""Plots as PNG files."""

import io
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.runs import outputs
from twin.study.reproduce import PUBLISHED_S, TREND_STRATEGIES, Reproduction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OKABE_ITO = (
    "#D55E00",
    "#F0E442",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#0072B2",
    "#56B4E9",
)
"""Colour-blind readers can distinguish them. Black is left out: it is for outlines."""

COLOURS = {
    "rand-place": "#999999",
    "rand-intra": "#E69F00",
    "rand-intra-cg": "#009E73",
    "compact-random": "#CC79A7",
    "space-xnet": "#0072B2",
    "single-satellite": "#56B4E9",
    "joint": "#D55E00",
    "packed": "#882255",
    "energy-aware": "#117733",
    "tiled": "#332288",
}
"""The same in every plot."""

AXES = {
    "altitude_km": "altitude (km)",
    "satellites": "satellites (32 a plane)",
    "survival": "link survival probability",
    "tracking_rad_s": "angular rate limit (rad/s)",
}


def reproduction_plot(result: Reproduction, path: Path) -> None:
    """Draw the paper's table beside the published values, and the trends below."""
    figure, plt = blank_plot(11, 7.5)
    grid = figure.add_gridspec(2, 4, height_ratios=(1.25, 1))
    _bars(figure.add_subplot(grid[0, :]), result)
    for i, (axis, points) in enumerate(result.trends.items()):
        _trend(figure.add_subplot(grid[1, i]), axis, points, legend=i == 0)
    save_plot(figure, plt, path)


def strategy_colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each strategy: its own, or else the next free one.

    After the whole palette come its darker shades.
    """
    own = {name: COLOURS[name] for name in names if name in COLOURS}
    free = (shade for depth in count() for shade in _shaded(depth) if shade not in COLOURS.values())
    return {name: own[name] if name in own else next(free) for name in names}


def _shaded(depth: int) -> list[str]:
    """Okabe and Ito's colours, each `depth` times 35 % darker."""
    parts = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in OKABE_ITO]
    return ["#" + "".join(f"{round(p * 0.65**depth):02X}" for p in rgb) for rgb in parts]


def _bars(axes: "Axes", result: Reproduction) -> None:
    table = {n: r for n, r in result.tables["paper"].items() if not r.infeasible}
    names = list(table)
    x = np.arange(len(names))
    for offset, key, label in ((-0.2, "paper", "this twin"), (0.2, "paper-star", "180° star")):
        rows = result.tables[key]
        axes.bar(
            x + offset,
            [rows[n].mean_s for n in names],
            0.38,
            yerr=[rows[n].ci95_s for n in names],
            color=[COLOURS[n] for n in names],
            alpha=1.0 if key == "paper" else 0.4,
            capsize=3,
            label=label,
        )
        for i, name in enumerate(names):
            axes.annotate(
                f"{rows[name].mean_s:.2f}",
                (i + offset, 0),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color="white" if key == "paper" else "black",
                weight="bold",
            )
    published = [PUBLISHED_S.get(n, np.nan) for n in names]
    axes.hlines(published, x - 0.4, x, colors="black", lw=2, label="published (arXiv 2605.00515)")
    axes.set_xticks(x, names)
    axes.set_ylabel("seconds per token")
    axes.set_title(
        f"Token latency by placement, 1056 satellites, {result.replicates} replicates "
        "(bars: mean, whiskers: 95 % interval)",
        fontsize=10,
    )
    axes.legend(frameon=False)


def _trend(axes: "Axes", axis: str, points: list[tuple[float, Any]], *, legend: bool) -> None:
    x = [value for value, _ in points]
    for name in TREND_STRATEGIES:
        rows = [table[name] for _, table in points]
        axes.errorbar(
            x,
            [r.mean_s for r in rows],
            yerr=[r.ci95_s for r in rows],
            color=COLOURS[name],
            marker="o",
            ms=3,
            capsize=2,
            label=name,
        )
    axes.set_xlabel(AXES[axis])
    axes.set_ylim(bottom=0)
    if axis == "tracking_rad_s":
        axes.set_xscale("log")
    if legend:
        axes.set_ylabel("seconds per token")
        axes.legend(frameon=False, fontsize=7, loc="center", bbox_to_anchor=(0.5, 0.34))


def blank_plot(width: float, height: float) -> tuple[Any, Any]:
    """An empty plot of a size in inches, and pyplot, without a screen."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    return figure, plt


def save_plot(figure: Any, plt: Any, path: Path) -> None:
    """Write a plot as PNG and close it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150)
    plt.close(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs.write(path, drawn.getvalue())
