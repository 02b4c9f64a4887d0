"""Distributions: numpy's percentiles where exact, a bound on the error in bins, free merging."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twin.runs.distribution import (
    EXACT_TOKENS,
    RELATIVE_ERROR,
    Distribution,
    blocks,
    is_exact,
    representative,
)

SHARES = np.array([0.0, 0.05, 0.5, 0.95, 0.99, 1.0])
durations_s = st.one_of(
    st.floats(1e-6, 1e6, allow_nan=False), st.sampled_from([0.0, 0.25, 1.0, 1.5])
)


def values_s(least: int = 1):
    return arrays(np.float64, st.integers(least, 200), elements=durations_s)


def same(one: Distribution, other: Distribution) -> bool:
    return np.array_equal(one.value_s, other.value_s) and np.array_equal(one.count, other.count)


@given(values_s())
def test_exact_quantiles_are_those_of_numpy(values):
    found = Distribution.of(values)
    np.testing.assert_array_equal(found.quantile(SHARES), np.quantile(values, SHARES))
    assert found.size == len(values)
    assert found.mean_s == pytest.approx(values.mean(), rel=1e-12)
    for value in values[:5]:
        assert found.share_within(value) == (values <= value).mean()


@given(values_s())
def test_bins_keep_every_quantile_within_the_bound(values):
    found = Distribution.of(values, exact=False)
    exact = np.quantile(values, SHARES)
    error = np.abs(found.quantile(SHARES) - exact)
    assert (error <= RELATIVE_ERROR * exact * (1 + 1e-9)).all()
    assert found.size == len(values)
    assert abs(found.mean_s - values.mean()) <= RELATIVE_ERROR * values.mean() * (1 + 1e-9)


@given(values_s(0), values_s(0), values_s(0), st.booleans())
def test_merging_is_associative_and_forgets_the_order(a, b, c, exact):
    one, two, three = (Distribution.of(values, exact=exact) for values in (a, b, c))
    whole = Distribution.of(np.concatenate([a, b, c]), exact=exact)
    left = Distribution.merged([Distribution.merged([one, two]), three])
    right = Distribution.merged([one, Distribution.merged([three, two])])
    assert same(left, whole)
    assert same(right, whole)


@given(values_s())
def test_binning_comes_before_or_after_merging_and_only_once(values):
    binned = Distribution.of(values, exact=False)
    assert same(Distribution.of(values).binned(), binned)
    assert same(binned.binned(), binned)


def test_blocks_hold_the_steps_from_their_start_to_the_next():
    rng = np.random.default_rng(1)
    step = np.sort(rng.integers(0, 20, 500))
    values, count = rng.random(500), np.ones(500, np.int64)
    found = blocks(step, values, count, np.array([0, 7, 14, 30]))
    for block, (low, high) in zip(found, [(0, 7), (7, 14), (14, 30), (30, 99)], strict=True):
        mine = values[(step >= low) & (step < high)]
        assert same(block, Distribution.of(mine))


def test_no_tokens_are_a_gap():
    nothing = Distribution.merged([])
    assert nothing.size == 0
    assert np.isnan(nothing.quantile(SHARES)).all()
    assert np.isnan(nothing.mean_s)
    assert np.isnan(nothing.share_within(1.0))


def test_what_is_no_duration_is_refused():
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="finite and not negative"):
            representative(np.array([1.0, wrong]))


def test_a_run_of_a_million_tokens_is_still_exact():
    assert is_exact(steps=EXACT_TOKENS // 200, tokens_per_step=200)
    assert not is_exact(steps=EXACT_TOKENS // 200 + 1, tokens_per_step=200)
