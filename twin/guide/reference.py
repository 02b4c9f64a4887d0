"""What of the guide is generated: fields of a scenario, figures, causes, events, names, Python."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from twin.guide.walk import GUIDE
from twin.plugins.choices import schema
from twin.plugins.kinds import KINDS
from twin.runs.figures import FIGURES, group_of
from twin.vocabulary import CAUSES, EVENTS, REQUEST_CAUSES, LinkState, Meaning

_LONGEST_LIST = 6
"""Names of a field that are listed; of more, the chapter of names is pointed at."""


def scenario() -> str:
    """Every table of a scenario, its fields with type, bounds, default and meaning."""
    whole = schema()
    parts = [_fields("The file itself", whole, simple=True)]
    for table, about in whole["properties"].items():
        for name in _tables(about):
            found = whole["$defs"][name]
            kind = found["properties"].get("kind", {}).get("const", "")
            title = f"`[{table}]`" + (f' with `kind = "{kind}"`' if kind else "")
            parts.append(_fields(title, found))
            parts += [
                _fields(f"`[[{table}.{key}]]`", whole["$defs"][inner])
                for key, field in found["properties"].items()
                for inner in _tables(field.get("items", {}))
            ]
    return "\n\n".join(parts)


def _tables(about: dict[str, Any]) -> list[str]:
    """Names of the definitions that a field refers to."""
    several = about.get("oneOf", about.get("anyOf", [about]))
    return [one["$ref"].rpartition("/")[2] for one in several if "$ref" in one]


def _fields(title: str, table: dict[str, Any], *, simple: bool = False) -> str:
    """One table of fields; `simple`: without those that are tables of their own."""
    needed = table.get("required", [])
    rows = [
        (f"`{key}`", _kind(field), _default(key, field, needed), field.get("description", ""))
        for key, field in table["properties"].items()
        if not (simple and _tables(field))
    ]
    return "\n\n".join(
        [
            f"## {title}",
            *([_sentence(table["description"])] if not simple else []),
            markdown_table(("field", "value", "default", "meaning"), rows),
        ]
    )


def _sentence(docstring: str) -> str:
    return " ".join(docstring.split("\n\n")[0].split())


def _default(key: str, field: dict[str, Any], needed: Sequence[str]) -> str:
    if key in needed:
        return "needed"
    default = field.get("default")
    if default is None or default in ([], {}, ""):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


_KINDS = {
    "number": "number",
    "integer": "integer",
    "string": "text",
    "boolean": "true or false",
    "array": "list",
}
"""JSON schema's types in words; all others are tables."""


def _kind(field: dict[str, Any]) -> str:
    """Type and bounds of a field in words."""
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        listed = [f"`{name}`" for name in field["enum"]]
        return ", ".join(listed) if len(listed) <= _LONGEST_LIST else "a [name](names.md)"
    alternatives = field.get("anyOf") or field.get("oneOf")
    if alternatives:
        return " or ".join(_kind(one) for one in alternatives if one.get("type") != "null")
    return f"{_KINDS.get(field.get('type', ''), 'table')} {_bounds(field)}".strip()


