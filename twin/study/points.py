"""The points of a study: axes crossed, with every strategy, policy and replicate."""

import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from twin.errors import InputError
from twin.plugins.choices import check, load_scenario
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.study.cases import Case, make_cases
from twin.study.study_file import StudyFile, expand

_PARAMS = ("strategy_params", "policy_params")


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run of a study.

    Attributes
    ----------
    number : int
        From 0: axes turn slowest, the last of them fastest; then strategies, policies, replicates.
    settings : dict
        Value of every axis' field.
    case : Case
        Strategy, policy and scenario, whose replicate is not yet set.
    replicate : int
    """

    number: int
    settings: dict[str, Any]
    case: Case
    replicate: int


def base_scenario(study: StudyFile, label: str) -> Scenario:
    """What all points have in common; `label` names the study in errors."""
    try:
        return load_scenario(study.scenario, study.overrides)
    except InputError as error:
        raise InputError(f"{label}: {error}") from None


def make_points(study: StudyFile, base: Scenario, label: str) -> list[Point]:
    """Every point of a study, its scenario validated.

    Raises
    ------
    InputError
        If the scenario of one is not valid or a strategy or policy or its parameter unknown; with
        the values of all axes there.
    """
    return list(_points(study, base, label))


def make_point(study: StudyFile, base: Scenario, number: int, label: str) -> Point:
    """One point of a study, without the others.

    Raises
    ------
    InputError
        If there is none of that number, or its scenario is not valid.
    """
    each = max(len(study.strategies), 1) * max(len(study.policies), 1) * study.replicates
    if not 0 <= number < study.size:
        raise InputError(f"{label}: has no point {number}")
    place, within = divmod(number, each)
    return next(itertools.islice(_points(study, base, label, place), within, None))


def _points(study: StudyFile, base: Scenario, label: str, first: int = 0) -> Iterator[Point]:
    """Points from a place on the axes on."""
    for place, (settings, told) in itertools.islice(enumerate(_settings(study)), first, None):
        cases = _cases(study, base, settings, f"{label}{told}")
        runs = itertools.product(cases, range(study.replicates))
        before = place * len(cases) * study.replicates
        for number, (case, replicate) in enumerate(runs, before):
            yield Point(number=number, settings=settings, case=case, replicate=replicate)


def _settings(study: StudyFile) -> Iterator[tuple[dict[str, Any], str]]:
    """Values of all fields at each place on the axes, and the same in words."""
    axes = []
    for axis in study.axes:
        columns = expand(axis)
        axes.append(
            [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        )
    for place in itertools.product(*axes):
        settings = {field: value for chosen in place for field, value in chosen.items()}
        told = ", ".join(f"{field} = {value!r}" for field, value in settings.items())
        yield settings, f" at {told}" if told else ""


def _cases(study: StudyFile, base: Scenario, settings: dict[str, Any], label: str) -> list[Case]:
    data = tomllib.loads(loader.to_toml(base))
    data |= {name: {k: dict(v) for k, v in getattr(study, name).items()} for name in _PARAMS}
    for field, value in settings.items():
        loader.put(data, field, value, told=label)
    loader.give_way(data, settings)
    strategy_params, policy_params = (data.pop(name) for name in _PARAMS)
    scenario = loader.from_data(data, label)
    try:
        check(scenario)
        return make_cases(
            scenario,
            study.strategies or (scenario.placement.strategy,),
            study.policies or (scenario.controller.policy,),
            strategy_params=strategy_params,
            policy_params=policy_params,
        )
    except InputError as error:
        raise InputError(f"{label}: {error}") from None
