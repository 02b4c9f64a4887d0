"""Commands about places on the ground: the path between two, and passes over one."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.console import Console, progress_bar
from twin.cli.look import ON_SCREEN, run_folder
from twin.cli.options import (
    CsvOption,
    JsonOption,
    PluginOption,
    RunsOption,
    SetOption,
    file_option,
    sharing,
)
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.runs.store import Run
    from twin.scenario.schema import Scenario

_PLACE = "a site of the scenario, one of the fifty cities, or LATITUDE,LONGITUDE[,ALTITUDE_M]"
SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO|RUN", help="A preset's name, a TOML file's path, or a run: folder or id."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Looking:
    """Options of both commands."""

    max_slant_km: Annotated[
        float | None,
        typer.Option(
            "--max-slant-km", metavar="KM", help="How far a satellite may be from a place."
        ),
    ] = None
    overrides: SetOption = None
    plugins: PluginOption = None
    csv_file: CsvOption = None
    json_file: JsonOption = None
    runs_dir: RunsOption = Path("runs")

    def open(self, source: str) -> "Scenario | Run":
        """Open the scenario or the run that an argument names; a preset goes before a run."""
        from twin.plugins import load_plugins
        from twin.plugins.choices import load_scenario
        from twin.runs import store as runs
        from twin.scenario.loader import preset_names

        load_plugins(self.plugins or ())
        is_run = Path(source).is_dir() or (self.runs_dir / source).is_dir()
        if source in preset_names() or not is_run:
            return load_scenario(source, self.overrides or [])
        if self.overrides:
            given = f"--set {self.overrides[0]}"
            raise InputError(f"{given}: {source} is a run, which keeps its scenario")
        return runs.open_run(run_folder(source, self.runs_dir))


class By(StrEnum):
    """How the satellites at the ends of a path are chosen."""

    SERVING = "serving"
    BEST = "best"


@sharing
def route(
    source: SourceArgument,
    start: Annotated[str, typer.Option("--from", metavar="A", help=f"Where from: {_PLACE}.")],
    end: Annotated[str, typer.Option("--to", metavar="B", help="Where to, likewise.")],
    by: Annotated[
        By,
        typer.Option(
            help="Satellites at the ends: those that the hand-over rule chooses, or the pair in "
            "sight with the shortest path."
        ),
    ] = By.SERVING,
    png_file: Annotated[Path | None, file_option("--png", "Draw it over time.")] = None,
    *,
    shared: Looking,
) -> None:
    """Follow the path between two places: round-trip time, hops, changes of path, interruptions.

    Light times at the start of each step. A run's links and satellites are up or down as it met
    them; in a scenario that has not run all satellites have power.
    """
    report, known = Console(shared.json_file), shared.open(source)
    with progress_bar("compiling on first use, then stepping") as progress:
        from twin.export.routes import route as follow
        from twin.report.route import route_picture, title
        from twin.report.route import tables as route_tables

        found = follow(
            known, start, end, by=by, max_slant_km=shared.max_slant_km, progress=progress
        )
    report.say(title(found))
    for table in route_tables(found, ON_SCREEN):
        report.table(*table)
    if png_file is not None:
        from twin.report.drawing import png

        report.file("--png", png_file, partial(png, route_picture(found)), "plot")
    report.conclude(found, shared.csv_file)


@sharing
def passes(
    source: SourceArgument,
    site: Annotated[str, typer.Option(help=f"Where: {_PLACE}.")],
    satellite: Annotated[
        str | None, typer.Option(help="Only this satellite: number or name.")
    ] = None,
    *,
    shared: Looking,
) -> None:
    """List when satellites rise, stand highest and set over a place, above the scenario's mask."""
    report, known = Console(shared.json_file), shared.open(source)
    with progress_bar("compiling on first use, then searching") as progress:
        from twin.export.passes import site_passes

        found = site_passes(
            known, site, satellite=satellite, max_slant_km=shared.max_slant_km, progress=progress
        )
    rows = found.rows(ON_SCREEN)
    report.table(
        f"{len(rows)} of {len(found.names)} passes over {found.site.name}, seconds after "
        f"{found.epoch_utc}",
        ["satellite", "rise", "top", "set", "elevation deg", "slant km"],
        rows,
    )
    report.conclude(found, shared.csv_file)
