"""Exact expectations: by enumeration of every draw, against each other and against samples."""

from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.moe import expectation
from twin.moe.expectation import expected_latency, expected_product
from twin.moe.latency import ComputeTimes, sampled_latency
from twin.moe.sampling import plackett_luce
from twin.moe.selection import inclusion_probabilities, pair_probabilities


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def case(layers, experts, *, satellites, down=0.0, seed=0):
    """Random paths, hosts (experts share some), weights and compute times."""
    r = rng(seed)
    path = r.uniform(0.005, 0.05, (layers, experts))
    path[r.random((layers, experts)) < down] = np.inf
    host = r.integers(0, satellites, (layers, experts))
    p = r.dirichlet(np.full(experts, 2.0), layers)
    return path, host, p, ComputeTimes(expert_s=0.01, gateway_s=r.uniform(0, 0.02, layers))


def layer_time(path, host, chosen, expert_s):
    hosts = [host[e] for e in chosen]
    return max(path[e] + hosts.count(host[e]) * expert_s[e] for e in chosen)


def draws(p, top_k):
    """Every ordered draw without replacement, with its chance."""
    for order in permutations(np.flatnonzero(p), top_k):
        chance, left = 1.0, p.sum()
        for i in order:
            chance *= p[i] / left
            left = p[[j for j in range(len(p)) if j not in order[: order.index(i) + 1]]].sum()
        yield order, chance


