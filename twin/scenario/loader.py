"""Read scenarios: presets by name, files by path, single fields by ``table.key=value``."""

import contextlib
import copy
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel, ValidationError

from twin.errors import InputError, one_line, shown
from twin.scenario import attachments, plain, sources
from twin.scenario.schema import Scenario
from twin.text import meant

_PACKAGE = "twin.scenario"
_MISTAKES = 8
"""Shown at a time."""
_FIELD = re.compile(r"([a-z_]+\.[a-z_]+): (.*)", re.DOTALL)
"""A message that begins with the field that it is about."""

_HINTS = {
    "constellation.tle": "a file of element sets (TLE or OMM), as CelesTrak publishes them "
    "(celestrak.org, GP data): --set constellation.tle=FILE",
}
"""What to give where a field is missing."""
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
        it, gives way: ``simulation.step_s`` to ``simulation.orbits``. Files that are named here
        are relative to the working directory; those of the scenario's file to its own folder, or
        else to the working directory.

    Raises
    ------
    InputError
        With file, field, value and what is allowed.
    """
    label, text = sources.read(_PACKAGE, "scenario", source)
    data = plain.parse(text, label)
    own = Path(source)
    kept = attachments.beside(own) if own.name == "scenario.toml" else {}
    if not kept:
        attachments.find_near(data, own.parent)
    if isinstance(overrides, Mapping):
        for path, value in overrides.items():
            put(data, path, value, told=f"override {path!r}")
        give_way(data, overrides)
    else:
        give_way(data, [override(data, change) for change in overrides])
    return attachments.relocated(from_data(data, label), kept)


def load_text(text: str, label: str, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario from its TOML, with changes as `load` takes them; `label` is for errors."""
    data = plain.parse(text, label)
    give_way(data, [override(data, change) for change in overrides])
    return from_data(data, label)


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
    value = _value(written, f"{option} {path}")
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


def _value(written: str, label: str) -> Any:
    """What stands right of the equals sign: a value in TOML notation, else the text itself."""
    try:
        data = tomllib.loads(f"value = {written}")
    except (ValueError, RecursionError) as error:
        if not isinstance(error, tomllib.TOMLDecodeError):
            plain.parse(f"value = {written}", label)  # which says what is wrong
        data = {}
    if data.keys() == {"value"}:
        return data["value"]
    return written.strip()


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
    table[keys[-1]] = copy.deepcopy(value)  # the next path may lead into it


def from_data(data: dict[str, Any], label: str = "scenario") -> Scenario:
    """Validate nested plain data (as TOML gives it); `label` names it in errors."""
    plain.check(data, label)
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


def mistakes_of(text: str, label: str, overrides: Sequence[str] = ()) -> dict[str, str]:
    """What is wrong with a scenario, by field (``table.key`` or ``table``); empty if nothing."""
    data = plain.parse(text, label)
    give_way(data, [override(data, change) for change in overrides])
    try:
        Scenario.model_validate(data)
    except ValidationError as error:
        return dict(_mistakes(error))
    return {}


def explain(
    error: ValidationError, whole: str = "scenario", of: type[BaseModel] | None = Scenario
) -> str:
    """Everything that is wrong with a file, in one line: field, what is allowed, value.

    Parameters
    ----------
    error : ValidationError
    whole : str
        Stands where no single field is wrong.
    of : type, optional
        What the file is read as: its fields are those that may be meant.
    """
    found = [f"{where}: {message}" for where, message in _mistakes(error, whole, of)]
    more = len(found) - _MISTAKES
    rest = [f"and {more} more mistakes"] if more > 0 else []
    return "; ".join(found[:_MISTAKES] + rest)


def _mistakes(
    error: ValidationError, whole: str = "scenario", of: type[BaseModel] | None = Scenario
) -> list[tuple[str, str]]:
    parts = []
    for item in error.errors(include_url=False):
        where = [one_line(str(p), 100) for p in item["loc"]] or [whole]
        if where[0] == "constellation":
            # Its kind, the tag of a discriminated union, is not a key the user wrote.
            del where[1:2]
        message, like = item["msg"].removeprefix("Value error, "), ""
        message = message[:1].lower() + message[1:]
        about = None if item["loc"] else _FIELD.fullmatch(message)
        if about is not None:
            where, message = [about[1]], about[2]
        if item["type"] == "extra_forbidden":
            message = "unknown key"
            known = set() if of is None else _fields_at(of, item["loc"][:-1])
            like = meant(str(item["loc"][-1]), known)
        told = item["type"] == "missing" or isinstance(item["input"], dict)
        got = "" if told else f" (got {shown(item['input'])})"
        field = ".".join(where)
        if item["type"] == "missing" and field in _HINTS:
            message = f"{message}: {_HINTS[field]}"
        parts.append((field, f"{message}{got}{like}"))
    return parts


def _fields_at(of: type[BaseModel], path: Sequence[int | str]) -> set[str]:
    """Names of the fields of the table at a path; of each kind where there are several."""
    tables = [of]
    for part in path:
        fields = [t.model_fields[str(part)] for t in tables if str(part) in t.model_fields]
        if fields:
            tables = [table for field in fields for table in _tables_in(field.annotation)]
        else:  # a number in a list, or which kind of table it is
            tables = [t for t in tables if _kind_of(t) == part] or tables
    return {name for table in tables for name in table.model_fields}


def _kind_of(table: type[BaseModel]) -> Any:
    return table.model_fields["kind"].default if "kind" in table.model_fields else None


def _tables_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for part in get_args(annotation) for table in _tables_in(part)]


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
