"""A study on the page: its figures along each axis, and the runs that a point stands for."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin.errors import InputError
from twin.plugins.loading import load_kept
from twin.runs.figures import FIGURES
from twin.runs.rules import Floats
from twin.runs.statistics import Share
from twin.runs.studies import ENDING
from twin.study import answers
from twin.study.study_cells import Cells, cell, told
from twin.study.study_data import StudyData, read_study_data
from twin.views.rows import PAGE_ROWS, whole

type Answer = dict[str, Any]

NO_AXIS: Final = -1
"""Stands for an axis where a study has none: its cases."""


@lru_cache(maxsize=4)
def _read(folder: Path, stamp: int) -> tuple[StudyData, Cells]:  # noqa: ARG001
    load_kept(folder, "study_id")
    data = read_study_data(folder)
    return data, Cells.of_study(data)


def read(root: Path, name: str) -> tuple[StudyData, Cells]:
    """Read a complete study by its folder's name, which is no path.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    folder = root / name
    fits = name.isprintable() and Path(name).name == name and name.endswith(ENDING)
    try:
        stamp = (folder / "manifest.json").stat().st_mtime_ns if fits else 0
    except (OSError, ValueError):
        stamp = 0
    if not stamp or folder.is_symlink():
        raise InputError(f"{name[:80]}: there is no such complete study here")
    return _read(folder, stamp)


def kept_answer(root: Path, name: str) -> Answer:
    """Read what a command has found, by its file's name, which is no path.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    if not name.isprintable() or Path(name).name != name or (root / name).is_symlink():
        raise InputError(f"{name[:80]}: there is no such answer here")
    return answers.read(root / name)


def drawn(found: Answer) -> Answer:
    """What a command has found, as the page draws it."""
    return {
        "title": f"{found['command']}: {found['scenario']}",
        "question": found.get("question", ""),
        "rule": found.get("rule", ""),
        "plots": found["plots"],
    }


def described(data: StudyData, cells: Cells) -> Answer:
    """What a study asks, its axes, cases and figures."""
    return {
        "title": data.study.name,
        "question": data.study.question,
        "scenario": data.base.name,
        "points": int(cells.failed.size),
        "failed": int(cells.failed.sum()),
        "replicates": cells.replicates,
        "cases": cells.labels,
        "axes": [
            {
                "label": axis.label,
                "numeric": axis.numeric,
                "values": [value[0] if axis.numeric else told(value[0]) for value in axis.values],
            }
            for axis in cells.axes
        ],
        "figures": [
            {
                "name": name,
                "label": FIGURES[name].label,
                "unit": FIGURES[name].unit,
                "share": FIGURES[name].share,
                "sentence": FIGURES[name].sentence,
            }
            for name in cells.metrics
        ],
    }


def along(cells: Cells, asked: Mapping[str, Any]) -> Answer:
    """A figure with its interval at each value of an axis, a line a case.

    Parameters
    ----------
    cells : Cells
    asked : mapping
        ``figure``; ``axis``, its number, `NO_AXIS` where there is none; ``at``, of each axis the
        number of the value that is looked at, None for the mean over all.
    """
    metric = _metric(cells, asked)
    axis, at = _axis(cells, asked), _at(cells, asked)
    values = cells.values(metric)[:1].transpose(1, 0, 2)
    if axis != NO_AXIS:
        values = cells.along(metric, axis, at)
    return {"lines": [[_ends(metric, one) for one in line] for line in values]}


def _ends(metric: str, values: Floats) -> list[float | None]:
    """Mean, and the ends of its interval; None where there is none."""
    found = cell(metric, values)
    if found is None:
        return [None, None, None]
    if not np.isfinite(found.ci95):
        return [found.mean, None, None]
    low, high = found.mean - found.ci95, found.mean + found.ci95
    if isinstance(found, Share):
        low, high = max(low, 0.0), min(high, 100.0)
    return [found.mean, low, high]


def runs(data: StudyData, cells: Cells, asked: Mapping[str, Any]) -> Answer:
    """The points that a mark of a plot stands for, a page of them: each is one run.

    Parameters
    ----------
    data : StudyData
    cells : Cells
    asked : mapping
        As for `along`, with ``value``, the number of the axis' value, ``case`` and ``page``.
    """
    metric, number = _metric(cells, asked), _axis(cells, asked)
    case, value, at = whole(asked, "case"), whole(asked, "value"), _at(cells, asked)
    lengths = [len(axis.values) for axis in cells.axes]
    if case >= len(cells.pairs) or value >= ([*lengths, 1][number]):
        raise InputError("case, value: there is no such point")
    grid = np.arange(cells.failed.size).reshape(*lengths, *cells.shape[1:])
    for axis, place in ({**at, number: value} if number != NO_AXIS else {}).items():
        grid = grid.take([place], axis=axis)
    points = grid[..., case, :].ravel()
    first = PAGE_ROWS * whole(asked, "page")
    values = cells.values(metric).ravel()
    return {
        "matched": len(points),
        "rows": [_point(data, cells, int(p), values[p]) for p in points[first:][:PAGE_ROWS]],
    }


def _point(data: StudyData, cells: Cells, point: int, value: float) -> Answer:
    place, replicate = point // cells.failed[0].size, point % cells.replicates
    folder = data.kept.path
    return {
        "point": point,
        "there": (folder.parent / run_of(folder.name, point)).is_dir(),
        "place": cells.place_name(place),
        "replicate": replicate,
        "value": float(value) if np.isfinite(value) else None,
        "error": cells.errors[point],
    }


def run_of(study: str, point: int) -> str:
    """Name that the run of a study's point has among the runs."""
    return f"{study.removesuffix(ENDING)}-point-{point}"


def _metric(cells: Cells, asked: Mapping[str, Any]) -> str:
    name = asked.get("figure", cells.metrics[0])
    if name not in cells.metrics:
        raise InputError(f"figure: {name!r}: not one of {', '.join(cells.metrics)}")
    return str(name)


def _axis(cells: Cells, asked: Mapping[str, Any]) -> int:
    number = asked.get("axis", 0) if cells.axes else NO_AXIS
    if type(number) is not int or not NO_AXIS <= number < len(cells.axes):
        raise InputError(f"axis: {number!r}: there is no such axis")
    return number


def _at(cells: Cells, asked: Mapping[str, Any]) -> dict[int, int]:
    """Values of axes that are looked at alone, by their numbers; not of the axis of the plot."""
    given = asked.get("at", [])
    if not isinstance(given, list):
        raise InputError("at: must be a list")
    found = {}
    for number, (place, axis) in enumerate(zip(given, cells.axes, strict=False)):
        if place is None or number == asked.get("axis", 0):
            continue
        if type(place) is not int or not 0 <= place < len(axis.values):
            raise InputError(f"at: {place!r}: the axis has no such value")
        found[number] = place
    return found
