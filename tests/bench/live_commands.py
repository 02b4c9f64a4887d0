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
    times: Annotated[
        int, typer.Option(min=1, max=60, help="Messages of a satellite in a minute.")
    ] = 1,
    outlook_every: Annotated[
        int, typer.Option(min=0, help="Steps from one outlook to the next; 0: none.")
    ] = 0,
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
            scenario,
            overrides or (),
            rate_per_s=rate,
            times=times,
            outlook_every=outlook_every,
            seed=seed or 0,
            progress=progress,
        )
    report.table(
        f"{scenario} at {rate:g} messages a second",
        ["what", "found"],
        [[name, f"{value:.6g}"] for name, value in data.items() if not isinstance(value, list)],
    )
    report.json(data)
    report.end()


def live_page(
    scenario: Annotated[str, typer.Argument(help="What is flown.")] = "live-study",
    minutes: Annotated[int, typer.Option(min=10, help="Length of the flight.")] = 240,
    speed: Annotated[float, typer.Option(min=1, help="Seconds of flight in one.")] = 60.0,
    overrides: SetOption = None,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Mirror a plant at many times real time while headless Chromium follows it: lag and frames."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("flying, mirroring and looking on") as progress:
        from followed import followed

        data = followed(
            scenario, overrides or (), minutes=minutes, speed=speed, seed=seed or 0,
            progress=progress,
        )  # fmt: skip
    shown = [[name, f"{value:.6g}"] for name, value in data.items()]
    report.table(f"{scenario} at {speed:g} times real time", ["what", "found"], shown)
    report.json(data)
    report.end()


def live_kills(
    moments: Annotated[int, typer.Option(min=1, help="Times to kill each.")] = 10,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Kill twin, broker and plant at random moments, and count what was lost and doubled.

    A twin that reads a file is killed too, and what it made is compared byte for byte.
    """
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("kills, by MQTT") as progress:
        from broker_kills import broker_kills

        flights = broker_kills(moments=moments, seed=seed or 0, progress=progress)
    with progress_bar("kills, on a file") as progress:
        from live_kills import live_kills as measure

        data = measure(moments=moments, seed=seed or 0, progress=progress)
    for flight in flights:
        kills = [
            [f"{k['at_s']:.2f}", str(k["acknowledged"]), str(k["lost"])] for k in flight["kills"]
        ]
        report.table(
            flight["victim"], ["killed, s", "acknowledged by the twin", "of these lost"], kills
        )
    names = [name for name in flights[0] if name != "kills"]
    report.table("by MQTT", names, [[str(flight[name]) for name in names] for flight in flights])
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
    report.table(f"on a file; unkilled: {data['wall_s']:.1f} s", header, rows)
    report.json(data | {"flights": flights})
    report.end()


def closed_loop(
    scenario: Annotated[str, typer.Argument(help="What is flown.")] = "eclipse-study",
    cases: Annotated[
        str,
        typer.Option(
            metavar="CASE;CASE", help="Settings with spaces between; by default the bench's grid."
        ),
    ] = "",
    first: Annotated[int, typer.Option(min=2, help="Plants of each case that choose.")] = 4,
    second: Annotated[int, typer.Option(min=2, help="Plants of each case that judge.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="Of those that choose.")] = 101,
    second_seed: Annotated[int, typer.Option(min=0, help="Of those that judge.")] = 201,
    advise_every: Annotated[int, typer.Option(min=1, help="Steps from advice to advice.")] = 50,
    members: Annotated[int, typer.Option(min=2, help="Futures of each advice.")] = 5,
    orbits: Annotated[float, typer.Option(min=0.05, help="How far advice looks ahead.")] = 1.0,
    strategies: Annotated[str, typer.Option(help="That advice compares.")] = "energy-aware",
    jobs: Annotated[int, typer.Option(min=1, help="Flights at a time.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Keep flights here, and go on where they are.")
    ] = None,
    plant: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="As of: twin emit.")
    ] = None,
    overrides: SetOption = None,
    json_file: JsonOption = None,
) -> None:
    """Plan with wrong and with true parameters, and act on advice: what does acting win back?"""
    from twin.cli.console import Console, progress_bar
    from twin.cli.options import split
    from twin.live.act import Asked
    from twin.live.advice import choices

    report = Console(json_file)
    wanted = choices(split(strategies))
    asked = Asked(every=advise_every, wanted=wanted, orbits=orbits, members=members)
    with progress_bar("flying plants") as progress:
        from closed import SHADOW, closed, grid
        from won_back import rows_of_choosing, rows_of_judging

        data = closed(
            scenario,
            [*(() if cases else SHADOW), *(overrides or ())],
            cases.split(";") if cases else grid(advise_every),
            plant or (),
            first=range(first_seed, first_seed + first),
            second=range(second_seed, second_seed + second),
            asked=asked,
            jobs=jobs,
            file=keep,
            progress=progress,
        )
    report.table(
        f"{scenario}, tokens served after the first orbit, %; {first} plants a case choose",
        ["case", "design's", "true", "gap", "judged"],
        rows_of_choosing(data),
    )
    report.table(
        f"{second} other plants judge",
        [
            "case", "design's", "true", "act", "gap", "won", "won back",
            "won back, whole flight", "commands",
        ],
        rows_of_judging(data),
    )  # fmt: skip
    report.json(data)
    report.end()
