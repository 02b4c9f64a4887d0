"""The table of arXiv 2605.00515: seconds a token on 1056 satellites over 200 steps."""

import os

import numpy as np
import pytest

from twin.runs.statistics import estimate
from twin.scenario import loader
from twin.study.evaluate import evaluate
from twin.study.reproduce import PUBLISHED_S

REPLICATES = 24 if os.environ.get("CI") == "true" else 8
TOLERANCE = 0.10


@pytest.fixture(scope="module")
def means() -> dict[str, np.ndarray]:
    paper = loader.load("paper")
    variants = {
        name: paper.model_copy(
            update={"placement": paper.placement.model_copy(update={"strategy": name})}
        )
        for name in (*PUBLISHED_S, "compact-random", "single-satellite")
    }
    results = [evaluate(variants, replicate) for replicate in range(REPLICATES)]
    return {name: np.array([r[name].mean_s for r in results]) for name in variants}


@pytest.mark.parametrize("strategy", PUBLISHED_S)
def test_published_latency_within_ten_percent(means, strategy):
    assert estimate(means[strategy]).mean == pytest.approx(PUBLISHED_S[strategy], rel=TOLERANCE)


@pytest.mark.parametrize("strategy", ["rand-place", "rand-intra", "rand-intra-cg"])
def test_at_least_three_times_faster_than_each_baseline(means, strategy):
    assert means[strategy].mean() / means["space-xnet"].mean() >= 3.0


def test_independent_calculation_of_the_same_assumptions(means):
    # Worked out once apart from this code: mean and spread of 8 placement draws.
    for strategy, mean_s, spread_s in [
        ("rand-place", 5.55, 0.13),
        ("rand-intra", 3.93, 0.13),
        ("rand-intra-cg", 3.23, 0.09),
        ("space-xnet", 1.05, 0.01),
        ("compact-random", 1.14, 0.01),
    ]:
        error = spread_s / np.sqrt(8) + means[strategy].std() / np.sqrt(REPLICATES)
        assert abs(means[strategy].mean() - mean_s) < 3 * error, strategy


def test_order_within_the_footprint_is_worth_little(means):
    # What drives the gain is compactness: the random order costs 8 %, leaving the footprint 200 %.
    assert 1.05 < (means["compact-random"] / means["space-xnet"]).mean() < 1.12


def test_one_satellite_takes_the_compute_alone(means):
    # Both activated experts share one satellite: 32 layers x 2 x 33.8 MFLOP / 7.28 GFLOPS.
    assert means["single-satellite"] == pytest.approx(32 * 2 * 33_816_576 / 7.28e9, rel=1e-12)
