"""What is said of where inference should live."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from twin.report.page import Document, Items, Section, Table, by_case, words
from twin.report.scatter import scatter
from twin.report.scenario import scenario_parts
from twin.runs.cells import Cell, whole
from twin.runs.statistics import Estimate
from twin.scenario.schema import Scenario
from twin.study.answers import Plot, Series, point
from twin.study.where import DAY, WhereCase


def _per_kw(case: WhereCase) -> float:
    return 1e3 * case.carried("tokens_out_per_s") / case.power_w if case.power_w else np.nan


_COLUMNS: dict[str, Callable[[WhereCase], Cell]] = {
    "board": lambda case: case.board,
    "machines": lambda case: whole(case.mean("machines")),
    "served, %": lambda case: 100 * case.mean("requests_served_share"),
    "in time, %": lambda case: 100 * case.mean("goodput_share"),
    "TTFT, s": lambda case: case.mean("request_ttft_p50_s"),
    "p95": lambda case: case.mean("request_ttft_p95_s"),
    "TPOT, s": lambda case: case.mean("request_tpot_p50_s"),
    "p99": lambda case: case.mean("request_tpot_p99_s"),
    "J/token": lambda case: case.mean("request_energy_per_token_j"),
    "carried, requests/s": lambda case: case.carried("goodput_per_s"),
    "per machine": lambda case: case.carried("goodput_per_s") / case.mean("machines"),
    "tokens/s per kW": _per_kw,
}


def _table(title: str, cases: Sequence[WhereCase]) -> Table:
    return by_case(
        f"where-{cases[0].model}",
        title,
        {case.name: case for case in cases},
        _COLUMNS,
        refused=lambda case: case.error and f"{case.board}: see Notes",
        first="place",
        label=lambda case: case.place,
    )


def where_document(cases: Sequence[WhereCase], scenario: Scenario, rule: str) -> Document:
    """Report on what `twin where` found; `rule` says what the columns are."""
    by_model: dict[str, list[WhereCase]] = {}
    for case in cases:
        by_model.setdefault(case.model, []).append(case)
    tables = [_table(f"{scenario.name}: {model}", some) for model, some in by_model.items()]
    picture = scatter(
        "where",
        "Where inference may live",
        "What a kilowatt of boards carries against the time of a further token, for each model; "
        "hollow: nothing within the deadlines.",
        plots(cases),
        logarithmic=True,
    )
    best = {
        model: sorted(
            (case for case in some if case.carried("goodput_per_s") > 0),
            key=lambda case: -case.carried("goodput_per_s"),
        )
        for model, some in by_model.items()
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


def as_json(cases: Sequence[WhereCase]) -> list[dict[str, Any]]:
    """Plain data."""
    return [
        {
            "place": case.place,
            "board": case.board,
            "model": case.model,
            "error": case.error,
            "machines": case.mean("machines"),
            "day": {name: case.mean(name) for name in DAY},
            "carried_per_s": case.carried("goodput_per_s"),
            "carried_tokens_per_s": case.carried("tokens_out_per_s"),
            "power_w": case.power_w,
        }
        for case in cases
    ]


def plots(cases: Sequence[WhereCase]) -> list[Plot]:
    """Time of a further token against what a kilowatt carries, a plot a model.

    Colours are boards, marks are places, of which there are more; cases that carry nothing within
    the deadlines are hollow.
    """
    places = list(dict.fromkeys(case.place for case in cases))
    boards = list(dict.fromkeys(case.board for case in cases))
    made: dict[str, list[Series]] = {case.model: [] for case in cases}
    for case in cases:
        if case.error or not case.days:
            continue
        carried, tpot_s = _per_kw(case), case.mean("request_tpot_p50_s")
        solid = not np.isnan(carried)
        found = point(tpot_s, Estimate(carried if solid else 0.0, float("nan")), solid=solid)
        made[case.model].append(
            Series(
                label=f"{case.place}, {case.board}",
                hue=boards.index(case.board),
                shape=places.index(case.place),
                joined=False,
                points=[found] if found else [],
                scenarios=[case.scenario] if found and case.scenario else [],
            )
        )
    x, y = "time of a further token, median, s", "tokens/s within the deadlines, per kW of boards"
    return [Plot(title=model, x=x, y=y, series=series) for model, series in made.items()]
