"""The one table of figures: what each is called, what it is, how it is drawn and how it merges.

A step's figures are the columns of a run's table ``steps``. A run's figures are drawn from the
merge of all its steps, its events and its conclusion. Every view of a figure reads it here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from twin.network.grid import LinkKind
from twin.registry import Registry
from twin.runs import rules
from twin.runs.distribution import EXACT_TOKENS, RELATIVE_ERROR, Distribution
from twin.runs.fleet_figures import ENERGY, NETWORK, PLACEMENT, SATELLITES
from twin.runs.request_figures import REQUEST_TIMES, REQUESTS
from twin.runs.rules import LESS, MORE, Columns, Figure, Floats, Quantile, Ratio, StepFigure
from twin.runs.run_figure import RunFigure, RunTotals
from twin.runs.statistics import Estimate
from twin.runs.token_figures import LATENCY, TIME, TOKENS
from twin.vocabulary import EventKind

STEP_FIGURES: dict[str, StepFigure] = {
    figure.name: figure
    for figure in (*TIME, *TOKENS, *LATENCY, *NETWORK, *SATELLITES, *ENERGY, *PLACEMENT)
}
"""Columns of a run's table ``steps``, in their order."""

QUANTITIES = tuple(
    dict.fromkeys(f.rule.quantity for f in STEP_FIGURES.values() if isinstance(f.rule, Quantile))
)
"""Quantities whose distribution over the tokens is kept, each in a table of its name."""


def merge_rows(
    rows: Columns,
    weights: Floats | None = None,
    distributions: Mapping[str, Distribution] | None = None,
) -> dict[str, float]:
    """Merge consecutive rows of `STEP_FIGURES` into one, each column by its rule.

    Parameters
    ----------
    rows : mapping of str to (R,) array
        At least one row. Ratios and quantiles need not be there: they are computed again.
    weights : (R,) float64, optional
        Number of steps that each row stands for, if the rows were merged before; default: 1.
    distributions : mapping of str to Distribution, optional
        By the names in `QUANTITIES`, merged over the same steps. Without it quantiles are NaN.
    """
    each = {name: (found,) for name, found in (distributions or {}).items()}
    merged = merge_blocks(rows, np.zeros(1, np.intp), weights, each)
    return {name: float(values[0]) for name, values in merged.items()}


def merge_blocks(
    rows: Columns,
    starts: np.ndarray[Any, np.dtype[np.integer]],
    weights: Floats | None = None,
    distributions: Mapping[str, Sequence[Distribution]] | None = None,
) -> dict[str, Floats]:
    """Merge many blocks of rows at once; block b begins at row ``starts[b]``."""
    return rules.merge_blocks(STEP_FIGURES, rows, starts, weights, distributions)


_RATIOS = {f.name: f.rule for f in STEP_FIGURES.values() if isinstance(f.rule, Ratio)}


def ratios(row: Mapping[str, float]) -> dict[str, float]:
    """The ratios of a single step from its other figures; NaN where the whole is 0."""
    found = {}
    for name, rule in _RATIOS.items():
        whole = sum(row[part] for part in rule.whole)
        found[name] = sum(row[part] for part in rule.part) / whole if whole else float("nan")
    return found


def _of_run(figure: StepFigure, name: str = "", scale: float = 1.0) -> RunFigure:
    """The merge of a step figure, possibly under another name and in another unit."""
    about = {f.name: getattr(figure, f.name) for f in fields(Figure)} | {
        "name": name or figure.name,
        "scale": figure.scale / scale,
    }
    return RunFigure(**about, draw=lambda run: run.row[figure.name] * scale)


def _merged(of: Sequence[StepFigure]) -> list[RunFigure]:
    return [_of_run(figure) for figure in of if figure.of_run]


def _count(name: str, kind: str, label: str, sentence: str) -> RunFigure:
    return RunFigure(
        name=name,
        label=label,
        better=LESS,
        sentence=sentence,
        draw=lambda run: run.events.get(kind, 0),
    )


def _of_links(kind: str) -> list[RunFigure]:
    def draw(name: str) -> Callable[[RunTotals], float | None]:
        return lambda run: run.conclusion["links"][kind][name]

    return [
        RunFigure(
            name=f"{kind}_availability",
            label=f"{kind} links up",
            unit="%",
            scale=100.0,
            share=True,
            better=MORE,
            sentence=f"Share of the time that {kind} links carry data.",
            draw=draw("availability"),
            link_kind=kind,
        ),
        RunFigure(
            name=f"{kind}_hold_mean_s",
            label=f"{kind} links hold, mean",
            unit="s",
            better=MORE,
            sentence=f"How long {kind} links stay up without a break, mean.",
            draw=draw("hold_mean_s"),
            link_kind=kind,
        ),
    ]


_BATTERIES = [
    RunFigure(
        name="battery_cycles_max",
        label="battery cycles, most of a satellite",
        better=LESS,
        sentence="Full cycles of the battery that went through most, by rainflow counting.",
        draw=lambda run: run.conclusion["batteries"]["full_cycles_max"],
    ),
    RunFigure(
        name="battery_life_used_max",
        label="battery life used, most of a satellite",
        unit="%",
        scale=100.0,
        better=LESS,
        sentence="Part of its life that the most worn battery has used.",
        draw=lambda run: run.conclusion["batteries"]["life_used_max"],
    ),
]

