"""The command that asks where inference should live."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.answer import answer
from twin.cli.options import (
    FigureOption,
    JsonOption,
    PluginOption,
    ReportOption,
    RunsOption,
    SeedOption,
    SetOption,
    WorkersOption,
    split,
    with_seed,
)

if TYPE_CHECKING:
    from twin.cli.console import Console
    from twin.scenario.schema import Scenario
    from twin.study.where import WhereCase


def where(
    scenario: Annotated[
        str, typer.Argument(help="Preset or TOML file of what all cases have in common.")
    ] = "where-study",
    places: Annotated[str | None, typer.Option(help="Comma-separated; default: all.")] = None,
    boards: Annotated[str, typer.Option(help="Comma-separated boards.")] = "sbc-2a72,orin,tpu-v6e",
    models: Annotated[
        str, typer.Option(help="Comma-separated model cards.")
    ] = "mixtral-8x7b,qwen3-30b-a3b,deepseek-v3",
    share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Of requests that must meet the deadlines.")
    ] = 0.9,
    replicates: Annotated[int, typer.Option(min=1, max=1000, help="Of each day.")] = 2,
    overrides: SetOption = None,
    seed: SeedOption = None,
    plugins: PluginOption = None,
    workers: WorkersOption = None,
    json_file: JsonOption = None,
    figure: FigureOption = None,
    page: ReportOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Say where a model is best served: on many satellites, one, a cluster, or the ground."""
    from twin.cli.console import Console, progress_bar

    report = Console(json_file)
    with progress_bar("runs") as progress:
        from twin.plugins.choices import load_scenario
        from twin.study.capacity import check
        from twin.study.kept import Kept
        from twin.study.places import PLACES
        from twin.study.where import cases_of
        from twin.study.where import where as find

        chosen = load_scenario(scenario, with_seed(overrides, seed), plugins=plugins or ())
        check(chosen)
        cases = cases_of(
            chosen,
            places=list(PLACES) if places is None else split(places),
            boards=split(boards),
            models=split(models),
        )
        runs_dir.mkdir(parents=True, exist_ok=True)
        find(
            cases,
            replicates=replicates,
            share=share,
            kept=Kept(runs_dir / f"where-{chosen.name}.jsonl"),
            plugins=plugins or (),
            workers=workers,
            progress=progress,
        )
    _say(report, chosen, cases, share, figure, page, runs_dir)


def _say(
    report: "Console",
    scenario: "Scenario",
    cases: "list[WhereCase]",
    share: float,
    figure: Path | None,
    page: Path | None,
    runs_dir: Path,
) -> None:
    from twin.report.capacity import where_document
    from twin.study import answers
    from twin.study.where_tables import as_json, plots

    requests = scenario.requests
    rule = (
        f"deadlines: first token within {requests.ttft_target_s:g} s, further ones within "
        f"{requests.tpot_target_s:g} s each; carried: the most requests/s of which {share:.0%} "
        "meet both, within a factor of two; power: of boards that host a part"
    )
    document = where_document(cases, scenario, rule)
    answer(report, document, figure=figure, page=page)
    answers.keep(
        runs_dir, "where", scenario.name, question=document.question, rule=rule, plots=plots(cases)
    )
    report.json({"scenario": scenario.name, "cases": as_json(cases)})
    report.end()