@settings(deadline=None, max_examples=40)
@given(
    top_k=st.integers(1, 4),
    more=st.integers(0, 3),
    satellites=st.integers(1, 8),
    kind=st.sampled_from(["own path", "path of the host", "free compute", "own speed"]),
    unused=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_one_layer_against_every_draw(top_k, more, satellites, kind, unused, seed):
    experts = top_k + more
    r = rng(seed)
    path = r.uniform(0.005, 0.05, satellites)
    path[r.random(satellites) < 0.15] = np.inf
    host = r.integers(0, satellites, (1, experts))
    path = path[host] + (r.uniform(0, 0.02, (1, experts)) if kind == "own path" else 0.0)
    expert_s = np.full((1, experts), 0.0 if kind == "free compute" else 0.01)
    if kind == "own speed":
        expert_s /= r.choice([0.25, 1.0], (1, experts))
    p = r.dirichlet(np.full(experts, 0.7), 1) + 1e-6
    p[0, top_k:] *= not unused
    p /= p.sum()
    mean = served = 0.0
    for order, chance in draws(p[0], top_k):
        time = layer_time(path[0], host[0], order, expert_s[0])
        if np.isfinite(time):
            served += chance
            mean += chance * time
    compute = ComputeTimes(expert_s=expert_s, gateway_s=np.zeros(1))
    exact = expected_latency(path, host, p, top_k, compute)
    assert exact.served_probability == pytest.approx(served, abs=1e-12)
    if served > 1e-6:
        assert exact.mean_s == pytest.approx(mean / served, rel=1e-11)


@pytest.mark.parametrize("down", [0.0, 0.25])
def test_tokens_of_several_layers_against_all_pairs(down):
    path, host, p, compute = case(3, 4, satellites=3, down=down, seed=5)
    pairs = pair_probabilities(p)
    result = expected_latency(path, host, p, 2, compute)
    mean = chance_served = 0.0
    for token in product(combinations(range(4), 2), repeat=3):
        chance = np.prod([pairs[layer, i, j] for layer, (i, j) in enumerate(token)])
        total = sum(
            compute.gateway_s[layer]
            + layer_time(path[layer], host[layer], chosen, np.full(4, compute.expert_s))
            for layer, chosen in enumerate(token)
        )
        if np.isfinite(total):
            chance_served += chance
            mean += chance * total
    assert result.served_probability == pytest.approx(chance_served, rel=1e-12)
    assert (chance_served < 1) == (down > 0)
    assert result.mean_s == pytest.approx(mean / chance_served, rel=1e-12)
    assert result.layer_mean_s.sum() == pytest.approx(result.mean_s, rel=1e-12)


@pytest.mark.parametrize("satellites", [1, 5, 1000])
def test_the_race_agrees_with_the_sum_over_pairs(satellites):
    path, host, p, compute = case(6, 64, satellites=satellites, down=0.1, seed=4)
    expert_s = np.full(p.shape, compute.expert_s)
    race = expectation._over_sets(path[None], host[None], p, 2, expert_s)
    odds = p / (p @ (1 - np.eye(64)))
    pairs = expectation._over_pairs(path[None], host[None], p, odds, expert_s)
    for one, other in zip(race, pairs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("top_k", "experts"), [(1, 8), (2, 8), (4, 16), (8, 64)])
@pytest.mark.parametrize("down", [0.0, 0.01])
def test_expectation_is_the_mean_of_the_draws(top_k, experts, down):
    path, host, p, compute = case(16, experts, satellites=12, down=down, seed=1)
    exact = expected_latency(path, host, p, top_k, compute)
    tokens = 40_000
    drawn = sampled_latency(path, host, plackett_luce(p, top_k, tokens, rng(9)), compute)
    served = drawn.served
    error = drawn.total_s[served].std() / np.sqrt(served.sum())
    assert drawn.mean_s == pytest.approx(float(exact.mean_s), abs=4 * error)
    chance = float(exact.served_probability)
    sigma = np.sqrt(chance * (1 - chance) / tokens)
    assert served.mean() == pytest.approx(chance, abs=4 * sigma + 1e-15)
    assert (chance == 1.0) == np.isfinite(path).all()
    np.testing.assert_allclose(drawn.layer_mean_s, exact.layer_mean_s, rtol=0.02)


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_a_batch_is_its_members(top_k):
    path, _, p, compute = case(4, 5, satellites=6, seed=3)
    paths = path * rng(4).uniform(0.5, 2.0, (2, 3, 1, 1))
    paths[1, 2, 0, 0] = np.inf
    paths.setflags(write=False)
    hosts = rng(5).integers(0, 6, (3, 4, 5))
    batch = expected_latency(paths, hosts, p, top_k, compute)
    assert batch.mean_s.shape == batch.served_probability.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        single = expected_latency(paths[i, j], hosts[j], p, top_k, compute)
        assert batch.mean_s[i, j] == single.mean_s
        assert batch.served_probability[i, j] == single.served_probability
        np.testing.assert_array_equal(batch.layer_mean_s[i, j], single.layer_mean_s)
    assert batch.served_probability[1, 2] < 1.0 == batch.served_probability[0, 0]


def test_all_experts_on_one_satellite_take_k_times_one():
    """Any draw of DeepSeek-V3's shape costs its host eight experts' work, whoever they are."""
    p = rng().dirichlet(np.full(256, 0.5), 2)
    host = np.zeros((2, 256), int)
    compute = ComputeTimes(expert_s=0.003, gateway_s=np.array([0.001, 0.0]))
    exact = expected_latency(np.full((2, 256), 0.01), host, p, 8, compute)
    np.testing.assert_allclose(exact.layer_mean_s, [0.035, 0.034], rtol=1e-13)
    assert exact.served_probability == 1.0


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_nothing_reachable_is_no_number(top_k):
    path, host, p, compute = case(3, 4, satellites=3)
    path[1] = np.inf
    exact = expected_latency(path, host, p, top_k, compute)
    assert exact.served_probability == 0.0
    assert np.isnan(exact.mean_s)
    assert np.isnan(exact.layer_mean_s[1])
    assert np.isfinite(exact.layer_mean_s[[0, 2]]).all()


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_an_expert_that_is_never_chosen_may_be_out_of_reach(top_k):
    path, host, _, compute = case(1, 5, satellites=9)
    path[0, 4] = np.inf
    p = np.array([[0.4, 0.3, 0.2, 0.1, 0.0]])
    exact = expected_latency(path, host, p, top_k, compute)
    assert exact.served_probability == 1.0
    assert np.isfinite(exact.mean_s)


def test_arrays_that_do_not_fit_are_refused():
    path, host, p, compute = case(3, 4, satellites=3)
    with pytest.raises(ValueError, match="shapes differ"):
        expected_latency(path, host, p[:2], 2, compute)


def test_slow_and_stopped_satellites():
    """A quarter of the speed takes four times as long; a stopped host or gateway serves nobody."""
    path_s = np.array([[0.010, 0.020, 0.030]])
    host = np.array([[0, 1, 2]])
    p = np.array([[0.5, 0.3, 0.2]])
    pairs = pair_probabilities(p)[0]
    base = ComputeTimes(expert_s=0.005, gateway_s=np.array([0.001]))

    slow = base.at_speed(np.array([[1.0, 0.25, 1.0]]), np.ones(1))
    expected = expected_latency(path_s, host, p, 2, slow)
    by_hand = pairs[0, 1] * 0.041 + pairs[0, 2] * 0.036 + pairs[1, 2] * 0.041
    assert expected.mean_s == pytest.approx(by_hand)

    stopped = base.at_speed(np.array([[1.0, 0.0, 1.0]]), np.ones(1))
    expected = expected_latency(path_s, host, p, 2, stopped)
    assert expected.served_probability == pytest.approx(pairs[0, 2])
    assert expected.mean_s == pytest.approx(0.036)

    dark = base.at_speed(np.ones((1, 3)), np.zeros(1))
    assert expected_latency(path_s, host, p, 2, dark).served_probability == 0
    assert np.isnan(expected_latency(path_s, host, p, 2, dark).mean_s)


@pytest.mark.parametrize("top_k", [1, 2, 3, 4])
def test_expected_product_against_every_draw(top_k):
    p = rng(2).dirichlet(np.full(6, 0.8), 3)
    factor = rng(3).uniform(0.0, 1.5, (3, 6))
    expected = [
        sum(chance * factor[layer, list(order)].prod() for order, chance in draws(p[layer], top_k))
        for layer in range(3)
    ]
    np.testing.assert_allclose(expected_product(p, top_k, factor), expected, rtol=1e-12)


def test_expected_product_counts_those_that_need_an_expert():
    """With factor 0 for one expert, what is left are the draws without it."""
    p = np.arange(1.0, 257.0)[None] ** -0.5
    p /= p.sum()
    factor = np.ones((1, 256))
    np.testing.assert_allclose(expected_product(p, 8, factor), 1.0, rtol=1e-12)
    factor[0, 3] = 0.0
    without = 1.0 - inclusion_probabilities(p, 8)[0, 3]
    np.testing.assert_allclose(expected_product(p, 8, factor), without, rtol=1e-12)
