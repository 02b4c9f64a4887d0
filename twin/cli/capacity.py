"""The command that finds how much load a constellation carries."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.answer import answer
from twin.cli.options import (
    FigureOption,
    JsonOption,
    PluginOption,
    ReportOption,
    RunsOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    split,
    with_seed,
)
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.cli.console import Console
    from twin.scenario.schema import Scenario
    from twin.study.capacity import Found


def capacity(
    scenario: ScenarioArgument,
    strategies: Annotated[
        str | None, typer.Option(help="Comma-separated; default: the scenario's own.")
    ] = None,
    instances: Annotated[
        str | None, typer.Option(help="Comma-separated numbers of copies; default: its own.")
    ] = None,
    dispatches: Annotated[
        str | None, typer.Option("--dispatch", help="Comma-separated; default: its own.")
    ] = None,
    deadlines: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TTFT,TPOT", help="Seconds; may be repeated; default: the scenario's targets."
        ),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Of requests that must be within both.")
    ] = 0.95,
    within: Annotated[
        float, typer.Option(min=0.001, max=10.0, help="Width of the bracket, as a share.")
    ] = 0.05,
    replicates: Annotated[int, typer.Option(min=2, max=1000, help="Of a load, to begin with.")] = 3,
    most_replicates: Annotated[
        int, typer.Option(min=2, max=1000, help="Of a load, where fewer do not decide.")
    ] = 9,
    overrides: SetOption = None,
    seed: SeedOption = None,
    plugins: PluginOption = None,
    workers: WorkersOption = None,
    json_file: JsonOption = None,
    figure: FigureOption = None,
    page: ReportOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Find the most load that is served within deadlines; an interrupted search goes on."""
    from twin.cli.console import Console, progress_bar

    report, settings = Console(json_file), with_seed(overrides, seed)
    with progress_bar("runs") as progress:
        from twin.plugins.choices import load_scenario
        from twin.study.capacity import CapacityCase, check
        from twin.study.capacity import capacity as find
        from twin.study.kept import Kept

        chosen = load_scenario(scenario, settings, plugins=plugins or ())
        check(chosen)
        cases = [
            CapacityCase(
                name=name, scenario=load_scenario(scenario, changed, plugins=plugins or ())
            )
            for name, changed in _cases(settings, strategies, instances, dispatches, deadlines)
        ]
        runs_dir.mkdir(parents=True, exist_ok=True)
        found = find(
            cases,
            share=share,
            replicates=min(replicates, most_replicates),
            most_replicates=most_replicates,
            within=within,
            kept=Kept(runs_dir / f"capacity-{chosen.name}.jsonl"),
            plugins=plugins or (),
            workers=workers,
            progress=progress,
        )
    rule = (
        f"load at which {100 * share:g} % of the requests are within both targets, by intervals "
        f"over {replicates} to {most_replicates} replicates; bound: all satellites compute always"
    )
    _say(report, chosen, found, rule, figure, page, runs_dir)


def _say(
    report: "Console",
    scenario: "Scenario",
    found: "list[Found]",
    rule: str,
    figure: Path | None,
    page: Path | None,
    runs_dir: Path,
) -> None:
    from twin.report.capacity import capacity_document
    from twin.study import answers
    from twin.study.capacity import bound_per_s
    from twin.study.capacity_tables import as_json, plots

    bounds = [bound_per_s(one.case.scenario) for one in found]
    document = capacity_document(found, bounds, scenario, rule)
    answer(report, document, figure=figure, page=page)
    answers.keep(
        runs_dir,
        "capacity",
        scenario.name,
        question=document.question,
        rule=rule,
        plots=plots(found),
    )
    report.json({"scenario": scenario.name, "cases": as_json(found, bounds)})
    report.end()


def _cases(
    overrides: list[str],
    strategies: str | None,
    instances: str | None,
    dispatches: str | None,
    deadlines: list[str] | None,
) -> list[tuple[str, list[str]]]:
    """Names and settings of all combinations."""
    axes: list[list[tuple[str, list[str]]]] = [
        [(name, [f"placement.strategy={name}"]) for name in split(strategies)],
        [(f"{n} copies", [f"placement.instances={n}"]) for n in split(instances)],
        [(name, [f"serving.dispatch={name}"]) for name in split(dispatches)],
        [_deadline(text) for text in deadlines or []],
    ]
    found = []
    for chosen in itertools.product(*(axis for axis in axes if axis)):
        settings: list[Any] = [setting for _, some in chosen for setting in some]
        name = ", ".join(name for name, _ in chosen) or "as it is"
        found.append((name, [*overrides, *settings]))
    return found


def _deadline(text: str) -> tuple[str, list[str]]:
    parts = split(text)
    if len(parts) != 2:
        raise InputError(f"--deadlines: must look like TTFT,TPOT in seconds (got {text!r})")
    targets = [f"requests.ttft_target_s={parts[0]}", f"requests.tpot_target_s={parts[1]}"]
    return f"within {parts[0]} s, {parts[1]} s a token", targets
