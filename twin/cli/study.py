"""Commands that compare strategies and policies, or reproduce a published experiment."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.options import (
    FigureOption,
    JsonOption,
    PluginOption,
    RunsOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    output,
    with_seed,
)
from twin.errors import InputError
from twin.runs import outputs
from twin.scenario.fields import MOST_INSTANCES
from twin.scenario.plain import MAX_INTEGER
from twin.vocabulary import ALONE

if TYPE_CHECKING:
    from placement.deployment import Count
    from twin.cli.console import Console
    from twin.study.compare import Comparison


_ABOUT_ONE = (
    "s/token: exact expectation on outages the planner has not seen; tokens/s: busiest satellite, "
    "all work but the LM head's counted; gap: above the lower bound at this floor"
)
_ABOUT_MANY = (
    "s/token: exact expectation on outages the planner has not seen, mean over instances; "
    "tokens/s: of all instances, all work but the LM head's counted; at most: what this number can "
    "compute; least: of the instance with the fewest; gap: above the lower bound at this floor"
)


def compare(
    scenario: ScenarioArgument,
    strategies: Annotated[
        str, typer.Option(help="Comma-separated; the others are compared with the first.")
    ] = "space-xnet,compact-random,rand-intra-cg,rand-intra,rand-place",
    policies: Annotated[
        str | None, typer.Option(help="Comma-separated; default: the scenario's own.")
    ] = None,
    strategy_params: Annotated[
        list[str] | None,
        typer.Option(metavar="STRATEGY.KEY=VALUE", help="A strategy's parameter; may be repeated."),
    ] = None,
    policy_params: Annotated[
        list[str] | None,
        typer.Option(metavar="POLICY.KEY=VALUE", help="A policy's parameter; may be repeated."),
    ] = None,
    plugins: PluginOption = None,
    replicates: Annotated[
        int, typer.Option(min=2, max=10_000, help="Independent repetitions.")
    ] = 8,
    overrides: SetOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    json_file: JsonOption = None,
    figure: FigureOption = None,
    runs_dir: RunsOption = Path("runs"),
    page: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write a report.", callback=output),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same comparison was interrupted.")
    ] = False,
) -> None:
    """Run strategies with policies, every pair of them, on common random numbers."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("runs") as progress:
        from twin.plugins.choices import load_scenario
        from twin.study.cases import make_cases, read_params
        from twin.study.compare import compare as compare_cases
        from twin.study.kept import forget, open_kept

        chosen = load_scenario(scenario, with_seed(overrides, seed), plugins=plugins or ())
        picture = _picture(figure, runs_dir, f"compare-{chosen.name}.png")
        place = runs_dir / f"compare-{chosen.name}.jsonl"
        kept = open_kept(place, resume=resume)
        result = compare_cases(
            make_cases(
                chosen,
                _names(strategies),
                _names(policies) if policies is not None else [chosen.controller.policy],
                strategy_params=read_params("--strategy-params", strategy_params or ()),
                policy_params=read_params("--policy-params", policy_params or ()),
            ),
            replicates=replicates,
            plugins=plugins or (),
            workers=workers,
            kept=kept,
            progress=progress,
        )
    from twin.report.drawing import png
    from twin.report.study_plots import comparison_picture

    _say_comparison(report, result)
    report.file("--figure", picture, partial(png, comparison_picture(result)), "plot")
    if page is not None:
        from twin.report.comparison import comparison_document
        from twin.report.document import write

        document = comparison_document(result)
        report.file("--report", page, lambda path: write(document, path), "report")
    forget(place)
    report.end()


def _say_comparison(report: "Console", result: "Comparison") -> None:
    from twin.runs.cells import text
    from twin.study.comparison_tables import comparison_tables, heading

    for title, header, lines in comparison_tables(result):
        rows = [[text(cell) for cell in line] for line in lines]
        report.table(f"{heading(result)}: {title}", header, rows)
    for outcome in result.outcomes:
        if outcome.infeasible:
            report.say(f"{outcome.case.name} cannot be run: {outcome.infeasible}")
    report.say(ALONE)
    report.json(result.as_json())


