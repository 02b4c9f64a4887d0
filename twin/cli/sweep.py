"""The command that runs a study over processes or a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.answer import say
from twin.cli.console import Console, progress_bar
from twin.cli.options import JsonOption, PluginOption, RunsOption, WorkersOption
from twin.errors import InputError
from twin.vocabulary import ALONE

if TYPE_CHECKING:
    from twin.runs.studies import Study
    from twin.study.study_file import StudyFile


def sweep(
    study: Annotated[
        str, typer.Argument(help="A study's name (see: twin studies), or a TOML file.")
    ],
    workers: WorkersOption = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler instead."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted study; STUDY may also be its folder.",
        ),
    ] = False,
    keep_runs: Annotated[
        bool, typer.Option("--keep-runs", help="Keep every point's complete run, in the study.")
    ] = False,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Run a study, every point of its axes with every strategy and policy; kept below runs/."""
    report = Console(json_file)
    if scheduler is not None and workers is not None:
        raise InputError("--scheduler: takes no --workers, the cluster has its own")
    if scheduler is not None and keep_runs:
        raise InputError("--keep-runs: goes with --workers only, a cluster returns figures alone")
    with progress_bar("points") as progress:
        from twin.study.sweep import open_sweep
        from twin.study.sweep import sweep as sweep_points

        opened = open_sweep(
            study, resume=resume, runs_dir=runs_dir, keep_runs=keep_runs, plugins=plugins or ()
        )
        if scheduler is not None and opened.writer.keep_runs:
            raise InputError("--scheduler: this study keeps its runs, which only --workers can")
        with opened.writer:
            done = sweep_points(opened, workers=workers, scheduler=scheduler, progress=progress)
    if resume and not opened.goes_on:
        report.say(
            f"note: {runs_dir}/ had no interrupted {opened.study.name}; it ran from the start"
        )
    _tell(report, opened.study, done)


def _tell(report: Console, study: "StudyFile", done: "Study") -> None:
    from twin.report.study import finding
    from twin.report.study_tables import as_json, by_figure
    from twin.study.study_cells import Cells
    from twin.study.study_data import read_study_data

    cells = Cells.of_study(read_study_data(done.path))
    say(report, study.question or study.name, finding(cells), by_figure(cells))
    report.say(ALONE)
    points, failed = done.manifest["points"], done.manifest["failed"]
    if failed:
        report.say(f"{failed} of {points} points failed; see column error")
    report.say(f"kept in {done.path}; one row a point in {done.path / 'points'}")
    report.json(
        {"study": study.name, "path": str(done.path), "points": points, "failed": failed}
        | {"groups": as_json(cells)}
    )
    report.end()
