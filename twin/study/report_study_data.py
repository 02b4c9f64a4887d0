"""What a report on a study is made from: figures as arrays over places, cases and replicates."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.errors import InputError
from twin.metrics import Estimate, estimate
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.studies import Study, open_study
from twin.study.points import count_points
from twin.study.profiles import PROFILES
from twin.study.report_data import Floats
from twin.study.report_metrics import METRICS
from twin.study.study_file import StudyFile, expand, parse_study

type Bools = NDArray[np.bool_]

ROUNDING = 1e-9
"""Figures that differ by no more than this part of them are the same."""


@dataclass(frozen=True, kw_only=True)
class StudyData:
    """A complete study: its file, the scenario before the axes change it, its points in order."""

    kept: Study
    study: StudyFile
    base: Scenario
    points: pa.Table


def is_study(folder: Path) -> bool:
    """Whether a folder looks like that of a study."""
    return (folder / "study.toml").is_file()


def read_study_data(folder: Path) -> StudyData:
    """Read a complete study.

    Raises
    ------
    InputError
        If there is none, it was interrupted, or a part is missing.
    """
    kept = open_study(folder)
    try:
        study_toml = (folder / "study.toml").read_text(encoding="utf-8")
        points = kept.points()
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: damaged study, cannot be read: {reason}") from None
    study = parse_study(study_toml, str(folder / "study.toml"))
    base = loader.load(str(folder / "scenario.toml"))
    needed = {"strategy", "policy", "status", "error", *study.fields, *METRICS, *PROFILES}
    lack = sorted(needed - set(points.column_names))
    if lack or points.num_rows != count_points(study):
        what = f"columns {', '.join(lack)}" if lack else "rows"
        raise InputError(f"{folder}: damaged study, its points lack {what}")
    return StudyData(kept=kept, study=study, base=base, points=points)


@dataclass(frozen=True)
class Axis:
    """Fields that change together, their short names, and values: one tuple a place on the axis."""

    fields: tuple[str, ...]
    names: tuple[str, ...]
    values: list[tuple[Any, ...]]

    @property
    def numeric(self) -> bool:
        """Whether its first field is a number."""
        return all(type(value[0]) in (int, float) for value in self.values)

    @property
    def label(self) -> str:
        """Of the axis in a figure."""
        along = f" (with {', '.join(self.names[1:])})" if self.names[1:] else ""
        return f"{self.names[0]}{along}"

    def at(self, i: int) -> str:
        """A place on the axis, in words."""
        return f"{self.names[0]} {told(self.values[i][0])}"


class Cells:
    """A study's points by place on the axes (P), case (C) and replicate (R).

    Attributes
    ----------
    data : StudyData
    names : dict of str to str
        Short names of all axes' fields, in their order.
    axes : tuple of Axis
        Those with a single value, too.
    pairs : list of tuple of str
        Strategy and policy of each case.
    labels : list of str
        Short names of the cases.
    """

    def __init__(self, data: StudyData) -> None:
        self.data = data
        columns = [expand(axis) for axis in data.study.axes]
        self._lengths = [len(next(iter(axis.values()))) for axis in columns]
        self.names = _names(data.study.fields)
        rows = data.points.num_rows
        self.axes: tuple[Axis, ...] = ()
        each = rows
        for axis, length in zip(columns, self._lengths, strict=True):
            each //= length
            found = data.points.select(list(axis)).slice(0, each * length).to_pylist()[::each]
            names = tuple(self.names[field] for field in axis)
            self.axes += (Axis(tuple(axis), names, [tuple(row.values()) for row in found]),)
        both = data.points.select(["strategy", "policy"]).slice(0, each).to_pylist()
        self.pairs = [(row["strategy"], row["policy"]) for row in both[:: data.study.replicates]]
        self.labels = _labels(self.pairs)
        self.shape = (rows // each, len(self.pairs), data.study.replicates)

    @property
    def strategies(self) -> list[str]:
        """Of all cases, each once."""
        return list(dict.fromkeys(strategy for strategy, _ in self.pairs))

    @property
    def policies(self) -> list[str]:
        """Of all cases, each once."""
        return list(dict.fromkeys(policy for _, policy in self.pairs))

    @property
    def fields(self) -> list[str]:
        """Fields of all axes."""
        return self.data.study.fields

    @property
    def metrics(self) -> tuple[str, ...]:
        """Figures that are told."""
        return self.data.study.metrics

    @cached_property
    def places(self) -> list[dict[str, Any]]:
        """Value of every field at every place."""
        each = self.shape[1] * self.shape[2]
        return self.data.points.select(self.fields).to_pylist()[::each] if self.fields else [{}]

    @cached_property
    def failed(self) -> Bools:
        """Which points failed, (P, C, R)."""
        status = np.array(self.data.points["status"].to_pylist(), object)
        return np.asarray(status.reshape(self.shape) != "ok", bool)

    def values(self, metric: str) -> Floats:
        """A figure of every point as it is told, (P, C, R); NaN where there is none."""
        found = np.asarray(self.data.points[metric].to_numpy(), np.float64)
        return METRICS[metric].scale * found.reshape(self.shape)

    def profile(self, name: str, place: int, case: int) -> Floats:
        """A curve of every replicate that has it, (R', its points); NaN where it has gaps."""
        each = self.shape[1] * self.shape[2]
        first = place * each + case * self.shape[2]
        rows = self.data.points[name].slice(first, self.shape[2]).to_pylist()
        return np.array([row for row in rows if row is not None], np.float64)

    def shared(self, metric: str) -> Bools:
        """Places (P,) where all replicates of all cases have a figure; for averages over places.

        Cases that have it nowhere do not count.
        """
        known = np.isfinite(self.values(metric))
        live = known.any(axis=(0, 2))
        return np.asarray(known[:, live].all(axis=(1, 2)) & live.any(), bool)

    def overall(self, metric: str) -> Floats:
        """Mean over the places that all cases share, of every replicate, (C, R)."""
        return np.asarray(self.values(metric)[self.shared(metric)].mean(axis=0))

    def overall_ratio(self, metric: str) -> Floats:
        """Geometric mean of the ratio over these places, of every replicate, (C, R)."""
        return np.asarray(np.exp(np.log(self.ratio(metric)[self.shared(metric)]).mean(axis=0)))

    def difference(self, metric: str) -> Floats:
        """A figure less the first case's of the same place and replicate, (P, C, R)."""
        values = self.values(metric)
        return np.asarray(values - values[:, :1])

    def ratio(self, metric: str) -> Floats:
        """The first case's figure by that of each, at the same place and replicate, (P, C, R).

        Not known where either is 0.
        """
        values = self.values(metric)
        unknown = np.full_like(values, np.nan)
        some = (values != 0) & (values[:, :1] != 0)
        return np.asarray(np.divide(values[:, :1], values, out=unknown, where=some))

    def along(self, metric: str, number: int) -> Floats:
        """A figure at each value of an axis, (C, K, R); means over the other axes.

        These are over places of the other axes where no point of any case failed along the axis,
        so that every mean is over the same; values at which a case always failed do not count.
        """
        grid = self.values(metric).reshape(*self._lengths, *self.shape[1:])
        by_value = np.moveaxis(grid, number, 0)
        by_value = by_value.reshape(len(by_value), -1, *self.shape[1:])
        if by_value.shape[1] == 1:
            return np.asarray(by_value[:, 0].transpose(1, 0, 2))
        known = np.isfinite(by_value)
        ended = known.any(axis=(1, 3))
        full = (known.all(axis=3) | ~ended[:, None]).all(axis=0) & known.any(axis=(0, 3))
        shared = full[:, ended.any(axis=0)].all(axis=1)
        chosen = shared[:, None] if shared.any() else full
        counted = known & chosen[None, :, :, None]
        number_of = counted.sum(axis=1)
        total = np.where(counted, by_value, 0.0).sum(axis=1)
        unknown = np.full_like(total, np.nan)
        means = np.divide(total, number_of, out=unknown, where=number_of > 0)
        return np.asarray(means.transpose(1, 0, 2))

    def place_name(self, place: int) -> str:
        """A place in words; empty without axes."""
        return ", ".join(f"{self.names[f]} {told(v)}" for f, v in self.places[place].items())

    def cell_name(self, place: int, case: int) -> str:
        """A place and a case in words."""
        return ", ".join(filter(None, (self.labels[case], self.place_name(place))))

    def shown_place(self) -> tuple[int, str]:
        """The place whose curves are shown, and why: the scenario's own if it is one and ended."""
        ended = ~self.failed.all(axis=(1, 2))
        place = next((i for i, at in enumerate(self.places) if self._own(at)), None)
        if place is not None and ended[place]:
            return place, "the scenario's own place on the axes"
        first = int(np.argmax(ended))
        which = "the first place on the axes"
        return first, which if first == 0 else f"{which} that did not fail"

    def _own(self, place: dict[str, Any]) -> bool:
        study = self.data.study
        base = self.data.base.model_dump(mode="json")
        base |= {"strategy_params": study.strategy_params, "policy_params": study.policy_params}
        return all(_look_up(base, field) == value for field, value in place.items())


def known_estimate(values: Floats) -> Estimate | None:
    """Mean and interval of what is known; None if nothing is."""
    known = values[np.isfinite(values)]
    return estimate(known) if known.size else None


def changes(values: Floats) -> bool:
    """Whether a figure changes along an axis, (K, R), in any replicate."""
    return not all(constant(one) for one in values.T)


def constant(values: Floats) -> bool:
    """Whether all that is known is the same but for rounding."""
    known = values[np.isfinite(values)]
    return not known.size or bool(np.ptp(known) <= ROUNDING * np.abs(known).max())


def told(value: Any) -> str:
    """A value of a field as it stands in the study."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _names(fields: list[str]) -> dict[str, str]:
    """Fields without their tables where that tells them apart."""
    last = [field.rpartition(".")[2] for field in fields]
    return {f: n if last.count(n) == 1 else f for f, n in zip(fields, last, strict=True)}


def _labels(pairs: list[tuple[str, str]]) -> list[str]:
    """The strategy where strategies differ, the policy where policies do, or both."""
    differ = [len({pair[i] for pair in pairs}) > 1 for i in (0, 1)]
    if not any(differ):
        return [pair[0] for pair in pairs]
    return [" / ".join(n for n, d in zip(pair, differ, strict=True) if d) for pair in pairs]


def _look_up(data: Any, field: str) -> Any:
    for key in field.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data
