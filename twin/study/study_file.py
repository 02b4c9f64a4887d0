"""A study as a TOML file: its scenarios, strategies, policies, replicates and metrics."""

from collections import Counter
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from twin.errors import InputError
from twin.plugins import load_plugins
from twin.runs.figures import FIGURES, METRICS
from twin.scenario import loader, plain, sources
from twin.scenario.fields import Name, Params, Table
from twin.text import meant

_PACKAGE = "twin.study"

MAX_POINTS = 100_000
"""Runs of a study, each of which takes a second at the least."""

_ELSEWHERE = {
    "name": "a study has a name of its own",
    "placement.strategy": "goes in strategies",
    "placement.params": "goes in strategy_params",
    "controller.policy": "goes in policies",
    "controller.params": "goes in policy_params",
    "simulation.replicate": "goes in replicates",
    "simulation.seed": "goes in set, so that all points of a replicate share it",
}
"""Fields of a scenario that no axis has."""


class Range(Table):
    """Values at equal distances, given by it or by how many there are; both ends belong to it."""

    start: int | float = Field(alias="from")
    stop: int | float = Field(alias="to")
    step: int | float | None = Field(None, gt=0)
    count: int | None = Field(None, ge=2, le=MAX_POINTS)

    @model_validator(mode="after")
    def _one_distance(self) -> Self:
        if (self.step is None) == (self.count is None):
            raise ValueError("give exactly one of step and count")
        if self.stop <= self.start:
            raise ValueError(f"to must be above from ({self.start!r}), not {self.stop!r}")
        if self.size > MAX_POINTS:
            raise ValueError(f"{_told(self.size)} values are more than the {MAX_POINTS:,} allowed")
        return self

    @property
    def size(self) -> int:
        """How many numbers there are."""
        if self.step is None:
            return self.count or 2
        return int((_exactly(self.stop) - _exactly(self.start)) // _exactly(self.step)) + 1

    def values(self) -> list[int | float]:
        """The numbers as they would be written out in decimals, integers where all are."""
        first, last = _exactly(self.start), _exactly(self.stop)
        apart = (last - first) / (self.size - 1) if self.step is None else _exactly(self.step)
        found = [first + i * apart for i in range(self.size)]
        whole = all(isinstance(n, int) for n in (self.start, self.stop, self.step or 0))
        if whole and all(value == int(value) for value in found):
            return [int(value) for value in found]
        return [float(value) for value in found]


def _told(number: int) -> str:
    """A number of things, by its digits where it has too many to be read."""
    return f"{number:,}" if number < 10**24 else f"10^{len(str(number)) - 1}"


def _exactly(number: float) -> Fraction:
    """The number as it is written in decimals."""
    return Fraction(str(number))


def _is_range(values: Any) -> str:
    return "range" if isinstance(values, dict | Range) else "values"


AxisValues = Annotated[
    Annotated[Range, Tag("range")] | Annotated[list[Any], Tag("values"), Field(min_length=1)],
    Discriminator(_is_range),
]


class StudyFile(Table):
    """A study. Axes are crossed with each other; fields of one axis go along together."""

    name: Name
    question: str = ""
    scenario: str = Field(min_length=1, description="a preset's name or a TOML file's path")
    replicates: int = Field(4, ge=1, le=10_000, description="independent repetitions of a point")
    strategies: tuple[str, ...] = Field((), strict=False, description="default: the scenario's")
    policies: tuple[str, ...] = Field((), strict=False, description="default: the scenario's")
    plugins: tuple[str, ...] = Field(
        (), strict=False, description="files (FILE.py) or modules that add strategies and more"
    )
    strategy_params: dict[str, Params] = Field(default_factory=dict)
    policy_params: dict[str, Params] = Field(default_factory=dict)
    metrics: tuple[str, ...] = Field(
        METRICS,
        strict=False,
        min_length=1,
        description="figures of a run that are shown; default: of requests where these are served",
    )
    overrides: tuple[str, ...] = Field(
        (), strict=False, alias="set", description="table.key=value, at every point"
    )
    axes: tuple[dict[str, AxisValues], ...] = Field(
        (), strict=False, description="values of table.key, a list or from, to and step or count"
    )

    @model_validator(mode="after")
    def _metrics_known(self) -> Self:
        for name, count in Counter(self.metrics).items():
            if name not in FIGURES:
                known = f"known: {', '.join(FIGURES)}{meant(name, FIGURES)}"
                raise ValueError(f"metrics: unknown {name!r}; {known}")
            if count > 1:
                raise ValueError(f"metrics: {name} is given twice")
        return self

    @model_validator(mode="after")
    def _axes_fit(self) -> Self:
        seen: set[str] = set()
        for number, axis in enumerate(self.axes):
            if not axis:
                raise ValueError(f"axes.{number}: has no field")
            for field in axis:
                _check_field(number, field, seen)
                seen.add(field)
            lengths = {field: _size(values) for field, values in axis.items()}
            if len(set(lengths.values())) > 1:
                told = ", ".join(f"{field} has {n}" for field, n in lengths.items())
                raise ValueError(f"axes.{number}: needs as many values of each field: {told}")
        if self.size > MAX_POINTS:
            told = _told(self.size)
            raise ValueError(f"axes: {told} points are more than the {MAX_POINTS:,} allowed")
        for number, axis in enumerate(self.axes):
            _check_values(number, axis)
        return self

    @property
    def size(self) -> int:
        """How many points there are, replicates included."""
        places = prod(_size(next(iter(axis.values()))) for axis in self.axes)
        cases = max(len(self.strategies), 1) * max(len(self.policies), 1)
        return places * cases * self.replicates

    @property
    def fields(self) -> list[str]:
        """Fields of all axes, in their order."""
        return [field for axis in self.axes for field in axis]


def _size(values: Range | list[Any]) -> int:
    return values.size if isinstance(values, Range) else len(values)


def expand(axis: dict[str, Range | list[Any]]) -> dict[str, list[Any]]:
    """Values of each field of an axis, ranges written out."""
    return {f: v.values() if isinstance(v, Range) else v for f, v in axis.items()}


def read_study(source: str | Path) -> StudyFile:
    """Read a study: a preset by name, or a file by path (with a ``/`` or ending in ``.toml``).

    Raises
    ------
    InputError
        With file, field, value and what is allowed.
    """
    label, text = sources.read(_PACKAGE, "study", source)
    return parse_study(text, label)


def parse_study(text: str, label: str) -> StudyFile:
    """Read a study from its text; `label` names it in errors."""
    data = plain.parse(text, label)
    # First of all: what a study names may be a plug-in's.
    load_plugins(_texts(data.get("plugins")))
    try:
        return StudyFile.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{label}: {loader.explain(error, 'study', of=StudyFile)}") from None


def _texts(value: Any) -> list[str]:
    """The texts of a list; what is none is refused when the study is validated."""
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def to_toml(study: StudyFile) -> str:
    """The complete study as TOML; `parse_study` of it gives an equal one."""
    return tomli_w.dumps(study.model_dump(mode="json", exclude_none=True, by_alias=True))


def preset_names() -> list[str]:
    """Names of the studies that ship with the package."""
    return sources.preset_names(_PACKAGE)


def preset_text(name: str) -> str:
    """TOML text of a study that ships; InputError lists them if there is no such."""
    return sources.preset_text(_PACKAGE, "study", name)


def _check_values(number: int, axis: dict[str, Range | list[Any]]) -> None:
    """Refuse a place that is listed twice: its replicates would count twice, too."""
    columns = expand(axis)
    seen = set()
    for row in zip(*columns.values(), strict=True):
        key = tuple(v if type(v) in (int, float) else loader.literal(v) for v in row)
        if key in seen:
            told = ", ".join(
                f"{field} = {loader.literal(value)}"
                for field, value in zip(columns, row, strict=True)
            )
            raise ValueError(f"axes.{number}: {told} is given twice")
        seen.add(key)


def _check_field(number: int, field: str, seen: set[str]) -> None:
    for name, why in _ELSEWHERE.items():
        if field == name or field.startswith(name + "."):
            raise ValueError(f"axes.{number}: {field}: {why}")
    if not all(field.split(".")) or "." not in field:
        raise ValueError(f"axes.{number}: {field!r}: must look like table.key")
    if field in seen:
        raise ValueError(f"axes.{number}: {field} is given twice")
