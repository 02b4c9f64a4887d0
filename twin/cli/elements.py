"""The command that lists what a file of element sets holds."""

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.console import Console
from twin.cli.options import JsonOption, file_option

_ON_SCREEN = 30
"""Planes that are printed by default; files hold all."""

_RULE = (
    "A plane carries links unless it has fewer than three satellites while most have more, or "
    "drifts while most are locked in phase; a satellite unless it is off the altitude of its plane."
)


def elements(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Two-line elements or OMM.")],
    limit: Annotated[
        int | None, typer.Option(min=0, help=f"Most planes on screen; default: {_ON_SCREEN}.")
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
    shown = rows[: _ON_SCREEN if limit is None else limit]
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
