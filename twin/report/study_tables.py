"""Tables of a report on a study: its design, every cell, cases in pairs, what failed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from twin.report.page import Part, Table, capital
from twin.runs.cells import Cell, same
from twin.runs.figures import FIGURES, LATENCIES, PERCENTILES
from twin.runs.rules import LESS, MORE, Floats
from twin.runs.statistics import Estimate, estimate
from twin.study.study_cells import Cells, cell, changes, told
from twin.study.study_data import StudyData

_MOST_RATIOS = 8
"""Cases that stand side by side in a table of ratios."""
_SIDE_BY_SIDE = 3
"""Cases or values of an axis, at most, that are columns of the first table."""
_IN_ROWS, _IN_COLUMNS = 8, 2
"""Figures, at most, of the first table."""
_BETTER = {LESS: "less", MORE: "more"}


def design(cells: Cells, data: StudyData) -> Table:
    """What was varied."""
    rows: list[list[Cell]] = []
    for number, axis in enumerate(cells.axes, 1):
        for field, values in zip(axis.fields, zip(*axis.values, strict=True), strict=True):
            rows.append([f"axis {number}: {field}", ", ".join(told(value) for value in values)])
    for i, kind in enumerate(("strategies", "policies")):
        rows.append([kind, ", ".join(dict.fromkeys(pair[i] for pair in cells.pairs))])
    rows += [
        [
            f"parameters of {name}",
            ", ".join(f"{key} = {told(value)}" for key, value in params.items()),
        ]
        for given in (data.study.strategy_params, data.study.policy_params)
        for name, params in given.items()
    ]
    rows.append(["replicates", ", ".join(map(str, range(cells.replicates)))])
    rows.append(["seed", str(data.base.simulation.seed)])
    return Table(name="design", title="What was varied", header=("what", "values"), rows=rows)


def figures_told(metrics: Sequence[str]) -> Table:
    """What figures are, and where they stand in a data set."""
    return Table(
        name="metrics",
        title="Figures shown",
        header=("figure", "column in points/", "better", "what it is"),
        rows=[
            [f.header, name, _BETTER.get(f.better, ""), f.sentence]
            for name, f in ((name, FIGURES[name]) for name in metrics)
        ],
        note=PERCENTILES if any("_p" in name for name in metrics) else "",
    )


def overview(cells: Cells) -> Table:
    """The main figures: by case where there are several, else along the first axis."""
    if cells.axes and len(cells.labels) == 1:
        axis, first = cells.axes[0], cells.axes[0].label
        columns = [told(value[0]) for value in axis.values]
        found = {name: cells.along(name, 0)[0] for name in cells.metrics}
        over = ", on average over the other axes" if len(cells.axes) > 1 else ""
    else:
        first, columns = "case", cells.labels
        found = {name: cells.overall(name) for name in cells.metrics}
        places = {int(cells.shared(name).sum()) for name in cells.metrics}
        over = f", on average over {', '.join(map(str, sorted(places)))} of {cells.shape[0]} places"
    wide = len(columns) <= _SIDE_BY_SIDE
    chosen = list(found.items())[: _IN_ROWS if wide else _IN_COLUMNS]
    rows: list[list[Cell]] = [
        [FIGURES[name].header, *(cell(name, one) for one in each)] for name, each in chosen
    ]
    header = ["figure", *columns]
    if not wide:
        top, *turned = zip(header, *rows, strict=True)
        header, rows = [first, *top[1:]], [list(row) for row in turned]
    return Table(
        name="overview",
        title="In short",
        header=tuple(header),
        rows=rows,
        note=f"{_mean(cells)}{over if cells.shape[0] > 1 else ''}.",
    )


def _mean(cells: Cells) -> str:
    if cells.replicates == 1:
        return "One run each, so without interval"
    return f"Mean ± 95 % interval over {cells.replicates} replicates"


def by_figure(cells: Cells) -> Iterator[Part]:
    """A table a figure, with a row a place and a column a case; for a terminal."""
    if not cells.axes:
        yield replace(all_cells(cells), title=_mean(cells))
        return
    for name in cells.metrics:
        values = cells.values(name)
        yield Table(
            name=name,
            title=FIGURES[name].header,
            header=(*cells.names.values(), *cells.labels),
            rows=[
                [*map(told, at.values()), *(cell(name, one) for one in values[place])]
                for place, at in enumerate(cells.places)
            ],
        )
    yield f"{_mean(cells)}."


def as_json(cells: Cells) -> list[dict[str, Any]]:
    """Every case at every place as plain data, figures in the units of their names."""
    estimates = {n: cells.column(n).reshape(cells.shape) for n in cells.metrics}
    failed = cells.failed.sum(axis=2)
    return [
        {
            **cells.places[place],
            "strategy": cells.pairs[case][0],
            "policy": cells.pairs[case][1],
            "points": cells.replicates,
            "failed": int(failed[place, case]),
            "metrics": {
                name: None if (found := _known(values[place, case])) is None else found._asdict()
                for name, values in estimates.items()
            },
        }
        for place, case in np.ndindex(cells.shape[:2])
    ]


def all_cells(cells: Cells) -> Table:
    """Every case at every place: mean and interval over the replicates."""
    values = {name: cells.values(name) for name in cells.metrics}
    headers = [FIGURES[name].header for name in cells.metrics]
    return Table(
        name="cells",
        title="All cells",
        header=(*cells.names.values(), "case", "runs", *headers),
        rows=[
            [*_at(cells, place, case), int((~cells.failed[place, case]).sum())]
            + [cell(name, found[place, case]) for name, found in values.items()]
            for place, case in np.ndindex(cells.shape[:2])
        ],
        note="Mean ± 95 % confidence interval (Student's t) over the replicates that did not fail"
        + (" and served a token" if cells.failed.any() else "")
        + "; a single one has no interval.",
    )


def along(cells: Cells, number: int) -> Table | None:
    """Every case at every place on one axis, on average over the others."""
    axis, found = cells.axes[number], {n: cells.along(n, number) for n in cells.metrics}
    found = {name: values for name, values in found.items() if any(map(changes, values))}
    if not found or len(cells.axes) == 1:
        return None
    return Table(
        name=f"along-{axis.names[0].replace('.', '-')}",
        title=f"Along {axis.label}",
        header=(axis.names[0], "case", *(FIGURES[name].header for name in found)),
        rows=[
            [told(value[0]), label, *(cell(name, values[c, k]) for name, values in found.items())]
            for k, value in enumerate(axis.values)
            for c, label in enumerate(cells.labels)
        ],
        note="Means over the other axes, over places where nothing failed along this one. Figures "
        "that stay the same are left out.",
    )


class _Column(NamedTuple):
    """A comparison of every point with the first case's: (P, C, R), and averaged (C, R)."""

    header: str
    metric: str
    values: Floats
    overall: Floats


