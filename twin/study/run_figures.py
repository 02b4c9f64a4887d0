"""A run in the figures that cases are compared by."""

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from twin.energy import bus

type Figures = dict[str, float]
"""By name, with unit; NaN where there is none."""


def run_figures(model: TwinModel) -> Figures:
    """Run a model to its end.

    Latency is over all tokens served; the first token's percentiles are medians over the steps
    of each step's own. Energy a token: all that the fleet draws (steps that served nobody, whose
    rows do not tell, count as the mean of the others), and what computing takes beyond idling.
    Throughput is that of the busiest satellite, mean over the steps. `served` and the `lost` are
    shares of the tokens asked; what still waits to be tried again at the end is neither.
    """
    rows, latency_s, compute_j, throughput_per_s = [], [], 0.0, []
    profile = bus.profile(model.config.bus)
    step_j = (profile.compute_peak_w - profile.compute_idle_w) * model.world.step_s
    version = None
    while model.running:
        model.step()
        rows.append(model.row)
        latency_s.append(model.served.latency.total_s)
        compute_j += step_j * float(model.fleet.utilisation.sum())
        if model.controller.version != version:
            version, capacity_per_s = model.controller.version, _capacity_per_s(model)
        throughput_per_s.append(capacity_per_s)
    steps = {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}
    total = {name: float(column.sum()) for name, column in steps.items()}
    asked, served = total["tokens_asked"], total["tokens_served"]
    drawn_j = (steps["energy_per_token_j"] * steps["tokens_served"])[steps["tokens_served"] > 0]
    return {
        **_latency(np.concatenate(latency_s)),
        "ttft_p50_s": _median(steps["ttft_p50_s"]),
        "ttft_p99_s": _median(steps["ttft_p99_s"]),
        "served": served / asked,
        "lost": total["tokens_lost"] / asked,
        **{name: total[name] / asked for name in steps if name.startswith("lost_")},
        "throughput_per_s": float(np.mean(throughput_per_s)),
        "energy_per_token_j": float(drawn_j.mean()) * len(rows) / served if served else np.nan,
        "compute_energy_per_token_j": compute_j / (served * model.weight) if served else np.nan,
        "migrated_bytes": total["migrated_bytes"],
        "placements": float(steps["placement"].max()) + 1,
        "soc_min": float(steps["soc_min"].min()),
    }


def _latency(total_s: NDArray[np.float64]) -> Figures:
    some = len(total_s) > 0
    p50, p95, p99 = np.percentile(total_s, [50, 95, 99]).tolist() if some else (np.nan,) * 3
    return {
        "latency_mean_s": float(total_s.mean()) if some else np.nan,
        "latency_p50_s": p50,
        "latency_p95_s": p95,
        "latency_p99_s": p99,
    }


def _capacity_per_s(model: TwinModel) -> float:
    """Tokens a second that the busiest satellite can keep up with, all work counted."""
    placement, inference = model.controller.placement, model.inference
    n = model.fleet.size
    expert_s = inference.activation.ravel() * inference.expert_s
    busy_s = np.bincount(placement.gateway, weights=inference.stage_s, minlength=n)
    busy_s += np.bincount(placement.expert.ravel(), weights=expert_s, minlength=n)
    return float(1.0 / (busy_s / model.fleet.pace).max())


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan
