"""What is said of how much a constellation carries."""

from collections.abc import Callable, Sequence
from typing import Any

from twin.report.page import Document, Section, by_case, words
from twin.report.scatter import scatter
from twin.report.scenario import scenario_parts
from twin.runs.cells import Cell
from twin.runs.figures import FIGURES
from twin.scenario.schema import Scenario
from twin.study.answers import Plot, Series, point
from twin.study.capacity import SHARE, Found, loaded

_SHOWN = (
    "goodput_per_s",
    "tokens_out_per_s",
    "request_ttft_p95_s",
    "request_tpot_p99_s",
    "request_energy_per_token_j",
)
_PLOTS = {
    "Within both targets": (SHARE, None),
    "Goodput and the first token": ("goodput_per_s", "request_ttft_p95_s"),
    "Goodput and energy": ("goodput_per_s", "request_energy_per_token_j"),
}
"""Titles of plots, with the figure and what it is drawn against; None: what is asked."""


def capacity_document(found: Sequence[Found], scenario: Scenario, rule: str) -> Document:
    """Report on what `twin capacity` found; `rule` says when a load counts as carried."""
    carrying = [one for one in found if one.carried is not None]
    table = by_case(
        "capacity",
        f"Capacity of {scenario.name}",
        {one.case.name: one for one in found},
        _columns(),
        refused=_refused,
        note="Means over the replicates at the highest load that is carried.",
    )
    picture = scatter(
        "capacity",
        "Loads that were tried",
        "A line a case, a point a load; hollow: not carried. Whiskers: 95 % intervals over the "
        "replicates.",
        plots(found),
    )
    return Document(
        title=f"Capacity of {scenario.name}",
        subtitle=f"{len(found)} cases",
        question=f"How much load does {scenario.name} carry within its deadlines?",
        finding=words("capacity", carrying=sorted(carrying, key=lambda one: -one.carried_per_s)),
        lead=(picture, table) if carrying else (table,),
        sections=(Section("Notes", (rule,)), *scenario_parts([scenario], [scenario.name])),
    )


def _refused(one: Found) -> str | None:
    if one.carried is not None:
        return None
    return one.error or "not even a small part of what the scenario asks"


def _columns() -> dict[str, Callable[[Found], Cell]]:
    def mean(name: str) -> Callable[[Found], Cell]:
        return lambda one: one.carried.shown(name).mean if one.carried else None

    return {
        "carries, requests/s": lambda one: one.carried_per_s,
        "not": lambda one: one.refused and one.offered_per_s(one.refused),
        "of the bound, %": lambda one: 100 * one.carried_per_s / one.bound_per_s,
        **{FIGURES[name].label: mean(name) for name in _SHOWN},
    }


def as_json(found: Sequence[Found]) -> dict[str, Any]:
    """Every load that was tried, with what decided it."""
    return {
        one.case.name: {
            "error": one.error,
            "bound_per_s": one.bound_per_s,
            "carried_load": one.carried and one.carried.load,
            "refused_load": one.refused and one.refused.load,
            "carried_per_s": one.carried and one.carried_per_s,
            "trials": [
                {
                    "load": trial.load,
                    "carried": trial.carried,
                    "share": trial.estimate(SHARE)._asdict(),
                    "replicates": trial.runs,
                }
                for trial in one.by_load
            ],
        }
        for one in found
    }


def plots(found: Sequence[Found]) -> list[Plot]:
    """Every load that was tried: what is in time, and goodput against waiting and energy.

    A line a case, in the order of loads; loads that are not carried are hollow.
    """

    def points(one: Found, name: str, along: str | None) -> Series:
        number, known, scenarios = found.index(one), [], []
        for trial in one.by_load:
            x = trial.shown(along).mean if along else one.offered_per_s(trial)
            made = point(x, trial.shown(name), solid=bool(trial.carried))
            if made is not None:
                known.append(made)
                scenarios.append(loaded(one.case.scenario, trial.load))
        look: dict[str, Any] = {"hue": number, "shape": number, "joined": True}
        return Series(label=one.case.name, **look, points=known, scenarios=scenarios)

    return [
        Plot(
            title=title,
            x="requests asked, a second" if along is None else FIGURES[along].header,
            y=FIGURES[name].header,
            series=[points(one, name, along) for one in found],
        )
        for title, (name, along) in _PLOTS.items()
    ]