_SATELLITES = [
    _of_run(STEP_FIGURES["sunlit_mean"], "sunlit_share"),
    *_merged(SATELLITES),
    _of_run(STEP_FIGURES["unpowered"], "satellites_without_power"),
    _count("brown_outs", EventKind.BROWN_OUT, "brown-outs", "Times that a satellite lost power."),
    _count(
        "throttlings",
        EventKind.THROTTLED,
        "times a satellite was throttled by heat",
        "Times that a satellite began to compute slowly because it was hot.",
    ),
]

_PLACEMENT = [
    RunFigure(
        name="placements",
        label="placements",
        sentence="Placements that were in force, the first included.",
        draw=lambda run: run.row["placement"] + 1,
    ),
    _of_run(STEP_FIGURES["migrated_bytes"], "migrated_gb", scale=1e-9),
]

_MACHINE = RunFigure(
    name="wall_time_s",
    label="wall time",
    unit="s",
    better=LESS,
    sentence="Time that the run took on the machine.",
    draw=lambda run: run.wall_time_s,
    decided=False,
)

_GROUPS: dict[str, Sequence[RunFigure]] = {
    "latency of single tokens": _merged(LATENCY),
    "single tokens": _merged(TOKENS),
    "network": _merged(NETWORK),
    "satellites": _SATELLITES,
    "energy": _merged(ENERGY),
    "placement": _PLACEMENT,
    "batteries": _BATTERIES,
    "requests": REQUESTS,
    "links": [f for kind in LinkKind for f in _of_links(kind.name.lower().replace("_", "-"))],
    "machine": [_MACHINE],
}
_ALL = tuple(figure for group in _GROUPS.values() for figure in group)

FIGURES: Registry[RunFigure] = Registry(
    "figure",
    {figure.name: figure for figure in _ALL if figure.decided},
    purpose=lambda figure: figure.sentence,
)
"""Figures of a run that its scenario decides: all but the wall time."""

_CHANCE = {figure.name: figure for figure in _ALL if not figure.decided}


def group_of(name: str) -> str:
    """Return which group a figure of a run is in; a plug-in's are in one of their own."""
    found = (group for group, figures in _GROUPS.items() if name in {f.name for f in figures})
    return next(found, "plug-ins")


def about(name: str) -> RunFigure:
    """Return a figure of a run by its name, the wall time included."""
    return _CHANCE.get(name) or FIGURES[name]


LATENCIES = (*(figure.name for figure in LATENCY if figure.unit == "s"), *REQUEST_TIMES)
"""Figures of which ratios are shown beside differences."""

METRICS = ("latency_mean_s", "latency_p99_s", "tokens_served_share", "energy_per_token_j")
"""Figures by which cases are compared that serve single tokens."""

REQUEST_METRICS = (
    "request_ttft_p50_s",
    "request_ttft_p95_s",
    "request_ttft_p99_s",
    "request_tpot_mean_s",
    "request_tpot_p99_s",
    "request_e2e_mean_s",
    "request_e2e_p95_s",
    "goodput_per_s",
    "requests_served_share",
    "tokens_out_per_s",
    "request_energy_per_token_j",
    "oldest_wait_s",
)
"""Figures by which cases are compared that serve requests."""

SHORT = {
    "latency_mean_s": "mean, s",
    "latency_p50_s": "p50, s",
    "latency_p95_s": "p95, s",
    "latency_p99_s": "p99, s",
    "ttft_p50_s": "first token p50, s",
    "tokens_served_share": "served, %",
    "tokens_lost_share": "lost, %",
    "throughput_per_s": "tokens/s",
    "energy_per_token_j": "J/token",
    "idle_energy_per_token_j": "idle",
    "network_energy_per_token_j": "network",
    "compute_energy_per_token_j": "compute",
    "migrated_gb": "moved GB",
    "placements": "plans",
    "soc_min": "min SoC, %",
    "request_ttft_p50_s": "TTFT p50, s",
    "request_ttft_p95_s": "TTFT p95, s",
    "request_ttft_p99_s": "TTFT p99, s",
    "request_tpot_mean_s": "TPOT mean, s",
    "request_tpot_p99_s": "TPOT p99, s",
    "request_e2e_mean_s": "E2E mean, s",
    "request_e2e_p95_s": "E2E p95, s",
    "goodput_per_s": "goodput, 1/s",
    "requests_served_share": "served, %",
    "tokens_out_per_s": "tokens out/s",
    "request_energy_per_token_j": "J/token",
    "oldest_wait_s": "oldest wait, s",
}
"""Headers for tables that must fit a narrow terminal."""

PERCENTILES = (
    "Percentiles are over all tokens served in a run; exact where a run asks for at most "
    f"{EXACT_TOKENS:,} tokens, else within {100 * RELATIVE_ERROR:g} %."
)


def draw(run: RunTotals) -> dict[str, float | None]:
    """All figures of a run by name; None where there is none."""
    found = {
        name: figure.draw(run)
        for name, figure in (*FIGURES.items(), *_CHANCE.items())
        if figure.of(run)
    }
    return {
        name: None if value is None or not np.isfinite(value) else float(value)
        for name, value in found.items()
    }


def shown(name: str, values: Floats) -> Estimate:
    """Mean and interval of values that are in the unit that their figure is shown in."""
    return FIGURES[name].shown(values / FIGURES[name].scale)
