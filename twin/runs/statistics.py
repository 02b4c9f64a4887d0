"""Figures drawn from runs: token statistics, means with confidence intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Estimate(NamedTuple):
    """A mean over independent replicates and the half width of its 95 % confidence interval."""

    mean: float
    ci95: float

    def scaled(self, by: float) -> "Estimate":
        """The same in another unit."""
        return Estimate(by * self.mean, by * self.ci95)


class Share(Estimate):
    """The same of a share in percent, whose interval ends at 0 and 100."""


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Mean of the known values with Student's t interval.

    The interval is NaN for a single value; both are NaN where no value is known.
    """
    known = values[np.isfinite(values)]
    n = len(known)
    if n < 2:
        return Estimate(float(known[0]) if n else float("nan"), float("nan"))
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975) * np.std(known, ddof=1) / np.sqrt(n))
    return Estimate(float(np.mean(known)), half)


def mean_known(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Mean of what is known along an axis; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def percentiles(values: NDArray[np.float64], ranks: tuple[int, ...]) -> list[float]:
    """Percentiles as numpy's, at a tenth of its overhead for the few hundred values of a step."""
    ordered = np.sort(values)
    place = np.array(ranks) / 100 * (len(ordered) - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    found: list[float] = (
        ordered[below] + (place - below) * (ordered[above] - ordered[below])
    ).tolist()
    return found


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
        row |= dict(zip(names, percentiles(total_s, (50, 95, 99)), strict=True))
        row["propagation_mean_s"] = float(propagation_s.mean())
        row["compute_mean_s"] = float(compute_s.mean())
    else:
        row |= dict.fromkeys(
            (*names, "latency_mean_s", "propagation_mean_s", "compute_mean_s"), np.nan
        )
    return row
