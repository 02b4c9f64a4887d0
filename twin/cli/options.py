"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ScenarioArgument = Annotated[str, typer.Argument(help="A preset's name or a TOML file's path.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Override a field; may be repeated."),
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Seed of all randomness.")]
JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the figures as JSON ('-': print them)."),
]
FigureOption = Annotated[Path | None, typer.Option(help="Where the plot goes, as PNG.")]
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


def with_seed(overrides: list[str] | None, seed: int | None) -> list[str]:
    """Overrides of a scenario, the seed's among them if there is one."""
    return [*(overrides or []), *([] if seed is None else [f"simulation.seed={seed}"])]
