"""The running estimate of activations against what tokens were drawn from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.moe.estimate import FLOOR, ActivationEstimate
from twin.moe.sampling import plackett_luce
from twin.moe.selection import inclusion_probabilities

LAYERS, EXPERTS, TOP_K, STEP_S = 4, 16, 4, 15.0


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def weights(seed):
    return rng(seed).dirichlet(np.full(EXPERTS, 2.0), LAYERS)


def uniform():
    return np.full((LAYERS, EXPERTS), TOP_K / EXPERTS)


def test_it_converges_to_a_constant_profile():
    p, steps, tokens, memory_s = weights(1), 400, 64, 600.0
    truth = inclusion_probabilities(p, TOP_K)
    estimate = ActivationEstimate(uniform(), TOP_K, memory_s=memory_s)
    stream = rng(2)
    for _ in range(steps):
        estimate.observe(plackett_luce(p, TOP_K, tokens, stream), STEP_S)
    # Exponential weights (1 - c) c^n leave (1 - c)/(1 + c) of one step's variance.
    kept = np.exp(-STEP_S / memory_s)
    sampling_error = np.sqrt(truth * (1 - truth) / tokens * (1 - kept) / (1 + kept))
    z = (estimate.activation - truth) / sampling_error
    assert np.abs(z).max() < 4.0  # of 64 draws from a normal law
    assert 0.7 < z.std() < 1.3
    np.testing.assert_allclose(estimate.activation.sum(axis=1), TOP_K, rtol=1e-12)


def test_it_follows_a_switch_with_its_time_constant():
    """Shown the same tokens again and again, it has 1 - 1/e of the way behind it by then."""
    seen = plackett_luce(weights(2), TOP_K, 500, rng(3))
    count = np.stack([np.bincount(seen[:, layer].ravel(), minlength=EXPERTS) for layer in range(4)])
    target = count / 500
    prior = inclusion_probabilities(weights(1), TOP_K)
    for steps in (1, 10, 40, 200):
        estimate = ActivationEstimate(prior, TOP_K, memory_s=40 * STEP_S)
        for _ in range(steps):
            estimate.observe(seen, STEP_S)
        left = np.exp(-steps / 40)
        np.testing.assert_allclose(
            estimate.activation - target, left * (prior - target), atol=1e-12
        )


def test_a_step_without_tokens_teaches_nothing():
    estimate = ActivationEstimate(uniform(), TOP_K, memory_s=60.0)
    estimate.observe(np.empty((0, LAYERS, TOP_K), np.int32), 15.0)
    np.testing.assert_array_equal(estimate.activation, uniform())


def test_its_weights_give_its_activation_but_for_the_floor():
    prior = inclusion_probabilities(weights(4), TOP_K)
    fitted = ActivationEstimate(prior, TOP_K, memory_s=60.0).probability
    expected = (1 - FLOOR) * prior + FLOOR * TOP_K / EXPERTS
    np.testing.assert_allclose(inclusion_probabilities(fitted, TOP_K), expected, atol=1.1e-8)


@settings(deadline=None, max_examples=20)
@given(tokens=st.integers(1, 20), top_k=st.integers(1, 8), seed=st.integers(0, 1000))
def test_weights_can_be_drawn_from_whatever_was_seen(tokens, top_k, seed):
    """Also after a few tokens and short memory, when most experts are never or always chosen."""
    estimate = ActivationEstimate(np.full((2, 8), top_k / 8), top_k, memory_s=1e-3)
    estimate.observe(plackett_luce(np.full((2, 8), 1 / 8), top_k, tokens, rng(seed)), 15.0)
    fitted = estimate.probability
    assert fitted.min() > 0.0
    np.testing.assert_allclose(fitted.sum(axis=1), 1.0)
    reached = inclusion_probabilities(fitted, top_k)
    assert reached.sum(axis=1) == pytest.approx([top_k, top_k])
    np.testing.assert_allclose(reached, estimate.activation, atol=2 * FLOOR)
