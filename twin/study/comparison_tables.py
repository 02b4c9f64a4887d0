"""A comparison as tables for the terminal, none wider than a hundred columns."""

from collections.abc import Callable

import numpy as np

from twin.runs.cells import text
from twin.runs.figures import SHORT
from twin.runs.statistics import Estimate
from twin.runs.token_figures import CAUSES
from twin.study.compare import Comparison, Outcome, Regret

type TextTable = tuple[str, list[str], list[list[str]]]
"""Title, header, rows."""

type _Cell = Callable[[Outcome], str]


def comparison_tables(result: Comparison) -> list[TextTable]:
    """Latency, service and resources of every case, and regret if one was clairvoyant."""
    reference = result.reference.case.name
    told = [
        _table(result, f"latency; x: times {reference}", _latency(result)),
        _table(result, f"tokens; difference from {reference} in points", _service(result)),
        _table(result, "resources", _resources()),
    ]
    if any(result.regret(outcome) for outcome in result.feasible):
        told.append(_table(result, "regret: more than a clairvoyant plan", _regret(result)))
    return told


def _table(result: Comparison, title: str, columns: dict[str, _Cell]) -> TextTable:
    rows = []
    for outcome in result.outcomes:
        name, cells = outcome.case.name, list(columns.values())
        if outcome.infeasible:
            rows.append([name, "infeasible", *[""] * (len(cells) - 1)])
        else:
            rows.append([name, *(cell(outcome) for cell in cells)])
    return (
        f"{result.scenario}, {result.replicates} replicates, mean ± 95 % interval: {title}",
        ["case", *columns],
        rows,
    )


def _latency(result: Comparison) -> dict[str, _Cell]:
    columns: dict[str, _Cell] = {
        SHORT["latency_mean_s"]: lambda o: text(o.shown("latency_mean_s")),
        **_means("latency_p50_s", "latency_p95_s", "latency_p99_s"),
        "x": lambda o: text(result.ratio(o)),
    }
    if any(np.isfinite(o.values("ttft_p50_s")).any() for o in result.feasible):
        columns |= _means("ttft_p50_s")
    return columns


def _service(result: Comparison) -> dict[str, _Cell]:
    return {
        **_means("tokens_served_share"),
        "difference": lambda o: _points(result.difference(o, "tokens_served_share")),
        **_means("tokens_lost_share"),
        "most of them": _main_cause,
    }


def _resources() -> dict[str, _Cell]:
    return _means(
        "throughput_per_s",
        "energy_per_token_j",
        "compute_energy_per_token_j",
        "migrated_gb",
        "placements",
        "soc_min",
    )


def _regret(result: Comparison) -> dict[str, _Cell]:
    def cell(of: Callable[[Regret], str]) -> _Cell:
        def said(outcome: Outcome) -> str:
            regret = result.regret(outcome)
            return "" if regret is None else of(regret)

        return said

    return {
        "seconds a token": cell(lambda regret: text(regret.latency_s)),
        "points lost": cell(lambda regret: _points(regret.lost)),
    }


def _means(*names: str) -> dict[str, _Cell]:
    """A column of means for each figure."""

    def cell(name: str) -> _Cell:
        return lambda outcome: text(outcome.shown(name).mean)

    return {SHORT[name]: cell(name) for name in names}


def _points(share: Estimate) -> str:
    """A difference of shares, in points of percent."""
    return text(Estimate(100 * share.mean, 100 * share.ci95))


def _main_cause(outcome: Outcome) -> str:
    """The cause that most of the lost tokens have, and its share of the tokens asked."""
    names = [f"lost_{cause.name.lower()}_share" for cause in CAUSES]
    means = {name: np.nan_to_num(outcome.shown(name).mean) for name in names}
    most = max(means, key=lambda name: means[name])
    cause = most.removeprefix("lost_").removesuffix("_share")
    return f"{cause} {text(float(means[most]))} %" if means[most] else ""
