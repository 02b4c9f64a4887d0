"""What a scenario may name: ``twin list``, and the names in the help of other commands."""

import inspect
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from twin.cli.options import OUTPUTS, JsonOption, PluginOption
from twin.runs import outputs

_NAMED = {"strategies": "strategy", "policies": "policy"}
"""Options that take names, and of which kind."""


class NamingCommand(TyperCommand):
    """A command that lists in its help the names that its options take, and keeps what it reads."""

    def invoke(self, ctx: Any) -> Any:
        """Refuse outputs that would replace what the command reads, before it begins."""
        read = [text for value in ctx.params.values() for text in _texts(value)]
        outputs.check_not_read(ctx.meta.get(OUTPUTS, []), read)
        return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Add the names to the help of the options."""
        from twin.plugins import load_plugins
        from twin.plugins.kinds import KINDS

        for option in self.params:
            kind = _NAMED.get(option.name or "")
            if kind is not None and isinstance(option, TyperOption):
                load_plugins()
                said = (option.help or "").partition(" Known:")[0]
                option.help = f"{said} Known: {', '.join(KINDS[kind].registry)}."
        super().format_help(ctx, formatter)


def _texts(value: Any) -> list[str]:
    """Texts among a parameter's values; an output is no text, but a path."""
    values = value if isinstance(value, list | tuple) else (value,)
    return [text for text in values if isinstance(text, str)]


def list_names(
    kind: Annotated[
        str | None, typer.Argument(help="strategies, policies, outage-models, ...; default: all.")
    ] = None,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
) -> None:
    """List what a scenario may name, with parameters, defaults and a line on each."""
    from twin.cli.console import Console
    from twin.plugins import load_plugins
    from twin.plugins.kinds import KINDS, kind_called

    load_plugins(plugins or ())
    report = Console(json_file)
    listed: dict[str, Any] = {}
    for chosen in [kind_called(kind)] if kind is not None else KINDS.values():
        registry = chosen.registry
        entries: dict[str, dict[str, Any]] = {
            name: {"purpose": registry.purpose(name), "parameters": _defaults(registry, name)}
            for name in registry
        }
        listed[chosen.plural] = entries
        rows = [
            [name, ", ".join(f"{k}={v!r}" for k, v in e["parameters"].items()), e["purpose"]]
            for name, e in entries.items()
        ]
        where = f" ({registry.field})" if registry.field else ""
        report.table(f"{chosen.plural}{where}", ["name", "parameters", "what"], rows)
    report.json(listed)
    report.end()


def _defaults(registry: Any, name: str) -> dict[str, Any]:
    """Parameters of an entry by name, each with its default; None where it has none."""
    return {
        key: None if parameter.default is inspect.Parameter.empty else parameter.default
        for key, parameter in registry.parameters(name).items()
    }
