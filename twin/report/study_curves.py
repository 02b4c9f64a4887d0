"""What a study keeps of its points' curves, at one place on its axes: a line a case."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.report import curves
from twin.report.page import Picture, Table
from twin.runs.distribution import Distribution
from twin.runs.rules import Floats
from twin.runs.statistics import mean_known
from twin.study.profiles import LATENCY_PROFILE, STEP_PROFILES
from twin.study.study_cells import Cells
from twin.study.study_data import StudyData

_SOMETHING = 0.01
"""A share that changes by less over a run is not worth a plot."""


@dataclass(frozen=True)
class Curves:
    """Curves of a study's points at the place that the base scenario has."""

    data: StudyData
    cells: Cells

    def shown(self) -> tuple[list[Picture], list[Table]]:
        """What they show, and what they say in numbers."""
        if self.cells.failed.all():
            return [], []
        place, why = self.place()
        name = self.cells.place_name(place)
        where = f"Shown is {name}, {why}." if name else ""
        labels = list(enumerate(self.cells.labels))
        served = [(label, self.latency(place, case)) for case, label in labels]
        served = [(label, one) for label, one in served if one.size]
        parts = ("profile_layer_way_s", "profile_layer_compute_s")
        by_layer = curves.served_layers(
            [
                (label, *(mean_known(self.profile(part, place, case), axis=0) for part in parts))  # type: ignore[misc]
                for case, label in labels
            ]
        )
        pictures = [curves.latency_curves(served, where), curves.layers(by_layer, where)]
        tables = [curves.percentiles(served, where), curves.layer_times(by_layer, where)]
        going = [
            (case, label) for case, label in labels if not self.cells.failed[place, case].all()
        ]
        series = self._changing(place, [case for case, _ in going])
        if series:
            named = [label for _, label in going]
            pictures.append(
                curves.over_time("over-time", "Over the time of a run", named, series, where)
            )
            only = {name: [curve for _, curve in lines] for name, lines in series.items()}
            tables.append(curves.ends(named, only, where))
        return [one for one in pictures if one is not None], [one for one in tables if one.rows]

    def place(self) -> tuple[int, str]:
        """The place whose curves are shown, and why: the scenario's own if it is one and ended."""
        ended = (~self.cells.failed.all(axis=2)).sum(axis=1)
        own = next((i for i, at in enumerate(self.cells.places) if self._own(at)), None)
        if own is not None and ended[own]:
            return own, "the scenario's own place on the axes"
        first = int(np.argmax(ended))
        return first, "the first place on the axes" + (" where most cases ended" if first else "")

    def profile(self, name: str, place: int, case: int) -> Floats:
        """A curve of every replicate that has it, (R', its points); NaN where it has gaps."""
        return np.array(self._rows(name, place, case), np.float64)

    def over_time(self, name: str, place: int, case: int) -> tuple[Floats, Floats]:
        """Seconds (T,) and a curve over time of every replicate that has it, (R', T).

        Those that ended sooner than others have no values later.
        """
        times = [np.array(t_s) for t_s in self._rows("profile_t_s", place, case)]
        found = [np.array(row, np.float64) for row in self._rows(name, place, case)]
        if not times:
            return np.empty(0), np.empty((0, 0))
        longest = max(times, key=lambda t_s: float(t_s[-1]))
        for i, (t_s, curve) in enumerate(zip(times, found, strict=True)):
            if not np.array_equal(t_s, longest):
                found[i] = np.interp(longest, t_s, curve, right=np.nan)
        return longest, np.array(found)

    def latency(self, place: int, case: int) -> Distribution:
        """Latency of all tokens that the replicates served."""
        rows = self.data.points.slice(*self._span(place, case))
        values, counts = (rows[name].combine_chunks() for name in LATENCY_PROFILE)
        return Distribution.weighted(values.flatten().to_numpy(), counts.flatten().to_numpy())

    def _changing(self, place: int, cases: list[int]) -> dict[str, list[tuple[Floats, Floats]]]:
        """Means over the replicates of the figures of steps in which something happens."""
        series = {}
        for name in STEP_PROFILES:
            found = [self.over_time(name, place, case) for case in cases]
            lines = [(t_s, mean_known(each, axis=0)) for t_s, each in found]
            known = np.concatenate([curve[np.isfinite(curve)] for _, curve in lines])
            if known.size and np.ptp(known) > _SOMETHING:
                series[name.removeprefix("profile_")] = lines
        return series

    def _rows(self, name: str, place: int, case: int) -> list[list[float | None]]:
        rows = self.data.points[name].slice(*self._span(place, case)).to_pylist()
        return [row for row in rows if row is not None]

    def _span(self, place: int, case: int) -> tuple[int, int]:
        """First point of a cell, and how many it has."""
        _, cases, replicates = self.cells.shape
        return (place * cases + case) * replicates, replicates

    def _own(self, place: dict[str, Any]) -> bool:
        study = self.data.study
        base = self.data.base.model_dump(mode="json")
        base |= {"strategy_params": study.strategy_params, "policy_params": study.policy_params}
        return all(_look_up(base, field) == value for field, value in place.items())


def _look_up(data: Any, field: str) -> Any:
    for key in field.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data
