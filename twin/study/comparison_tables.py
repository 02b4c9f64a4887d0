"""A comparison as tables for the terminal, none wider than a hundred columns."""

from collections.abc import Callable

from twin.runs.statistics import Estimate
from twin.study.compare import Comparison, Outcome

type TextTable = tuple[str, list[str], list[list[str]]]
"""Title, header, rows."""

type _Cell = Callable[[Outcome], str]


def comparison_tables(result: Comparison) -> list[TextTable]:
    """Latency, service and resources of every case, and regret if one was clairvoyant."""
    reference = result.reference.case.name
    told = [
        _table(result, f"seconds a token served; x: times {reference}", _latency(result)),
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
        "mean": lambda o: _interval(o.estimate("latency_mean_s")),
        "p50": _mean("latency_p50_s", ".3f"),
        "p95": _mean("latency_p95_s", ".3f"),
        "p99": _mean("latency_p99_s", ".3f"),
        "x": lambda o: _interval(result.ratio(o)),
    }
    if any(o.estimate("ttft_p50_s").mean == o.estimate("ttft_p50_s").mean for o in result.feasible):
        columns["first token p50"] = _mean("ttft_p50_s", ".3f")
    return columns


def _service(result: Comparison) -> dict[str, _Cell]:
    return {
        "served": _mean("served", ".3%"),
        "difference": lambda o: _interval(result.difference(o, "served"), scale=100),
        "lost": _mean("lost", ".3%"),
        "most of them": _main_cause,
    }


def _resources() -> dict[str, _Cell]:
    return {
        "tokens/s": _mean("throughput_per_s", ".4g"),
        "J/token": _mean("energy_per_token_j", ".4g"),
        "compute": _mean("compute_energy_per_token_j", ".3g"),
        "moved GB": _mean("migrated_bytes", ".4g", scale=1e-9),
        "plans": _mean("placements", ".3g"),
        "min SoC": _mean("soc_min", ".1%"),
    }


def _regret(result: Comparison) -> dict[str, _Cell]:
    def cell(of: Callable[..., Estimate], scale: float = 1.0) -> _Cell:
        def text(outcome: Outcome) -> str:
            regret = result.regret(outcome)
            return "" if regret is None else _interval(of(regret), scale=scale)

        return text

    return {
        "seconds a token": cell(lambda regret: regret.latency_s),
        "points lost": cell(lambda regret: regret.lost, scale=100),
    }


def _mean(name: str, form: str, scale: float = 1.0) -> _Cell:
    return lambda outcome: format(outcome.estimate(name).mean * scale, form)


def _interval(value: Estimate, scale: float = 1.0) -> str:
    return f"{value.mean * scale:.3f} ± {value.ci95 * scale:.3f}"


def _main_cause(outcome: Outcome) -> str:
    """The cause that most of the lost tokens have, and its share of the tokens asked."""
    causes = {n: outcome.estimate(n).mean for n in outcome.runs[0] if n.startswith("lost_")}
    cause = max(causes, key=lambda name: causes[name])
    return f"{cause.removeprefix('lost_')} {causes[cause]:.3%}" if causes[cause] else ""
