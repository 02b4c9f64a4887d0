"""What if: a run that begins in the middle of another one, with something changed by a click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agents.fork import Beginning, fork
from agents.state import TwinState
from placement.policies.table import POLICIES
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.live.forks import newest
from twin.plugins.choices import check
from twin.plugins.loading import load_kept
from twin.runs.files import PARTIAL
from twin.runs.store import Run, any_run
from twin.scenario.schema import Scenario
from twin.space import constellation as constellations
from twin.views import limits
from twin.views.asked import Asked, Told
from twin.views.rows import whole
from twin.world import state as states

_LOADS: Final = {"tokens": "workload.tokens_per_step", "requests": "requests.rate_per_s"}
"""What load is, by the mode of serving."""

_LABELS: Final = {
    "outages.availability": "link availability",
    "workload.tokens_per_step": "tokens a step",
    "requests.rate_per_s": "requests a second",
    "controller.policy": "policy",
    "placement.strategy": "strategy",
}
"""Fields that a click changes, by their names on the page."""

NOT_YET: Final = "What if can be asked of a run on stage when it is complete."

_KNOWN: dict[str, Sequence[str]] = {}

_MOST: Final = 16
"""Satellites, links and fields of one change."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is changed, and from which step on.

    Attributes
    ----------
    step : int
    fields : dict
        Values by ``table.key``, of those in `offered`.
    fail : tuple of int
        Satellites that are lost.
    cut : tuple of pairs of int
        Links that are gone.
    """

    step: int
    fields: dict[str, Any]
    fail: tuple[int, ...]
    cut: tuple[tuple[int, int], ...]


def offered(scenario: Scenario) -> list[dict[str, Any]]:
    """Fields that may be changed: path, label, value, and choices where there are some."""
    content = scenario.model_dump(mode="json")
    load = _LOADS[scenario.serving.mode]
    choices = {"controller.policy": list(POLICIES), "placement.strategy": list(STRATEGIES)}
    found = []
    for path, label in _LABELS.items():
        table, _, key = path.partition(".")
        if path == load or path not in _LOADS.values():
            value = content[table][key]
            found.append(
                {"path": path, "label": label, "value": value, "choices": choices.get(path)}
            )
    return found


def read(asked: Mapping[str, Any]) -> Change:
    """Read a change as a page sends it.

    Raises
    ------
    InputError
        If it is none.
    """
    fields, fail, cut = asked.get("set", {}), asked.get("fail", []), asked.get("cut", [])
    pairs = isinstance(cut, list) and all(isinstance(p, list) and len(p) == 2 for p in cut)
    if not (isinstance(fields, dict) and isinstance(fail, list) and pairs):
        raise InputError("what if: must have set, fail and cut")
    numbers = [*fail, *(end for pair in cut for end in pair)]
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        raise InputError("what if: satellites must be given by their numbers")
    if not 0 < len(fields) + len(numbers) <= _MOST:
        raise InputError(f"what if: 1 to {_MOST} changes at a time")
    for path, value in fields.items():
        if path not in _LABELS or not isinstance(value, int | float | str):
            raise InputError(f"{path}: cannot be changed by a click; twin run --from can")
    return Change(
        step=whole(asked, "step"),
        fields=fields,
        fail=tuple(fail),
        cut=tuple((pair[0], pair[1]) for pair in cut),
    )


def branch(parent: Run, change: Change) -> Asked:
    """Ask for a run that begins in another one, with a change."""
    label = f"What if from step {change.step} of {parent.scenario.name}"
    return Asked(label=label, prepare=lambda told: _prepared(parent, change, told))


def branch_now(folder: Path, change: Change) -> Asked:
    """Ask for a run that begins where the mirror of a live run is; no other step can be asked for.

    It flies the satellites as they are estimated, and its controller decides for itself again.
    """
    label = f"What if from now on, of {folder.name.removesuffix(PARTIAL)}"

    def prepared(told: Told) -> tuple[Scenario, Beginning]:
        found = newest(folder)
        parent, twin = any_run(folder), states.copy(found.twin)
        twin.controller.reported = twin.controller.led = False
        return _prepared(parent, replace(change, step=found.step), told, twin)

    return Asked(label=label, prepare=prepared)


def _prepared(
    parent: Run, change: Change, progress: Told, state: TwinState | None = None
) -> tuple[Scenario, Beginning]:
    """The scenario of the branch, and where it begins: the parent's state is computed again.

    Raises
    ------
    InputError
        If the parent cannot be changed so.
    """
    load_kept(parent.path)
    fields = dict(change.fields)
    # Parameters belong to the strategy and the policy that are replaced.
    for path in ("placement.strategy", "controller.policy"):
        if path in fields:
            fields[path.partition(".")[0] + ".params"] = {}
    try:
        scenario = parent.changed(fields)
    except InputError as wrong:
        raise InputError(str(wrong).removeprefix(f"{parent.path / 'scenario.toml'}: ")) from None
    check(scenario)
    limits.check(scenario)
    return fork(
        parent,
        change.step,
        changes=fields,
        fail=change.fail,
        cut=change.cut,
        progress=progress,
        state=state,
    )


def words(forked: Mapping[str, Any], scenario: Scenario) -> str:
    """A branch by what was changed, such as ``P02S08 lost from step 50``."""
    names = _names(scenario) if forked["fail"] or forked["cut"] else ()
    told = [f"{names[row]} lost" for row in forked["fail"]]
    told += [f"{names[a]}-{names[b]} cut" for a, b in forked["cut"]]
    given = forked["set"]
    if not isinstance(given, Mapping):
        given = dict(each.partition("=")[::2] for each in given)
    told += [
        f"{_LABELS.get(path, path.partition('.')[2])} {value}"
        for path, value in given.items()
        if not path.endswith(".params")
    ]
    return f"{', '.join(told) or 'unchanged'} from step {forked['step']}"


def _names(scenario: Scenario) -> Sequence[str]:
    """Names of the satellites; kept, for a list of runs asks for them again and again."""
    key = scenario.model_dump_json(include={"constellation", "simulation"})
    if key not in _KNOWN:
        _KNOWN.clear()
        _KNOWN[key] = constellations.build(scenario).names
    return _KNOWN[key]
