"""Names in a scenario that are entries of a table: checked, and listed in the schema."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.errors import InputError
from twin.plugins.kinds import KINDS, Kind
from twin.plugins.loading import added, load_plugins
from twin.registry import Registry
from twin.scenario import loader
from twin.scenario.schema import Scenario


def load_scenario(
    source: str | Path,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    plugins: Sequence[str | Path] = (),
) -> Scenario:
    """Load plug-ins, then a scenario, and check that its names are known.

    Parameters
    ----------
    source, overrides
        As in `twin.scenario.loader.load`.
    plugins : sequence of str or Path
        As in `load_plugins`.

    Raises
    ------
    InputError
        With field, value and what is allowed.
    """
    load_plugins(plugins)
    scenario = loader.load(source, overrides)
    check(scenario)
    return scenario


def check(scenario: Scenario) -> None:
    """Raise `InputError` if a name in a scenario, or a parameter of its entry, is unknown."""
    for kind, registry in _named():
        name = _value(scenario, registry.field)
        entry = registry[name]
        params = _value(scenario, kind.params) if kind.params else {}
        if params and callable(entry):
            try:
                registry.build(name, params)
            except InputError as error:
                raise InputError(f"{kind.params}: {error}") from None
    from twin.moe.inference import check_size  # which imports numba

    check_size(scenario)


def foreign(scenario: Scenario) -> bool:
    """Whether a scenario names what did not come with the twin, as far as this process knows."""
    return any(_is_foreign(registry, _value(scenario, registry.field)) for _, registry in _named())


def _is_foreign(registry: Registry[Any], name: str) -> bool:
    return name not in registry or added(registry, name)


def schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, with the names that the tables have."""
    whole = Scenario.model_json_schema()
    for _, registry in _named():
        table, _, key = registry.field.partition(".")
        reference = whole["properties"][table]["$ref"].rpartition("/")[2]
        whole["$defs"][reference]["properties"][key]["enum"] = list(registry)
    return whole


def _named() -> Iterator[tuple[Kind, Registry[Any]]]:
    """Kinds whose entries a scenario names, with their tables."""
    for kind in KINDS.values():
        registry = kind.registry
        if registry.field:
            yield kind, registry


def _value(scenario: Scenario, path: str) -> Any:
    table, _, key = path.partition(".")
    return getattr(getattr(scenario, table), key)
