"""The commands of `python tests/bench` that measure the live twin."""

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.options import JsonOption, SeedOption, SetOption


def live(
    scenario: Annotated[str, typer.Argument(help="What is flown.")] = "live-study",
    plant: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="As of: twin emit.")
    ] = None,
    open_loop: Annotated[bool, typer.Option(help="Also run the twin without telemetry.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Keep run and truth here.")] = None,
    overrides: SetOption = None,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Mirror a plant with hidden parameters, and judge estimates and alarms by its truth."""
    from dataclasses import asdict, is_dataclass

    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with progress_bar("flying and mirroring") as progress:
        from mirrored import live as measure
        from mirrored import rows

        data = measure(
            scenario,
            overrides or (),
            plant or (),
            seed=seed or 0,
            open_loop=open_loop,
            folder=folder,
            progress=progress,
        )
    report.table(f"{scenario}, plant of seed {seed or 0}", ["what", "found"], rows(data))
    found = data["anomalies"].items()
    data["anomalies"] = {k: asdict(v) if is_dataclass(v) else v for k, v in found}  # type: ignore[arg-type]
    report.json(data)
    report.end()


def outlooks(
    scenario: Annotated[str, typer.Argument(help="What is flown.")] = "small",
    plant: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="As of: twin emit.")
    ] = None,
    members: Annotated[int, typer.Option(min=2, help="Of each ensemble.")] = 64,
    days: Annotated[float, typer.Option(min=0.2, help="Length of the flight.")] = 2.0,
    battery_wh: Annotated[float, typer.Option(min=1, help="Of each satellite.")] = 450.0,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Forecast the smallest charge of two orbits again and again, and judge the bands."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    changes = {
        "simulation.orbits": None,
        "simulation.step_s": 60.0,
        "simulation.steps": round(1440 * days),
        "bus.battery_wh": battery_wh,
    }
    with progress_bar("flying, mirroring and forecasting") as progress:
        from outlooks import outlooks as measure

        data = measure(
            scenario, changes, plant or (), seed=seed or 0, members=members, progress=progress
        )
    shown = [
        ["forecasts that do not overlap", f"{data['forecasts']}"],
        [
            "truth inside the 90 % band",
            f"{100 * data['inside']:.1f} % "
            f"({100 * data['inside_low']:.1f} to {100 * data['inside_high']:.1f})",
        ],
        ["width of the band, mean", f"{100 * data['width_mean']:.2f} % of charge"],
        ["CRPS", f"{100 * data['crps']:.3f} %"],
        ["CRPS of persistence", f"{100 * data['crps_persistence']:.3f} %"],
        ["CRPS of the open loop", f"{100 * data['crps_open_loop']:.3f} %"],
    ]
    report.table(f"{scenario}, smallest charge of two orbits", ["what", "found"], shown)
    report.json(data)
    report.end()


def pace(
    scenario: Annotated[str, typer.Argument(help="What is flown.")] = "live-study",
    rate: Annotated[float, typer.Option(min=1, help="Messages a second.")] = 1_000.0,
    overrides: SetOption = None,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Feed the mirror messages at a steady rate, and measure its lag and memory."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("feeding") as progress:
        from pace import pace as measure

        data = measure(
            scenario, overrides or (), rate_per_s=rate, seed=seed or 0, progress=progress
        )
    report.table(
        f"{scenario} at {rate:g} messages a second",
        ["what", "found"],
        [[name, f"{value:.6g}"] for name, value in data.items()],
    )
    report.json(data)
    report.end()


def live_kills(
    moments: Annotated[int, typer.Option(min=1, help="Times to kill.")] = 10,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Kill the mirror at random moments, go on, and compare what it made byte for byte."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("kills") as progress:
        from live_kills import live_kills as measure

        data = measure(moments=moments, seed=seed or 0, progress=progress)
    rows = [
        [
            f"{k['at_s']:.2f}",
            k["left"],
            str(k["logged"]),
            str(k["checkpoints"]),
            str(k["identical"]),
        ]
        for k in data["kills"]
    ]
    header = ["killed, s", "left", "lines in its log", "checkpoints", "same bytes"]
    report.table(f"small; unkilled: {data['wall_s']:.1f} s", header, rows)
    report.json(data)
    report.end()
