"""Figures drawn from runs: token statistics, means with confidence intervals."""

from dataclasses import dataclass
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


SHARES = np.linspace(0, 1, 21)
"""Of a step's tokens, whose latencies are kept: from the fastest by twentieths to the slowest."""


def latency_quantiles(total_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Latency at each of `SHARES`; NaN if no token was served."""
    if not len(total_s):
        return np.full(len(SHARES), np.nan)
    return np.asarray(percentiles(total_s, tuple(range(0, 101, 5))))


_SAME_S = 1e-9
"""Quantiles no further apart than this are one."""


@dataclass(frozen=True)
class Distribution:
    """Cumulative distribution of latency, straight between its points.

    Attributes
    ----------
    latency_s : (P,) float64
        Ascending; twice where the share jumps.
    share : (P,) float64
        Of tokens that took no longer, 0 to 1.
    """

    latency_s: NDArray[np.float64]
    share: NDArray[np.float64]

    def latency_at(self, share: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds within which so large a share of the tokens came."""
        return np.asarray(np.interp(share, self.share, self.latency_s))

    def share_within(self, latency_s: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the tokens that took no longer."""
        return np.asarray(np.interp(latency_s, self.latency_s, self.share))


def pooled(quantiles_s: NDArray[np.float64], weight: NDArray[np.float64]) -> Distribution:
    """Mix distributions that are known by their quantiles, straight between these.

    Parameters
    ----------
    quantiles_s : (S, Q) float64
        Latency of each at `twin.runs.statistics.SHARES`.
    weight : (S,) float64
        How many tokens each stands for.
    """
    low, high = quantiles_s[:, :-1].ravel(), quantiles_s[:, 1:].ravel()
    mass = (weight[:, None] * np.diff(SHARES)).ravel() / weight.sum()
    # Between two quantiles the density is even; where they coincide, tokens are a jump.
    spread = high - low > _SAME_S
    density = np.where(spread, mass / np.where(spread, high - low, 1.0), 0.0)
    at_s = np.concatenate([low, high])
    order = np.argsort(at_s, kind="stable")
    at_s = at_s[order]
    after = np.cumsum(np.concatenate([density, -density])[order])
    jump = np.concatenate([np.zeros(len(low)), np.where(spread, 0.0, mass)])[order]
    rise = np.diff(at_s, prepend=at_s[0]) * np.concatenate([[0.0], after[:-1]])
    share = np.cumsum(rise + jump)
    share = np.stack([share - jump, share], axis=1).ravel()
    return Distribution(np.repeat(at_s, 2), np.maximum.accumulate(np.clip(share, 0, 1)))


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
