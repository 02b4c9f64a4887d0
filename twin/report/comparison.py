"""A report on a comparison: strategies and policies on common random numbers."""

from functools import partial

import numpy as np

from twin.report.page import Code, Document, Items, Part, Picture, Section, Table
from twin.report.study_words import amount, difference_unit, doubt, quantity
from twin.report.words import scenario_in_words
from twin.runs.cells import Cell
from twin.runs.figures import FIGURES, PERCENTILES, REQUEST_METRICS, SHORT
from twin.runs.files import versions
from twin.runs.statistics import estimate
from twin.scenario import loader
from twin.study.compare import Comparison, Outcome
from twin.study.comparison_plot import draw, size_in
from twin.study.comparison_tables import comparison_tables
from twin.study.reproduce import assumptions
from twin.vocabulary import ALONE


def comparison_document(result: Comparison) -> Document:
    """Report on a comparison."""
    scenario = result.reference.case.scenario
    stated: list[Part] = [
        "Choices that the paper this twin follows (Space-XNet, arXiv 2605.00515) does not state; "
        "results may depend on them.",
        Items(tuple(assumptions(scenario))),
    ]
    sections = [
        Section("In short", (Items(tuple(_in_short(result))),)),
        Section("Question", tuple(_question(result))),
        Section("Scenario", tuple(_scenario(result))),
        Section("Assumptions", tuple(stated)),
        Section("Results", tuple(_tables(result))),
        Section("Plots", (_picture(result),)),
        Section("How to rerun", (_rerun(result),)),
        Section("Versions", (_versions(),)),
    ]
    return Document(
        title=f"Comparison on {result.scenario}",
        subtitle=f"{len(result.outcomes)} cases in {result.replicates} replicates",
        sections=tuple(sections),
    )


def _in_short(result: Comparison) -> list[str]:
    """Which case is best in what is weighed, and by how much; and which cannot be run."""
    told = [_best(result, name) for name in (result.trade.time, *result.trade.objectives)]
    return told + [f"{o.case.name} cannot be run: {o.infeasible}" for o in _refused(result)]


def _refused(result: Comparison) -> list[Outcome]:
    return [outcome for outcome in result.outcomes if outcome.infeasible is not None]


def _best(result: Comparison, name: str) -> str:
    figure, reference = FIGURES[name], result.reference
    known = [o for o in result.feasible if np.isfinite(o.estimate(name).mean)]
    label = figure.label[:1].upper() + figure.label[1:]
    if not known:
        return f"{label}: no case has such a figure."
    best = min(known, key=lambda outcome: figure.better * outcome.estimate(name).mean)
    told = f"{label}: best with {best.case.name}, {amount(best.shown(name), name)}"
    if best is reference or reference not in known:
        return f"{told}."
    against = amount(reference.shown(name), name)
    by = figure.better * figure.scale
    gap = estimate(by * (reference.values(name) - best.values(name)))
    return (
        f"{told}; with {reference.case.name}, the first case, {against}. Replicate by replicate, "
        f"the difference is {quantity(gap, difference_unit(name))}{doubt(gap)}."
    )


def _question(result: Comparison) -> list[Part]:
    names = ", ".join(outcome.case.name for outcome in result.outcomes)
    return [
        f"How do these cases differ: {names}?",
        f"Answered by {len(result.feasible) * result.replicates} runs. In a replicate, all of them "
        "draw orbits, outages, tokens and requests from the same random numbers, so that "
        f"differences are taken replicate by replicate. {ALONE}",
    ]


def _scenario(result: Comparison) -> list[Part]:
    scenario, cases = result.reference.case.scenario, [o.case for o in result.outcomes]
    words = scenario_in_words(
        scenario,
        scenario.simulation.step_s,
        strategies=list(dict.fromkeys(case.strategy for case in cases)),
        policies=list(dict.fromkeys(case.policy for case in cases)),
    )
    return [*words, Code(loader.to_toml(scenario), "Every field of the first case, as TOML")]


def _tables(result: Comparison) -> list[Part]:
    told = [_figures_told()] if result.requests else []
    return [*_compared(result), *told]


def _figures_told() -> Table:
    """What the headers of figures of requests stand for."""
    rows: list[list[Cell]] = [
        [SHORT[name], FIGURES[name].header, FIGURES[name].sentence] for name in REQUEST_METRICS
    ]
    return Table(
        name="metrics",
        title="Figures of requests",
        header=("header", "figure", "what it is"),
        rows=rows,
    )


def _compared(result: Comparison) -> list[Part]:
    note = "Mean ± 95 % confidence interval (Student's t) over the replicates."
    return [
        Table(
            name=f"comparison-{number}",
            title=title[:1].upper() + title[1:],
            header=tuple(header),
            rows=rows,
            note=f"{note} {PERCENTILES}" if SHORT["latency_p99_s"] in header else note,
        )
        for number, (title, header, rows) in enumerate(comparison_tables(result), 1)
    ]


def _picture(result: Comparison) -> Picture:
    return Picture(
        name="comparison",
        title="What is gained, and what it costs",
        caption="Above, each mark is a case; outlined, joined and named are those that no other "
        "beats in both. Whiskers: 95 % intervals over the replicates. Below, each is a replicate.",
        size_in=size_in(result),
        draw=partial(draw, result),
    )


def _rerun(result: Comparison) -> Code:
    """The command, with the scenario above saved as a file."""
    cases = [outcome.case for outcome in result.outcomes]
    placing = {case.strategy: case.scenario.placement.params for case in cases}
    deciding = {case.policy: case.scenario.controller.params for case in cases}
    given = [
        f" {option} {name}.{key}={loader.literal(value)}"
        for option, table in (("--strategy-params", placing), ("--policy-params", deciding))
        for name, params in table.items()
        for key, value in params.items()
    ]
    return Code(
        f"twin compare {result.scenario}.toml --strategies {','.join(placing)} "
        f"--policies {','.join(deciding)}{''.join(given)} --replicates {result.replicates}"
    )


def _versions() -> Table:
    return Table(
        name="versions",
        title="Versions",
        header=("", "this twin"),
        rows=[[name, version] for name, version in versions().items()],
    )
