"""The ``twin`` command. Heavy imports wait until a command needs them."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from twin.cli import bench as cli_bench
from twin.cli import look as cli_look
from twin.cli import names as cli_names
from twin.cli import study as cli_study
from twin.cli import sweep as cli_sweep
from twin.cli.names import NamingCommand
from twin.cli.options import (
    JsonOption,
    PluginOption,
    RunsOption,
    SeedOption,
    SetOption,
    with_seed,
)
from twin.errors import InputError

app = typer.Typer(
    help="An orbital twin for language models that run across satellites.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
scenarios_app = typer.Typer(help="List the scenarios that ship with the twin, or show one.")
app.add_typer(scenarios_app, name="scenarios")
app.add_typer(cli_sweep.studies_app, name="studies")
app.add_typer(cli_bench.bench_app, name="bench")


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and exit code 2."""
    try:
        app(args=_bare_json(sys.argv[1:]))
    except InputError as error:
        print(f"twin: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


@app.command()
def run(
    scenario: Annotated[str | None, typer.Argument(help="A preset's name or a TOML file.")] = None,
    overrides: SetOption = None,
    seed: SeedOption = None,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
    resume: Annotated[
        Path | None, typer.Option(help="An interrupted run's folder: run it again to its end.")
    ] = None,
) -> None:
    """Run a scenario and keep it below runs/."""
    from twin.cli.console import Console, progress_bar
    from twin.plugins import load_plugins
    from twin.plugins.choices import check, load_scenario
    from twin.runs import store as runs

    report = Console(json_file)
    if (scenario is None) == (resume is None):
        raise InputError("twin run: give either a scenario or --resume FOLDER")
    if resume is not None:
        if overrides or seed is not None:
            raise InputError("--resume: takes no --set or --seed, the run keeps its scenario")
        load_plugins(plugins or ())
        run_id, chosen = runs.interrupted_scenario(resume)
        check(chosen)
        runs_dir = resume.parent
    else:
        assert scenario is not None
        run_id = None
        chosen = load_scenario(scenario, with_seed(overrides, seed), plugins=plugins or ())

    with progress_bar("compiling on first use, then stepping") as progress:
        from agents.run import run_scenario
        from twin.runs.summary import summarise

        done = run_scenario(chosen, runs_dir=runs_dir, progress=progress, run_id=run_id)
    summary = summarise(done)
    report.table(
        f"{chosen.name}: {chosen.placement.strategy}, {chosen.controller.policy}",
        ["figure", "value"],
        [[k, "none" if v is None else f"{v:.6g}"] for k, v in summary.items()],
    )
    for note in done.manifest["notes"]:
        report.say(f"note: {note}")
    report.say(f"kept in {done.path}")
    report.json(summary | {"path": str(done.path)})


for command in (
    cli_study.place,
    cli_study.compare,
    cli_study.reproduce,
    cli_sweep.sweep,
    cli_look.ephemeris,
    cli_look.events,
    cli_look.export,
    cli_look.report,
    cli_look.app,
):
    app.command(cls=NamingCommand)(command)
app.command(name="list")(cli_names.list_names)


@app.command()
def schema(plugins: PluginOption = None) -> None:
    """Print the JSON schema of a scenario file, with the names that may stand in it."""
    from twin.plugins import load_plugins
    from twin.plugins.choices import schema as whole_schema

    load_plugins(plugins or ())
    typer.echo(json.dumps(whole_schema(), indent=2))


@scenarios_app.callback(invoke_without_command=True)
def scenarios(context: typer.Context) -> None:
    """List the scenarios that ship with the twin."""
    if context.invoked_subcommand is not None:
        return
    from twin.cli.console import Console
    from twin.scenario import loader

    report = Console(None)
    report.table(
        "scenarios", ["name", "what"], [list(item) for item in loader.descriptions().items()]
    )


@scenarios_app.command()
def show(name: str) -> None:
    """Print a scenario that ships with the twin, as the TOML it is."""
    from twin.scenario import loader

    typer.echo(loader.preset_text(name), nl=False)


def _bare_json(args: list[str]) -> list[str]:
    """Let ``--json`` stand without a file for ``--json -``."""
    out = []
    for i, arg in enumerate(args):
        out.append(arg)
        if arg == "--json" and (i + 1 == len(args) or args[i + 1].startswith("--")):
            out.append("-")
    return out
