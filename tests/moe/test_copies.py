"""Tokens that choose among copies of their experts, held against plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.moe.copies import expected_soonest, soonest
from twin.moe.expectation import expected_latency
from twin.moe.latency import ComputeTimes, sampled_latency
from twin.moe.selection import pair_probabilities


def world(seed, *, layers=2, experts=4, copies=2, satellites=3):
    rng = np.random.default_rng(seed)
    path_s = rng.uniform(0.01, 0.05, (layers, experts * copies))
    host = rng.integers(0, satellites, (layers, experts * copies))
    order = np.tile(np.arange(experts * copies).reshape(experts, copies), (layers, 1, 1))
    weight = rng.dirichlet(np.ones(experts), layers)
    return path_s, host, order, weight


def one_by_one(chosen, order, path_s, host, expert_s):
    """Columns of one layer's experts, by the rule as it is written."""
    sent = {}
    for e in sorted(chosen):
        shares = {c: 1 + sum(host[s] == host[c] for s in sent.values()) for c in order[e]}
        sent[e] = min(order[e], key=lambda c: path_s[c] + shares[c] * expert_s)
    return [sent[e] for e in chosen]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3]), st.sampled_from([0.001, 0.02]))
def test_each_expert_goes_where_it_is_done_soonest(seed, top_k, expert_s):
    path_s, host, order, _ = world(seed)
    rng = np.random.default_rng(seed)
    choices = np.array([[rng.permutation(4)[:top_k] for _ in range(2)] for _ in range(5)], np.int32)
    columns = soonest(choices, order, path_s, host, np.full(path_s.shape, expert_s))
    for t, layer in np.ndindex(5, 2):
        world_there = order[layer], path_s[layer], host[layer], expert_s
        assert list(columns[t, layer]) == one_by_one(choices[t, layer], *world_there)


@pytest.mark.parametrize("top_k", [1, 2])
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_expectation_is_the_mean_over_all_choices(seed, top_k):
    path_s, host, order, weight = world(seed)
    compute = ComputeTimes(expert_s=0.02, gateway_s=np.array([0.1, 0.0]))
    pair = pair_probabilities(weight)
    mean_s = 0.1
    for layer in range(2):
        for chosen in itertools.combinations(range(4), top_k):
            columns = one_by_one(chosen, order[layer], path_s[layer], host[layer], 0.02)
            token = np.array([[columns, columns]])
            alone = ComputeTimes(expert_s=0.02, gateway_s=np.zeros(2))
            took = sampled_latency(path_s, host, token, alone).layer_mean_s[layer]
            mean_s += took * (weight[layer, chosen[0]] if top_k == 1 else pair[layer][chosen])
    found = expected_soonest(path_s, host, order, weight, top_k, compute)
    assert float(found.mean_s) == pytest.approx(mean_s, rel=1e-12)
    assert float(found.served_probability) == pytest.approx(1.0)


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_with_one_copy_there_is_no_choice(top_k):
    path_s, host, order, weight = world(5, copies=1)
    compute = ComputeTimes(expert_s=0.02, gateway_s=np.zeros(2))
    found = expected_soonest(path_s, host, order, weight, top_k, compute)
    exact = expected_latency(path_s, host, weight, top_k, compute)
    # Beyond top-2 a sample stands for all: four standard errors of 4,096 tokens.
    tolerance = 1e-12 if top_k < 3 else 4 * 0.03 / np.sqrt(4096)
    assert float(found.mean_s) == pytest.approx(float(exact.mean_s), rel=tolerance)


def test_a_copy_that_cannot_be_reached_is_not_chosen():
    path_s, host, order, weight = world(6)
    compute = ComputeTimes(expert_s=0.02, gateway_s=np.zeros(2))
    path_s[:, ::2] = np.inf
    found = expected_soonest(path_s, host, order, weight, 2, compute)
    others = path_s[:, 1::2], host[:, 1::2], weight, 2, compute
    assert float(found.mean_s) == pytest.approx(float(expected_latency(*others).mean_s))
    path_s[0, 1] = np.inf
    found = expected_soonest(path_s, host, order, weight, 1, compute)
    assert float(found.served_probability) == pytest.approx(1 - weight[0, 0])
