"""Commands that look ahead from a live run: what is coming, and what could be done about it."""

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.options import JsonOption, RunsOption, split

LiveArgument = Annotated[
    str, typer.Argument(help="A live run's folder or id; the mirror may be at work in it.")
]
StrategiesOption = Annotated[
    str, typer.Option(help="What to compare with doing nothing, with commas between.")
]
STRATEGIES = "space-xnet,energy-aware"
PoliciesOption = Annotated[
    str | None,
    typer.Option(help="Policies to compare as well, with the controller's own knowledge."),
]
DispatchesOption = Annotated[
    str | None, typer.Option(help="Dispatches of requests to instances to compare as well.")
]
MembersOption = Annotated[int, typer.Option(min=2, max=1_000, help="Futures of each advice.")]
OrbitsOption = Annotated[float, typer.Option(min=0.05, max=100, help="How far to look ahead.")]


def _folder(run: str, runs_dir: Path) -> Path:
    from twin.cli.look import run_folder
    from twin.runs.files import PARTIAL

    partial = runs_dir / (run + PARTIAL)
    return partial if partial.is_dir() else run_folder(run, runs_dir)


def outlook(
    run: LiveArgument,
    orbits: OrbitsOption = 2.0,
    members: Annotated[int, typer.Option(min=2, max=10_000, help="Of the charges.")] = 64,
    forks: Annotated[
        int, typer.Option(min=0, max=1_000, help="Whole twins that serve tokens ahead.")
    ] = 0,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Forecast the next orbits of a live run: charges, and what would be served."""
    from twin.cli.console import Console, progress_bar

    console = Console(json_file)
    with progress_bar("looking ahead") as progress:
        from twin.live.ahead import outlook_of

        found = outlook_of(
            _folder(run, runs_dir), orbits=orbits, members=members, forks=forks, progress=progress
        )
    console.table(
        f"from step {found['step']} over {found['steps']} steps; {members} members, {forks} forks",
        ["what", "5 %", "50 %", "95 %"],
        [[name, *(f"{v:.4g}" for v in band)] for name, band in found["bands"].items()],
    )
    if found["at_risk"]:
        console.table(
            "satellites that may lose power",
            ["satellite", "share of members", "smallest charge, 5 %"],
            [[one["name"], f"{one['share']:.2f}", f"{one['low']:.3f}"] for one in found["at_risk"]],
        )
    console.json(found)
    console.end()


def advise(
    run: LiveArgument,
    strategies: StrategiesOption = STRATEGIES,
    policies: PoliciesOption = None,
    dispatches: DispatchesOption = None,
    orbits: OrbitsOption = 2.0,
    members: MembersOption = 6,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Compare what could be done from a live run's present on, on the same futures."""
    from twin.cli.console import Console, progress_bar
    from twin.live.advice import choices

    console = Console(json_file)
    wanted = choices(split(strategies), split(policies), split(dispatches))
    with progress_bar("running the futures") as progress:
        from twin.live.ahead import advice_of

        found = advice_of(
            _folder(run, runs_dir),
            wanted,
            orbits=orbits,
            members=members,
            progress=progress,
        )
    console.table(
        f"from step {found['step']} over {found['steps']} steps, {members} futures",
        ["what", "served, points", "latency saved, ms", "moved, GB", "pays until step", "note"],
        [
            [
                f"{one['kind']} {one['strategy']}",
                f"{100 * one['served']['mean']:.2f} ± {100 * one['served']['half']:.2f}",
                f"{1e3 * one['latency']['mean']:.2f} ± {1e3 * one['latency']['half']:.2f}",
                f"{one['moved_bytes'] / 1e9:.3g}",
                "the end" if one["pays_until"] is None else str(one["pays_until"]),
                one["impossible"],
            ]
            for one in found["options"]
        ],
    )
    console.say(f"advice: {found['advice']}")
    console.json(found)
    console.end()


def judge(
    run: LiveArgument,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Judge the advice of a live run by what the plant served afterwards."""
    from dataclasses import asdict

    from twin.cli.console import Console
    from twin.live.afterwards import outcomes

    console = Console(json_file)
    found = outcomes(_folder(run, runs_dir))
    console.table(
        "advice, and what the plant served up to the next command or the end of the horizon",
        [
            "steps",
            "advice",
            "foretold gain, points",
            "done",
            "served, %",
            "doing nothing, %",
            "won",
        ],
        [
            [
                f"{one.step} to {one.until - 1}" if one.until > one.step else f"{one.step}",
                one.strategy,
                _shown(one.gain.mean, one.gain.half),
                one.done,
                f"{100 * one.served:.2f}" if one.served == one.served else "not said",
                _shown(one.nothing.mean, one.nothing.half),
                f"{100 * one.won:+.2f}" if one.won == one.won else "",
            ]
            for one in found
        ],
    )
    known = [one for one in found if one.served == one.served]
    held = sum(one.foretold.holds(one.served) for one in known)
    console.say(
        f"the plant served what was foretold of what was done, within 95 % intervals, {held} times "
        f"of {len(known)}"
    )
    console.json([asdict(one) | {"won": one.won} for one in found])
    console.end()


def _shown(share: float, half: float) -> str:
    return f"{100 * share:.2f} ± {100 * half:.2f}"
