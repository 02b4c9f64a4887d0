"""The command that serves the page."""

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.options import PluginOption, RunsOption
from twin.errors import InputError, StopSignal


def app(
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="Show this run of runs/; default: the newest.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Serve at this port; default: a free one.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    plugins: PluginOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Serve the page for the runs/ of this folder, until interrupted."""
    import threading
    import webbrowser

    from twin.plugins import load_plugins
    from twin.runs import store as runs
    from twin.views.server import served

    load_plugins(plugins or ())
    if run is not None:
        if Path(run).name != run:
            raise InputError(f"--run {run}: the id of a run in runs/, not a path")
        runs.open_run(runs_dir / run)
    try:
        with served(Path.cwd(), port=port, plugins=plugins or (), runs_dir=runs_dir) as url:
            address = f"{url}/?run={run}" if run is not None else url
            typer.echo(f"the page is at {address}; Ctrl-C ends it")
            if browser:
                webbrowser.open(address)
            threading.Event().wait()
    except StopSignal as stop:
        stop.add_note(f"the page has ended; runs that it completed are in {runs_dir}/")
        raise
