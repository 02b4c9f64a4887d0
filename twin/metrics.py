"""Figures drawn from runs: token statistics, means with confidence intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Estimate(NamedTuple):
    """A mean over independent replicates and the half width of its 95 % confidence interval."""

    mean: float
    ci95: float


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Mean over replicates with Student's t interval; the interval is NaN for one replicate."""
    n = len(values)
    if n < 2:
        return Estimate(float(np.mean(values)), float("nan"))
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(n))
    return Estimate(float(np.mean(values)), half)


def token_metrics(
    total_s: NDArray[np.float64],
    propagation_s: NDArray[np.float64],
    compute_s: NDArray[np.float64],
) -> dict[str, float | int]:
    """Summarise the tokens served in a step; NaN if there were none.

    Parameters
    ----------
    total_s, propagation_s, compute_s : (tokens,) float64
        Latency of each, and its two parts.
    """
    row: dict[str, float | int] = {"tokens_served": len(total_s)}
    names = ("latency_p50_s", "latency_p95_s", "latency_p99_s")
    if len(total_s):
        row["latency_mean_s"] = float(total_s.mean())
        percentiles = np.percentile(total_s, [50, 95, 99])
        row |= dict(zip(names, map(float, percentiles), strict=True))
        row["propagation_mean_s"] = float(propagation_s.mean())
        row["compute_mean_s"] = float(compute_s.mean())
    else:
        row |= dict.fromkeys(
            (*names, "latency_mean_s", "propagation_mean_s", "compute_mean_s"), np.nan
        )
    return row
