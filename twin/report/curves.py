"""Curves that reports on runs and on studies share, a line a case; and bits of captions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.report.drawing import COLOURS, grid, legend_below, lines_of, panels, time_axis
from twin.report.page import Picture
from twin.report.words import listed
from twin.runs.cells import text
from twin.runs.distribution import Distribution
from twin.runs.rules import Floats

_BESIDE = 3
"""Panels in a row."""


def distribution(found: Sequence[tuple[str, Distribution]], where: str = "") -> Picture | None:
    """Latency of all tokens served, cumulated.

    Parameters
    ----------
    found : sequence of (label, Distribution)
        Of each case that served tokens.
    where : str
        A sentence to end the caption with.
    """
    if not found:
        return None

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for (label, cumulated), style in zip(found, lines_of(len(found)), strict=True):
            low, high = cumulated.quantile(np.array([0.0, 1.0]))
            margin = max(0.02 * (high - low), 1e-3 * high)
            x = np.append(np.linspace(low - margin, high, 250), high + margin)
            axes.plot(x, 100 * cumulated.share_within(x), **style, label=label)
        axes.set_xlabel("latency of a token, s")
        axes.set_ylabel("tokens that took no longer, %")
        axes.set_ylim(0, 101)
        grid(axes)
        if len(found) > 1:
            legend_below(figure, axes, most=4)

    told = {}
    for label, cumulated in found:
        half, most, slowest = (text(float(cumulated.quantile(share))) for share in (0.5, 0.95, 1))
        told[label] = (
            f"half of the tokens took at most {half} s, 95 % at most {most} s, the slowest "
            f"{slowest} s."
        )
    return Picture(
        name="latency-cdf",
        title="Latency of all tokens served",
        caption=in_a_row([*by_label(told), where]),
        size_in=(8, 3.6 + 0.2 * (len(found) // 4)),
        draw=draw,
    )


def layers(found: Sequence[tuple[str, Floats, Floats]], where: str = "") -> Picture | None:
    """Mean latency of each layer.

    Parameters
    ----------
    found : sequence of (label, way_s, compute_s)
        Of each case, (L,) each; a case that served no token has NaN and is left out.
    where : str
        A sentence to end the caption with.
    """
    found = [one for one in found if np.isfinite(one[1]).all()]
    if not found:
        return None

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        if len(found) == 1:
            _, way, work = found[0]
            layer = np.arange(1, len(way) + 1)
            axes.bar(layer, 1e3 * way, 0.8, color=COLOURS[0], label="propagation")
            axes.bar(
                layer, 1e3 * work, 0.8, 1e3 * way, color=COLOURS[4], hatch="////", label="compute"
            )
        for (label, way, work), style in zip(found, lines_of(len(found)), strict=True):
            if len(found) > 1:
                layer = np.arange(1, len(way) + 1)
                axes.plot(layer, 1e3 * (way + work), **style, marker="o", ms=3, label=label)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.01)
        axes.set_xlabel("layer")
        axes.set_ylabel("mean latency, ms")
        grid(axes)
        legend_below(figure, axes, most=4)

    told = {}
    for label, way, work in found:
        total = way + work
        slow = int(np.argmax(total))
        told[label] = (
            f"the way between satellites is {percent(way.sum() / total.sum())} of the time; the "
            f"slowest layer, {slow + 1}, takes {text(float(1e3 * total[slow]))} ms, "
            f"the mean layer {text(float(1e3 * total.mean()))} ms."
        )
    return Picture(
        name="layers",
        title="Latency by layer" + (", propagation and compute" if len(found) == 1 else ""),
        caption=in_a_row([*by_label(told), where]),
        size_in=(8, 3.3 + 0.2 * (len(found) // 4)),
        draw=draw,
    )


def over_time(
    name: str,
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[tuple[Floats, Floats]]],
    unit: str,
    caption: str,
) -> Picture:
    """Quantities over time: all in one panel for one case, else a panel each.

    Parameters
    ----------
    name, title, unit, caption : str
    labels : sequence of str
        Of the cases.
    series : mapping
        Seconds and values of each case, by the name of the quantity.
    """
    unit_s, label = time_axis(max(t_s[-1] for lines in series.values() for t_s, _ in lines))
    many = len(labels) > 1

    def draw(figure: Any) -> None:
        number = len(series) if many else 1
        made = panels(figure, number, columns=min(number, _BESIDE))
        styles = lines_of(max(len(labels), len(series)))
        for i, (quantity, lines) in enumerate(series.items()):
            axes = made[i if many else 0]
            for j, (t_s, y) in enumerate(lines):
                named = labels[j] if many else quantity
                axes.plot(t_s / unit_s, y, **styles[j if many else i], label=named)
            if many:
                axes.set_title(quantity, loc="left")
        for axes in made:
            axes.set_xlabel(label)
            axes.margins(x=0)
            grid(axes)
        made[0].set_ylabel(unit)
        legend_below(figure, made[0], most=4)

    height = 3.4 if not many else 2.9 * -(-len(series) // _BESIDE) + 0.3 * -(-len(labels) // 4)
    return Picture(
        name=name,
        title=title,
        caption=caption,
        size_in=(8 if not many else 10, height),
        draw=draw,
    )


def told_of(label: str, cases: int) -> str:
    """How a sentence on a case begins: with its label where there are several."""
    return f"{label}: " if cases > 1 else ""


def by_label(told: Mapping[str, str]) -> list[str]:
    """Sentences after the labels of the cases they hold for; bare where there is one case."""
    labels: dict[str, list[str]] = {}
    for label, sentence in told.items():
        labels.setdefault(sentence, []).append(label)
    if len(told) == 1:
        return list(labels)
    return [f"{listed(names)}: {sentence}" for sentence, names in labels.items()]


def in_a_row(told: Sequence[str]) -> str:
    """Sentences one after the other."""
    joined = " ".join(filter(None, told))
    return joined[:1].upper() + joined[1:] if ": " not in told[0] else joined


def percent(share: float) -> str:
    """A share for a sentence."""
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"
