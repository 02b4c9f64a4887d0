"""A report on a comparison: strategies and policies on common random numbers."""

from twin.report.page import Code, Document, Items, Part, Section, Table
from twin.report.scenario import scenario_parts
from twin.report.study import answered, finding
from twin.report.study_plots import lead_picture
from twin.report.study_tables import figures_told, overview
from twin.report.tables import versions
from twin.report.trade_offs import comparison_picture
from twin.runs.figures import METRICS, PERCENTILES, REQUEST_METRICS, SHORT
from twin.runs.files import versions as versions_here
from twin.scenario import loader
from twin.study.compare import Comparison
from twin.study.comparison_tables import comparison_tables
from twin.study.study_cells import Cells


def comparison_document(result: Comparison) -> Document:
    """Report on a comparison."""
    cells, names = Cells.of_comparison(result), [o.case.name for o in result.outcomes]
    refused = [
        f"{outcome.case.name} cannot be run: {outcome.infeasible}"
        for outcome in result.outcomes
        if outcome.infeasible is not None
    ]
    picture, base = lead_picture(cells), result.reference.case.scenario
    sections = [
        Section("Results", (*_tables(result), Items(tuple(refused)), answered(cells))),
        Section("Plots", (comparison_picture(result),)),
        *scenario_parts([base], [result.reference.case.name]),
        Section("How to rerun", (_rerun(result),), folded=True),
        Section("Versions", (versions({"this twin": {**versions_here()}}),), folded=True),
    ]
    return Document(
        title=f"Comparison on {result.scenario}",
        subtitle=f"{len(result.outcomes)} cases in {result.replicates} replicates",
        question=f"How do these cases differ: {', '.join(names)}?",
        finding=finding(cells),
        lead=(*([picture] if picture else []), overview(cells)),
        sections=tuple(sections),
    )


def _tables(result: Comparison) -> list[Part]:
    note = "Mean ± 95 % confidence interval (Student's t) over the replicates."
    parts: list[Part] = [
        Table(
            name=f"comparison-{number}",
            title=title[:1].upper() + title[1:],
            header=tuple(header),
            rows=rows,
            note=f"{note} {PERCENTILES}" if SHORT["latency_p99_s"] in header else note,
        )
        for number, (title, header, rows) in enumerate(comparison_tables(result), 1)
    ]
    return [*parts, figures_told(REQUEST_METRICS if result.requests else METRICS)]


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