def place(
    scenario: ScenarioArgument,
    strategies: Annotated[
        str, typer.Option(help="Comma-separated.")
    ] = "space-xnet,compact-random,packed,joint",
    floors: Annotated[
        str,
        typer.Option(
            help="Comma-separated tokens/s that the busiest satellite must reach; 0: no floor."
        ),
    ] = "0",
    instances: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated numbers of copies of the model; fill: as many as find room. "
            "Default: the scenario's own."
        ),
    ] = None,
    dead: Annotated[
        int, typer.Option(min=0, help="Satellites that are dead, others in each repetition.")
    ] = 0,
    plugins: PluginOption = None,
    replicates: Annotated[
        int, typer.Option(min=2, max=10_000, help="Independent repetitions.")
    ] = 4,
    overrides: SetOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    json_file: JsonOption = None,
    figure: FigureOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Plan once: what each placement costs in expectation, and how far it is from the best."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("placements") as progress:
        from twin.plugins.choices import load_scenario
        from twin.study.place import place as plan_all

        chosen = load_scenario(scenario, with_seed(overrides, seed), plugins=plugins or ())
        picture = _picture(figure, runs_dir, f"place-{chosen.name}.png")
        result = plan_all(
            chosen,
            _names(strategies),
            floors_per_s=_floors(floors),
            instances=_counts(instances),
            dead=dead,
            replicates=replicates,
            plugins=plugins or (),
            workers=workers,
            progress=progress,
        )
    from twin.study.place_plot import place_plot, place_rows

    header, rows = place_rows(result)
    report.table(f"{chosen.name}, {replicates} replicates, mean ± 95 % interval", header, rows)
    for entry in result:
        if entry.infeasible:
            report.say(f"{entry.name} finds no placement: {entry.infeasible}")
    report.say(_ABOUT_MANY if any(entry.asked != 1 for entry in result) else _ABOUT_ONE)
    report.say(ALONE)
    report.json({"scenario": chosen.name, "placements": {e.name: e.as_json() for e in result}})
    report.file("--figure", picture, lambda path: place_plot(result, chosen.name, path), "plot")
    report.end()


def reproduce(
    experiment: Annotated[str, typer.Argument(help="Which published experiment: space-xnet.")],
    replicates: Annotated[
        int, typer.Option(min=2, max=10_000, help="Independent repetitions.")
    ] = 32,
    seed: Annotated[int, typer.Option(min=0, max=MAX_INTEGER, help="Seed of all randomness.")] = 0,
    workers: WorkersOption = None,
    json_file: JsonOption = None,
    figure: FigureOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Reproduce a published experiment: its table, its trends, and how firm they are."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    if experiment != "space-xnet":
        raise InputError(f"unknown experiment {experiment!r}; known: space-xnet")
    picture = _picture(figure, runs_dir, "reproduce-space-xnet.png")
    with progress_bar("skies") as progress:
        from twin.study.reproduce import PUBLISHED_S, ratios, trend_lines
        from twin.study.reproduce import reproduce as reproduce_space_xnet

        result = reproduce_space_xnet(
            replicates=replicates, seed=seed, workers=workers, progress=progress
        )
    from twin.study.plots import reproduction_plot

    for key, table in result.tables.items():
        against = ratios(table)
        report.table(
            f"{key}: seconds per token, {replicates} replicates, mean ± 95 % interval",
            ["strategy", "this twin", *(["published"] if key == "paper" else []), "x space-xnet"],
            [
                [
                    name,
                    row.infeasible or f"{row.mean_s:.3f} ± {row.ci95_s:.3f}",
                    *([_number(PUBLISHED_S.get(name))] if key == "paper" else []),
                    _number(against.get(name)),
                ]
                for name, row in table.items()
            ],
        )
    for title, header, lines in trend_lines(result):
        report.table(title, header, lines)
    report.say(ALONE)
    report.say("assumptions that the paper does not state:")
    for line in result.assumptions:
        report.say(f"  {line}")
    report.json(result.as_json())
    report.file("--figure", picture, lambda path: reproduction_plot(result, path), "plot")
    report.end()


def _picture(figure: Path | None, runs_dir: Path, name: str) -> Path:
    """Where the plot goes: by default to runs/, which is looked at before all is computed."""
    if figure is not None:
        return figure
    picture = runs_dir / name
    outputs.check("--figure", picture, makes_folder=True)
    return picture


def _floors(text: str) -> list[float]:
    floors = []
    for item in text.split(","):
        try:
            floors.append(float(item))
        except ValueError:
            floors.append(-1.0)
        if not 0.0 <= floors[-1] < float("inf"):
            raise InputError(f"--floors {text}: must be numbers of tokens/s, 0 or more") from None
    return floors


def _counts(text: str | None) -> "list[Count] | None":
    if text is None:
        return None
    counts: list[Count] = []
    for item in _names(text):
        if item != "fill" and not (item.isdecimal() and 1 <= int(item) <= MOST_INSTANCES):
            raise InputError(
                f"--instances {text}: must be integers from 1 to {MOST_INSTANCES:,}, or 'fill'"
            )
        counts.append("fill" if item == "fill" else int(item))
    return counts


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
