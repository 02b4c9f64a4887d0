"""A report on placements that were planned once: what they cost, and how far from the best."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from twin.report.drawing import MARKERS, points_of
from twin.report.findings import rank
from twin.report.page import Document, Items, Picture, Section, by_case, words
from twin.report.scenario import scenario_parts
from twin.runs.cells import Cell, whole
from twin.scenario.schema import Scenario
from twin.study.place import Placed
from twin.vocabulary import ALONE

_LATENCY = "expected_latency_s"
"""Figure that the placements are ranked by."""


def place_document(result: Sequence[Placed], scenario: Scenario) -> Document:
    """Report on what `twin place` found."""
    feasible = [entry for entry in result if not entry.infeasible]
    many = any(entry.asked != 1 for entry in feasible)
    latency_s = np.array([[cost.latency_s for cost in entry.costs] for entry in feasible])
    ranking = rank(_LATENCY, [entry.name for entry in feasible], latency_s)
    best = min(feasible, key=lambda entry: entry.estimate("latency_s").mean)
    table = by_case(
        "placements",
        "Placements",
        {entry.name: entry for entry in result},
        _MANY if many else _ONE,
        refused=lambda entry: entry.infeasible and "infeasible",
        note="Mean ± 95 % interval over the replicates.",
        first="strategy",
    )
    refused = [f"{e.name} finds no placement: {e.infeasible}" for e in result if e.infeasible]
    return Document(
        title=f"Placements of scenario {scenario.name}",
        subtitle=f"{len(result)} placements in {len(feasible[0].costs)} replicates",
        question=f"Which placement of {scenario.name} is fastest, and how far is it from the best?",
        finding=words(
            "place", ranking=ranking, best=best, gap=best.gap.scaled(100), bound=best.bound
        ),
        lead=(_picture(feasible, scenario.name, many=many), table),
        sections=(
            Section("Notes", (Items((*refused, words("place-columns", many=many), ALONE)),)),
            *scenario_parts([scenario], [scenario.name], ("placement.strategy",)),
        ),
    )


def _number(name: str) -> Callable[[Placed], Cell]:
    return lambda entry: whole(entry.estimate(name).mean)


_ONE: dict[str, Callable[[Placed], Cell]] = {
    "s/token": lambda entry: entry.estimate("latency_s"),
    "bound": lambda entry: entry.bound("latency_s").mean,
    "gap, %": lambda entry: 100 * entry.gap.mean,
    "tokens/s": _number("throughput_per_s"),
    "J/token": _number("energy_per_token_j"),
    "available, %": lambda entry: 100 * entry.estimate("availability").mean,
    "satellites": _number("satellites"),
}
_MANY: dict[str, Callable[[Placed], Cell]] = {
    "instances": _number("instances"),
    "tokens/s": _number("throughput_per_s"),
    "at most": lambda entry: entry.bound("throughput_per_s").mean,
    "least": _number("least_per_s"),
    "s/token": _ONE["s/token"],
    "bound": _ONE["bound"],
    "gap, %": _ONE["gap, %"],
    "slowest": _number("worst_s"),
    "satellites": _ONE["satellites"],
}


def _picture(feasible: Sequence[Placed], name: str, *, many: bool) -> Picture:
    of = "all instances" if many else "the busiest satellite"
    return Picture(
        name="placements",
        title=f"Placements of scenario {name}",
        caption=f"Expected latency against throughput of {of}, at the throughput that was asked "
        "for, and the bound that no placement can beat. Whiskers: 95 % intervals.",
        size_in=(7, 4.2),
        draw=partial(_draw, feasible, many),
    )


def _draw(feasible: Sequence[Placed], many: bool, figure: Any) -> None:
    axes = figure.add_subplot()
    strategies = list(dict.fromkeys(entry.strategy for entry in feasible))
    styles = dict(zip(strategies, points_of(len(strategies)), strict=True))
    floors = sorted({entry.floor_per_s for entry in feasible})
    lines: dict[tuple[str, float], list[Placed]] = {}
    for entry in feasible:
        # Of several instances, those of one floor make a line; of one, those of all floors.
        lines.setdefault((entry.strategy, entry.floor_per_s if many else 0.0), []).append(entry)
    for (strategy, floor), line in lines.items():
        label = f"{strategy} at {floor:g}/s each" if many and floor else strategy
        style = styles[strategy] | {"label": label, "capsize": 3}
        if many:  # marks are floors
            style["marker"] = MARKERS[floors.index(floor) % len(MARKERS)]
        line = sorted(line, key=lambda entry: entry.estimate("throughput_per_s").mean)
        latency = [entry.estimate("latency_s") for entry in line]
        x = [entry.estimate("throughput_per_s").mean for entry in line]
        axes.errorbar(x, [s.mean for s in latency], yerr=[s.ci95 for s in latency], **style)
    _draw_bounds(axes, feasible, many)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    low, high = axes.get_xlim()
    axes.xaxis.set_minor_formatter("" if many or high > 10 * low else "{x:g}")
    axes.set_ylim(bottom=0)
    of = "all instances" if many else "the busiest satellite"
    axes.set(xlabel=f"throughput of {of}, tokens/s", ylabel="latency, exact expectation, s")
    axes.legend()


def _draw_bounds(axes: Any, result: Sequence[Placed], many: bool) -> None:
    """A mark below each point; for one instance each, steps from floor to floor."""
    if many:
        x = [entry.estimate("throughput_per_s").mean for entry in result]
        y = [entry.bound("latency_s").mean for entry in result]
        axes.plot(x, y, ls="", marker="_", ms=10, color="black", label="lower bound")
        most = max(entry.bound("throughput_per_s").mean for entry in result)
        axes.axvline(most, color="black", ls=":", label="most that satellites can compute")
        return
    # A bound holds up to the throughput that was asked for; without a floor it holds everywhere.
    bound = sorted({(entry.floor_per_s, entry.bound("latency_s").mean) for entry in result})
    left = min(entry.estimate("throughput_per_s").mean for entry in result)
    style = {"color": "black", "ls": ":", "label": "lower bound"}
    if len(bound) == 1:
        axes.axhline(bound[0][1], **style)
        return
    steps = zip(*((max(floor, left), s) for floor, s in bound), strict=True)
    axes.step(*steps, where="post", **style)
