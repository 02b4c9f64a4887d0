"""A comparison as tables, for the terminal and for a report."""

from collections.abc import Callable

import numpy as np

from twin.runs.cells import Cell, text
from twin.runs.figures import FIGURES, REQUEST_METRICS, SHORT
from twin.runs.statistics import Estimate
from twin.runs.token_figures import CAUSES
from twin.study.compare import Comparison, Outcome, Regret

type CaseTable = tuple[str, list[str], list[list[Cell]]]
"""Title, header, rows."""

type _Column = Callable[[Outcome], Cell]


def heading(result: Comparison) -> str:
    """What stands before the title of each table in a terminal."""
    return f"{result.scenario}, {result.replicates} replicates, mean ± 95 % interval"


def comparison_tables(result: Comparison) -> list[CaseTable]:
    """Latency, service and resources of every case, and regret if one was clairvoyant.

    Where requests are served, theirs come first.
    """
    reference = result.reference.case.name
    told = _of_requests(result) if result.requests else []
    single = "single " if result.requests else ""
    latency = f"latency{' of single tokens' if result.requests else ''}; x: times {reference}"
    told += [
        _table(result, latency, _latency(result)),
        _table(result, f"{single}tokens; difference from {reference} in points", _service(result)),
        _table(result, "resources", _resources()),
    ]
    if any(result.regret(outcome) for outcome in result.feasible):
        told.append(_table(result, "regret: more than a clairvoyant plan", _regret(result)))
    return told


def _of_requests(result: Comparison) -> list[CaseTable]:
    """Figures of requests, and how they differ from the reference's, replicate by replicate."""

    def shown(name: str) -> _Column:
        return lambda outcome: outcome.shown(name)

    def more(name: str) -> _Column:
        return lambda outcome: _scaled(result.difference(outcome, name), FIGURES[name].scale)

    reference = result.reference.case.name
    return [
        _table(result, "requests", {SHORT[n]: shown(n) for n in REQUEST_METRICS}),
        _table(
            result,
            f"requests; difference from {reference}, of shares in points",
            {SHORT[n]: more(n) for n in REQUEST_METRICS},
        ),
    ]


def _table(result: Comparison, title: str, columns: dict[str, _Column]) -> CaseTable:
    rows: list[list[Cell]] = []
    for outcome in result.outcomes:
        name, cells = outcome.case.name, list(columns.values())
        if outcome.infeasible:
            rows.append([name, "infeasible", *[""] * (len(cells) - 1)])
        else:
            rows.append([name, *(cell(outcome) for cell in cells)])
    return title, ["case", *columns], rows


def _latency(result: Comparison) -> dict[str, _Column]:
    columns: dict[str, _Column] = {
        SHORT["latency_mean_s"]: lambda o: o.shown("latency_mean_s"),
        **_means("latency_p50_s", "latency_p95_s", "latency_p99_s"),
        "x": lambda o: result.ratio(o),
    }
    if any(np.isfinite(o.values("ttft_p50_s")).any() for o in result.feasible):
        columns |= _means("ttft_p50_s")
    return columns


def _service(result: Comparison) -> dict[str, _Column]:
    return {
        **_means("tokens_served_share"),
        "difference": lambda o: _points(result.difference(o, "tokens_served_share")),
        **_means("tokens_lost_share"),
        "most of them": _main_cause,
    }


def _resources() -> dict[str, _Column]:
    return _means(
        "throughput_per_s",
        "energy_per_token_j",
        "idle_energy_per_token_j",
        "network_energy_per_token_j",
        "compute_energy_per_token_j",
        "migrated_gb",
        "placements",
        "soc_min",
    )


def _regret(result: Comparison) -> dict[str, _Column]:
    def cell(of: Callable[[Regret], Cell]) -> _Column:
        def said(outcome: Outcome) -> Cell:
            regret = result.regret(outcome)
            return "" if regret is None else of(regret)

        return said

    return {
        "seconds a token": cell(lambda regret: regret.latency_s),
        "points lost": cell(lambda regret: _points(regret.lost)),
    }


def _means(*names: str) -> dict[str, _Column]:
    """A column of means for each figure."""

    def cell(name: str) -> _Column:
        return lambda outcome: outcome.shown(name).mean

    return {SHORT[name]: cell(name) for name in names}


def _points(share: Estimate) -> Estimate:
    """A difference of shares, in points of percent."""
    return _scaled(share, 100)


def _scaled(value: Estimate, by: float) -> Estimate:
    return Estimate(by * value.mean, by * value.ci95)


def _main_cause(outcome: Outcome) -> str:
    """The cause that most of the lost tokens have, and its share of the tokens asked."""
    names = [f"lost_{cause.name.lower()}_share" for cause in CAUSES]
    means = {name: np.nan_to_num(outcome.shown(name).mean) for name in names}
    most = max(means, key=lambda name: means[name])
    cause = most.removeprefix("lost_").removesuffix("_share")
    return f"{cause} {text(float(means[most]))} %" if means[most] else ""
