"""Sentences of a report on a study: what was found, what was varied, what did not end."""

import itertools
from collections.abc import Iterable

import numpy as np

from twin.report.study_cells import (
    ROUNDING,
    Bools,
    Cells,
    changes,
    constant,
    known_estimate,
)
from twin.report.words import listed
from twin.runs.cells import text
from twin.runs.figures import FIGURES, LATENCIES
from twin.runs.rules import LESS, NEITHER, Floats
from twin.runs.statistics import Estimate, mean_known

_AS_MANY = 5.0
"""Percentage points of what is served, by which a case may fall short and still be compared."""


def findings(cells: Cells) -> list[str]:
    """What the study found: a sentence or a few on each of its figures."""
    told = [
        f"{capital(FIGURES[metric].label)}: {_finding(cells, metric)}" for metric in cells.metrics
    ]
    failed = int(cells.failed.sum())
    if failed:
        told.append(
            f"{failed} of {cells.failed.size} points failed and are left out; see Failed points."
        )
    if cells.shape[2] == 1:
        told.append("Every point ran once, so that nothing here has an interval.")
    return told


def _finding(cells: Cells, metric: str) -> str:
    values = cells.values(metric)
    if not np.isfinite(values).any():
        return "no run has such a figure."
    if constant(values):
        return f"{amount(float(values[np.isfinite(values)][0]), metric)} in every run."
    told, which = _ranking(cells, metric) if len(cells.labels) > 1 else ("", [0])
    if not cells.axes and not told:
        return f"{told_mean(values[0, 0], metric)}."
    said = [courses(cells, metric, [case]) for case in which]
    if len(cells.axes) == 1:
        said = [courses(cells, metric, which)]
    along = next(filter(None, said), "")
    return f"{told} {capital(along)}".rstrip() if told else along


def _ranking(cells: Cells, metric: str) -> tuple[str, list[int]]:
    """How the cases differ, and which of them to describe further."""
    shared, better = cells.shared(metric), FIGURES[metric].better
    live = np.flatnonzero(np.isfinite(cells.values(metric)).any(axis=(0, 2)))
    first = int(live[0])
    if not shared.any():
        return "the cases share no place where all their runs have it; see the tables.", [first]
    overall = cells.overall(metric)
    means = mean_known(overall, axis=1)
    order = [int(i) for i in live[np.argsort(means[live] * (better or LESS), kind="stable")]]
    aside, order = _serving_less(cells, metric, order)
    value = told_mean(overall[order[0]], metric)
    if len(order) == 1:
        return f"{aside}{cells.labels[order[0]]} alone, at {value}{_places(shared)}.", order
    if constant(means[order]):
        return f"{aside}the same with every case, {value}{_places(shared)}.", [first]
    if better == NEITHER:
        ends = [f"{told_mean(overall[i], metric)} with {cells.labels[i]}" for i in order]
        return f"from {ends[0]} to {ends[-1]}{_places(shared)}.", [first]
    tied = [i for i in order if constant(means[[order[0], i]])]
    best = min(tied)
    if first in order and first not in tied:
        told = _winner(cells, metric, tied, first, _named(cells, first))
        return aside + told, [best, first]
    other = next(i for i in order if i not in tied)
    return aside + _winner(cells, metric, tied, other, f"next comes {cells.labels[other]}"), [best]


def _serving_less(cells: Cells, metric: str, order: list[int]) -> tuple[str, list[int]]:
    """A word on cases that are quick but serve little, and the cases that stay in the race."""
    what = "requests" if FIGURES[metric].of_requests else "tokens"
    served = f"{what}_served_share"
    if metric not in LATENCIES or not cells.shared(served).any():
        return "", order
    shares = mean_known(cells.overall(served), axis=1)
    short = shares < np.nanmax(shares[order]) - _AS_MANY
    if not short[order[0]]:
        return "", order
    quick = list(itertools.takewhile(lambda i: short[i], order))
    told = listed(
        [
            f"{told_mean(cells.overall(metric)[i], metric)} with {cells.labels[i]}, which serves "
            f"{told_mean(cells.overall(served)[i], served)} of the {what}"
            for i in quick
        ]
    )
    return (
        f"{told}. Of the cases within {_AS_MANY:g} percentage points of the most {what} served: ",
        [i for i in order if not short[i]],
    )


