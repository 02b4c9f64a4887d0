"""What was found, as data that the templates put into sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from twin.runs.cells import same
from twin.runs.figures import FIGURES, LATENCIES, shown
from twin.runs.rules import LESS, Floats
from twin.runs.statistics import Estimate, estimate, mean_known

_AS_MANY = 5.0
"""Percentage points of what is served, by which a case may fall short and still be compared."""


@dataclass(frozen=True, kw_only=True)
class Placing:
    """A case, its figure, and the share that it serves where that sets it apart."""

    label: str
    value: Estimate
    served: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Which case is best in a figure, and by how much.

    Attributes
    ----------
    name : str
        Of the figure.
    best, rival : Placing
        The rival is the first case, or else the next best; with both the same where all are alike.
    alike : bool
        Whether all cases have the same.
    gap : Estimate
        How much better the best is, replicate by replicate where that is known.
    ratio : Estimate or None
        How many times as long the rival takes.
    aside : tuple of Placing
        Cases that are quicker but serve less.
    """

    name: str
    best: Placing
    rival: Placing
    alike: bool
    gap: Estimate
    ratio: Estimate | None
    aside: tuple[Placing, ...]


def rank(
    name: str,
    labels: Sequence[str],
    values: Floats,
    *,
    ratios: Floats | None = None,
    served: Floats | None = None,
) -> Ranking | None:
    """Rank cases by a figure; None where fewer than two have it.

    Parameters
    ----------
    name : str
    labels : sequence of str
        Of the cases.
    values : (C, R) float64
        Each case's in each replicate, as it is shown; NaN where there is none. Columns in which
        only one case has a value are not paired.
    ratios : (C, C, R) float64, optional
        How many times the figure of the second case the first has.
    served : (C, R) float64, optional
        Share of what is asked that a case serves, %.
    """
    better, means = FIGURES[name].better or LESS, mean_known(values, axis=1)
    live = [int(i) for i in np.flatnonzero(np.isfinite(means))]
    if len(live) < 2:
        return None

    def placing(i: int, share: Floats | None = None) -> Placing:
        of = "requests" if FIGURES[name].of_requests else "tokens"
        told = None if share is None else shown(f"{of}_served_share", share[i])
        return Placing(label=labels[i], value=shown(name, values[i]), served=told)

    order = sorted(live, key=lambda i: better * means[i])
    aside = _serving_less(order, served) if name in LATENCIES and served is not None else []
    order = order[len(aside) :]
    best = min(i for i in order if same(means[i], means[order[0]]))
    others = [i for i in order if not same(means[i], means[best])]
    rival = live[0] if live[0] in others else (others or [best])[0]
    gap = estimate(better * (values[rival] - values[best]))
    if np.isnan(gap.mean):
        gap = Estimate(float(better * (means[rival] - means[best])), float("nan"))
    ratio = None if ratios is None or name not in LATENCIES else estimate(ratios[rival, best])
    return Ranking(
        name=name,
        best=placing(best),
        rival=placing(rival),
        alike=not others,
        gap=gap,
        ratio=ratio,
        aside=tuple(placing(i, served) for i in aside),
    )


def _serving_less(order: Sequence[int], served: Floats) -> list[int]:
    """Cases at the head of an order that serve clearly less than others."""
    shares = mean_known(served, axis=1)
    short = shares < np.nanmax(shares[list(order)]) - _AS_MANY
    return list(takewhile(lambda i: short[i], order))


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a figure goes along an axis.

    Attributes
    ----------
    name : str
        Of the figure.
    label : str
        Of the case; empty where there is one.
    verb : str
    along : bool
        Whether it goes one way from the first place to the last; else they are least and greatest.
    first, last : Estimate
    first_at, last_at : str
        Places on the axis, in words.
    gap : Estimate
        What lies between.
    """

    name: str
    label: str
    verb: str
    along: bool
    first: Estimate
    last: Estimate
    first_at: str
    last_at: str
    gap: Estimate


def course(
    name: str, label: str, values: Floats, places: Sequence[str], order: Sequence[int] | None
) -> Course | None:
    """How a figure goes along an axis; None where it does not change.

    Parameters
    ----------
    name, label : str
    values : (K, R) float64
        At each place in each replicate, as it is shown.
    places : sequence of str
        In words.
    order : sequence of int or None
        Places in the order of an axis of numbers; None for one of names.
    """
    means = mean_known(values, axis=1)
    there = [i for i in order or range(len(values)) if np.isfinite(means[i])]
    ends = means[there]
    if len(there) < 2 or same(float(ends.min()), float(ends.max())):
        return None
    steps = np.diff(ends)
    along = order is not None and bool((steps >= 0).all() or (steps <= 0).all())
    first, last = there[int(np.argmin(ends))], there[int(np.argmax(ends))]
    if along:
        first, last = there[0], there[-1]
    return Course(
        name=name,
        label=label,
        verb=("rises from" if ends[-1] > ends[0] else "falls from") if along else "lies between",
        along=along,
        first=shown(name, values[first]),
        last=shown(name, values[last]),
        first_at=places[first],
        last_at=places[last],
        gap=estimate(values[last] - values[first]),
    )
