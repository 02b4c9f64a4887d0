"""Commands of `python tests/bench` about the page."""

from typing import Annotated

import typer

from twin.cli.options import JsonOption


def asking(
    requests: Annotated[int, typer.Option(min=100, help="Of the run that is asked.")] = 20_000,
    tokens: Annotated[int, typer.Option(min=100, help="Recorded ones.")] = 1_000_000,
    runs: Annotated[int, typer.Option(min=2, help="In the table of runs.")] = 1_000,
    branches: Annotated[int, typer.Option(min=1, help="What-ifs at 1,056 satellites.")] = 8,
    json_file: JsonOption = None,
) -> None:
    """How soon the page has an answer: requests, tokens, runs, the first frames of a what-if."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("asking") as progress:
        from asking import asking as measure
        from asking import rows

        data = measure(
            requests=requests, tokens=tokens, runs=runs, branches=branches, progress=progress
        )
    report.table("the page's answers", ["what", "first or slowest", "median"], rows(data))
    report.json(data)
    report.end()


def page(
    rounds: Annotated[int, typer.Option(min=1, help="Times that each page is opened.")] = 10,
    seconds: Annotated[float, typer.Option(min=1.0, help="For which frames are counted.")] = 10.0,
    json_file: JsonOption = None,
) -> None:
    """First picture of a run that is there, beside Solara's empty page; frames a second."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("rounds") as progress:
        from first_picture import first_picture as measure

        data = measure(rounds=rounds, seconds=seconds, progress=progress)
    took = data["first_picture_s"]
    report.table(
        f"first picture in headless Chromium, {rounds} times in turns",
        ["page", "median s", "least", "most"],
        [
            [name, *(f"{v:.2f}" for v in (data["median_s"][name], min(each), max(each)))]
            for name, each in took.items()
        ],
    )
    report.say(f"the twin's page takes {data['more_than_empty_s']:.2f} s more than the empty one")
    report.say(f"it draws {data['frames_per_s']:.1f} frames a second while a run plays")
    report.say(f"load of the machine: {data['load']:.1f} on {data['processors']} processors")
    report.json(data)
    report.end()


def sessions(
    clients: Annotated[int, typer.Option(min=2, help="At once.")] = 10,
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long.")] = 30.0,
    alone_minutes: Annotated[
        float, typer.Option(min=0.1, help="For how long one is there alone before.")
    ] = 3.0,
    json_file: JsonOption = None,
) -> None:
    """Sessions at once, by their websockets: memory of the server, and who waits how long."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("seconds") as progress:
        from tabs import sessions as measure

        data = measure(
            clients=clients, minutes=minutes, alone_minutes=alone_minutes, progress=progress
        )
    memory = data["memory_mib"]
    report.table(
        f"memory of the server, {clients} sessions",
        ["minute", "MiB"],
        [[f"{s / 60:.1f}", f"{mib:.0f}"] for s, mib in memory[:: max(1, len(memory) // 12)]],
    )
    slope, half = data["trend"]["mib_per_hour"], data["trend"]["half_width_mib_per_hour"]
    report.say(f"after the first fifth: {slope:+.1f} MiB an hour, ± {half:.1f} (95 %)")
    report.table(
        "how long a session waits",
        ["what", "alone, median ms", "p95", f"{clients} at once, median ms", "p95", "slowest"],
        [
            [
                kind,
                *(
                    f"{1e3 * data[of][kind][name]:.0f}"
                    for of in ("alone_s", "together_s")
                    for name in ("median", "p95")
                ),
                f"{data['slowest_to_alone'][kind]:.2f} times alone",
            ]
            for kind in data["alone_s"]
        ],
    )
    report.say(f"load of the machine: {data['load']:.1f} on {data['processors']} processors")
    report.json(data)
    report.end()
