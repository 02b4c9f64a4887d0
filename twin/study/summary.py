"""A run in a few figures."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.runs import Run


def summarise(run: Run) -> dict[str, float | None]:
    """Figures of a complete run, by name with unit; None where there is none.

    Latencies are weighted by the tokens each step served, except the percentiles, which are
    medians over the steps of each step's own percentile.
    """
    steps = run.table("steps")
    served = _column(steps, "tokens_served")
    asked = _column(steps, "tokens_asked")
    links = (
        "links_up",
        "links_down_range",
        "links_down_grazing",
        "links_down_rate",
        "links_down_random",
    )
    state = {name: _column(steps, name).sum() for name in links}
    figures: dict[str, Any] = {
        "latency_mean_s": _weighted(_column(steps, "latency_mean_s"), served),
        "latency_p50_s": _median(_column(steps, "latency_p50_s")),
        "latency_p95_s": _median(_column(steps, "latency_p95_s")),
        "latency_p99_s": _median(_column(steps, "latency_p99_s")),
        "expected_latency_s": _mean(_column(steps, "expected_latency_s")),
        "propagation_mean_s": _weighted(_column(steps, "propagation_mean_s"), served),
        "compute_mean_s": _weighted(_column(steps, "compute_mean_s"), served),
        "tokens_asked": asked.sum(),
        "tokens_served_share": served.sum() / asked.sum(),
        "links_up_share": state["links_up"] / max(sum(state.values()), 1),
        "sunlit_share": _column(steps, "sunlit_mean").mean(),
        "soc_min": _column(steps, "soc_min").min(),
        "utilisation_max": _column(steps, "utilisation_max").max(),
        "placements": pc.max(steps["placement"]).as_py() + 1,
        "migrated_gb": _column(steps, "migrated_bytes").sum() / 1e9,
        "wall_time_s": run.manifest["wall_time_s"],
    }
    return {
        name: None if value is None or not np.isfinite(value) else float(value)
        for name, value in figures.items()
    }


def _column(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(table[name].to_numpy(), np.float64)


def _weighted(values: Any, weights: Any) -> float | None:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else None


def _mean(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _median(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None