def against_first(cells: Cells) -> list[Table]:
    """Every case but the first against it: on average over the places, and at every place."""
    columns, equal = _compared(cells)
    if not columns:
        return []
    shared = {column.metric: int(cells.shared(column.metric).sum()) for column in columns}
    averaged = [column for column in columns if shared[column.metric]]
    title = f"Against {cells.labels[0]}, the first case"
    places = ", ".join(sorted({str(shared[column.metric]) for column in averaged}))
    mean = Table(
        name="averaged",
        title=f"{title}, on average over the places",
        header=("case", *(column.header for column in averaged)),
        rows=[
            [label, *(_known(column.overall[case]) for column in averaged)]
            for case, label in enumerate(cells.labels)
            if case
        ],
        note=f"Over {places} of {cells.shape[0]} places: those where every case has the figure in "
        "every replicate (but for cases that never have it). Of ratios, the mean is geometric.",
    )
    both = ~(cells.failed | cells.failed[:, :1])
    alike = (
        f" No case differs in: {', '.join(FIGURES[name].label for name in equal)}." if equal else ""
    )
    paired = Table(
        name="paired",
        title=title,
        header=(*cells.names.values(), "case", "pairs", *(column.header for column in columns)),
        rows=[
            [*_at(cells, place, case), int(both[place, case].sum())]
            + [_known(column.values[place, case]) for column in columns]
            for place, case in np.ndindex(cells.shape[:2])
            if case
        ],
        note="Differences are the case less the first case, ratios the first case's figure by the "
        "case's, each taken between runs of the same replicate, which met the same random numbers; "
        f"mean ± 95 % confidence interval over these pairs.{alike}",
    )
    return [*([mean] if averaged and cells.shape[0] > 1 else []), paired]


def _compared(cells: Cells) -> tuple[list[_Column], list[str]]:
    """Differences with ratios beside them, and the figures in which no case differs."""
    columns, equal = [], []
    for name in cells.metrics if len(cells.labels) > 1 else ():
        found, label, unit = cells.difference(name), FIGURES[name].label, FIGURES[name].gap_unit
        if not np.isfinite(found[:, 1:]).any():
            continue
        greatest = float(np.nanmax(np.abs(cells.values(name))))
        if same(greatest + float(np.nanmax(np.abs(found))), greatest):
            equal.append(name)
            continue
        mean = cells.overall(name)
        header = f"{label}: difference{unit and f', {unit}'}"
        columns.append(_Column(header, name, found, mean - mean[:1]))
        if name in LATENCIES:
            ratio = cells.ratio(name), cells.overall_ratio(name)
            columns.append(_Column(f"{label}: ratio", name, *ratio))
    return columns, equal


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
        rows.append([cells.labels[one], *(_known(found[i]) if i != one else "" for i in live)])
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
    errors = np.array(cells.errors, object).reshape(cells.shape)
    rows: list[list[Cell]] = []
    for place, case in np.argwhere(cells.failed.any(axis=2)).tolist():
        for error in dict.fromkeys(e for e in errors[place, case] if e is not None):
            which = np.flatnonzero(errors[place, case] == error)
            rows.append([*_at(cells, place, case), ", ".join(map(str, which)), error])
    return Table(
        name="failures",
        title="Points that failed",
        header=(*cells.names.values(), "case", "replicates", "error"),
        rows=rows,
    )


def _known(values: Floats) -> Estimate | None:
    found = estimate(values)
    return found if np.isfinite(found.mean) else None


def _at(cells: Cells, place: int, case: int) -> list[Cell]:
    return [*(told(value) for value in cells.places[place].values()), cells.labels[case]]
