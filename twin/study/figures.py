"""Figures as PNG files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.study.compare import Comparison
from twin.study.reproduce import PUBLISHED_S, TREND_STRATEGIES, Reproduction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by colour-blind readers as well.
COLOURS = {
    "rand-place": "#999999",
    "rand-intra": "#E69F00",
    "rand-intra-cg": "#009E73",
    "compact-random": "#CC79A7",
    "space-xnet": "#0072B2",
    "single-satellite": "#56B4E9",
}
AXES = {
    "altitude_km": "altitude (km)",
    "satellites": "satellites (32 a plane)",
    "survival": "link survival probability",
    "tracking_rad_s": "angular rate limit (rad/s)",
}


def reproduction_figure(result: Reproduction, path: Path) -> None:
    """Draw the paper's table beside the published values, and the trends below."""
    figure, plt = _figure(11, 7.5)
    grid = figure.add_gridspec(2, 4, height_ratios=(1.25, 1))
    _bars(figure.add_subplot(grid[0, :]), result)
    for i, (axis, points) in enumerate(result.trends.items()):
        _trend(figure.add_subplot(grid[1, i]), axis, points, legend=i == 0)
    _save(figure, plt, path)


def comparison_figure(result: Comparison, path: Path) -> None:
    """Draw mean latency with intervals, and every replicate as a dot."""
    figure, plt = _figure(8, 1.2 + 0.55 * len(result.runs))
    axes = figure.add_subplot()
    for y, strategy in enumerate(reversed(result.runs)):
        colour = COLOURS.get(strategy, "#444444")
        values = result.values(strategy, "latency_mean_s")
        p99 = result.values(strategy, "latency_p99_s").mean()
        axes.barh(y, values.mean(), 0.6, color=colour, alpha=0.55)
        axes.plot(values, np.full(len(values), y), "o", color=colour, ms=4)
        axes.plot(p99, y, "|", color="black", ms=16)
        axes.annotate(
            f" {values.mean():.3f} s", (max(values.max(), p99), y), va="center", fontsize=9
        )
    axes.set_yticks(range(len(result.runs)), list(reversed(result.runs)))
    axes.set_xlabel("seconds per token (bar: mean, dots: replicates, black line: 99th percentile)")
    axes.set_title(f"scenario {result.scenario}, seed {result.seed}", fontsize=10)
    axes.margins(x=0.12)
    _save(figure, plt, path)


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


def _figure(width: float, height: float) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    return figure, plt


def _save(figure: Any, plt: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    figure.savefig(temporary, format="png", dpi=150)
    temporary.replace(path)
    plt.close(figure)
