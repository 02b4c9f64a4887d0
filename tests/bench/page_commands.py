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
