"""Reports on what a constellation carries, and on where inference should live."""

from collections.abc import Sequence
from functools import partial

from twin.report.page import Document, Items, Picture, Section, Table, words
from twin.report.scenario import scenario_parts
from twin.scenario.schema import Scenario
from twin.study import capacity_tables, where_tables
from twin.study.capacity import Found
from twin.study.where import WhereCase


def capacity_document(
    found: Sequence[Found], bounds: Sequence[float], scenario: Scenario, rule: str
) -> Document:
    """Report on what `twin capacity` found; `rule` says when a load counts as carried."""
    carrying = sorted(
        (
            (capacity_tables.offered_per_s(one, one.carried), one, bound)
            for one, bound in zip(found, bounds, strict=True)
            if one.carried is not None
        ),
        key=lambda each: -each[0],
    )
    table = Table(
        name="capacity",
        title=f"Capacity of {scenario.name}",
        header=tuple(capacity_tables.HEADER),
        rows=[[*row] for row in capacity_tables.rows(found, bounds)],
        note="Means over the replicates at the highest load that is carried.",
    )
    picture = Picture(
        name="capacity",
        title="At the load that each case carries",
        caption="Requests a second within both targets against time to the first token and energy.",
        size_in=(8, 3.6),
        draw=partial(capacity_tables.draw, found),
    )
    return Document(
        title=f"Capacity of {scenario.name}",
        subtitle=f"{len(found)} cases",
        question=f"How much load does {scenario.name} carry within its deadlines?",
        finding=words("capacity", carrying=carrying),
        lead=(picture, table) if carrying else (table,),
        sections=(
            Section("Notes", (rule,)),
            *scenario_parts([scenario], [scenario.name]),
        ),
    )


def where_document(cases: Sequence[WhereCase], scenario: Scenario, rule: str) -> Document:
    """Report on what `twin where` found; `rule` says what the columns are."""
    models = list(dict.fromkeys(case.model for case in cases))
    tables = [
        Table(
            name=f"where-{model}",
            title=f"{scenario.name}: {model}",
            header=tuple(where_tables.HEADER),
            rows=[[*row] for row in where_tables.rows([c for c in cases if c.model == model])],
        )
        for model in models
    ]
    picture = Picture(
        name="where",
        title="Where inference may live",
        caption="What a kilowatt of boards carries against the time of a further token, for each "
        "model.",
        size_in=(4.2 * len(models), 4.4),
        draw=partial(where_tables.draw, cases),
    )
    best = {
        model: sorted(
            (case for case in cases if case.model == model and case.carried("goodput_per_s") > 0),
            key=lambda case: -case.carried("goodput_per_s"),
        )
        for model in models
    }
    refused = [f"{case.name}: {case.error}" for case in cases if case.error]
    return Document(
        title=f"Where inference should live: {scenario.name}",
        subtitle=f"{len(cases)} cases",
        question="Where is a model best served: on many satellites, one, a cluster, or the ground?",
        finding=words("where", best=best),
        lead=(picture, tables[0]),
        sections=(
            Section("Results", (*tables[1:], rule)),
            *([Section("Notes", (Items(tuple(refused)),))] if refused else []),
            *scenario_parts([scenario], [scenario.name]),
        ),
    )
