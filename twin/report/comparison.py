"""A report on a comparison: strategies and policies on common random numbers."""

from collections.abc import Callable

import numpy as np

from twin.report.page import Code, Document, Items, Section, Table, by_case
from twin.report.scenario import scenario_parts
from twin.report.study import answered, finding
from twin.report.study_plots import lead_picture
from twin.report.study_tables import figures_told, overview
from twin.report.tables import versions
from twin.report.trade_offs import comparison_picture
from twin.runs.cells import Cell, text
from twin.runs.figures import FIGURES, METRICS, PERCENTILES, REQUEST_METRICS, SHORT
from twin.runs.files import versions as versions_here
from twin.scenario import loader
from twin.study.compare import Comparison, Outcome
from twin.study.study_cells import Cells
from twin.vocabulary import CAUSES, lost_column

_NOTE = "Mean ± 95 % confidence interval (Student's t) over the replicates."
_RESOURCES = (
    "throughput_per_s", "energy_per_token_j", "idle_energy_per_token_j",
    "network_energy_per_token_j", "compute_energy_per_token_j", "migrated_gb", "placements",
    "soc_min",
)  # fmt: skip

type _Column = Callable[[Outcome], Cell]


def comparison_document(result: Comparison) -> Document:
    """Report on a comparison."""
    cells, names = Cells.of_comparison(result), [o.case.name for o in result.outcomes]
    refused = [
        f"{outcome.case.name} cannot be run: {outcome.infeasible}"
        for outcome in result.outcomes
        if outcome.infeasible is not None
    ]
    picture, base = lead_picture(cells), result.reference.case.scenario
    figures = figures_told(REQUEST_METRICS if result.requests else METRICS)
    sections = [
        Section(
            "Results", (*comparison_tables(result), figures, Items(tuple(refused)), answered(cells))
        ),
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


def comparison_tables(result: Comparison) -> list[Table]:
    """Latency, service and resources of every case, and regret if one was clairvoyant.

    Where requests are served, theirs come first.
    """
    first, single = result.reference.case.name, "Single tokens" if result.requests else "Tokens"
    of = " of single tokens" if result.requests else ""
    found: dict[str, dict[str, _Column]] = {}
    if result.requests:
        found["Requests"] = {SHORT[name]: _shown(name) for name in REQUEST_METRICS}
        found[f"Requests; difference from {first}, of shares in points"] = {
            SHORT[name]: _more(result, name) for name in REQUEST_METRICS
        }
    found[f"Latency{of}; x: times {first}"] = {
        SHORT["latency_mean_s"]: _shown("latency_mean_s"),
        **_means("latency_p50_s", "latency_p95_s", "latency_p99_s"),
        "x": result.ratio,
        **_means(*(["ttft_p50_s"] if result.has("ttft_p50_s") else [])),
    }
    found[f"{single}; difference from {first} in points"] = {
        **_means("tokens_served_share"),
        "difference": _more(result, "tokens_served_share"),
        **_means("tokens_lost_share"),
        "most of them": _main_cause,
    }
    found["Resources"] = _means(*_RESOURCES)
    regrets = {outcome.case.name: result.regret(outcome) for outcome in result.feasible}
    if any(regrets.values()):
        found["Regret: more than a clairvoyant plan"] = {
            "seconds a token": lambda o: one.latency_s if (one := regrets[o.case.name]) else "",
            "points lost": lambda o: one.lost.scaled(100) if (one := regrets[o.case.name]) else "",
        }
    return [
        by_case(
            f"comparison-{number}",
            title,
            {outcome.case.name: outcome for outcome in result.outcomes},
            columns,
            refused=lambda outcome: outcome.infeasible and "infeasible",
            note=f"{_NOTE} {PERCENTILES}" if SHORT["latency_p99_s"] in columns else _NOTE,
        )
        for number, (title, columns) in enumerate(found.items(), 1)
    ]


def _shown(name: str) -> _Column:
    return lambda outcome: outcome.shown(name)


def _more(result: Comparison, name: str) -> _Column:
    """How a figure differs from the reference's, replicate by replicate."""
    return lambda outcome: result.difference(outcome, name).scaled(FIGURES[name].scale)


def _means(*names: str) -> dict[str, _Column]:
    """A column of means for each figure."""
    return {SHORT[name]: lambda o, name=name: o.shown(name).mean for name in names}  # type: ignore[misc]


def _main_cause(outcome: Outcome) -> str:
    """The cause that most of the lost tokens have, and its share of the tokens asked."""
    shares = {c.word: np.nan_to_num(outcome.shown(f"{lost_column(c)}_share").mean) for c in CAUSES}
    most = max(shares, key=lambda word: shares[word])
    return f"{most} {text(float(shares[most]))} %" if shares[most] else ""


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
