"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.console import STANDARD_OUTPUT
from twin.runs import outputs

OUTPUTS = "twin.outputs"
"""Where a command's context keeps the files that it will write, with their options."""

ScenarioArgument = Annotated[str, typer.Argument(help="A preset's name or a TOML file's path.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Override a field; may be repeated."),
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Seed of all randomness.")]


def output(context: typer.Context, option: typer.CallbackParam, value: Path | None) -> Path | None:
    """Check a file that an option names for output, when options are read."""
    return _checked(context, option, value, makes_folder=False)


def output_in_new_folder(
    context: typer.Context, option: typer.CallbackParam, value: Path | None
) -> Path | None:
    """Check a file for output whose folder is made if it is missing."""
    return _checked(context, option, value, makes_folder=True)


def output_folder(option: typer.CallbackParam, value: Path | None) -> Path | None:
    """Check a folder for output, which is made if it is missing."""
    if value is not None:
        outputs.check_folder(option.opts[0], value)
    return value


def _checked(
    context: typer.Context, option: typer.CallbackParam, value: Path | None, *, makes_folder: bool
) -> Path | None:
    if value is None or value == STANDARD_OUTPUT or context.resilient_parsing:
        return value
    outputs.check(option.opts[0], value, makes_folder=makes_folder)
    named = context.meta.setdefault(OUTPUTS, [])
    named.append((option.opts[0], value))
    outputs.check_apart(named)
    return value


JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the figures as JSON ('-': print them).",
        callback=output,
    ),
]
FigureOption = Annotated[
    Path | None,
    typer.Option(help="Where the plot goes, as PNG.", callback=output_in_new_folder),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Write a report.", callback=output),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Processes; default: all cores.")
]
RunsOption = Annotated[Path, typer.Option(help="Folder that holds the runs.")]
PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py|MODULE",
        help="Load a plug-in of your own: strategies, outage models, ... (see: twin list); "
        "may be repeated.",
    ),
]


def _say_version(asked: bool) -> None:
    """Print which version this is, and end."""
    if asked:
        from twin.runs.files import versions

        typer.echo(f"orbital-twin {versions()['orbital-twin']}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=_say_version, is_eager=True, help="Show the version, and end."
    ),
]


def with_seed(overrides: list[str] | None, seed: int | None) -> list[str]:
    """Overrides of a scenario, the seed's among them if there is one."""
    return [*(overrides or []), *([] if seed is None else [f"simulation.seed={seed}"])]


def split(text: str | None) -> list[str]:
    """Names that stand in an option with commas between them; none where it is not given."""
    return [] if text is None else [part.strip() for part in text.split(",")]
