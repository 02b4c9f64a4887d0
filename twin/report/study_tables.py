"""Tables of a report on a study: its design, every cell, cases in pairs, what failed."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from twin.report.page import Table
from twin.report.study_cells import ROUNDING, Cells, known_estimate, told
from twin.report.study_words import capital, difference_unit
from twin.runs.cells import Cell
from twin.runs.figures import FIGURES, LATENCIES, PERCENTILES
from twin.runs.rules import LESS, MORE, Floats

_MOST_RATIOS = 8
"""Cases that stand side by side in a table of ratios."""
_BETTER = {LESS: "less", MORE: "more"}


def design(cells: Cells) -> Table:
    """What was varied."""
    rows: list[list[Cell]] = []
    for number, axis in enumerate(cells.axes, 1):
        for field, values in zip(axis.fields, zip(*axis.values, strict=True), strict=True):
            rows.append([f"axis {number}: {field}", _list(told(value) for value in values)])
    rows += [["strategies", _list(cells.strategies)], ["policies", _list(cells.policies)]]
    rows += [
        [f"parameters of {name}", _list(f"{key} = {told(value)}" for key, value in params.items())]
        for given in (cells.data.study.strategy_params, cells.data.study.policy_params)
        for name, params in given.items()
    ]
    rows.append(["replicates", _list(map(str, range(cells.shape[2])))])
    rows.append(["seed", str(cells.data.base.simulation.seed)])
    return Table(name="design", title="What was varied", header=("what", "values"), rows=rows)


def figures_told(cells: Cells) -> Table:
    """What the study's figures are, and where they stand in its data set."""
    rows: list[list[Cell]] = [
        [FIGURES[name].header, name, _BETTER.get(FIGURES[name].better, "")]
        for name in cells.metrics
    ]
    return Table(
        name="metrics",
        title="Figures shown",
        header=("figure", "column in points/", "better"),
        rows=rows,
        note=PERCENTILES if any("_p" in name for name in cells.metrics) else "",
    )


def all_cells(cells: Cells) -> Table:
    """Every case at every place: mean and interval over the replicates."""
    values = [cells.values(name) for name in cells.metrics]
    rows: list[list[Cell]] = [
        [*_at(cells, place, case), int((~cells.failed[place, case]).sum())]
        + [known_estimate(found[place, case]) for found in values]
        for place in range(cells.shape[0])
        for case in range(cells.shape[1])
    ]
    headers = [FIGURES[name].header for name in cells.metrics]
    return Table(
        name="cells",
        title="All cells",
        header=(*_axes(cells), "case", "runs", *headers),
        rows=rows,
        note="Mean ± 95 % confidence interval (Student's t) over the replicates that did not fail"
        + (" and served a token" if cells.failed.any() else "")
        + "; a single one has no interval.",
    )


def paired(cells: Cells) -> Table | None:
    """Every case but the first against the first, replicate by replicate, at every place."""
    columns, same = _compared(cells)
    if not columns:
        return None
    rows: list[list[Cell]] = []
    for place in range(cells.shape[0]):
        for case in range(1, cells.shape[1]):
            both = ~(cells.failed[place, case] | cells.failed[place, 0])
            estimates = [known_estimate(column.values[place, case]) for column in columns]
            rows.append([*_at(cells, place, case), int(both.sum()), *estimates])
    equal = f" No case differs in: {_list(FIGURES[name].label for name in same)}." if same else ""
    return Table(
        name="paired",
        title=f"Against {cells.labels[0]}, the first case",
        header=(*_axes(cells), "case", "pairs", *(column.header for column in columns)),
        rows=rows,
        note="Differences are the case less the first case, ratios the first case's figure by the "
        "case's, each taken between runs of the same replicate, which met the same random numbers; "
        f"mean ± 95 % confidence interval over these pairs.{equal}",
    )


