"""What a study keeps of its points' curves, at one place on its axes: a line a case."""

from typing import Any

import numpy as np

from twin.report import curves
from twin.report.page import Picture, Table
from twin.runs.rules import Floats
from twin.study.profiles import STEP_PROFILES, PointCurves
from twin.study.study_cells import Cells
from twin.study.study_data import StudyData

_SOMETHING = 0.01
"""A share that changes by less over a run is not worth a plot."""


def study_curves(data: StudyData, cells: Cells) -> tuple[list[Picture], list[Table]]:
    """What curves at the place that the base scenario has show, and what they say in numbers."""
    if cells.failed.all():
        return [], []
    place, why = _place(data, cells)
    name, ended = cells.place_name(place), ~cells.failed[place].all(axis=1)
    where = f"Shown is {name}, {why}." if name else ""
    cases = [cell for cell, some in zip(cells_at(data, cells, place), ended, strict=True) if some]
    served = [case for case in cases if case.distribution is not None]
    columns = [n.removeprefix("profile_") for n in STEP_PROFILES]
    columns = [n for n in columns if _changes(np.concatenate([c.all_steps(n) for c in cases]))]
    pictures = [curves.latency_curves(served, where), curves.layers(cases, where)]
    tables = [curves.percentiles(served, where), curves.layer_times(cases, where)]
    if columns:
        title = "Over the time of a run"
        pictures.append(curves.over_time("over-time", title, cases, columns, where))
        tables.append(curves.ends(cases, columns, where))
    return [one for one in pictures if one is not None], [one for one in tables if one.rows]


def cells_at(data: StudyData, cells: Cells, place: int) -> list[PointCurves]:
    """Curves of every case at a place."""
    _, cases, replicates = cells.shape
    first = place * cases * replicates
    return [
        PointCurves(label, data.points.slice(first + case * replicates, replicates))
        for case, label in enumerate(cells.labels)
    ]


def _place(data: StudyData, cells: Cells) -> tuple[int, str]:
    """The place whose curves are shown, and why: the scenario's own if it is one and ended."""
    study, ended = data.study, (~cells.failed.all(axis=2)).sum(axis=1)
    base = data.base.model_dump(mode="json")
    base |= {"strategy_params": study.strategy_params, "policy_params": study.policy_params}
    for place, settings in enumerate(cells.places):
        own = all(_look_up(base, field) == value for field, value in settings.items())
        if own and ended[place]:
            return place, "the scenario's own place on the axes"
    first = int(np.argmax(ended))
    return first, "the first place on the axes" + (" where most cases ended" if first else "")


def _changes(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size and np.ptp(known) > _SOMETHING)


def _look_up(data: Any, field: str) -> Any:
    for key in field.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data
