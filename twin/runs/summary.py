"""A run in a few figures."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.network.grid import LinkKind
from twin.runs.store import Run
from twin.vocabulary import EventKind

FIGURES = (
    "latency_mean_s",
    "latency_p50_s",
    "latency_p95_s",
    "latency_p99_s",
    "expected_latency_s",
    "propagation_mean_s",
    "compute_mean_s",
    "tokens_asked",
    "tokens_served_share",
    "tokens_retried",
    "lost_dead",
    "lost_unreachable",
    "lost_refused",
    "lost_unserved",
    "lost_moving",
    "ttft_p50_s",
    "ttft_p99_s",
    "ground_availability",
    "ground_handovers",
    "links_up_share",
    "sunlit_share",
    "soc_min",
    "temperature_max_c",
    "satellites_without_power",
    "brown_outs",
    "throttlings",
    "compute_deficit_share",
    "energy_per_token_j",
    "utilisation_max",
    "placements",
    "migrated_gb",
    "battery_cycles_max",
    "battery_life_used_max",
    *(
        f"{kind.name.lower().replace('_', '-')}_{figure}"
        for kind in LinkKind
        for figure in ("availability", "hold_mean_s")
    ),
)
"""Names of the figures that a run's scenario decides: all but the wall time. A run has no figures
of the kinds of link that its constellation has not."""


def summarise(run: Run) -> dict[str, float | None]:
    """Figures of a complete run, by name with unit; None where there is none.

    Latencies are weighted by the tokens each step served, except the percentiles, which are
    medians over the steps of each step's own percentile.
    """
    steps = run.table("steps")
    total = {name: _column(steps, name).sum() for name in steps.column_names}
    served = _column(steps, "tokens_served")
    links = [name for name in steps.column_names if name.startswith("links_")]
    figures: dict[str, Any] = {
        "latency_mean_s": _weighted(_column(steps, "latency_mean_s"), served),
        "latency_p50_s": _median(_column(steps, "latency_p50_s")),
        "latency_p95_s": _median(_column(steps, "latency_p95_s")),
        "latency_p99_s": _median(_column(steps, "latency_p99_s")),
        "expected_latency_s": _mean(_column(steps, "expected_latency_s")),
        "propagation_mean_s": _weighted(_column(steps, "propagation_mean_s"), served),
        "compute_mean_s": _weighted(_column(steps, "compute_mean_s"), served),
        "tokens_asked": total["tokens_asked"],
        "tokens_served_share": total["tokens_served"] / total["tokens_asked"],
        "tokens_retried": total["tokens_retried"],
        **{name: total[name] for name in steps.column_names if name.startswith("lost_")},
        "ttft_p50_s": _median(_column(steps, "ttft_p50_s")),
        "ttft_p99_s": _median(_column(steps, "ttft_p99_s")),
        "ground_availability": _mean(_column(steps, "ground_availability")),
        "ground_handovers": total["ground_handovers"],
        "links_up_share": total["links_up"] / max(sum(total[name] for name in links), 1),
        "sunlit_share": _column(steps, "sunlit_mean").mean(),
        "soc_min": _column(steps, "soc_min").min(),
        "temperature_max_c": _column(steps, "temperature_max_c").max(),
        "satellites_without_power": _column(steps, "unpowered").max(),
        "brown_outs": _events(run, EventKind.BROWN_OUT),
        "throttlings": _events(run, EventKind.THROTTLED),
        "compute_deficit_share": _share(total["compute_deficit_flop"], total["compute_done_flop"]),
        "energy_per_token_j": _weighted(_column(steps, "energy_per_token_j"), served),
        "utilisation_max": _column(steps, "utilisation_max").max(),
        "placements": pc.max(steps["placement"]).as_py() + 1,
        "migrated_gb": total["migrated_bytes"] / 1e9,
        "battery_cycles_max": run.manifest["conclusion"]["batteries"]["full_cycles_max"],
        "battery_life_used_max": run.manifest["conclusion"]["batteries"]["life_used_max"],
        "wall_time_s": run.manifest["wall_time_s"],
    }
    for kind, links in run.manifest["conclusion"]["links"].items():
        figures[f"{kind}_availability"] = links["availability"]
        figures[f"{kind}_hold_mean_s"] = links["hold_mean_s"]
    return {
        name: None if value is None or not np.isfinite(value) else float(value)
        for name, value in figures.items()
    }


def _events(run: Run, kind: str) -> int:
    kinds = run.table("events", ["kind"])["kind"].cast(pa.string())
    return int(pc.sum(pc.equal(kinds, kind)).as_py() or 0)


def _column(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(table[name].to_numpy(), np.float64)


def _weighted(values: Any, weights: Any) -> float | None:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else None


def _share(missed: float, done: float) -> float:
    return missed / (missed + done) if missed else 0.0


def _mean(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _median(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None
