"""Sources of router weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.moe.activations import (
    MIXTRAL_TOPICS,
    OLMOE_TOPICS,
    activation_profile,
    expert_probabilities,
)
from twin.moe.selection import inclusion_probabilities
from twin.scenario.schema import Activations


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


def check_extremes(share, rows, *, atol):
    """Hold the fullest and the emptiest expert of every layer against the measured shares."""
    assert len(share) == len(rows)
    for layer, (fullest, most, emptiest, least) in zip(share, rows, strict=True):
        assert layer[fullest] == pytest.approx(most, abs=atol)
        assert layer[emptiest] == pytest.approx(least, abs=atol)
        assert layer.max() <= most + atol
        assert layer.min() >= least - atol


def test_mixtral_topics_reproduce_the_measured_counts(oracle):
    table = oracle("expert_shares.json")
    assert set(MIXTRAL_TOPICS) == set(table["mixtral"])
    for topic, rows in table["mixtral"].items():
        inclusion = inclusion_probabilities(probabilities(kind="mixtral", topic=topic), 2)
        # Shipped as whole parts of 100,000.
        check_extremes(inclusion / 2, rows, atol=1.1e-5)


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
        ("\xff", "not a text file in UTF-8"),
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


def test_olmoe_domains_reproduce_the_measured_counts(oracle):
    table = oracle("expert_shares.json")
    assert set(OLMOE_TOPICS) == set(table["olmoe"])
    for topic, rows in table["olmoe"].items():
        weights = probabilities(16, 64, kind="olmoe", topic=topic, top_k=8)
        inclusion = inclusion_probabilities(weights, 8)[table["olmoe_layers"]]
        # Shipped as whole parts of a million.
        check_extremes(inclusion / 8, rows, atol=1.1e-6)


def test_olmoe_is_as_skewed_as_measured():
    """The fullest expert of a measured layer gets 2.5 to 7.8 times the mean."""
    skew = [
        inclusion_probabilities(probabilities(16, 64, kind="olmoe", topic=topic), 8).max(axis=1) * 8
        for topic in OLMOE_TOPICS
    ]
    assert np.min(skew) == pytest.approx(2.5, abs=0.05)
    assert np.max(skew) == pytest.approx(7.8, abs=0.05)


def test_olmoe_layers_without_measurement_are_the_nearest_ones_relabelled():
    names = ("arxiv", "book")
    arxiv, book = (probabilities(16, 64, kind="olmoe", topic=name) for name in names)
    both = np.stack([arxiv, book], axis=-1)  # two weights tell an expert from all others
    for layer, source in enumerate([0] * 4 + [7] * 8 + [15] * 4):
        assert len(np.unique(both[source], axis=0)) == 64
        same = (both[layer][:, None] == both[source]).all(axis=-1)
        order = same.argmax(axis=1)
        assert same.any(axis=1).all()
        np.testing.assert_array_equal(np.sort(order), np.arange(64))
        kept = np.count_nonzero(order == np.arange(64))
        assert kept == 64 if layer == source else kept < 10
    other = probabilities(16, 64, seed=1, kind="olmoe", topic="arxiv")
    np.testing.assert_array_equal(other[[0, 7, 15]], arxiv[[0, 7, 15]])
    assert not np.array_equal(other[1], arxiv[1])


def profile(*topics):
    table = Activations(kind="olmoe", topics=topics, topic_s=100.0)
    return activation_profile(table, layers=16, experts=64, rng=rng(), top_k=8)


def test_a_profile_goes_round_its_topics():
    drifting = profile("arxiv", "book", "github")
    assert not drifting.constant
    arxiv, book, github = (
        probabilities(16, 64, kind="olmoe", topic=name) for name in ("arxiv", "book", "github")
    )
    for t_s, expected in {
        0.0: arxiv,
        100.0: book,
        125.0: 0.75 * book + 0.25 * github,
        290.0: 0.1 * github + 0.9 * arxiv,
        300.0: arxiv,
        650.0: 0.5 * arxiv + 0.5 * book,
    }.items():
        np.testing.assert_allclose(drifting.at(t_s), expected, rtol=1e-9)


def test_one_topic_is_constant():
    alone = profile("tulu")
    assert alone.constant
    np.testing.assert_array_equal(alone.at(12345.6), alone.at(0.0))
    np.testing.assert_array_equal(
        alone.at(0.0), probabilities(16, 64, kind="olmoe", topic="tulu", top_k=8)
    )


def test_every_topic_of_a_profile_must_be_known():
    with pytest.raises(InputError, match=r"topics: unknown 'gardening'; known: arxiv, book"):
        profile("arxiv", "gardening")


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(["mixtral", "olmoe"]),
    t_s=st.floats(0.0, 1e6),
    topic_s=st.floats(1.0, 1e5),
    data=st.data(),
)
def test_marginals_stay_valid_between_topics(kind, t_s, topic_s, data):
    known = MIXTRAL_TOPICS if kind == "mixtral" else OLMOE_TOPICS
    topics = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    layers, experts, top_k = (32, 8, 2) if kind == "mixtral" else (16, 64, 8)
    table = Activations(kind=kind, topics=tuple(topics), topic_s=topic_s)
    drifting = activation_profile(table, layers=layers, experts=experts, rng=rng(), top_k=top_k)
    weights = drifting.at(t_s)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
    assert weights.min() > 0.0
    inclusion = inclusion_probabilities(weights, top_k)
    np.testing.assert_allclose(inclusion.sum(axis=1), top_k, rtol=1e-9)
    assert inclusion.max() < 1.0
