"""Plots of a report on a study at one place: latency, layers and time, a line a case."""

import numpy as np

from twin.report.curves import by_label, distribution, in_a_row, layers, over_time
from twin.report.page import Picture
from twin.report.study_cells import Cells
from twin.runs.cells import text
from twin.runs.figures import STEP_FIGURES
from twin.runs.rules import Floats
from twin.runs.statistics import mean_known
from twin.study.profiles import STEP_PROFILES

_QUANTITIES = {name: STEP_FIGURES[name.removeprefix("profile_")].label for name in STEP_PROFILES}

_SOMETHING = 0.01
"""A share that changes by less over a run is not worth a figure."""


def curve_pictures(cells: Cells) -> list[Picture]:
    """What the curves kept of every point show, at the place that the base scenario has."""
    if cells.failed.all():
        return []
    place, why = cells.shown_place()
    where = ""
    if cells.shape[0] > 1:
        where = f"Shown is {cells.place_name(place)}, {why}."
    cases = range(cells.shape[1])
    served = [(cells.labels[case], cells.latency(place, case)) for case in cases]
    by_layer = [
        (
            cells.labels[case],
            mean_known(cells.profile("profile_layer_way_s", place, case), axis=0),
            mean_known(cells.profile("profile_layer_compute_s", place, case), axis=0),
        )
        for case in cases
    ]
    found = [
        distribution([(label, one) for label, one in served if one.size], where),
        layers(by_layer, where),
        _over_time(cells, place, where),
    ]
    return [picture for picture in found if picture is not None]


def _over_time(cells: Cells, place: int, where: str) -> Picture | None:
    """Curves over time of the cases that ended, where something happens in them."""
    cases = [case for case in range(cells.shape[1]) if not cells.failed[place, case].all()]
    series: dict[str, list[tuple[Floats, Floats]]] = {}
    for name, title in _QUANTITIES.items():
        found = [cells.over_time(name, place, case) for case in cases]
        curves = [mean_known(each, axis=0) for _, each in found]
        known = np.concatenate(curves)
        known = known[np.isfinite(known)]
        if known.size and np.ptp(known) > _SOMETHING:
            series[f"{title}, %"] = [
                (t_s, 100 * curve) for (t_s, _), curve in zip(found, curves, strict=True)
            ]
    if not series:
        return None
    labels = [cells.labels[case] for case in cases]
    each = {}
    for i, label in enumerate(labels):
        ends = [
            f"{title.removesuffix(', %')} {_ends(lines[i][1])}"
            for title, lines in series.items()
            if np.isfinite(lines[i][1]).any()
        ]
        each[label] = f"{', '.join(ends)}."
    told = by_label(each)
    told.append("Means over the replicates." if cells.shape[2] > 1 else "")
    return over_time(
        "over-time", "Over the time of a run", labels, series, "%", in_a_row([*told, where])
    )


def _ends(curve: Floats) -> str:
    """Least and greatest value of a curve, %."""
    low, high = (text(float(pick(curve))) for pick in (np.nanmin, np.nanmax))
    return f"always {low} %" if low == high else f"between {low} and {high} %"