def _winner(cells: Cells, metric: str, tied: list[int], other: int, rival: str) -> str:
    """How much better the best is than another, which `rival` describes."""
    shared, overall, best = cells.shared(metric), cells.overall(metric), min(tied)
    value, against = (told_mean(overall[i], metric) for i in (best, other))
    which = "lowest" if FIGURES[metric].better == LESS else "highest"
    names = listed([_named(cells, i) for i in sorted(tied)])
    gap = _estimate(FIGURES[metric].better * (overall[other] - overall[best]))
    told = (
        f"{which} with {names} at {value}{_places(shared)}; {rival} with {against}. Replicate by "
        f"replicate, the difference is {quantity(gap, difference_unit(metric))}{doubt(gap)}"
    )
    if metric in LATENCIES:
        ratio = _estimate(cells.overall_ratio(metric, other)[best])
        if np.isfinite(ratio.mean):
            slow, quick = cells.labels[other], cells.labels[best]
            told += f", and {slow} takes {text(ratio)} times as long as {quick}"
    return f"{told}."


def _estimate(values: Floats) -> Estimate:
    return known_estimate(values) or Estimate(np.nan, np.nan)


def _named(cells: Cells, case: int) -> str:
    return cells.labels[case] + (" (the first case)" if case == 0 else "")


def courses(cells: Cells, metric: str, cases: Iterable[int], number: int | None = None) -> str:
    """How a figure goes for some cases along one axis or all, in a sentence; empty if nowhere."""
    numbers = range(len(cells.axes)) if number is None else (number,)
    told = []
    for case in cases:
        along = [_course(cells, metric, n, case) for n in numbers]
        if any(along):
            whose = f"with {cells.labels[case]} it " if len(cells.labels) > 1 else "it "
            told.append(whose + listed(list(filter(None, along))))
    return f"{'; '.join(told)}." if told else ""


def _course(cells: Cells, metric: str, number: int, case: int) -> str:
    """How a figure goes along an axis for a case, to follow "it"; empty if it does not change."""
    axis, found = cells.axes[number], cells.along(metric, number)[case]
    there = [i for i in range(len(found)) if np.isfinite(found[i]).any()]
    if len(there) < 2 or not changes(found):
        return ""
    means = np.array([np.nanmean(found[i]) for i in there])
    if axis.numeric:
        order = np.argsort([axis.values[i][0] for i in there])
        there, means = [there[i] for i in order], means[order]
    steps = np.diff(means)
    if axis.numeric and ((steps >= 0).all() or (steps <= 0).all()):
        start, end = there[0], there[-1]
        verb, to = "rises from" if means[-1] > means[0] else "falls from", "to"
    else:
        start, end = there[int(np.argmin(means))], there[int(np.argmax(means))]
        verb, to = "lies between", "and"
    first, last = (f"{told_mean(found[i], metric)} at {axis.at(i)}" for i in (start, end))
    told = f"{verb} {first} {to} {last}"
    gap = known_estimate(found[end] - found[start])
    return told + (doubt(gap) if gap is not None else "")


def told_mean(values: Floats, metric: str) -> str:
    """Mean and interval over the replicates that have the figure, with its unit."""
    found = known_estimate(values)
    return "–" if found is None else amount(found, metric)  # noqa: RUF001 (a dash for nothing)


def amount(value: Estimate | float, metric: str) -> str:
    """A figure with its unit."""
    unit = FIGURES[metric].unit
    return quantity(value, "%" if unit.startswith("%") else unit)


def quantity(value: Estimate | float, unit: str) -> str:
    """A value with its unit, and with its interval if that is not zero."""
    if isinstance(value, Estimate) and value.ci95 <= ROUNDING * abs(value.mean):
        value = value.mean
    return f"{text(value)}\N{NO-BREAK SPACE}{unit}" if unit else text(value)


def difference_unit(metric: str) -> str:
    """Of what one figure is more than another."""
    unit = FIGURES[metric].unit
    return "percentage points" if unit.startswith("%") else unit


def _places(shared: Bools) -> str:
    """Over what an average is, where there is more than one place."""
    if len(shared) == 1:
        return ""
    count = int(shared.sum())
    which = "all" if count == len(shared) else f"{count} of {len(shared)}"
    return f" on average over {which} places"


def doubt(gap: Estimate) -> str:
    """A warning where a difference is no greater than its interval; none without interval."""
    return " (which may be chance)" if abs(gap.mean) <= gap.ci95 else ""


def capital(sentence: str) -> str:
    """The sentence with its first letter large."""
    return sentence[:1].upper() + sentence[1:]
