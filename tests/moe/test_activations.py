"""Sources of router weights, and draws from them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.moe.activations import (
    MIXTRAL_TOPICS,
    SAMPLERS,
    expert_probabilities,
    plackett_luce,
    sticky,
)
from twin.moe.selection import inclusion_probabilities, pair_probabilities
from twin.scenario.schema import Activations

COUNTS = Path(__file__).parents[2] / ".." / "shared" / "data" / "mixtral_expert_counts.json"


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def probabilities(layers=32, experts=8, seed=0, top_k=1, **table):
    return expert_probabilities(
        Activations(**table), layers=layers, experts=experts, rng=rng(seed), top_k=top_k
    )


def test_uniform():
    np.testing.assert_array_equal(probabilities(3, 4, kind="uniform"), np.full((3, 4), 0.25))


def test_zipf_ranks_the_experts_of_each_layer_at_random():
    p = probabilities(kind="zipf", exponent=0.5)
    law = 1.0 / np.sqrt(np.arange(1, 9))
    np.testing.assert_allclose(np.sort(p, axis=1)[:, ::-1], np.tile(law / law.sum(), (32, 1)))
    favourites = np.bincount(p.argmax(axis=1), minlength=8)
    assert np.count_nonzero(favourites) >= 6
    np.testing.assert_array_equal(p, probabilities(kind="zipf", exponent=0.5))
    assert not np.array_equal(p, probabilities(kind="zipf", exponent=0.5, seed=1))


def test_mixtral_topics_reproduce_the_measured_counts():
    if not COUNTS.exists():
        pytest.skip("shared data not here")
    measured = json.loads(COUNTS.read_text())["topics"]
    assert set(MIXTRAL_TOPICS) == set(measured)
    for topic, counts in measured.items():
        shares = np.array(counts) / np.sum(counts, axis=1, keepdims=True)
        inclusion = inclusion_probabilities(probabilities(kind="mixtral", topic=topic), 2)
        # Shipped as whole parts of 100,000.
        np.testing.assert_allclose(inclusion / 2, shares, atol=1.1e-5)


@pytest.mark.parametrize("topic", MIXTRAL_TOPICS)
def test_mixtral_skew_is_the_published_one(topic):
    """Mixtral loads its experts nearly evenly: the fullest gets 1.1-1.5 times the mean."""
    p = probabilities(kind="mixtral", topic=topic)
    assert p.shape == (32, 8)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    skew = inclusion_probabilities(p, 2).max(axis=1) / 0.25
    assert 1.2 < skew.mean() < 1.46
    assert skew.min() > 1.07
    assert skew.max() < 2.0


def test_mixtral_topics_need_a_model_of_that_shape():
    with pytest.raises(InputError, match=r"32 layers x 8 experts, the model has 16 x 64"):
        probabilities(16, 64, kind="mixtral", topic=MIXTRAL_TOPICS[0])
    with pytest.raises(InputError, match=r"unknown 'gardening'; known: .*machine_learning"):
        probabilities(kind="mixtral", topic="gardening")


def test_weights_too_skewed_for_the_model_are_refused():
    with pytest.raises(InputError, match="layer 0 has 1 experts of positive probability"):
        probabilities(kind="zipf", exponent=5000.0, top_k=2)


def test_counts_from_a_file(tmp_path):
    file = tmp_path / "counts.json"
    file.write_text("[[60, 30, 10], [0, 50.0, 50]]")
    table = {"kind": "counts", "file": str(file)}
    np.testing.assert_allclose(probabilities(2, 3, **table), [[0.6, 0.3, 0.1], [0, 0.5, 0.5]])
    file.write_text("[[45, 35, 20], [20, 45, 35]]")
    top_2 = inclusion_probabilities(probabilities(2, 3, top_k=2, **table), 2)
    np.testing.assert_allclose(top_2 / 2, [[0.45, 0.35, 0.2], [0.2, 0.45, 0.35]], atol=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file"),
        ("[[1, 2", "not a JSON array of 2 x 3 counts"),
        ("\xff", "must be|not a JSON array"),
        ("[" * 100_000, "not a JSON array"),
        ("[[1, 2, 3], [1, 2]]", "not a JSON array"),
        ('{"topics": 1}', "must be 2 layers x 3 experts of numbers"),
        ("[[1, 2], [3, 4]]", "must be 2 layers x 3 experts of numbers"),
        ('[["1", "2", "3"], ["1", "2", "3"]]', "of numbers"),
        ("[[1, 2, null], [1, 2, 3]]", "of numbers"),
        ("[[1, 2, NaN], [1, 2, 3]]", "finite and not negative"),
        ("[[1, 2, -1], [1, 2, 3]]", "finite and not negative"),
        ("[[1, 2, 3], [0, 0, 0]]", "layer 1 needs counts of at least 2 experts"),
        ("[[1, 2, 3], [9, 1, 0]]", "layer 1 gives one expert 0.900 of all choices; with top-2"),
    ],
)
def test_bad_count_files_are_refused_in_one_line(tmp_path, text, message):
    file = tmp_path / "counts.json"
    if text is not None:
        file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=message) as caught:
        probabilities(2, 3, top_k=2, kind="counts", file=str(file))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


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
    p = probabilities(4, 256, kind="zipf", exponent=0.5)
    tokens = 4000
    choices = plackett_luce(p, 8, tokens, rng(3))
    exact = inclusion_probabilities(p, 8)
    seen = np.stack([np.bincount(choices[:, layer].ravel(), minlength=256) for layer in range(4)])
    z = (seen / tokens - exact) / np.sqrt(exact * (1 - exact) / tokens)
    assert np.abs(z).max() < 4.5  # of 1024 draws from a normal law
    assert 0.9 < z.std() < 1.1


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_has_the_exact_top_2_marginals(name):
    p = probabilities(3, 4, kind="zipf", exponent=1.0)
    tokens = 150_000
    table = Activations(sampler=name, repeat_probability=0.5)
    choices = SAMPLERS[name](table, p, 2)(tokens, rng(1))
    exact = pair_probabilities(p)
    for layer in range(3):
        seen = np.zeros((4, 4))
        np.add.at(seen, (choices[:, layer, 0], choices[:, layer, 1]), 1 / tokens)
        seen = seen + seen.T
        # Successive tokens of the chain are correlated: at c < 1/3 below twice the variance.
        np.testing.assert_allclose(seen, exact[layer], atol=4 * np.sqrt(2 * 0.25 / tokens))


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_repeats_itself_and_checks_its_weights(name):
    p = probabilities(3, 4, kind="zipf")
    draw = SAMPLERS[name](Activations(sampler=name), p, 2)
    again = SAMPLERS[name](Activations(sampler=name), p, 2)
    np.testing.assert_array_equal(draw(50, rng(7)), again(50, rng(7)))
    certain = np.array([[0.5, 0.5], [1.0, 0.0]])
    with pytest.raises(InputError, match="layer 1 has 1 experts of positive probability"):
        SAMPLERS[name](Activations(sampler=name), certain, 2)(10, rng())


@pytest.mark.parametrize("repeat", [0.14, 0.28, 0.9, 1.0])
def test_sticky_first_choices_repeat_as_often_as_asked(repeat):
    p = np.vstack([np.full(8, 0.125), probabilities(1, 8, kind="zipf", exponent=0.3)[0]])
    first = sticky(p, 2, 100_000, rng(), repeat_probability=repeat)[:, :, 0]
    seen = (first[1:] == first[:-1]).mean(axis=0)
    np.testing.assert_allclose(seen, np.maximum(repeat, (p**2).sum(axis=1)), atol=0.007)


def test_a_skewed_layer_repeats_at_least_by_chance():
    p = np.array([[0.9, 0.05, 0.05], [1.0, 0.0, 0.0]])
    first = sticky(p, 1, 50_000, rng(), repeat_probability=0.25)[:, :, 0]
    seen = (first[1:] == first[:-1]).mean(axis=0)
    np.testing.assert_allclose(seen, [0.815, 1.0], atol=0.01)


def test_sticky_sampler_goes_on_where_it_stopped():
    p = probabilities(4, 6, kind="zipf")
    table = Activations(sampler="sticky", repeat_probability=0.8)
    whole, pieces = SAMPLERS["sticky"](table, p, 2), SAMPLERS["sticky"](table, p, 2)
    stream = rng(5)
    parts = np.concatenate([pieces(n, stream) for n in (7, 0, 1, 12)])
    np.testing.assert_array_equal(parts, whole(20, rng(5)))
