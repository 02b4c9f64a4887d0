"""Curves that reports on runs and on studies share, a line a case, and the same in numbers."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from twin.report.drawing import COLOURS, legend_below, lines_of, panels, time_axis
from twin.report.marks import Mark
from twin.report.marks import draw as draw_marks
from twin.report.page import Picture, Table, capital
from twin.runs.cells import Cell
from twin.runs.distribution import Distribution
from twin.runs.figures import FIGURES, PERCENTILES, STEP_FIGURES
from twin.runs.repeats import Case
from twin.runs.rules import Floats
from twin.study.profiles import PointCurves

_BESIDE = 3
"""Panels in a row."""

SHARES = {
    0.0: "fastest",
    **{share: f"{100 * share:g} % took at most" for share in (0.05, 0.25, 0.5, 0.75, 0.95)},
    1.0: "slowest",
}
"""Of tokens, in a table of how long they took."""

type Curved = Case | PointCurves
"""What has a label, a distribution of latency, times by layer, and figures over time."""

type Cumulated = Sequence[tuple[str, Distribution]]
"""How long what was served took, by the labels of cases that served something."""


def caption_of(names: Iterable[str], *more: str) -> str:
    """What figures are, as the table of figures has it, and what else there is to say."""
    known = {**STEP_FIGURES, **FIGURES}
    told = [f"{capital(known[name].label)}: {known[name].sentence}" for name in names]
    return " ".join(filter(None, (*told, *more)))


def cumulated(
    name: str, title: str, found: Mapping[str, Cumulated], about: str, where: str = ""
) -> Picture | None:
    """Times, cumulated: a panel a quantity, a line a case.

    Parameters
    ----------
    name, title : str
    found : mapping of str to list of (label, Distribution)
        By the label of each quantity's axis.
    about : str
        Name of the figure that the caption takes its sentence from.
    where : str
        A sentence to end the caption with.
    """
    found = {axis: lines for axis, lines in found.items() if lines}
    if not found:
        return None
    labels = list(dict.fromkeys(label for lines in found.values() for label, _ in lines))

    def draw(figure: Any) -> None:
        made = panels(figure, len(found), columns=len(found), share_y=True)
        styles = dict(zip(labels, lines_of(len(labels)), strict=True))
        for axes, (axis, lines) in zip(made, found.items(), strict=True):
            for label, one in lines:
                low, high = one.quantile(np.array([0.0, 1.0]))
                margin = max(0.02 * (high - low), 1e-3 * high)
                x = np.append(np.linspace(low - margin, high, 250), high + margin)
                axes.plot(x, 100 * one.share_within(x), **styles[label], label=label)
            axes.set_xlabel(axis)
            axes.locator_params(axis="x", nbins=10 // len(made))  # numbers of several digits
            axes.set_ylim(0, 101)
        made[0].set_ylabel("that took no longer, %")
        legend_below(figure, made[0], least=2)

    return Picture(
        name=name,
        title=title,
        caption=caption_of((about,), where),
        size_in=(7, 3.4 + 0.2 * (len(labels) // 4)),
        draw=draw,
    )


def latency_curves(cases: Iterable[Curved], where: str = "") -> Picture | None:
    """Latency of all tokens served, cumulated."""
    found = [(c.label, one) for c in cases if (one := c.distribution) is not None]
    by_axis = {"latency of a token, s": found}
    title = "Latency of all tokens served"
    return cumulated("latency-cdf", title, by_axis, "latency_mean_s", where)


def percentiles(cases: Sequence[Curved], where: str = "") -> Table:
    """The same in numbers: latency that a share of all tokens served did not exceed."""
    found = [case.distribution for case in cases]
    return Table(
        name="tokens",
        title="Latency over all tokens served, s",
        header=("tokens", *(case.label for case in cases)),
        rows=[
            [words, *(float(one.quantile(share)) if one else None for one in found)]
            for share, words in SHARES.items()
        ],
        note=f"{PERCENTILES} {where}".strip(),
    )


type Layers = list[tuple[str, Floats, Floats]]
"""Mean time of each layer, on the way and computing, s, (L,), by the labels of cases."""


def _layers(cases: Iterable[Curved]) -> Layers:
    """Those of cases that served a token; others have no times."""
    found = [(case.label, *case.by_layer()) for case in cases]
    return [one for one in found if np.isfinite(one[1]).all()]


def layers(cases: Iterable[Curved], where: str = "") -> Picture | None:
    """Mean latency of each layer, in its two parts where there is one case."""
    found = _layers(cases)
    if not found:
        return None
    return Picture(
        name="layers",
        title="Latency by layer",
        caption=caption_of(("propagation_mean_s", "compute_mean_s"), where),
        size_in=(8, 3.3 + 0.2 * (len(found) // 4)),
        draw=partial(_draw_layers, found),
    )


def _draw_layers(found: Layers, figure: Any) -> None:
    axes = figure.add_subplot()
    layer = np.arange(1, len(found[0][1]) + 1)
    if len(found) == 1:
        _, way, work = found[0]
        axes.bar(layer, 1e3 * way, 0.8, color=COLOURS[0], label="on the way")
        hatched = {"color": COLOURS[4], "hatch": "////", "label": "computing"}
        axes.bar(layer, 1e3 * work, 0.8, 1e3 * way, **hatched)
    else:
        for (label, way, work), style in zip(found, lines_of(len(found)), strict=True):
            axes.plot(layer, 1e3 * (way + work), **style, marker="o", ms=3, label=label)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.set(xlabel="layer", ylabel="mean latency, ms")
    legend_below(figure, axes)


def layer_times(cases: Iterable[Curved], where: str = "") -> Table:
    """The same in numbers: time of a mean layer and of the slowest."""
    rows: list[list[Cell]] = []
    for label, way_s, work_s in _layers(cases):
        total_ms = 1e3 * (way_s + work_s)
        slow = int(np.argmax(total_ms))
        share = 100 * float(way_s.sum() / (way_s + work_s).sum())
        rows.append([label, float(total_ms.mean()), slow + 1, float(total_ms[slow]), share])
    return Table(
        name="layers",
        title="Latency of a layer",
        header=("case", "mean, ms", "slowest layer", "of the slowest, ms", "on the way, %"),
        rows=rows,
        note=where,
    )


def over_time(
    name: str,
    title: str,
    cases: Sequence[Curved],
    columns: Sequence[str],
    where: str = "",
    marks: Sequence[Mark] = (),
) -> Picture:
    """Figures of steps over time: all in one panel for one case, else a panel each.

    Parameters
    ----------
    name, title : str
    cases : sequence of Curved
    columns : sequence of str
        Names of the figures.
    where : str
        A sentence to end the caption with.
    marks : sequence of Mark
        Notes of the cases.
    """
    series = {column: [case.over_time(column) for case in cases] for column in columns}
    unit_s, label = time_axis(max(t_s[-1] for lines in series.values() for t_s, _ in lines))
    many = len(cases) > 1

    def draw(figure: Any) -> None:
        number = len(series) if many else 1
        made = panels(figure, number, columns=min(number, _BESIDE))
        styles = lines_of(max(len(cases), len(series)))
        for i, (column, lines) in enumerate(series.items()):
            axes, about = made[i if many else 0], STEP_FIGURES[column]
            for j, (t_s, y) in enumerate(lines):
                named, style = (cases[j].label, styles[j]) if many else (about.label, styles[i])
                axes.plot(t_s / unit_s, about.scale * y, **style, label=named)
            axes.set(**{"title": about.header} if many else {"ylabel": about.unit or "number"})
        for axes in made:
            axes.set_xlabel(label)
            axes.margins(x=0)
            draw_marks(axes, marks, unit_s)
        legend_below(figure, made[0])

    height = 3.4 if not many else 2.9 * -(-len(series) // _BESIDE) + 0.3 * -(-len(cases) // 4)
    return Picture(
        name=name,
        title=title,
        caption=caption_of(columns, where),
        size_in=(8 if not many else 10, height),
        draw=draw,
    )


def ends(cases: Sequence[Curved], columns: Iterable[str], where: str = "") -> Table:
    """Least and greatest value of figures over the time of a run, by their names."""
    rows: list[list[Cell]] = []
    for about in (STEP_FIGURES[name] for name in columns):
        lines = [about.scale * case.all_steps(about.name) for case in cases]
        known = [line[np.isfinite(line)] for line in lines]
        for word, pick in (("least", np.min), ("most", np.max)):
            values = [float(pick(one)) if one.size else None for one in known]
            rows.append([f"{about.header}: {word}", *values])
    return Table(
        name="over-time",
        title="Least and most over the time of a run",
        header=("figure of a step", *(case.label for case in cases)),
        rows=rows,
        note=where,
    )
