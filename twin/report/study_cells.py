"""The figures of a study as arrays over places on its axes, cases and replicates."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.report.study_data import StudyData
from twin.runs.distribution import Distribution
from twin.runs.figures import FIGURES
from twin.runs.rules import Floats
from twin.runs.statistics import Estimate, estimate, mean_known
from twin.study.profiles import LATENCY_PROFILE
from twin.study.study_file import expand

type Bools = NDArray[np.bool_]

ROUNDING = 1e-9
"""Figures that differ by no more than this part of them are the same."""


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
        """Of the axis in a picture."""
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
        """Figures that are shown."""
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
        """A figure of every point as it is shown, (P, C, R); NaN where there is none."""
        found = np.asarray(self.data.points[metric].to_numpy(), np.float64)
        return FIGURES[metric].scale * found.reshape(self.shape)

    def profile(self, name: str, place: int, case: int) -> Floats:
        """A curve of every replicate that has it, (R', its points); NaN where it has gaps."""
        return np.array(self._curves(name, place, case), np.float64)

    def over_time(self, name: str, place: int, case: int) -> tuple[Floats, Floats]:
        """Seconds (T,) and a curve over time of every replicate that has it, (R', T).

        Those that ended sooner than others have no values later.
        """
        times = [np.array(t_s) for t_s in self._curves("profile_t_s", place, case)]
        curves = [np.array(row, np.float64) for row in self._curves(name, place, case)]
        if not times:
            return np.empty(0), np.empty((0, 0))
        longest = max(times, key=lambda t_s: float(t_s[-1]))
        for i, (t_s, curve) in enumerate(zip(times, curves, strict=True)):
            if not np.array_equal(t_s, longest):
                curves[i] = np.interp(longest, t_s, curve, right=np.nan)
        return longest, np.array(curves)

    def _curves(self, name: str, place: int, case: int) -> list[list[float | None]]:
        each = self.shape[1] * self.shape[2]
        first = place * each + case * self.shape[2]
        rows = self.data.points[name].slice(first, self.shape[2]).to_pylist()
        return [row for row in rows if row is not None]

    def latency(self, place: int, case: int) -> Distribution:
        """Latency of all tokens that the replicates served."""
        each = self.shape[1] * self.shape[2]
        rows = self.data.points.slice(place * each + case * self.shape[2], self.shape[2])
        values, counts = (rows[name].combine_chunks() for name in LATENCY_PROFILE)
        return Distribution.weighted(values.flatten().to_numpy(), counts.flatten().to_numpy())

    def shared(self, metric: str) -> Bools:
        """Places (P,) that averages are over: all cases have the figure in all replicates there.

        Cases that have it nowhere do not count. A single place needs one such replicate.
        """
        full = self._full(metric)
        return np.asarray(full.all(axis=1) if len(full) > 1 else full.any(axis=1))

    def overall(self, metric: str) -> Floats:
        """Mean over the shared places, of every replicate that all cases have, (C, R)."""
        shared = self.shared(metric)
        means = self.values(metric)[shared].mean(axis=0)
        return np.where(self._full(metric)[shared].all(axis=0), means, np.nan)

    def overall_ratio(self, metric: str, base: int = 0) -> Floats:
        """Geometric mean of the ratio over the shared places, of every replicate, (C, R)."""
        shared = self.ratio(metric, base)[self.shared(metric)]
        return np.asarray(np.exp(np.log(shared).mean(axis=0)))

    def _full(self, metric: str) -> Bools:
        """Places and replicates (P, R) where all cases have a figure that have it anywhere."""
        known = np.isfinite(self.values(metric))
        live = known.any(axis=(0, 2))
        return np.asarray(known[:, live].all(axis=1) & live.any(), bool)

    def difference(self, metric: str) -> Floats:
        """A figure less the first case's of the same place and replicate, (P, C, R)."""
        values = self.values(metric)
        return np.asarray(values - values[:, :1])

    def ratio(self, metric: str, base: int = 0) -> Floats:
        """A case's figure by that of each, at the same place and replicate, (P, C, R).

        Not known where either is 0.
        """
        values = self.values(metric)
        one = values[:, base, None]
        unknown = np.full_like(values, np.nan)
        return np.asarray(np.divide(one, values, out=unknown, where=(values != 0) & (one != 0)))

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
        means = mean_known(np.where(chosen[None, :, :, None], by_value, np.nan), axis=1)
        return means.transpose(1, 0, 2)

    def place_name(self, place: int) -> str:
        """A place in words; empty without axes."""
        return ", ".join(f"{self.names[f]} {told(v)}" for f, v in self.places[place].items())

    def cell_name(self, place: int, case: int) -> str:
        """A place and a case in words."""
        return ", ".join(filter(None, (self.labels[case], self.place_name(place))))

    def shown_place(self) -> tuple[int, str]:
        """The place whose curves are shown, and why: the scenario's own if it is one and ended."""
        ended = (~self.failed.all(axis=2)).sum(axis=1)
        own = next((i for i, at in enumerate(self.places) if self._own(at)), None)
        if own is not None and ended[own]:
            return own, "the scenario's own place on the axes"
        first = int(np.argmax(ended))
        return first, "the first place on the axes" + (" where most cases ended" if first else "")

    def _own(self, place: dict[str, Any]) -> bool:
        study = self.data.study
        base = self.data.base.model_dump(mode="json")
        base |= {"strategy_params": study.strategy_params, "policy_params": study.policy_params}
        return all(_look_up(base, field) == value for field, value in place.items())


def known_estimate(values: Floats) -> Estimate | None:
    """Mean and interval of what is known; None if nothing is."""
    found = estimate(values)
    return found if np.isfinite(found.mean) else None


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
    """Fields without their tables where they stay distinct."""
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
