"""Commands about load: how much a constellation carries, and where inference should live."""

import itertools
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.answer import answer
from twin.cli.console import progress_bar
from twin.cli.options import Asking, ScenarioArgument, sharing, split
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.report.page import Document
    from twin.scenario.schema import Scenario
    from twin.study.answers import Plot


@sharing
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
    *,
    shared: Asking,
) -> None:
    """Find the most load that is served within deadlines; an interrupted search goes on."""
    with progress_bar("runs") as progress:
        from twin.study.capacity import capacity as find
        from twin.study.capacity import check
        from twin.study.cases import Case
        from twin.study.kept import open_kept

        chosen = shared.load(scenario)
        check(chosen)
        cases = [
            Case(name=name, scenario=shared.load(scenario, *changes))
            for name, changes in _cases(strategies, instances, dispatches, deadlines)
        ]
        found = find(
            cases,
            share=share,
            replicates=min(replicates, most_replicates),
            most_replicates=most_replicates,
            within=within,
            kept=open_kept(shared.runs_dir / f"capacity-{chosen.name}.jsonl"),
            pool=shared.pool(progress),
        )
    from twin.report.capacity import as_json, capacity_document, plots

    rule = (
        f"load at which {100 * share:g} % of the requests are within both targets, by intervals "
        f"over {replicates} to {most_replicates} replicates; bound: all satellites compute always"
    )
    document = capacity_document(found, chosen, rule)
    _answer(shared, "capacity", chosen, document, rule, plots(found), as_json(found))


@sharing
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
    *,
    shared: Asking,
) -> None:
    """Say where a model is best served: on many satellites, one, a cluster, or the ground."""
    with progress_bar("runs") as progress:
        from twin.study.capacity import check
        from twin.study.kept import open_kept
        from twin.study.places import PLACES
        from twin.study.where import cases_of
        from twin.study.where import where as find

        chosen = shared.load(scenario)
        check(chosen)
        cases = cases_of(
            chosen,
            places=list(PLACES) if places is None else split(places),
            boards=split(boards),
            models=split(models),
        )
        find(
            cases,
            replicates=replicates,
            share=share,
            kept=open_kept(shared.runs_dir / f"where-{chosen.name}.jsonl"),
            pool=shared.pool(progress),
        )
    from twin.report.where import as_json, plots, where_document

    requests = chosen.requests
    rule = (
        f"deadlines: first token within {requests.ttft_target_s:g} s, further ones within "
        f"{requests.tpot_target_s:g} s each; carried: the most requests/s of which {share:.0%} "
        "meet both, within a factor of two; power: of boards that host a part"
    )
    document = where_document(cases, chosen, rule)
    _answer(shared, "where", chosen, document, rule, plots(cases), as_json(cases))


def _answer(
    shared: Asking,
    command: str,
    scenario: "Scenario",
    document: "Document",
    rule: str,
    plots: "list[Plot]",
    cases: Any,
) -> None:
    """Print and write what was found, and keep it for the page."""
    from twin.study import answers

    question, name = document.question, scenario.name
    answers.keep(shared.runs_dir, command, name, question=question, rule=rule, plots=plots)
    answer(shared, document, {"scenario": name, "cases": cases}, figure=shared.figure)


def _cases(
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
    return [
        (
            ", ".join(name for name, _ in chosen) or "as it is",
            [setting for _, settings in chosen for setting in settings],
        )
        for chosen in itertools.product(*filter(None, axes))
    ]


def _deadline(text: str) -> tuple[str, list[str]]:
    parts = split(text)
    if len(parts) != 2:
        raise InputError(f"--deadlines: must look like TTFT,TPOT in seconds (got {text!r})")
    targets = [f"requests.ttft_target_s={parts[0]}", f"requests.tpot_target_s={parts[1]}"]
    return f"within {parts[0]} s, {parts[1]} s a token", targets
