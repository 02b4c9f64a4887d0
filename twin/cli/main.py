"""The ``twin`` command. Heavy imports wait until a command needs them."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli import ahead, capacity, emit, ground, live, look, page, study
from twin.cli.console import Console, progress_bar
from twin.cli.entry import call
from twin.cli.names import NamingCommand, files_app, list_names, show_name
from twin.cli.options import (
    JsonOption,
    PluginOption,
    RunsOption,
    SeedOption,
    SetOption,
    VersionOption,
    with_seed,
)
from twin.errors import InputError
from twin.vocabulary import ALONE

if TYPE_CHECKING:
    from twin.runs.store import Run

type Progress = Callable[[int, int], None]

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(files_app("scenario"), name="scenarios")
app.add_typer(files_app("study"), name="studies")


def main() -> None:
    """Call the command as `twin.cli.entry.main` does, in a process that goes on afterwards."""
    sys.exit(call(sys.argv[1:]))


@app.callback()
def entry(version: VersionOption = False) -> None:
    """An orbital twin for language models that run across satellites."""


@app.command(cls=NamingCommand)
def run(
    scenario: Annotated[str | None, typer.Argument(help="A preset's name or a TOML file.")] = None,
    overrides: SetOption = None,
    seed: SeedOption = None,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
    resume: Annotated[
        Path | None,
        typer.Option(help="An interrupted run's folder: go on from its last checkpoint."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="RUN@STEP", help="What if: go on from a step of a run, changed."
        ),
    ] = None,
    fail: Annotated[
        list[str] | None,
        typer.Option(metavar="SATELLITE", help="With --from: it is lost, by number or name."),
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(metavar="A-B", help="With --from: the link between A and B is gone."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say of each figure what it is.")
    ] = False,
) -> None:
    """Run a scenario and keep it below runs/; go on with a run; or ask what if."""
    from twin.plugins import load_plugins
    from twin.plugins.choices import load_scenario

    console = Console(json_file)
    if sum(given is not None for given in (scenario, resume, start)) != 1:
        raise InputError("twin run: give a scenario, --resume FOLDER or --from RUN@STEP")
    if resume is not None and (overrides or seed is not None):
        raise InputError("--resume: takes no --set or --seed, the run keeps its scenario")
    if (fail or cut) and start is None:
        raise InputError("--fail and --cut go with --from RUN@STEP")
    if seed is not None and start is not None:
        raise InputError("--seed: a fork has the random numbers of its parent")
    load_plugins(plugins or ())
    changes = with_seed(overrides, seed)
    chosen = None if scenario is None else load_scenario(scenario, changes)
    with progress_bar("compiling on first use, then stepping") as progress:
        from agents.run import run_scenario
        from twin.runs.summary import summarise

        if resume is not None:
            done = _resumed(resume, progress)
        elif start is not None:
            done = _forked(start, changes, fail or (), cut or (), runs_dir, progress)
        else:
            assert chosen is not None
            done = run_scenario(chosen, runs_dir=runs_dir, progress=progress)
    _show(console, done, summarise(done), explain=explain)


def _resumed(folder: Path, progress: Progress) -> "Run":
    from agents.run import resume
    from twin.plugins.loading import load_kept

    load_kept(folder)
    return resume(folder, progress=progress)


def _forked(
    start: str,
    changes: list[str],
    fail: Sequence[str],
    cut: Sequence[str],
    runs_dir: Path,
    progress: Progress,
) -> "Run":
    from agents.fork import fork, link_ends, parent_of, satellite_names, satellite_row
    from agents.run import run_scenario
    from twin.plugins.loading import load_kept

    run, mark, at = start.rpartition("@")
    if mark and run == look.NEWEST:
        start = f"{look.newest(runs_dir)}@{at}"
    parent, step = parent_of(start, runs_dir)
    load_kept(parent.path)
    names = satellite_names(parent) if fail or cut else ()
    scenario, beginning = fork(
        parent,
        step,
        changes=changes,
        fail=[satellite_row(text, names, f"--fail {text}") for text in fail],
        cut=[link_ends(text, names) for text in cut],
        progress=progress,
    )
    return run_scenario(scenario, runs_dir=runs_dir, progress=progress, beginning=beginning)


def _show(
    console: Console, done: "Run", summary: dict[str, float | None], *, explain: bool
) -> None:
    from twin.runs.figures import about, group_of

    chosen = done.scenario
    rows, groups, last = [], {}, ""
    for number, (name, value) in enumerate(summary.items()):
        figure, group = about(name), group_of(name)
        if group != last:
            groups[number], last = group, group
        shown = "none" if value is None else f"{value * figure.scale:.6g}"
        rows.append([name, shown, figure.unit, *([figure.sentence] if explain else [])])
    header = ["figure", "value", "unit", *(["what it is"] if explain else [])]
    title = f"{chosen.name}: {chosen.placement.strategy}, {chosen.controller.policy}"
    console.table(title, header, rows, groups)
    for note in done.manifest["notes"]:
        console.say(f"note: {note}")
    console.say(ALONE)
    kept = done.manifest["checkpoints"]
    if kept["written"]:
        console.say(
            f"checkpoints: {kept['written']} written; the last took {kept['milliseconds']} ms "
            f"and {kept['bytes']:,} bytes"
        )
    console.say(f"kept in {done.path}")
    console.json(summary | {"path": str(done.path)})
    console.end()


for command in (
    study.place,
    study.compare,
    study.reproduce,
    study.sweep,
    capacity.capacity,
    capacity.where,
    look.elements,
    look.ephemeris,
    ground.route,
    ground.passes,
    look.events,
    look.export,
    look.report,
    emit.emit,
    live.live,
    ahead.outlook,
    ahead.advise,
    ahead.judge,
    page.app,
):
    app.command(cls=NamingCommand)(command)
app.command(name="list", cls=NamingCommand)(list_names)
app.command(name="show", cls=NamingCommand)(show_name)


@app.command()
def schema(
    plugins: PluginOption = None,
    telemetry: Annotated[bool, typer.Option(help="That of a telemetry message instead.")] = False,
    command: Annotated[bool, typer.Option(help="That of a command to a plant instead.")] = False,
) -> None:
    """Print the JSON schema of a scenario file, with the names that may stand in it."""
    if telemetry:
        from twin.live.fields import schema_text

        typer.echo(schema_text(), nl=False)
        return
    if command:
        from twin.live import command as commands

        typer.echo(commands.schema_text(), nl=False)
        return
    from twin.plugins import load_plugins
    from twin.plugins.choices import schema as whole_schema

    load_plugins(plugins or ())
    typer.echo(json.dumps(whole_schema(), indent=2))


def bare_json(args: list[str]) -> list[str]:
    """Let ``--json`` stand without a file for ``--json -``."""
    out = []
    for i, arg in enumerate(args):
        out.append(arg)
        if arg == "--json" and (i + 1 == len(args) or args[i + 1].startswith("--")):
            out.append("-")
    return out
