"""A report on the reproduction of Space-XNet's own experiment."""

from functools import partial
from typing import Any

import numpy as np

from twin.report.drawing import COLOURS, legend_below, points_of
from twin.report.findings import rank
from twin.report.page import Document, Items, Part, Picture, Section, Table, words
from twin.study.reproduce import (
    PUBLISHED_RANGE_S,
    PUBLISHED_S,
    TREND_STRATEGIES,
    Reproduction,
    ratios,
)
from twin.study.reproduce import Table as Rows
from twin.vocabulary import ALONE

_AXES = {
    "altitude_km": "altitude, km",
    "satellites": "satellites, 32 a plane",
    "survival": "link survival probability",
    "tracking_rad_s": "angular rate limit, rad/s",
}


def reproduction_document(result: Reproduction) -> Document:
    """Report on what `twin reproduce space-xnet` found."""
    paper = {name: result.tables["paper"][name] for name in PUBLISHED_S}
    values_s = np.array([row.values_s for row in paper.values()])
    means_s = {name: row.latency_s.mean for name, row in paper.items()}
    off = {name: 100 * (means_s[name] / s - 1) for name, s in PUBLISHED_S.items()}
    inside = [n for n, (low, high) in PUBLISHED_RANGE_S.items() if low <= means_s[n] <= high]
    tables = [_table(key, rows) for key, rows in result.tables.items()]
    trends = [_trend_table(axis, points) for axis, points in result.trends.items()]
    results: tuple[Part, ...] = (ALONE, *tables[1:], *trends)
    return Document(
        title="Reproduction of Space-XNet (arXiv 2605.00515)",
        subtitle=f"{result.replicates} replicates, seed {result.seed}",
        question="Does the twin find the latencies that the paper publishes?",
        finding=words(
            "reproduce",
            ranking=rank("expected_latency_s", list(paper), values_s),
            off=off,
            inside=inside,
        ),
        lead=(_picture(result), tables[0]),
        sections=(
            Section("Results", results),
            Section("Plots", (_trend_picture(result),)),
            Section("Assumptions", (Items(tuple(result.assumptions)),), folded=True),
        ),
    )


def whole_picture(result: Reproduction) -> Picture:
    """The table above the trends."""

    def draw(figure: Any) -> None:
        above, below = figure.subfigures(2, 1, height_ratios=(1.25, 1))
        _draw_table(result, above)
        _draw_trends(result, below)

    return Picture(name="reproduction", title="", caption="", size_in=(11, 7.5), draw=draw)


def _table(key: str, rows: Rows) -> Table:
    against, published = ratios(rows), key == "paper"
    return Table(
        name=f"table-{key.replace(' ', '-')}",
        title=f"{key}: seconds a token",
        header=("strategy", "this twin", *(["published"] if published else []), "x space-xnet"),
        rows=[
            [
                name,
                row.infeasible or row.latency_s,
                *([PUBLISHED_S.get(name, "")] if published else []),
                against.get(name, ""),
            ]
            for name, row in rows.items()
        ],
        note="Mean ± 95 % interval over the replicates." if published else "",
    )


def _trend_table(axis: str, points: list[tuple[float, Rows]]) -> Table:
    return Table(
        name=f"trend-{axis}",
        title=f"Trend over {_AXES[axis]}: seconds a token",
        header=(_AXES[axis], *TREND_STRATEGIES),
        rows=[[f"{v:g}", *(rows[n].latency_s for n in TREND_STRATEGIES)] for v, rows in points],
    )


def _picture(result: Reproduction) -> Picture:
    return Picture(
        name="table",
        title="Token latency by placement, 1056 satellites",
        caption="Bars: mean, whiskers: 95 % interval over the replicates; paler: a 180° star. "
        "Black: published.",
        size_in=(8, 3.8),
        draw=partial(_draw_table, result),
    )


def _draw_table(result: Reproduction, figure: Any) -> None:
    axes = figure.add_subplot()
    names = [name for name, row in result.tables["paper"].items() if not row.infeasible]
    x = np.arange(len(names))
    for offset, key, label in ((-0.2, "paper", "this twin"), (0.2, "paper-star", "180° star")):
        rows = [result.tables[key][name] for name in names]
        style = {"color": COLOURS[: len(names)], "alpha": 1.0 if key == "paper" else 0.4}
        bars = axes.bar(
            x + offset,
            [row.latency_s.mean for row in rows],
            0.38,
            yerr=[row.latency_s.ci95 for row in rows],
            capsize=3,
            label=label,
            **style,
        )
        axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=1)
    published = [PUBLISHED_S.get(name, np.nan) for name in names]
    axes.hlines(published, x - 0.4, x, colors="black", lw=2, label="published")
    axes.set_xticks(x, names)
    axes.set_ylabel("seconds a token")
    axes.legend()


def _trend_picture(result: Reproduction) -> Picture:
    return Picture(
        name="trends",
        title="Trends",
        caption="Seconds a token over what the paper varies; whiskers: 95 % intervals.",
        size_in=(11, 3.2),
        draw=partial(_draw_trends, result),
    )


def _draw_trends(result: Reproduction, figure: Any) -> None:
    for i, (axis, points) in enumerate(result.trends.items(), 1):
        axes = figure.add_subplot(1, len(result.trends), i)
        for name, style in zip(TREND_STRATEGIES, points_of(len(TREND_STRATEGIES)), strict=True):
            mean, half = np.array([rows[name].latency_s for _, rows in points]).T
            x = [value for value, _ in points]
            axes.errorbar(x, mean, yerr=half, **style, ms=3, capsize=2, label=name)
        axes.set_xlabel(_AXES[axis])
        axes.set_ylim(bottom=0)
        if axis == "tracking_rad_s":
            axes.set_xscale("log")
        if i == 1:
            axes.set_ylabel("seconds a token")
            legend_below(figure, axes)
