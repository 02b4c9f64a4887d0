"""Read scenarios: presets by name, files by path, single fields by ``table.key=value``."""

import contextlib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from twin.errors import InputError
from twin.scenario import attachments, sources
from twin.scenario.schema import Scenario

_PACKAGE = "twin.scenario"

_ALTERNATIVES = (
    ("simulation.step_s", "simulation.orbits"),
    ("ground.sites", "ground.users"),
    ("activations.topic", "activations.topics"),
)
"""Fields of which a scenario gives one."""


def preset_names() -> list[str]:
    """Names of the scenarios that ship with the package."""
    return sources.preset_names(_PACKAGE)


def preset_text(name: str) -> str:
    """TOML text of a preset; InputError lists the presets if there is no such."""
    return sources.preset_text(_PACKAGE, "scenario", name)


def descriptions() -> dict[str, str]:
    """What each preset is, by name."""
    return {name: tomllib.loads(preset_text(name))["description"] for name in preset_names()}


def load(source: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Scenario:
    """Load a preset or a scenario file; a run's own with the files that the run has kept.

    Parameters
    ----------
    source : str or Path
        Name of a preset, or path of a TOML file (anything with a ``/`` or ending in ``.toml``).
    overrides : sequence of str, or mapping
        ``table.key=value``, the value in TOML notation; what is not TOML is taken as a string.
        Or values as they are, by ``table.key``. The alternative to a field, where the file has
        it, gives way: ``simulation.step_s`` to ``simulation.orbits``.

    Raises
    ------
    InputError
        With file, field, value and what is allowed.
    """
    label, text = sources.read(_PACKAGE, "scenario", source)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{label}: not valid TOML: {error}") from None
    if isinstance(overrides, Mapping):
        for path, value in overrides.items():
            put(data, path, value, told=f"override {path!r}")
        give_way(data, overrides)
    else:
        give_way(data, [override(data, change) for change in overrides])
    scenario = from_data(data, label)
    own = Path(source)
    if own.name == "scenario.toml":
        return attachments.relocated(scenario, attachments.beside(own))
    return scenario


def override(
    data: dict[str, Any], text: str, *, option: str = "--set", form: str = "table.key=value"
) -> str:
    """Set one field of nested plain data from ``table.key=value``, the value in TOML notation.

    Returns the field.

    Raises
    ------
    InputError
        If `text` has another form; it names the `option` it was given to and the `form`.
    """
    path, equals, written = text.partition("=")
    if not equals:
        raise InputError(f"{option} {text}: must look like {form}")
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written.strip()
    put(data, path, value, told=f"{option} {text}", form=form)
    return path


def give_way(data: dict[str, Any], fields: Iterable[str]) -> None:
    """Drop what stands beside fields that were set and is an alternative to one of them.

    Alternatives that were both set stay, to be refused together.
    """
    changed = {field.strip() for field in fields}
    for pair in _ALTERNATIVES:
        for field, other in (pair, pair[::-1]):
            table, _, key = other.partition(".")
            if field in changed and other not in changed and isinstance(data.get(table), dict):
                data[table].pop(key, None)


def put(data: dict[str, Any], path: str, value: Any, *, told: str, form: str = "table.key") -> None:
    """Set the field at a path like ``table.key``; `told` and `form` are for errors."""
    keys = path.strip().split(".")
    if not all(keys):
        raise InputError(f"{told}: must look like {form}")
    table = data
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise InputError(f"{told}: {key} is a value, not a table")
    table[keys[-1]] = value


def from_data(data: dict[str, Any], label: str = "scenario") -> Scenario:
    """Validate nested plain data (as TOML gives it); `label` names it in errors."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{label}: {explain(error)}") from None


def to_toml(scenario: Scenario) -> str:
    """The complete scenario as TOML; ``load`` of it gives an equal scenario."""
    return tomli_w.dumps(scenario.model_dump(mode="json", exclude_none=True))


def scenario_hash(scenario: Scenario) -> str:
    """SHA-256 of a scenario's content and its files', whatever the key order, in hex digits."""
    data = scenario.model_dump(mode="json")
    for table, key in attachments.FIELDS:
        path = data[table].get(key)
        if path is not None:
            with contextlib.suppress(InputError):
                data[table][key] = hashlib.sha256(attachments.read_bytes(path)).hexdigest()
    canonical = json.dumps(data, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def mistakes(source: str | Path, overrides: Sequence[str] = ()) -> dict[str, str]:
    """What is wrong with a scenario, by field (``table.key`` or ``table``); empty if nothing."""
    data = tomllib.loads(sources.read(_PACKAGE, "scenario", source)[1])
    give_way(data, [override(data, change) for change in overrides])
    try:
        Scenario.model_validate(data)
    except ValidationError as error:
        return dict(_mistakes(error))
    return {}


def explain(error: ValidationError, whole: str = "scenario") -> str:
    """Everything that is wrong with a file, in one line: field, what is allowed, value.

    Parameters
    ----------
    error : ValidationError
    whole : str
        Stands where no single field is wrong.
    """
    return "; ".join(f"{where}: {message}" for where, message in _mistakes(error, whole))


def _mistakes(error: ValidationError, whole: str = "scenario") -> list[tuple[str, str]]:
    parts = []
    for item in error.errors(include_url=False):
        where = [str(p) for p in item["loc"]] or [whole]
        if where[0] == "constellation":
            # Its kind, the tag of a discriminated union, is not a key the user wrote.
            del where[1:2]
        message = item["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        shown = (
            ""
            if item["type"] == "missing" or isinstance(item["input"], dict)
            else (f" (got {item['input']!r})")
        )
        parts.append((".".join(where), f"{message}{shown}"))
    return parts


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "").isalnum() and key.isascii()
    return key if bare else _text(key)


def literal(value: Any) -> str:
    """Plain data in TOML notation, on one line, where `tomli_w` would take several."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    return repr(value)


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes, but for DEL, which TOML wants escaped as well."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
