"""Sentences of a report on a study: what was found, what was varied, what did not end."""

import numpy as np

from twin.metrics import Estimate, estimate
from twin.study.report_data import Floats
from twin.study.report_metrics import LATENCIES, LESS, METRICS, MORE, NEITHER
from twin.study.report_page import text
from twin.study.report_study_data import ROUNDING, Bools, Cells, constant, known_estimate


def findings(cells: Cells) -> list[str]:
    """What the study found: a sentence or a few on each of its figures."""
    told = [
        f"{capital(METRICS[metric].label)}: {_finding(cells, metric)}" for metric in cells.metrics
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
    case, ranking = _ranking(cells, metric)
    courses = [course(cells, metric, number, case) for number in range(len(cells.axes))]
    along = "; ".join(filter(None, courses))
    whose = f"With {cells.labels[case]}, it" if ranking else "it"
    return " ".join(filter(None, (ranking, along and f"{whose} {along}.")))


def _ranking(cells: Cells, metric: str) -> tuple[int, str]:
    """The case to tell more of, and how the cases differ."""
    shared, better = cells.shared(metric), METRICS[metric].better
    if len(cells.labels) == 1:
        return 0, "" if cells.axes else f"{told_mean(cells.values(metric)[0, 0], metric)}."
    if not shared.any():
        return 0, "no place on the axes has it for all cases."
    overall = cells.overall(metric)
    live = np.flatnonzero(np.isfinite(overall).all(axis=1))
    order = [int(i) for i in live[np.argsort(overall[live].mean(axis=1), kind="stable")]]
    order = order[::-1] if better == MORE else order
    first, best = int(live[0]), order[0]
    if constant(overall[live].mean(axis=1)):
        value = told_mean(overall[first], metric)
        return first, f"the same with every case, {value}{_places(shared)}."
    if better == NEITHER:
        ends = [f"{told_mean(overall[i], metric)} with {cells.labels[i]}" for i in order]
        return first, f"from {ends[0]} to {ends[-1]}{_places(shared)}."
    return best, _winner(cells, metric, best, order[1] if best == first else first)


def _winner(cells: Cells, metric: str, best: int, other: int) -> str:
    """How much better the best case is than the first, or the first than the next."""
    shared, overall = cells.shared(metric), cells.overall(metric)
    name, rival = cells.labels[best], cells.labels[other]
    value, against = (told_mean(overall[i], metric) for i in (best, other))
    which = "lowest" if METRICS[metric].better == LESS else "highest"
    if best < other:
        told = f"{which} with {name}, the first case, at {value}{_places(shared)}; next comes"
        told += f" {rival} with {against}."
    else:
        told = f"{which} with {name} at {value}{_places(shared)}; {rival}, the first case, has"
        told += f" {against}."
    gap = estimate(METRICS[metric].better * (overall[other] - overall[best]))
    told += f" Replicate by replicate, the difference is {text(gap)} {difference_unit(metric)}"
    if metric in LATENCIES and 0 in (best, other):
        ratio = estimate(cells.ratio(metric)[shared].mean(axis=0)[max(best, other)])
        first, second = (name, rival) if best < other else (rival, name)
        if np.isfinite(ratio.mean):
            told += f", and {first} takes {text(ratio)} times as long as {second}"
    return f"{told.rstrip()}{_doubt(gap)}."


def course(cells: Cells, metric: str, number: int, case: int) -> str:
    """How a figure goes along an axis for a case, to follow "it"; empty if it does not change."""
    axis, found = cells.axes[number], cells.along(metric, number)[case]
    there = [i for i in range(len(found)) if np.isfinite(found[i]).any()]
    if len(there) < 2 or constant(found):
        return ""
    means = np.array([np.nanmean(found[i]) for i in there])
    low, high = there[int(np.argmin(means))], there[int(np.argmax(means))]
    least, most = (f"{told_mean(found[i], metric)} at {axis.at(i)}" for i in (low, high))
    steps = np.diff(means[np.argsort([axis.values[i][0] for i in there])]) if axis.numeric else None
    if steps is not None and (steps >= 0).all():
        said = f"rises from {least} to {most}"
    elif steps is not None and (steps <= 0).all():
        said = f"falls from {most} to {least}"
    else:
        said = f"is lowest, {least}, and highest, {most}"
    gap = known_estimate(found[high] - found[low])
    return said + (_doubt(gap) if gap is not None else "")


def told_mean(values: Floats, metric: str) -> str:
    """Mean and interval over the replicates that have the figure, with its unit."""
    found = known_estimate(values)
    return "–" if found is None else amount(found, metric)  # noqa: RUF001 (a dash for nothing)


def amount(value: Estimate | float, metric: str) -> str:
    """A figure with its unit, and its interval if it has one that is not nothing."""
    if isinstance(value, Estimate) and value.ci95 <= ROUNDING * abs(value.mean):
        value = value.mean
    unit = METRICS[metric].unit
    return f"{text(value)}\N{NO-BREAK SPACE}{unit}" if unit else text(value)


def difference_unit(metric: str) -> str:
    """Of what one figure is more than another."""
    unit = METRICS[metric].unit
    return "percentage points" if unit.startswith("%") else unit


def _places(shared: Bools) -> str:
    """Over what an average is, where there is more than one place."""
    if len(shared) == 1:
        return ""
    count = int(shared.sum())
    which = "all" if count == len(shared) else f"{count} of {len(shared)}"
    return f" on average over {which} places"


def _doubt(gap: Estimate) -> str:
    """A warning where a difference is no greater than its interval."""
    return ", no more than chance may do" if abs(gap.mean) <= gap.ci95 else ""


def capital(sentence: str) -> str:
    """The sentence with its first letter large."""
    return sentence[:1].upper() + sentence[1:]