def averaged(cells: Cells) -> Table | None:
    """The same on average over all places that the cases share."""
    columns, _ = _compared(cells)
    counts = {column.metric: int(cells.shared(column.metric).sum()) for column in columns}
    columns = [column for column in columns if counts[column.metric]]
    if cells.shape[0] == 1 or not columns:
        return None
    rows: list[list[Cell]] = []
    for case in range(1, cells.shape[1]):
        found = [known_estimate(column.overall[case]) for column in columns]
        rows.append([cells.labels[case], *found])
    told = _list(sorted({str(counts[column.metric]) for column in columns}))
    return Table(
        name="averaged",
        title=f"Against {cells.labels[0]}, on average over the places",
        header=("case", *(column.header for column in columns)),
        rows=rows,
        note=f"Over {told} of {cells.shape[0]} places: those where every case has the figure in "
        "every replicate (but for cases that never have it). Of ratios, the mean is geometric.",
    )


def ratios(cells: Cells) -> Table | None:
    """Every case against every other in the first of the study's latencies."""
    metric = next((name for name in cells.metrics if name in LATENCIES), None)
    if metric is None or not cells.shared(metric).any():
        return None
    known = np.isfinite(cells.values(metric)).any(axis=(0, 2))
    live = [int(case) for case in np.flatnonzero(known)]
    if not 2 < len(live) <= _MOST_RATIOS:
        return None
    rows: list[list[Cell]] = []
    for one in live:
        found = cells.overall_ratio(metric, one)
        rows.append(
            [cells.labels[one], *(known_estimate(found[i]) if i != one else "" for i in live)]
        )
    several = "" if cells.shape[0] == 1 else " (geometric mean over the places all share)"
    return Table(
        name="ratios",
        title=f"{capital(FIGURES[metric].label)}: the row's by the column's",
        header=("", *(cells.labels[case] for case in live)),
        rows=rows,
        note="How many times as long it takes with the case on the left as with the one "
        f"above, replicate by replicate{several}; mean ± 95 % confidence interval.",
    )


def failures(cells: Cells) -> Table:
    """Cells of which points failed, and why."""
    errors = np.array(cells.data.points["error"].to_pylist(), object).reshape(cells.shape)
    rows: list[list[Cell]] = []
    for place, case in np.argwhere(cells.failed.any(axis=2)).tolist():
        found = dict.fromkeys(errors[place, case][cells.failed[place, case]])
        for error in found:
            which = np.flatnonzero(cells.failed[place, case] & (errors[place, case] == error))
            rows.append([*_at(cells, place, case), _list(map(str, which)), error or "unknown"])
    return Table(
        name="failures",
        title="Points that failed",
        header=(*_axes(cells), "case", "replicates", "error"),
        rows=rows,
    )


def versions(cells: Cells) -> Table:
    """Of the software, and when the study was made."""
    manifest = cells.data.kept.manifest
    rows: list[list[Cell]] = [
        ["written, UTC", manifest["written_utc"]],
        ["sessions", manifest["sessions"]],
        *([name, version] for name, version in manifest["versions"].items()),
    ]
    return Table(
        name="versions", title="Versions", header=("", cells.data.kept.path.name), rows=rows
    )


class _Column(NamedTuple):
    """A comparison of every point with the first case's: (P, C, R), and averaged (C, R)."""

    header: str
    metric: str
    values: Floats
    overall: Floats


def _compared(cells: Cells) -> tuple[list[_Column], list[str]]:
    """Differences with ratios beside them, and the figures in which no case differs."""
    columns, same = [], []
    for name in cells.metrics if len(cells.labels) > 1 else ():
        found, label = cells.difference(name), FIGURES[name].label
        if not np.isfinite(found[:, 1:]).any():
            continue
        if np.nanmax(np.abs(found)) <= ROUNDING * np.nanmax(np.abs(cells.values(name))):
            same.append(name)
            continue
        unit = difference_unit(name)
        header = f"{label}: difference{unit and f', {unit}'}"
        mean = cells.overall(name)
        columns.append(_Column(header, name, found, mean - mean[:1]))
        if name in LATENCIES:
            ratio = cells.ratio(name), cells.overall_ratio(name)
            columns.append(_Column(f"{label}: ratio", name, *ratio))
    return columns, same


def _axes(cells: Cells) -> tuple[str, ...]:
    return tuple(cells.names.values())


def _at(cells: Cells, place: int, case: int) -> list[Cell]:
    return [*(told(value) for value in cells.places[place].values()), cells.labels[case]]


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)
