"""Inputs of the form of a new run: a field each, lists to choose from, any field by its name."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import reacton.ipyvuetify as rv
import solara

from twin.plugins.kinds import KINDS
from twin.views import schema


@dataclass(frozen=True)
class Field:
    """One field of the form: its place in a scenario and its name on the page."""

    path: str
    label: str
    kind: str = ""
    """Of what kind the names are that it takes, if it takes names: see `twin.plugins.kinds`."""

    @property
    def choices(self) -> list[str]:
        """The names that it takes; none if it takes anything."""
        return list(KINDS[self.kind].registry) if self.kind else []


def at(data: Mapping[str, Any], path: str) -> Any:
    """Value of ``table.key`` in a scenario's plain data; None where there is none."""
    table, _, key = path.partition(".")
    return data[table].get(key)


def has(data: Mapping[str, Any], path: str) -> bool:
    """Whether a scenario's plain data have a field: another constellation has others."""
    table, _, key = path.partition(".")
    return key in data[table]


@solara.component
def More(  # noqa: N802
    data: Mapping[str, Any],
    values: solara.Reactive[dict[str, Any]],
    wrong: Mapping[str, str],
    main: Collection[str],
) -> None:
    """All other fields of the schema: found by name, each with what it is and its default."""
    offered = [path for path in schema.typed() if path not in main]
    added = [path for path in values.value if path in offered]

    def add(path: str | None) -> None:
        if path in offered and path not in values.value:
            values.value = {**values.value, path: _typed(at(data, path))}

    with rv.Html(tag="div", class_="tw-more-fields"):
        rv.Autocomplete(
            label="Another field",
            items=[path for path in offered if path not in added],
            v_model=None,
            on_v_model=add,
            dense=True,
            outlined=True,
            hide_details=True,
            class_="tw-choice",
        )
        for path in added:
            field = schema.typed()[path]
            told = f"{field.sentence or path}; default {_typed(field.default) or 'none'}"
            Input(Field(path, path), values, wrong.get(path, ""), told).key(path)


def _typed(value: Any) -> str:
    """A value as a visitor types it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


@solara.component
def Input(  # noqa: N802
    field: Field, values: solara.Reactive[dict[str, Any]], wrong: str, hint: str = ""
) -> None:
    """One field: a list if it takes names, else a line; with what is wrong, and what it is."""
    value = values.value[field.path]

    def change(new: Any) -> None:
        values.value = {**values.value, field.path: new}

    if field.kind:
        select(field.label, field.choices, value, change)
        return
    rv.TextField(
        label=field.label,
        v_model="" if value is None else str(value),
        on_v_model=change,
        error_messages=[wrong] if wrong else [],
        placeholder="default",
        hint=hint,
        persistent_hint=bool(hint),
        dense=True,
        outlined=True,
        hide_details="auto",
        class_="tw-field",
    )


def select(
    label: str,
    items: list[Any],
    value: Any,
    on_value: Callable[[Any], None],
    *,
    many: bool = False,
) -> None:
    """A list to choose from; `items` are texts, or (value, text)."""
    pairs = [item if isinstance(item, tuple) else (item, item) for item in items]
    rv.Select(
        label=label,
        items=[{"value": v, "text": text} for v, text in pairs],
        v_model=value,
        on_v_model=on_value,
        multiple=many,
        small_chips=many,
        dense=True,
        outlined=True,
        hide_details=True,
        menu_props={"offsetY": True, "maxHeight": 420},
        class_="tw-choice",
    )
