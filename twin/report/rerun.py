"""Commands that make a report's runs again."""

import re
import shlex
from typing import Any

from twin.errors import InputError
from twin.plugins.choices import foreign
from twin.runs.repeats import Case
from twin.scenario import loader
from twin.scenario.schema import Scenario


def commands(case: Case) -> list[str]:
    """Commands that make every run of a case again."""
    return [_command(run.asked, str(run.path)) for run in case.runs]


def _command(scenario: Scenario, folder: str) -> str:
    """From a preset and what differs from it if that gives the scenario, else from the folder."""
    own = " --plugin FILE.py" if foreign(scenario) else ""
    try:
        preset = loader.load(scenario.name)
    except InputError:
        return f"twin run {shlex.quote(folder + '/scenario.toml')}{own}"
    mine, theirs = _written(preset), _written(scenario)
    overrides = [f"{n}={v}" for n, v in theirs.items() if mine.get(n) != v]
    try:
        same = loader.load(scenario.name, overrides)
    except InputError:
        same = None
    if same is None or loader.scenario_hash(same) != loader.scenario_hash(scenario):
        return f"twin run {shlex.quote(folder + '/scenario.toml')}{own}"
    options = "".join(f" --set {shlex.quote(change)}" for change in overrides)
    return f"twin run {scenario.name}{options}{own}"


def _written(scenario: Scenario) -> dict[str, str]:
    """Every field in TOML notation, by ``table.key``; plain words without their quotes."""
    found: dict[str, str] = {}
    for name, table in scenario.model_dump(mode="json", exclude_none=True).items():
        if isinstance(table, dict):
            found |= {f"{name}.{key}": _notation(value) for key, value in table.items()}
        else:
            found[name] = _notation(table)
    return found


def _notation(value: Any) -> str:
    """A value as it is typed after ``--set``."""
    bare = isinstance(value, str) and re.fullmatch("[A-Za-z][A-Za-z0-9-]*", value)
    if bare and value not in ("true", "false", "inf", "nan"):
        return str(value)
    return loader.literal(value)
