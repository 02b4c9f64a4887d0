"""The commands of `python tests/bench`: how fast the twin is, beside the alternatives."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import live_commands
import page_commands
from twin.cli.entry import guarded
from twin.cli.main import bare_json
from twin.cli.options import JsonOption, SeedOption, SetOption
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.cli.console import Console

app = typer.Typer(
    help="Measure speed, side by side with the alternatives.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SCALE_FIGURES = ("wall_s", "peak_mib", "step_ms", "satellite_step_us", "routing_alone_ms")


@app.command()
def kernel(json_file: JsonOption = None, seed: SeedOption = None) -> None:
    """Positions, snapshot and 32-source shortest paths against scipy and networkx."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("rounds") as progress:
        from steps import kernel as measure

        data = measure(seed=seed or 0, progress=progress)
    _show_medians(
        report, f"one step, {data['satellites']} satellites, {data['sources']} sources", data
    )


@app.command()
def kills(
    commands: Annotated[
        list[str] | None, typer.Argument(help="run, sweep, compare; default: all, in turns.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="What is run.")] = "eclipse-study",
    overrides: SetOption = None,
    moments: Annotated[int, typer.Option(min=1, help="Times to kill.")] = 100,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Kill commands at random moments, finish them, and compare what they made byte for byte."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    wrong = set(commands or ()) - {"run", "sweep", "compare"}
    if wrong:
        raise InputError(f"kills: unknown command {min(wrong)}; known: run, sweep, compare")
    with progress_bar("kills") as progress:
        from kills import kills as measure

        data = measure(
            scenario,
            overrides or (),
            moments=moments,
            seed=seed or 0,
            progress=progress,
            only=commands or (),
        )
    rows = [
        [
            *(k["command"], f"{k['at_s']:.2f} after {k['from']}", " ".join(k["left"])),
            *(str(k["step"]), str(k["identical"])),
        ]
        for k in data["kills"]
    ]
    walls = ", ".join(f"{name} {wall_s:.1f} s" for name, wall_s in data["wall_s"].items())
    header = ["command", "killed, s", "left", "from step", "same bytes"]
    report.table(f"{scenario}; unkilled: {walls}", header, rows)
    same = sum(k["identical"] for k in data["kills"])
    report.say(f"{same} of {moments} gave the same bytes")
    report.json(data)
    report.end()


@app.command()
def day(json_file: JsonOption = None, seed: SeedOption = None) -> None:
    """A day of 15 s steps, 1056 satellites with everything on, beside its bare routing."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("steps") as progress:
        from steps import day as measure

        data = measure(seed=seed or 0, progress=progress)
    shown = ("wall_s", "peak_mib", "step_ms", "routing_alone_ms", "csgraph_alone_ms")
    report.table(
        f"{data['steps']} steps, {data['satellites']} satellites",
        ["what", "figure"],
        [[name, f"{data[name]:.3g}"] for name in shown],
    )
    report.table(
        "a step by phase", ["what", "ms"], [[k, f"{v:.2f}"] for k, v in data["phase_ms"].items()]
    )
    report.table("ratios", ["what", "times"], [[k, f"{v:.2f}"] for k, v in data["ratio"].items()])
    report.json(data)
    report.end()


@app.command()
def plan(json_file: JsonOption = None, seed: SeedOption = None) -> None:
    """Planning: each strategy on 32 layers x 8 experts and on 58 x 256, beside csgraph."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("rounds") as progress:
        from plan import planning as measure

        data = measure(seed=seed or 0, progress=progress)
    _show_medians(
        report, f"planning, {data['satellites']} satellites, {data['snapshots']} snapshots", data
    )


@app.command()
def run(json_file: JsonOption = None, seed: SeedOption = None) -> None:
    """`twin run paper` as a whole process: wall time cold (nothing compiled) and warm, memory."""
    from twin.cli.console import Console, progress_bar
    from wholeprocess import measure_run

    report = Console(json_file)
    with progress_bar("processes") as progress:
        data = measure_run(seed=seed or 0, progress=progress)
    report.table(
        "twin run paper, as a whole process",
        ["", "wall s", "peak memory MiB"],
        [
            [name, f"{entry['wall_s']:.1f}", f"{entry['peak_mib']:.0f}"]
            for name, entry in data.items()
        ],
    )
    report.json(data)
    report.end()


@app.command()
def scale(
    steps: Annotated[int, typer.Option(min=2, help="Steps of 15 s; 5760 are a day.")] = 5760,
    json_file: JsonOption = None,
    seed: SeedOption = None,
) -> None:
    """A day of 10,000 satellites, in one shell and in five, beside one of 1056."""
    from scale import scale as measure
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("processes") as progress:
        data = measure(seed=seed or 0, steps=steps, progress=progress)
    sizes = data["sizes"]
    figures = [[k, *(f"{day[k]:.4g}" for day in sizes.values())] for k in SCALE_FIGURES]
    phases = next(iter(sizes.values()))["phase_ms"]
    figures += [
        [f"{name} ms", *(f"{day['phase_ms'][name]:.2f}" for day in sizes.values())]
        for name in phases
    ]
    report.table(
        f"{steps} steps, everything on", ["", *(f"{n} satellites" for n in sizes)], figures
    )
    report.say(
        "a satellite and step costs at most "
        f"{data['ratio']['cost_per_satellite_step']:.2f} times what it does at 1056"
    )
    report.json(data)
    report.end()


@app.command()
def sweep(
    study: Annotated[
        str, typer.Argument(help="A study's name, or a TOML file.")
    ] = "space-xnet-table",
    workers: Annotated[int, typer.Option(min=2, help="To set beside one.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Sweeps with each.")] = 2,
    json_file: JsonOption = None,
) -> None:
    """`twin sweep` as a whole process: the throughput of several workers beside that of one."""
    from twin.cli.console import Console, progress_bar
    from wholeprocess import measure_sweep

    report = Console(json_file)
    with progress_bar("processes") as progress:
        data = measure_sweep(study, workers=workers, rounds=rounds, progress=progress)
    report.table(
        f"twin sweep {study}, {data['points']} points, as a whole process",
        ["workers", *(f"wall s, {i + 1}" for i in range(rounds))],
        [[n, *(f"{wall_s:.1f}" for wall_s in times)] for n, times in data["wall_s"].items()],
    )
    report.say(
        f"{workers} workers have {data['throughput_ratio']:.2f} times the throughput of one; "
        f"tables are {'the same' if data['same_tables'] else 'NOT the same'}, byte for byte"
    )
    report.json(data)
    report.end()


@app.command()
def serving(
    most: Annotated[int, typer.Option(min=1000, help="Tokens at most.")] = 10_000_000,
    data: Annotated[Path | None, typer.Option(help="Folder of traces; default: beside.")] = None,
    json_file: JsonOption = None,
    seed: SeedOption = None,
) -> None:
    """Requests on the paper's ring beside SimPy and a bare heap, and an hour of two traces."""
    from serving import DATA
    from serving import serving as measure
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    counts = [count for count in (100_000, 1_000_000, 10_000_000) if count <= most] or [most]
    with progress_bar("parts") as progress:
        found = measure(seed=seed or 0, counts=counts, data=data or DATA, progress=progress)
    columns = ("tokens", "tokens_per_s", "us_per_token", "wall_s", "peak_mib")
    report.table(
        "decoding on the paper's ring, one core",
        ["tokens", "tokens/s", "us a token", "wall s", "MiB"],
        [[f"{each[name]:,.6g}" for name in columns] for each in found["decoding"]],
    )
    rates = {
        "the engine": found["decoding"][0]["tokens_per_s"],
        "the engine, event by event": found["event_by_event"]["tokens_per_s"],
        "a bare heap, as many events": found["heap_tokens_per_s"],
        "SimPy, the same requests": found["simpy"]["tokens_per_s"],
    }
    report.table("", ["", "tokens/s"], [[name, f"{rate:,.0f}"] for name, rate in rates.items()])
    report.table("ratios", ["what", "times"], [[k, f"{v:.2f}"] for k, v in found["ratio"].items()])
    report.say(f"the engine and SimPy end every request within {found['simpy']['apart_s']:.1e} s")
    report.table(
        "an hour of a trace, as a whole process",
        ["trace", "wall s", "processor s", "peak memory MiB"],
        [
            [name, f"{hour['wall_s']:.1f}", f"{hour['cpu_s']:.1f}", f"{hour['peak_mib']:.0f}"]
            for name, hour in found["hours"].items()
        ],
    )
    for name, why in found["absent"].items():
        report.say(f"{name}: {why}")
    report.say(f"load of the machine: {found['load']:.1f}")
    report.json(found)
    report.end()


@app.command()
def peers(json_file: JsonOption = None, seed: SeedOption = None) -> None:
    """The same shortest paths by our search, five graph libraries and another simulator."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("rounds") as progress:
        from peers import SAME_S
        from peers import peers as measure

        data = measure(seed=seed or 0, progress=progress)
    times, apart = data["times_ours"], data["largest_difference_s"]
    report.table(
        f"delays from {data['sources']} of {data['satellites']} satellites to all",
        ["search", "median ms", "times ours", "apart by at most s"],
        [
            [
                name,
                f"{ms:.3f}",
                *((f"{times[name]:.2f}", f"{apart[name]:.1e}") if name in times else ("", "")),
            ]
            for name, ms in data["median_ms"].items()
        ],
    )
    for name, why in data["absent"].items():
        report.say(f"{name}: {why}")
    for name in apart:
        if apart[name] > SAME_S:
            report.say(f"{name} gives other delays: its time does not compare")
    report.json(data)
    report.end()


for command in (
    live_commands.live,
    live_commands.outlooks,
    live_commands.pace,
    live_commands.live_page,
    live_commands.live_kills,
    page_commands.asking,
    page_commands.page,
    page_commands.sessions,
    live_commands.closed_loop,
):
    app.command()(command)


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and exit code 2."""
    args = bare_json(sys.argv[1:])
    sys.exit(guarded(lambda: app(args=args, prog_name="python tests/bench"), "bench"))


def _show_medians(report: "Console", title: str, data: dict[str, Any]) -> None:
    """Print the medians of a bench's contestants and their ratios."""
    medians = [[name, f"{value:.4g}"] for name, value in data["median_ms"].items()]
    report.table(title, ["what", "median ms"], medians)
    report.table("ratios", ["what", "times"], [[k, f"{v:.2f}"] for k, v in data["ratio"].items()])
    report.json(data)
    report.end()
