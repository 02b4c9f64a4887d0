"""The scenario of a new run: main fields, strategies and policies, checked while they are typed."""

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.errors import InputError
from twin.plugins.choices import check
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.views import limits, schema
from twin.views.inputs import Field, at
from twin.views.public import public
from twin.views.starting import Source, start_of

DRAWN_TOKENS = 8
"""Tokens a step that a run of the page records hop by hop, where the preset says fewer."""


RECORDED_EVERY = 10
"""Every tenth request is recorded with its chunks and tokens, where the preset says nothing."""


FIELDS = (
    Field("simulation.steps", "steps"),
    Field("simulation.seed", "seed"),
    Field("constellation.planes", "planes"),
    Field("constellation.satellites_per_plane", "satellites a plane"),
    Field("constellation.altitude_km", "altitude, km"),
    Field("constellation.inclination_deg", "inclination, deg"),
    Field("outages.model", "random outages", "outage-model"),
    Field("outages.availability", "link availability"),
    Field("faults.model", "faults", "fault-model"),
    Field("bus.profile", "bus", "bus-profile"),
    Field("bus.battery_wh", "battery, Wh"),
    Field("model.card", "model", "model-card"),
    Field("compute.board", "computer", "board"),
    Field("compute.gflops", "compute, GFLOPS"),
    Field("compute.memory_gb", "memory, GB"),
    Field("placement.experts_per_satellite", "experts a satellite, at most"),
    Field("workload.tokens_per_step", "tokens followed a step"),
    Field("simulation.record_tokens_per_step", "tokens drawn a step"),
    Field("requests.record_every", "requests recorded: one in"),
)


MAIN = frozenset((*(field.path for field in FIELDS), "placement.strategy", "controller.policy"))
"""Fields that the form always shows."""


def initial(source: Source) -> dict[str, Any]:
    """Values of `FIELDS` in a preset or start; None where it leaves a field to its default."""
    data = start_of(source).data
    values = {field.path: at(data, field.path) for field in FIELDS}
    drawn = "simulation.record_tokens_per_step"
    values[drawn] = max(values[drawn], DRAWN_TOKENS)
    if data["serving"]["mode"] == "requests" and values["requests.record_every"] is None:
        values["requests.record_every"] = RECORDED_EVERY
    return values


def overrides(source: Source, values: Mapping[str, Any]) -> list[str]:
    """What differs from the start, as ``table.key=value``; files cannot be named."""
    data = start_of(source).data
    changed = []
    for path in dict.fromkeys([*(field.path for field in FIELDS), *schema.typed()]):
        value = values.get(path)
        if value not in (None, "") and value != at(data, path):
            changed.append(f"{path}={_literal(value)}")
    return changed


def _literal(value: Any) -> str:
    """TOML of what was typed; a number typed as text becomes a number, other text stays text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return json.dumps(value)
        if isinstance(value, dict | list):
            return loader.literal(value)
    return json.dumps(value) if isinstance(value, int | float | str) else json.dumps(str(value))


def mistakes(source: Source, values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by the path of a field; under ``""`` what belongs to none of them."""
    start, changed = start_of(source), overrides(source, values)
    found = start.mistakes(changed)
    if not found:
        try:
            scenario = start.load(changed)
            check(scenario)
            limits.check(scenario)
        except InputError as wrong:
            path, _, message = str(wrong).partition(": ")
            found = {path: message}
    paths = {*(field.path for field in FIELDS), *values}
    return {
        (path if path in paths else ""): public(message if path in paths else f"{path}: {message}")
        for path, message in found.items()
    }


def scenarios(
    source: Source, values: Mapping[str, Any], strategies: list[str], policies: list[str]
) -> list[Scenario]:
    """A scenario for every pair of strategy and policy.

    Raises
    ------
    InputError
        If one is not right, or there are none or too many to stand side by side.
    """
    pairs = [(s, p) for s in strategies for p in policies]
    if not 1 <= len(pairs) <= limits.MAX_SIDE_BY_SIDE:
        raise InputError(
            f"{len(strategies)} strategies times {len(policies)} policies make {len(pairs)} runs; "
            f"allowed are 1 to {limits.MAX_SIDE_BY_SIDE}"
        )
    start, made = start_of(source), []
    base = start.scenario
    for strategy, policy in pairs:
        changed = overrides(start, values)
        # Parameters belong to the strategy and policy of the start.
        if strategy != base.placement.strategy:
            changed += [f"placement.strategy={json.dumps(strategy)}", "placement.params={}"]
        if policy != base.controller.policy:
            changed += [f"controller.policy={json.dumps(policy)}", "controller.params={}"]
        made.append(start.load(changed))
    return made


def runnable_presets() -> list[str]:
    """Presets complete in themselves; the others need a file of the visitor's."""
    names = []
    for name in loader.preset_names():
        try:
            loader.load(name)
        except InputError:
            continue
        names.append(name)
    return names


def presets_with_files() -> list[str]:
    """The other presets: those that run on element sets of the visitor's."""
    return [name for name in loader.preset_names() if name not in runnable_presets()]


WHAT_FILE: Final = (
    "This scenario runs on real element sets: TLE, or OMM as CSV, JSON, XML or KVN, as CelesTrak "
    "publishes them, or positions (OEM). The run keeps its own copy of the file."
)
"""What is wanted where a scenario waits for its element sets."""

LOOKING: Final = "Looking for room for the model. The run begins when there is some."
"""What is said until a run has begun."""
