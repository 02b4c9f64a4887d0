"""The figures of a study as arrays over places on its axes, cases and replicates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.runs.cells import same
from twin.runs.figures import FIGURES, shown
from twin.runs.rules import Floats
from twin.runs.statistics import Estimate, mean_known
from twin.study.compare import Comparison
from twin.study.study_data import StudyData
from twin.study.study_file import expand

type Bools = NDArray[np.bool_]


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


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Points by place on the axes (P), case (C) and replicate (R).

    Attributes
    ----------
    axes : tuple of Axis
        Those with a single value, too.
    places : list of dict
        Value of every field at every place.
    pairs : list of tuple of str
        Strategy and policy of each case.
    labels : list of str
        Short names of the cases.
    replicates : int
    metrics : tuple of str
        Figures that are shown.
    errors : list of (str or None)
        Why each point failed, place by place, case by case.
    column : callable
        Finds a figure of every point, NaN where there is none.
    """

    axes: tuple[Axis, ...]
    places: list[dict[str, Any]]
    pairs: list[tuple[str, str]]
    labels: list[str]
    replicates: int
    metrics: tuple[str, ...]
    errors: list[str | None]
    column: Callable[[str], Floats]

    @classmethod
    def of_study(cls, data: StudyData) -> Self:
        """Those of a study that was swept."""
        columns = [expand(axis) for axis in data.study.axes]
        lengths = [len(next(iter(axis.values()))) for axis in columns]
        names = _names(data.study.fields)
        each = data.points.num_rows
        axes: tuple[Axis, ...] = ()
        for axis, length in zip(columns, lengths, strict=True):
            each //= length
            rows = data.points.select(list(axis)).slice(0, each * length).to_pylist()[::each]
            short = tuple(names[field] for field in axis)
            axes += (Axis(tuple(axis), short, [tuple(row.values()) for row in rows]),)
        both = data.points.select(["strategy", "policy"]).slice(0, each).to_pylist()
        pairs = [(row["strategy"], row["policy"]) for row in both[:: data.study.replicates]]
        fields = data.points.select(data.study.fields)
        return cls(
            axes=axes,
            places=fields.to_pylist()[::each] if data.study.fields else [{}],
            pairs=pairs,
            labels=_labels(pairs),
            replicates=data.study.replicates,
            metrics=data.study.metrics,
            errors=data.errors,
            column=lambda name: np.asarray(data.points[name].to_numpy(), np.float64),
        )

    @classmethod
    def of_comparison(cls, result: Comparison) -> Self:
        """Those of a comparison, which has a single place; the reference is the first case."""
        others = [o for o in result.outcomes if o is not result.reference]
        outcomes = [result.reference, *others]
        nothing = np.full(result.replicates, np.nan)
        return cls(
            axes=(),
            places=[{}],
            pairs=[(o.case.strategy, o.case.policy) for o in outcomes],
            labels=[o.case.name for o in outcomes],
            replicates=result.replicates,
            metrics=(result.trade.time, result.trade.tail, *result.trade.objectives),
            errors=[o.infeasible for o in outcomes for _ in range(result.replicates)],
            column=lambda name: np.concatenate(
                [nothing if o.infeasible else o.values(name) for o in outcomes]
            ),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Places, cases, replicates."""
        return len(self.places), len(self.pairs), self.replicates

    @property
    def names(self) -> dict[str, str]:
        """Short names of all axes' fields, in their order."""
        return {f: n for axis in self.axes for f, n in zip(axis.fields, axis.names, strict=True)}

    @cached_property
    def failed(self) -> Bools:
        """Which points failed, (P, C, R)."""
        return np.array([error is not None for error in self.errors]).reshape(self.shape)

    def values(self, metric: str) -> Floats:
        """A figure of every point as it is shown, (P, C, R); NaN where there is none."""
        return FIGURES[metric].scale * self.column(metric).reshape(self.shape)

    def shared(self, metric: str) -> Bools:
        """Places (P,) that averages are over: all cases have the figure in all replicates there.

        Cases that have it nowhere do not count. A single place needs one such replicate.
        """
        full = self._full(metric)
        return np.asarray(full.all(axis=1) if len(full) > 1 else full.any(axis=1))

    def overall(self, metric: str) -> Floats:
        """Mean over the shared places, of every replicate that all cases have, (C, R)."""
        shared = self.shared(metric)
        if not shared.any():
            return np.full(self.shape[1:], np.nan)
        means = self.values(metric)[shared].mean(axis=0)
        return np.where(self._full(metric)[shared].all(axis=0), means, np.nan)

    def overall_ratio(self, metric: str, base: int = 0) -> Floats:
        """Geometric mean of the ratio over the shared places, of every replicate, (C, R)."""
        shared = self.ratio(metric, base)[self.shared(metric)]
        return np.asarray(np.exp(mean_known(np.log(shared), axis=0)))

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

    def along(self, metric: str, number: int, at: Mapping[int, int] | None = None) -> Floats:
        """A figure at each value of an axis, (C, K, R); means over the other axes.

        These are over places of the other axes where no point of any case failed along the axis,
        so that every mean is over the same; values at which a case always failed do not count.

        Parameters
        ----------
        metric : str
        number : int
            Of the axis.
        at : mapping of int to int, optional
            Other axes of which a single value is looked at, by their numbers: the value's number.
        """
        lengths = [len(axis.values) for axis in self.axes]
        grid = self.values(metric).reshape(*lengths, *self.shape[1:])
        for other, place in (at or {}).items():
            grid = grid.take([place], axis=other)
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


def cell(metric: str, values: Floats) -> Estimate | None:
    """Mean and interval of what is known, as it is shown; None if nothing is."""
    found = shown(metric, values)
    return found if np.isfinite(found.mean) else None


def changes(values: Floats) -> bool:
    """Whether a figure changes along an axis, (K, R), in any replicate."""
    return not all(constant(one) for one in values.T)


def constant(values: Floats) -> bool:
    """Whether all that is known is the same but for rounding."""
    known = values[np.isfinite(values)]
    return not known.size or same(float(known.min()), float(known.max()))


def told(value: Any) -> str:
    """A value of a field as it stands in the study."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _names(fields: Sequence[str]) -> dict[str, str]:
    """Fields without their tables where they stay distinct."""
    last = [field.rpartition(".")[2] for field in fields]
    return {f: n if last.count(n) == 1 else f for f, n in zip(fields, last, strict=True)}


def _labels(pairs: list[tuple[str, str]]) -> list[str]:
    """The strategy where strategies differ, the policy where policies do, or both."""
    differ = [len({pair[i] for pair in pairs}) > 1 for i in (0, 1)]
    if not any(differ):
        return [pair[0] for pair in pairs]
    return [" / ".join(n for n, d in zip(pair, differ, strict=True) if d) for pair in pairs]
