"""Commands that show a satellite's orbit, a run's events or the page, and that export runs."""

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.options import JsonOption, PluginOption, RunsOption, ScenarioArgument, SetOption
from twin.errors import InputError

RunArgument = Annotated[
    str, typer.Argument(help="A run's folder, or its id below the runs folder.")
]

ON_SCREEN = 20
"""Rows of a table that are printed by default; files hold all."""


def ephemeris(
    scenario: ScenarioArgument,
    satellite: Annotated[str, typer.Option(help="Its number or its name.")],
    steps: Annotated[
        int | None, typer.Option(min=1, help="Number of steps, instead of the scenario's.")
    ] = None,
    plugins: PluginOption = None,
    overrides: SetOption = None,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write the steps as CSV, and FILE-shadows beside it."
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Follow one satellite: position, velocity, beta angle, sunlight, shadow intervals."""
    from twin.cli.console import Console, progress_bar
    from twin.plugins.choices import load_scenario

    report = Console(json_file)
    if csv_file is not None and not csv_file.parent.is_dir():
        raise InputError(f"--csv {csv_file}: there is no folder {csv_file.parent}")
    length = [] if steps is None else [f"simulation.steps={steps}"]
    chosen = load_scenario(scenario, [*(overrides or []), *length], plugins=plugins or ())
    with progress_bar("compiling on first use, then stepping") as progress:
        from twin.export.ephemeris import satellite_ephemeris

        found = satellite_ephemeris(chosen, satellite, progress=progress)
    report.table(
        f"{found.satellite['name']} of {chosen.name}, {len(found.columns['t_s'])} steps "
        f"from {found.epoch_utc}",
        ["s", "latitude deg", "longitude deg", "altitude km", "beta deg", "sunlit"],
        found.step_rows(ON_SCREEN),
    )
    shadows = found.shadow_rows(ON_SCREEN)
    report.table(
        f"shadow intervals, {len(shadows)} of {len(found.shadows)}; seconds after the start",
        ["penumbra in", "umbra in", "umbra out", "penumbra out"],
        shadows,
    )
    if csv_file is not None:
        beside = found.write_csv(csv_file)
        report.say(f"all steps in {csv_file}, all shadows in {beside}")
    report.json(found.as_json())


def events(
    run: RunArgument,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only events of this kind; may be repeated.")
    ] = None,
    satellite: Annotated[
        str | None, typer.Option(help="Only events of this satellite: number or name.")
    ] = None,
    from_s: Annotated[
        float | None, typer.Option("--from", metavar="T", help="Seconds since the run's start.")
    ] = None,
    to_s: Annotated[
        float | None, typer.Option("--to", metavar="T", help="Seconds since the run's start.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help=f"Most rows; default: {ON_SCREEN} on screen, all in the file."),
    ] = None,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Print what happened in a run: shadow, power, links, hand-overs, plans, lost tokens."""
    from twin.cli.console import Console
    from twin.export.events import select
    from twin.runs import store as runs

    report = Console(json_file)
    folder = run_folder(run, runs_dir)
    chosen = select(
        runs.open_run(folder), kinds=kind or (), satellite=satellite, from_s=from_s, to_s=to_s
    )
    rows = chosen.rows(ON_SCREEN if limit is None else limit)
    counts, total = chosen.counts(), chosen.table.num_rows
    report.table(
        f"{folder.name}: {len(rows)} of {total} events, seconds after {chosen.epoch_utc}",
        ["s", "kind", "cause", "satellite", "other", "value"],
        rows,
    )
    report.table(
        "how many", ["kind", "cause", "events"], [[k, c, str(count)] for k, c, count in counts]
    )
    report.json(
        {
            "run": folder.name,
            "matched": total,
            "counts": [{"kind": k, "cause": c or None, "events": n} for k, c, n in counts],
            "events": chosen.records(limit),
        }
    )


def export(
    run: RunArgument,
    czml_file: Annotated[
        Path | None,
        typer.Option("--czml", metavar="FILE", help="Write the orbits as CZML, for Cesium."),
    ] = None,
    graphml_file: Annotated[
        Path | None,
        typer.Option("--graphml", metavar="FILE", help="Write the links of a step as GraphML."),
    ] = None,
    omm_file: Annotated[
        Path | None,
        typer.Option(
            "--omm", metavar="FILE", help="Write element sets as OMM: FILE is .csv, .json or .xml."
        ),
    ] = None,
    step: Annotated[
        int | None, typer.Option(metavar="N", help="Step that --graphml shows; default: the first.")
    ] = None,
    plugins: PluginOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Export a run: orbits as CZML or OMM, links of a step as a GraphML graph."""
    from twin.cli.console import Console, progress_bar
    from twin.plugins import load_plugins
    from twin.runs import store as runs
    from twin.runs.files import write_text

    options = {"--czml": czml_file, "--graphml": graphml_file, "--omm": omm_file}
    files = {option: path for option, path in options.items() if path is not None}
    _check_files(files, step)
    load_plugins(plugins or ())
    chosen = runs.open_run(run_folder(run, runs_dir))
    texts = {}
    with progress_bar("stepping") as progress:
        from twin.export.czml import czml
        from twin.export.graphml import graphml
        from twin.export.omm import ending_of, omm

        if omm_file is not None:
            texts["--omm"] = omm(chosen, ending_of(omm_file))
        if czml_file is not None:
            texts["--czml"] = czml(chosen)
        if graphml_file is not None:
            texts["--graphml"] = graphml(
                chosen, chosen.first_step if step is None else step, progress=progress
            )
    report = Console(None)
    for option, path in files.items():
        try:
            write_text(path, texts[option])
        except OSError as error:
            raise InputError(f"{option} {path}: {error.strerror}") from None
        report.say(f"{option.removeprefix('--')} in {path}")


def _check_files(files: dict[str, Path], step: int | None) -> None:
    """Refuse what could not be written, before anything is computed."""
    if not files:
        raise InputError("twin export: give --czml FILE, --graphml FILE or --omm FILE")
    if step is not None and "--graphml" not in files:
        raise InputError(f"--step {step}: goes with --graphml FILE")
    if len(set(files.values())) < len(files):
        raise InputError("twin export: --czml, --graphml and --omm must be different files")
    for option, path in files.items():
        if path.is_dir():
            raise InputError(f"{option} {path}: is a folder")
        if not path.parent.is_dir():
            raise InputError(f"{option} {path}: there is no folder {path.parent}")


def report(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET...", help="Runs, or one study: folders, or ids below runs/."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Default: <id>-report.html in this folder."),
    ] = None,
    png_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the plots here, as PNG.")
    ] = None,
    csv_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the tables here, as CSV.")
    ] = None,
    plugins: PluginOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Report on runs, side by side, or on a study: one HTML file that needs nothing else."""
    from twin.cli.console import Console
    from twin.plugins import load_plugins
    from twin.report.document import report as put_together
    from twin.report.document import write

    load_plugins(plugins or ())
    folders = [run_folder(target, runs_dir) for target in targets]
    more = f"-and-{len(folders) - 1}-more" if len(folders) > 1 else ""
    file = out or Path(f"{folders[0].resolve().name}{more}-report.html")
    if file.is_dir() or not file.parent.is_dir():
        what = "is a folder" if file.is_dir() else f"there is no folder {file.parent}"
        raise InputError(f"--out {file}: {what}")
    document = put_together(folders)
    places = {"--out": file.parent, "--png-dir": png_dir, "--csv-dir": csv_dir}
    for option, place in places.items():
        for folder in folders:
            if place is not None and place.resolve().is_relative_to(folder.resolve()):
                raise InputError(f"{option} {place}: lies in {folder}, which is not to be changed")
    write(document, file, png_dir=png_dir, csv_dir=csv_dir)
    said = Console(None)
    said.say(f"report in {file}")
    for what, place in (("plots", png_dir), ("tables", csv_dir)):
        if place is not None:
            said.say(f"{what} in {place}")


def run_folder(run: str, runs_dir: Path) -> Path:
    """Folder of a run or study, by that folder or by its id; its own plug-ins are loaded."""
    from twin.plugins.loading import load_kept
    from twin.runs.studies import ENDING

    folder = Path(run) if Path(run).is_dir() else runs_dir / run
    if not folder.is_dir():
        raise InputError(f"{run}: neither a folder nor a run in {runs_dir}/")
    load_kept(folder, "study_id" if folder.name.endswith(ENDING) else "run_id")
    return folder


def app(
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="Show this run of runs/; default: the newest.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Serve at this port; default: a free one.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    plugins: PluginOption = None,
) -> None:
    """Serve the page for the runs/ of this folder, until interrupted."""
    import contextlib
    import signal
    import threading
    import webbrowser

    from twin.plugins import load_plugins
    from twin.runs import store as runs
    from twin.views.server import served

    load_plugins(plugins or ())
    if run is not None:
        if Path(run).name != run:
            raise InputError(f"--run {run}: the id of a run in runs/, not a path")
        runs.open_run(Path("runs") / run)
    # Ending the command ends the server.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        served(Path.cwd(), port=port, plugins=plugins or ()) as url,
        contextlib.suppress(KeyboardInterrupt),
    ):
        address = f"{url}/?run={run}" if run is not None else url
        typer.echo(f"the page is at {address}; Ctrl-C ends it")
        if browser:
            webbrowser.open(address)
        threading.Event().wait()
