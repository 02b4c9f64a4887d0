"""Draws of experts against their exact probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.moe.sampling import SAMPLERS, plackett_luce, sticky
from twin.moe.selection import inclusion_probabilities, pair_probabilities
from twin.scenario.schema import Activations


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def zipf(layers, experts, exponent=0.5):
    law = np.arange(1.0, experts + 1.0) ** -exponent
    return rng().permuted(np.tile(law / law.sum(), (layers, 1)), axis=1)


def ordered_frequencies(choices, experts):
    code = np.zeros(len(choices), dtype=int)
    for k in range(choices.shape[-1]):
        code = code * experts + choices[:, 0, k]
    return np.bincount(code, minlength=experts ** choices.shape[-1])


def test_plackett_luce_draws_ordered_triples_with_their_probabilities():
    p = np.array([[0.45, 0.3, 0.15, 0.1]])
    tokens = 200_000
    seen = ordered_frequencies(plackett_luce(p, 3, tokens, rng()), 4).reshape(4, 4, 4)
    chi2, cells = 0.0, 0
    for i, j, k in np.ndindex(4, 4, 4):
        if len({i, j, k}) < 3:
            assert seen[i, j, k] == 0
            continue
        row = p[0]
        expected = tokens * row[i] * row[j] / (1 - row[i]) * row[k] / (1 - row[i] - row[j])
        chi2 += (seen[i, j, k] - expected) ** 2 / expected
        cells += 1
    assert cells == 24
    assert chi2 < 50.0  # 99.9 % quantile at 23 degrees of freedom is 49.7


@settings(deadline=None, max_examples=50)
@given(
    data=st.data(),
    experts=st.integers(2, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_choices_are_distinct_and_never_of_weight_zero(data, experts, seed):
    top_k = data.draw(st.integers(1, experts))
    weight = st.one_of(st.just(0.0), st.floats(1e-300, 1.0))
    row = np.array(data.draw(st.lists(weight, min_size=experts, max_size=experts)))
    row[:top_k] = np.maximum(row[:top_k], 1e-12)
    p = (row / row.sum())[None, :]
    choices = plackett_luce(p, top_k, 20, rng(seed))
    assert choices.shape == (20, 1, top_k)
    assert np.all(p[0][choices] > 0.0)
    assert all(len(set(token[0])) == top_k for token in choices)


class Highest:
    """The largest number a generator can give, each time."""

    def random(self, shape):
        return np.full(shape, np.nextafter(1.0, 0.0))


def test_rounding_at_the_top_falls_back_on_the_last_expert_that_can_be_chosen():
    """In a quarter of these rows the share of the total rounds up to the running sum."""
    p = np.round(rng().uniform(0.1, 1.0, (100, 6)), 2)
    p[:, 5] = 0.0
    choices = plackett_luce(p, 5, 1, Highest())[0]
    np.testing.assert_array_equal(choices, np.tile([4, 3, 2, 1, 0], (100, 1)))


def test_draws_keep_every_layer_and_every_expert_apart():
    """The shape of DeepSeek-V3, top-8 of 256, against the exact inclusion probabilities."""
    p = zipf(4, 256, 0.5)
    tokens = 4000
    choices = plackett_luce(p, 8, tokens, rng(3))
    exact = inclusion_probabilities(p, 8)
    seen = np.stack([np.bincount(choices[:, layer].ravel(), minlength=256) for layer in range(4)])
    z = (seen / tokens - exact) / np.sqrt(exact * (1 - exact) / tokens)
    assert np.abs(z).max() < 4.5  # of 1024 draws from a normal law
    assert 0.9 < z.std() < 1.1


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_has_the_exact_top_2_marginals(name):
    p = zipf(3, 4, 1.0)
    tokens = 150_000
    table = Activations(sampler=name, repeat_probability=0.5)
    choices = SAMPLERS[name](table, 2)(p, tokens, rng(1), None)
    exact = pair_probabilities(p)
    for layer in range(3):
        seen = np.zeros((4, 4))
        np.add.at(seen, (choices[:, layer, 0], choices[:, layer, 1]), 1 / tokens)
        seen = seen + seen.T
        # Successive tokens of the chain are correlated: at c < 1/3 below twice the variance.
        np.testing.assert_allclose(seen, exact[layer], atol=4 * np.sqrt(2 * 0.25 / tokens))


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_repeats_itself_and_checks_its_weights(name):
    p = zipf(3, 4)
    draw = SAMPLERS[name](Activations(sampler=name), 2)
    again = SAMPLERS[name](Activations(sampler=name), 2)
    np.testing.assert_array_equal(draw(p, 50, rng(7), None), again(p, 50, rng(7), None))
    certain = np.array([[0.5, 0.5], [1.0, 0.0]])
    with pytest.raises(InputError, match="layer 1 has 1 experts of positive probability"):
        SAMPLERS[name](Activations(sampler=name), 2)(certain, 10, rng(), None)


@pytest.mark.parametrize("repeat", [0.14, 0.28, 0.9, 1.0])
def test_sticky_first_choices_repeat_as_often_as_asked(repeat):
    p = np.vstack([np.full(8, 0.125), zipf(1, 8, 0.3)[0]])
    first = sticky(p, 2, 100_000, rng(), repeat_probability=repeat)[:, :, 0]
    seen = (first[1:] == first[:-1]).mean(axis=0)
    np.testing.assert_allclose(seen, np.maximum(repeat, (p**2).sum(axis=1)), atol=0.007)


def test_a_skewed_layer_repeats_at_least_by_chance():
    p = np.array([[0.9, 0.05, 0.05], [1.0, 0.0, 0.0]])
    first = sticky(p, 1, 50_000, rng(), repeat_probability=0.25)[:, :, 0]
    seen = (first[1:] == first[:-1]).mean(axis=0)
    np.testing.assert_allclose(seen, [0.815, 1.0], atol=0.01)


def test_sticky_sampler_goes_on_where_it_stopped():
    p = zipf(4, 6)
    table = Activations(sampler="sticky", repeat_probability=0.8)
    draw, stream = SAMPLERS["sticky"](table, 2), rng(5)
    parts, previous = [], None
    for n in (7, 0, 1, 12):
        parts.append(draw(p, n, stream, previous))
        previous = parts[-1][-1, :, 0] if n else previous
    np.testing.assert_array_equal(np.concatenate(parts), draw(p, 20, rng(5), None))


@pytest.mark.parametrize("name", SAMPLERS)
def test_weights_may_change_between_draws(name):
    draw = SAMPLERS[name](Activations(sampler=name, repeat_probability=0.3), 2)
    before = draw(zipf(3, 6, 1.0), 10, rng(), None)[-1, :, 0]
    uniform = np.full((3, 6), 1 / 6)
    seen = np.bincount(draw(uniform, 20_000, rng(1), before).ravel(), minlength=6) / (3 * 20_000)
    # Three layers of 20,000 tokens, correlated by less than twice the variance.
    np.testing.assert_allclose(seen, 1 / 3, atol=4 * np.sqrt(2 * (2 / 9) / 60_000))
