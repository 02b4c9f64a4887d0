"""Whether what a run shows has settled: warm-up, growth beyond noise, fairness."""

from typing import Final

import numpy as np

from twin.runs.rules import Floats

_BATCH: Final = 5
_LEAST_BATCHES: Final = 10
_PIECES: Final = 20
_LEAST_PIECES: Final = 6
_CONFIDENCE: Final = 0.999
_LEFT_BEHIND: Final = 0.02
"""Share of the requests that come, and are left behind, from which on growth counts."""
_LEAST_ARRIVALS: Final = 20


def mser5(values: Floats) -> int:
    """Return how many values at the start are warm-up, by MSER-5; 0 for fewer than 50 values.

    Means of five values each are cut at the start, at most half of them, where that makes the
    standard error of the mean of the others least (White, "An effective truncation heuristic for
    bias reduction in simulation output", Simulation 69, 1997).

    Parameters
    ----------
    values : (n,) float64
        In the order of time.
    """
    batches = len(values) // _BATCH
    if batches < _LEAST_BATCHES:
        return 0
    mean = values[: batches * _BATCH].reshape(batches, _BATCH).mean(axis=1)
    # Far from 0 squares of values would hide how they spread.
    mean = mean - mean.mean()
    left = batches - np.arange(batches // 2 + 1)
    total = np.cumsum(mean[::-1])[::-1][: len(left)]
    square = np.cumsum(mean[::-1] ** 2)[::-1][: len(left)]
    return _BATCH * int(np.argmin((square - total**2 / left) / left**2))


def grows(inside: Floats, arrivals: int) -> bool | None:
    """Return whether a number of requests inside grows beyond noise; None if there are too few.

    The null hypothesis is a random walk without drift, what a queue is at the very edge of its
    capacity: growth in equal pieces of the time is tested to be 0 by Student's t. What grows must
    also be 2 % or more of what comes: that much is not served.

    Parameters
    ----------
    inside : (n,) float64
        At equal distances of time.
    arrivals : int
        In that time.
    """
    pieces = min(_PIECES, len(inside) - 1)
    if pieces < _LEAST_PIECES or arrivals < _LEAST_ARRIVALS:
        return None
    from scipy.special import stdtrit

    at = np.linspace(0, len(inside) - 1, pieces + 1).round().astype(int)
    growth = np.diff(inside[at])
    error = np.std(growth, ddof=1) / np.sqrt(pieces)
    beyond_noise = growth.mean() > stdtrit(pieces - 1, _CONFIDENCE) * error
    return bool(beyond_noise and growth.sum() >= _LEFT_BEHIND * arrivals)


def half_width_share(values: Floats) -> float:
    """Half-width of the 95 % interval of a mean, as a share of it; NaN for fewer than 100 values.

    By means of 20 batches, since values that follow each other are alike (Law, "Simulation Modeling
    and Analysis", 2015, 9.5.3).

    Parameters
    ----------
    values : (n,) float64
        In the order of time, without warm-up.
    """
    each = len(values) // _PIECES
    if each < _BATCH:
        return float("nan")
    from scipy.special import stdtrit

    # What is left over is at the start, where the warm-up may still show.
    means = values[-each * _PIECES :].reshape(_PIECES, each).mean(axis=1)
    error = np.std(means, ddof=1) / np.sqrt(_PIECES)
    mean = float(means.mean())
    return float(stdtrit(_PIECES - 1, 0.975) * error) / mean if mean > 0.0 else float("nan")


def jain(values: Floats) -> float:
    """Jain's index of fairness: 1 where all are equal, 1/n where one has all; NaN for none.

    Jain, Chiu and Hawe, DEC-TR-301, 1984.
    """
    if not len(values):
        return float("nan")
    square = float((values**2).sum())
    return float(values.sum()) ** 2 / (len(values) * square) if square else 1.0
