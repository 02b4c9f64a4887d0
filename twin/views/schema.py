"""Every field of a scenario: what it is, its default, and which of them a run has otherwise."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from twin.scenario.attachments import FIELDS as FILES
from twin.scenario.schema import Scenario

REQUIRED: Final = "no default"
_LONGEST: Final = 120
_GUIDE: Final = Path(__file__).parents[1] / "guide" / "glossary.md"


@dataclass(frozen=True, kw_only=True)
class SchemaField:
    """One field: its path, its default, `REQUIRED` where it has none, and what it is."""

    path: str
    default: Any
    sentence: str


@cache
def fields() -> dict[str, SchemaField]:
    """All fields of all tables by ``table.key``; of alternatives all that any has."""
    schema = Scenario.model_json_schema()
    found: dict[str, SchemaField] = {}
    for table, told in schema["properties"].items():
        for key, field in _properties(told, schema["$defs"]):
            path = f"{table}.{key}"
            default, sentence = field.get("default", REQUIRED), field.get("description", "")
            found[path] = SchemaField(path=path, default=default, sentence=sentence)
    return found


def _properties(
    told: Mapping[str, Any], defined: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Fields of a table, or of each table that it may be."""
    each = told.get("oneOf") or told.get("anyOf") or [told]
    for one in each:
        if "$ref" in one:
            yield from defined[one["$ref"].rpartition("/")[2]].get("properties", {}).items()


@cache
def typed() -> dict[str, SchemaField]:
    """Fields that a visitor may type: all but those that name a file of the server's."""
    files = {f"{table}.{key}" for table, key in FILES}
    return {path: field for path, field in fields().items() if path not in files}


def about(scenario: Scenario) -> list[dict[str, str]]:
    """What of a scenario is not as by default: path, value, default and sentence, as texts."""
    content = scenario.model_dump(mode="json")
    told = []
    for path, field in fields().items():
        table, _, key = path.partition(".")
        values = content.get(table) or {}
        if key in values and values[key] != field.default:
            given = _text(values[key]) if path in typed() else Path(str(values[key])).name
            told.append(
                {
                    "path": path,
                    "value": given,
                    "default": _text(field.default),
                    "sentence": field.sentence,
                }
            )
    return told


def _text(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


@cache
def glossary() -> dict[str, str]:
    """Words of the guide's glossary and what they mean."""
    found = {}
    for line in _GUIDE.read_text(encoding="utf-8").splitlines():
        words, mark, meaning = line.strip("| ").partition(" | ")
        if mark and words.startswith("**"):
            for word in re.split(r",\s*", words.replace("**", "")):
                found[word] = meaning
    return found
