"""Commands that run many scenarios: comparisons, placements, studies, a published experiment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.answer import answer, say
from twin.cli.console import Console, progress_bar
from twin.cli.options import (
    Answering,
    Asking,
    JsonOption,
    PluginOption,
    RunsOption,
    ScenarioArgument,
    WorkersOption,
    sharing,
    split,
)
from twin.errors import InputError
from twin.scenario.fields import MOST_INSTANCES
from twin.scenario.plain import MAX_INTEGER
from twin.vocabulary import ALONE

if TYPE_CHECKING:
    from placement.deployment import Count
    from twin.runs.studies import Study
    from twin.study.study_file import StudyFile

ReplicatesOption = Annotated[int, typer.Option(min=2, max=10_000, help="Independent repetitions.")]


@sharing
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
    replicates: ReplicatesOption = 8,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same comparison was interrupted.")
    ] = False,
    *,
    shared: Asking,
) -> None:
    """Run strategies with policies, every pair of them, on common random numbers."""
    with progress_bar("runs") as progress:
        from twin.study.cases import make_cases, read_params
        from twin.study.compare import compare as compare_cases
        from twin.study.kept import forget, open_kept

        chosen = shared.load(scenario)
        figure = shared.plot(f"compare-{chosen.name}.png")
        place = shared.runs_dir / f"compare-{chosen.name}.jsonl"
        kept = open_kept(place, resume=resume)
        result = compare_cases(
            make_cases(
                chosen,
                split(strategies),
                split(policies) or [chosen.controller.policy],
                strategy_params=read_params("--strategy-params", strategy_params or ()),
                policy_params=read_params("--policy-params", policy_params or ()),
            ),
            replicates=replicates,
            kept=kept,
            pool=shared.pool(progress),
        )
    from twin.report.comparison import comparison_document
    from twin.report.trade_offs import comparison_picture

    document, drawn = comparison_document(result), comparison_picture(result)
    forget(place)
    answer(shared, document, result.as_json(), figure=figure, picture=drawn, lead=False)


@sharing
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
    replicates: ReplicatesOption = 4,
    *,
    shared: Asking,
) -> None:
    """Plan once: what each placement costs in expectation, and how far it is from the best."""
    with progress_bar("placements") as progress:
        from twin.study.place import place as plan_all

        chosen = shared.load(scenario)
        figure = shared.plot(f"place-{chosen.name}.png")
        result = plan_all(
            chosen,
            split(strategies),
            floors_per_s=_floors(floors),
            instances=_counts(instances),
            dead=dead,
            replicates=replicates,
            pool=shared.pool(progress),
        )
    from twin.report.place import place_document

    placements = {entry.name: entry.as_json() for entry in result}
    data = {"scenario": chosen.name, "placements": placements}
    answer(shared, place_document(result, chosen), data, figure=figure)


@sharing
def reproduce(
    experiment: Annotated[str, typer.Argument(help="Which published experiment: space-xnet.")],
    replicates: ReplicatesOption = 32,
    seed: Annotated[int, typer.Option(min=0, max=MAX_INTEGER, help="Seed of all randomness.")] = 0,
    *,
    shared: Answering,
) -> None:
    """Reproduce a published experiment: its table, its trends, and how firm they are."""
    if experiment != "space-xnet":
        raise InputError(f"unknown experiment {experiment!r}; known: space-xnet")
    figure = shared.plot("reproduce-space-xnet.png")
    with progress_bar("skies") as progress:
        from twin.study.pool import Pool
        from twin.study.reproduce import reproduce as reproduce_space_xnet

        pool = Pool(workers=shared.workers, progress=progress)
        result = reproduce_space_xnet(replicates=replicates, seed=seed, pool=pool)
    from twin.report.reproduce import reproduction_document, whole_picture

    document, drawn = reproduction_document(result), whole_picture(result)
    assumed = [f"  {line}" for line in result.assumptions]
    remarks = ["assumptions that the paper does not state:", *assumed]
    answer(shared, document, result.as_json(), figure=figure, picture=drawn, remarks=remarks)


def sweep(
    study: Annotated[
        str, typer.Argument(help="A study's name (see: twin studies), or a TOML file.")
    ],
    workers: WorkersOption = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler instead."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted study; STUDY may also be its folder.",
        ),
    ] = False,
    keep_runs: Annotated[
        bool, typer.Option("--keep-runs", help="Keep every point's complete run, in the study.")
    ] = False,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Run a study, every point of its axes with every strategy and policy; kept below runs/."""
    report = Console(json_file)
    if scheduler is not None and workers is not None:
        raise InputError("--scheduler: takes no --workers, the cluster has its own")
    if scheduler is not None and keep_runs:
        raise InputError("--keep-runs: goes with --workers only, a cluster returns figures alone")
    with progress_bar("points") as progress:
        from twin.study.sweep import open_sweep
        from twin.study.sweep import sweep as sweep_points

        opened = open_sweep(
            study, resume=resume, runs_dir=runs_dir, keep_runs=keep_runs, plugins=plugins or ()
        )
        if scheduler is not None and opened.writer.keep_runs:
            raise InputError("--scheduler: this study keeps its runs, which only --workers can")
        with opened.writer:
            done = sweep_points(opened, workers=workers, scheduler=scheduler, progress=progress)
    if resume and not opened.goes_on:
        report.say(
            f"note: {runs_dir}/ had no interrupted {opened.study.name}; it ran from the start"
        )
    _say_study(report, opened.study, done)


def _say_study(report: Console, study: "StudyFile", done: "Study") -> None:
    from twin.report.study import finding
    from twin.report.study_tables import as_json, by_figure
    from twin.study.study_cells import Cells
    from twin.study.study_data import read_study_data

    cells = Cells.of_study(read_study_data(done.path))
    say(report, study.question or study.name, finding(cells), by_figure(cells))
    report.say(ALONE)
    points, failed = done.manifest["points"], done.manifest["failed"]
    if failed:
        report.say(f"{failed} of {points} points failed; see column error")
    report.say(f"kept in {done.path}; one row a point in {done.path / 'points'}")
    report.json(
        {"study": study.name, "path": str(done.path), "points": points, "failed": failed}
        | {"groups": as_json(cells)}
    )
    report.end()


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
    for item in split(text):
        if item != "fill" and not (item.isdecimal() and 1 <= int(item) <= MOST_INSTANCES):
            raise InputError(
                f"--instances {text}: must be integers from 1 to {MOST_INSTANCES:,}, or 'fill'"
            )
        counts.append("fill" if item == "fill" else int(item))
    return counts
