"""What a scenario may name: ``twin list``, and the names in the help of other commands."""

import inspect
from dataclasses import fields, is_dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from twin.cli.console import Console
from twin.cli.options import OUTPUTS, JsonOption, PluginOption
from twin.runs import outputs

_NAMED = {"strategies": "strategy", "policies": "policy"}
"""Options that take names, and of which kind."""


class NamingCommand(TyperCommand):
    """A command that lists in its help the names that its options take, and keeps what it reads."""

    def invoke(self, ctx: Any) -> Any:
        """Refuse outputs that would replace what the command reads, before it begins."""
        values = (v if isinstance(v, list | tuple) else (v,) for v in ctx.params.values())
        # What is a text is no output, which is a path.
        read = [text for some in values for text in some if isinstance(text, str)]
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


def list_names(
    kind: Annotated[
        str | None,
        typer.Argument(help="strategies, policies, scenarios, studies, figures, ...; default: all"),
    ] = None,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
) -> None:
    """List all that has a name: strategies, boards, figures, scenarios, ..., a line on each."""
    from twin.plugins import load_plugins
    from twin.plugins.kinds import KINDS

    load_plugins(plugins or ())
    report = Console(json_file)
    listed: dict[str, Any] = {}
    wanted = [*KINDS, *_FILES] if kind is None else [_kind(kind)]
    for name in wanted:
        title, entries = _entries(name)
        listed[title] = entries
        rows = [
            [key, ", ".join(f"{k}={v!r}" for k, v in e["parameters"].items()), e["purpose"]]
            for key, e in entries.items()
        ]
        header = ["name", "parameters", "what"]
        if not any(row[1] for row in rows):
            header, rows = ["name", "what"], [[row[0], row[2]] for row in rows]
        where = f" ({KINDS[name].registry.field})" if name in KINDS else ""
        report.table(f"{title}{where}".removesuffix(" ()"), header, rows)
    if kind is None:
        report.say("twin show KIND NAME says more of one of them")
    report.json(listed)
    report.end()


def show_name(
    kind: Annotated[str, typer.Argument(help="strategy, policy, scenario, board, figure, ...")],
    name: Annotated[str, typer.Argument(help="As twin list prints it.")],
    plugins: PluginOption = None,
) -> None:
    """Show one thing that has a name: what it is, its parameters, where a scenario names it."""
    from twin.plugins import load_plugins
    from twin.plugins.kinds import KINDS

    load_plugins(plugins or ())
    chosen = _kind(kind)
    if chosen in _FILES:
        typer.echo(_text_of(chosen, name), nl=False)
        return
    report, about, registry = Console(None), KINDS[chosen], KINDS[chosen].registry
    thing = registry[name]
    report.say(f"{registry.kind} {name}", style="bold")
    described = inspect.getdoc(thing) if callable(thing) else registry.purpose(name)
    for line in (described or "").splitlines():
        report.say(line)
    if is_dataclass(thing):
        report.say("")
        shown = {f.name: _shown(getattr(thing, f.name)) for f in fields(thing)}
        for field, value in shown.items():
            if value:
                report.say(f"{field}: {value}")
    if registry.field:
        report.say("")
        report.say(f"to use it: --set {registry.field}={name}")
    for key, value in _defaults(registry, name).items():
        field = f"{about.params}.{key}" if about.params else key
        report.say(f"           --set {field}={'...' if value is None else value}")
    report.end()


def files_app(kind: str) -> typer.Typer:
    """Return the command of a kind that is a file: it lists all, or shows one."""
    plural = _FILES[kind]
    app = typer.Typer(help=f"List the {plural} that ship with the twin, or show one.")

    @app.callback(invoke_without_command=True)
    def list_files(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            report = Console(None)
            report.table(plural, *_files(kind))
            report.end()

    @app.command(help=f"Print a {kind} that ships with the twin, as the TOML it is.")
    def show(name: str) -> None:
        typer.echo(_text_of(kind, name), nl=False)

    return app


_FILES = {"scenario": "scenarios", "study": "studies"}
"""Kinds that are files, with their plurals."""


def _kind(name: str) -> str:
    """Name of a kind; InputError lists them if there is none."""
    from twin.plugins.kinds import kind_called

    files = {word: kind for kind, plural in _FILES.items() for word in (kind, plural)}
    return files[name] if name in files else kind_called(name, _FILES.values()).name


def _entries(kind: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Plural of a kind, and its entries by name."""
    from twin.plugins.kinds import KINDS

    found: list[tuple[str, str, dict[str, Any]]]
    if kind in _FILES:
        found = [(name, what, {}) for name, what, *_ in _files(kind)[1]]
    else:
        registry = KINDS[kind].registry
        found = [(name, registry.purpose(name), _defaults(registry, name)) for name in registry]
    named = {name: {"purpose": what, "parameters": given} for name, what, given in found}
    return _FILES.get(kind) or KINDS[kind].plural, named


def _files(kind: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of what ships: names, and what each is for."""
    if kind == "scenario":
        from twin.scenario import loader

        return ["name", "what"], [[*item] for item in loader.descriptions().items()]
    from twin.study import study_file

    studies = [study_file.read_study(name) for name in study_file.preset_names()]
    rows = [[study.name, study.question, str(study.size)] for study in studies]
    return ["name", "question", "points"], rows


def _text_of(kind: str, name: str) -> str:
    from twin.scenario import loader
    from twin.study import study_file

    return loader.preset_text(name) if kind == "scenario" else study_file.preset_text(name)


def _shown(value: Any) -> str:
    """A value in a table; nothing for what is no plain one."""
    return "" if value is None or callable(value) else str(value)


def _defaults(registry: Any, name: str) -> dict[str, Any]:
    """Parameters of an entry by name, each with its default; None where it has none."""
    return {
        key: None if parameter.default is inspect.Parameter.empty else parameter.default
        for key, parameter in registry.parameters(name).items()
    }
