"""Exact marginals of top-K draws against enumeration of every ordered draw."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twin.moe import selection
from twin.moe.selection import fit_weights, inclusion_probabilities, pair_probabilities

ROWS = np.array(
    [
        [0.2, 0.2, 0.2, 0.2, 0.2],
        [0.5, 0.3, 0.1, 0.06, 0.04],
        [0.97, 0.02, 0.006, 0.003, 0.001],
        [0.4, 0.3, 0.2, 0.1, 0.0],
    ]
)


def enumerate_sets(p, top_k):
    """Probability of each set of `top_k`, from all ordered draws without replacement."""
    sets = {}
    for order in permutations(range(len(p)), top_k):
        chance, left = 1.0, 1.0
        for i in order:
            chance *= p[i] / left if left > 1e-15 else 0.0
            left -= p[i]
        sets[frozenset(order)] = sets.get(frozenset(order), 0.0) + chance
    return sets


@pytest.mark.parametrize("top_k", [1, 2, 3, 4])
def test_inclusion_probabilities_match_enumeration(top_k):
    expected = np.zeros_like(ROWS)
    for row, p in enumerate(ROWS):
        for chosen, chance in enumerate_sets(p, top_k).items():
            expected[row, list(chosen)] += chance
    np.testing.assert_allclose(
        inclusion_probabilities(ROWS, top_k), expected, rtol=1e-10, atol=1e-12
    )


def test_pair_probabilities_match_enumeration():
    pairs = pair_probabilities(ROWS)
    for row, p in enumerate(ROWS):
        for chosen, chance in enumerate_sets(p, 2).items():
            i, j = chosen
            assert pairs[row, i, j] == pairs[row, j, i] == pytest.approx(chance, abs=1e-14)
    assert np.all(np.diagonal(pairs, axis1=1, axis2=2) == 0.0)


def test_a_nearly_certain_expert_leaves_the_second_place_to_the_others():
    p = np.array([[1.0, 3e-20, 1e-20]])
    np.testing.assert_allclose(pair_probabilities(p)[0, 0], [0.0, 0.75, 0.25], rtol=1e-12)


weights = arrays(np.float64, (3, 6), elements=st.floats(1e-6, 1.0, allow_subnormal=False)).map(
    lambda w: w / w.sum(axis=1, keepdims=True)
)


@settings(deadline=None, max_examples=60)
@given(p=weights, top_k=st.integers(1, 6))
def test_inclusion_sums_to_k_and_keeps_the_order_of_the_weights(p, top_k):
    inclusion = inclusion_probabilities(p, top_k)
    np.testing.assert_allclose(inclusion.sum(axis=1), top_k, rtol=1e-9)
    ordered = np.take_along_axis(inclusion, np.argsort(p, axis=1), axis=1)
    assert np.all(np.diff(ordered, axis=1) >= -1e-9)


def test_many_experts_top_8():
    """DeepSeek-V3's shape: rows sum to 8 and uniform weights include each with 8/256."""
    p = np.vstack([np.full(256, 1 / 256), np.arange(1.0, 257.0) ** -1.0])
    p /= p.sum(axis=1, keepdims=True)
    inclusion = inclusion_probabilities(p, 8)
    np.testing.assert_allclose(inclusion[0], 8 / 256, rtol=1e-11)
    assert inclusion[1].sum() == pytest.approx(8.0, rel=1e-11)


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_fitted_weights_reproduce_the_shares(top_k):
    shares = np.array([[0.3, 0.28, 0.22, 0.15, 0.05, 0.0], [0.25, 0.25, 0.2, 0.15, 0.1, 0.05]])
    fitted = fit_weights(shares, top_k)
    np.testing.assert_allclose(fitted.sum(axis=1), 1.0)
    assert fitted[0, 5] == 0.0
    # The fit goes to 1e-8; enumeration knows nothing of it.
    for p, share in zip(fitted, shares, strict=True):
        reached = np.zeros(6)
        for chosen, chance in enumerate_sets(p, top_k).items():
            reached[list(chosen)] += chance
        np.testing.assert_allclose(reached / top_k, share, atol=1.1e-8)


def test_an_expert_that_is_always_chosen_is_fitted_too():
    shares = np.array([[1 / 3, 0.3, 0.2, 0.1, 1 / 15]])
    fitted = fit_weights(shares, 3)
    reached = np.zeros(5)
    for chosen, chance in enumerate_sets(fitted[0], 3).items():
        reached[list(chosen)] += chance
    np.testing.assert_allclose(reached, 3 * shares[0], atol=3e-8)


def test_olmoe_like_skew_is_fitted_in_few_rounds(monkeypatch):
    """Where each round only scales weights by what is missing, this takes more than 150."""
    rounds = []
    monkeypatch.setattr(
        selection,
        "inclusion_probabilities",
        lambda *args: rounds.append(1) or inclusion_probabilities(*args),
    )
    shares = np.full((1, 64), (1 - 0.122) / 63)
    shares[0, 5] = 0.122
    fit_weights(shares, 8)
    assert len(rounds) < 20