def _bounds(field: dict[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    above, below = field.get("exclusiveMinimum"), field.get("exclusiveMaximum")
    said = []
    if low is not None or above is not None:
        said.append(f"from {low:,}" if low is not None else f"above {above:,}")
    if high is not None or below is not None:
        said.append(f"to {high:,}" if high is not None else f"below {below:,}")
    return " ".join(said)


def vocabulary() -> str:
    """Figures, causes, states of links and kinds of events, each with its sentence."""
    figures = []
    for group, members in groupby(FIGURES.values(), key=lambda figure: group_of(figure.name)):
        rows = [(f"`{f.name}`", f.label, f.unit or "number", f.sentence) for f in members]
        header = ("name", "label", "shown in", "what it is")
        figures += [f"### {group.capitalize()}", markdown_table(header, rows)]
    causes = [(f"`{c.word}`", c.meaning.label, c.meaning.sentence) for c in CAUSES]
    requests = [(f"`{c.word}`", c.meaning.label, c.meaning.sentence) for c in REQUEST_CAUSES]
    links = [
        (f"`{state.word}`", state.meaning.label, _of_link(state.meaning)) for state in LinkState
    ]
    events = [(f"`{name}`", event.sentence) for name, event in EVENTS.items()]
    return "\n\n".join(
        [
            "## Figures of a run",
            "In tables and JSON a figure has the unit in its name, and shares are from 0 to 1. "
            "Command line, reports and page show it in the unit given here.",
            *figures,
            "## Why a token was lost",
            markdown_table(("word", "label", "meaning"), causes),
            "## Why a request was not served",
            markdown_table(("word", "label", "meaning"), requests),
            "## States of a link",
            "Checked in this order; the first that holds counts.",
            markdown_table(("word", "label", "a link is down"), links),
            "## Events",
            markdown_table(("kind", "what happened"), events),
        ]
    )


def _of_link(meaning: Meaning) -> str:
    return meaning.phrase or meaning.sentence


def names() -> str:
    """Entries of every table that a scenario names."""
    parts = []
    for kind in KINDS.values():
        registry = kind.registry
        if not registry.field:
            continue
        rows = [
            (f"`{name}`", _parameters(registry, name), registry.purpose(name)) for name in registry
        ]
        parts += [
            f"## {kind.plural.replace('-', ' ').capitalize()}",
            f"Named in `{registry.field}`"
            + (f", with parameters in `{kind.params}`." if kind.params else "."),
            markdown_table(("name", "parameters", "what it is"), rows),
        ]
    return "\n\n".join(parts)


def _parameters(registry: Any, name: str) -> str:
    shown = (
        key if p.default is inspect.Parameter.empty else f"{key}={p.default!r}"
        for key, p in registry.parameters(name).items()
    )
    return ", ".join(f"`{text}`" for text in shown)


def python() -> str:
    """Functions of `twin.api`, `twin.questions` and `twin.results` with their docstrings."""
    from twin import api, questions, results

    modules = (api, questions, results)
    things = {name: getattr(module, name) for module in modules for name in module.__all__}
    parts = []
    for name, thing in sorted(things.items()):
        signature = str(inspect.signature(thing)) if inspect.isfunction(thing) else ""
        parts.append(f"### `twin.{name}`" if signature else f"### `{name}`")
        parts.append(f"```\n{name}{_short(signature)}\n```")
        parts.append(_docstring(inspect.getdoc(thing) or ""))
    return "\n\n".join(parts)


def _short(signature: str) -> str:
    """A signature without the modules of its types, and without the quotes round some."""
    unquoted = re.sub(r"(: |-> )'([^']*)'", r"\1\2", signature)
    return re.sub(r"\b(?:[a-z_]+\.)+([A-Z])", r"\1", unquoted)


def _docstring(text: str) -> str:
    """A NumPy docstring as Markdown: sections as bold words, parameters as a list."""
    lines, out, listing = text.splitlines(), [], False
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if after and set(after) == {"-"}:
            out += [f"**{line}**", ""]
            listing = line in ("Parameters", "Raises", "Returns")
        elif line and set(line) == {"-"}:
            continue
        elif listing and line and not line.startswith(" "):
            out.append(f"- `{line}`")
        else:
            out.append(f"  {line.strip()}" if listing and line else line)
    return re.sub(r"(?<!`)`(twin[\w.]*)`(?!`)", r"`\1`", "\n".join(out))


def plug_in() -> str:
    """The plug-in of the tests, with one of every kind."""
    text = (GUIDE.parents[1] / "tests" / "plugins" / "everything.py").read_text(encoding="utf-8")
    return f"```py\n{text.strip()}\n```"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


MADE: dict[str, Callable[[], str]] = {
    "scenario": scenario,
    "vocabulary": vocabulary,
    "names": names,
    "python": python,
    "plug-in": plug_in,
}
"""What makes each generated part, by its name."""
