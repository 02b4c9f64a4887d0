"""Commands that show element sets, orbits and events, and that report on and export runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.console import Console, progress_bar
from twin.cli.options import (
    JsonOption,
    PluginOption,
    RunsOption,
    ScenarioArgument,
    SetOption,
    file_option,
    folder_option,
)
from twin.errors import InputError
from twin.runs import outputs

if TYPE_CHECKING:
    from twin.runs.store import Run

NEWEST = "newest"
"""Stands for the id of the newest run."""
RunArgument = Annotated[
    str, typer.Argument(help="A run's folder, or its id below the runs folder, or 'newest'.")
]

ON_SCREEN = 20
"""Rows of a table that are printed by default; files hold all."""


_PLANES = 30
"""Planes that are printed by default; files hold all."""

_RULE = (
    "A plane carries links unless it has fewer than three satellites while most have more, or "
    "drifts while most are locked in phase; a satellite unless it is off the altitude of its plane."
)


def elements(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Two-line elements or OMM.")],
    limit: Annotated[
        int | None, typer.Option(min=0, help=f"Most planes on screen; default: {_PLANES}.")
    ] = None,
    csv_file: Annotated[
        Path | None, file_option("--csv", "Write all element sets, one a row, as CSV.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """List shells and planes of a file of element sets, and what is left out and why."""
    from twin.export.structure import structure

    report = Console(json_file)
    found = structure(file)
    linked = sum(one["carries_links"] for one in found.satellites)
    report.table(
        f"{file}: {len(found.satellites)} element sets, {linked} carry links; shells at "
        f"{found.epoch_utc}, the middle epoch",
        ["shell", "altitude km", "inclination deg", "planes", "satellites", "with links"],
        found.shell_rows(),
    )
    rows = found.plane_rows()
    shown = rows[: _PLANES if limit is None else limit]
    report.table(
        f"planes, {len(shown)} of {len(rows)}",
        ["shell", "plane", "node deg", "altitude km", "inclination deg", "satellites", "no links"],
        shown,
    )
    left_out = found.left_out_rows()
    if left_out:
        report.table("left out", ["why", "how many", "the first of them"], left_out)
    report.say(_RULE)
    report.conclude(found, csv_file, "all element sets")


def ephemeris(
    scenario: ScenarioArgument,
    satellite: Annotated[str, typer.Option(help="Its number or its name.")],
    steps: Annotated[
        int | None, typer.Option(min=1, help="Number of steps, instead of the scenario's.")
    ] = None,
    plugins: PluginOption = None,
    overrides: SetOption = None,
    csv_file: Annotated[
        Path | None, file_option("--csv", "Write the steps as CSV, and FILE-shadows beside it.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Follow one satellite: position, velocity, beta angle, sunlight, shadow intervals."""
    from twin.plugins.choices import load_scenario

    report = Console(json_file)
    beside = csv_file and csv_file.with_name(f"{csv_file.stem}-shadows{csv_file.suffix}")
    if beside is not None:
        outputs.check("--csv", beside)
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
    if csv_file is not None and beside is not None:
        report.file("--csv", csv_file, found.steps_csv(), "all steps")
        report.file("--csv", beside, found.shadows_csv(), "all shadows")
    report.json(found.as_json())
    report.end()


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
    from twin.export.events import select
    from twin.runs import store as runs

    report = Console(json_file)
    folder = run_folder(run, runs_dir)
    opened = runs.open_run(folder)
    _remark(report, opened)
    chosen = select(opened, kinds=kind or (), satellite=satellite, from_s=from_s, to_s=to_s)
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
    report.end()


def export(
    run: RunArgument,
    czml_file: Annotated[
        Path | None, file_option("--czml", "Write the orbits as CZML, for Cesium.")
    ] = None,
    graphml_file: Annotated[
        Path | None, file_option("--graphml", "Write the links of a step as GraphML.")
    ] = None,
    omm_file: Annotated[
        Path | None, file_option("--omm", "Write element sets as OMM: FILE is .csv, .json or .xml.")
    ] = None,
    step: Annotated[
        int | None, typer.Option(metavar="N", help="Step that --graphml shows; default: the first.")
    ] = None,
    plugins: PluginOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Export a run: orbits as CZML or OMM, links of a step as a GraphML graph."""
    from twin.plugins import load_plugins
    from twin.runs import store as runs

    options = {"--czml": czml_file, "--graphml": graphml_file, "--omm": omm_file}
    files = {option: path for option, path in options.items() if path is not None}
    if not files:
        raise InputError("twin export: give --czml FILE, --graphml FILE or --omm FILE")
    if step is not None and graphml_file is None:
        raise InputError(f"--step {step}: goes with --graphml FILE")
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
    _remark(report, chosen)
    for option, path in files.items():
        report.file(option, path, texts[option], option.removeprefix("--"))
    report.end()


def report(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET...", help="Runs, or one study: folders, ids below runs/, or 'newest'."
        ),
    ],
    out: Annotated[
        Path | None,
        file_option("--out", "Default: <id>-report.html in this folder.", metavar="FILE.html"),
    ] = None,
    png_dir: Annotated[Path | None, folder_option("Also write the plots here, as PNG.")] = None,
    csv_dir: Annotated[Path | None, folder_option("Also write the tables here, as CSV.")] = None,
    plugins: PluginOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Report on runs, side by side, or on a study: one HTML file that needs nothing else."""
    from twin.plugins import load_plugins
    from twin.report.document import report as put_together
    from twin.report.document import write

    load_plugins(plugins or ())
    folders = [run_folder(target, runs_dir) for target in targets]
    more = f"-and-{len(folders) - 1}-more" if len(folders) > 1 else ""
    file = out or Path(f"{folders[0].resolve().name}{more}-report.html")
    outputs.check("--out", file)
    document = put_together(folders)
    write(document, file, png_dir=png_dir, csv_dir=csv_dir)
    said = Console(None)
    said.say(f"report in {file}")
    for what, place in (("plots", png_dir), ("tables", csv_dir)):
        if place is not None:
            said.say(f"{what} in {place}")
    said.end()


def _remark(report: Console, run: "Run") -> None:
    for remark in run.remarks:
        report.say(f"note: {run.path}: {remark}")


def newest(runs_dir: Path) -> str:
    """Id of the newest run or study that is complete."""
    found = [f for f in runs_dir.glob("*/manifest.json") if f.parent.suffix != ".partial"]
    if not found:
        raise InputError(f"{NEWEST}: there is no complete run in {runs_dir}/")
    # Ids begin with the second of their start; of several in one, the last to end.
    return max(found, key=lambda f: (f.parent.name[:15], f.stat().st_mtime_ns)).parent.name


def run_folder(run: str, runs_dir: Path) -> Path:
    """Folder of a run or study, by that folder or by its id; its own plug-ins are loaded."""
    from twin.plugins.loading import load_kept
    from twin.runs.studies import ENDING

    if run == NEWEST:
        run = newest(runs_dir)
    folder = Path(run) if Path(run).is_dir() else runs_dir / run
    if not folder.is_dir():
        raise InputError(f"{run}: neither a folder nor a run in {runs_dir}/")
    load_kept(folder, "study_id" if folder.name.endswith(ENDING) else "run_id")
    return folder
