"""Latency of drawn tokens, by hand and against plain Python."""

import numpy as np
import pytest

from twin.moe.latency import ComputeTimes, compute_times, sampled_latency
from twin.moe.presets import card
from twin.moe.roofline import Computer, part_times
from twin.moe.sampling import plackett_luce

GIGA = 1e9


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
    return max(path[e] + hosts.count(host[e]) * expert_s for e in chosen)


def test_experts_only_is_the_published_compute_time():
    """33.8 MFLOP an expert at 7.28 GFLOPS (arXiv 2605.00515): 4.645 ms, gateways free."""
    times = compute_times(
        part_times(card("llama-moe-3.5b-2of8"), Computer(flops_per_s=7.28 * GIGA)),
        accounting="experts-only",
        context_tokens=4096,
    )
    assert times.expert_s == pytest.approx(4.645e-3, abs=5e-7)
    np.testing.assert_array_equal(times.gateway_s, np.zeros(32))


def test_full_accounting_adds_attention_router_and_head():
    on_paper = part_times(card("llama-moe-3.5b-2of8"), Computer(flops_per_s=7.28 * GIGA))
    times = compute_times(on_paper, accounting="full")
    # Attention 4 x 4096^2 weights and router 8 x 4096, two FLOP each.
    np.testing.assert_allclose(
        times.gateway_s[:-1], 2 * (4 * 4096**2 + 8 * 4096) / 7.28e9, rtol=1e-12
    )
    assert times.gateway_s[0] == pytest.approx(18.4e-3, abs=5e-5)
    assert times.gateway_s[-1] - times.gateway_s[0] == pytest.approx(2 * 4096 * 32000 / 7.28e9)
    longer = compute_times(on_paper, accounting="full", context_tokens=1000)
    np.testing.assert_allclose(
        longer.gateway_s - times.gateway_s, 1000 * 4 * 4096 / 7.28e9, rtol=1e-9
    )


@pytest.mark.parametrize("name", ["deepseek-v3", "switch-base-256"])
def test_full_accounting_leaves_no_flop_out(name):
    model = card(name)
    times = compute_times(part_times(model, Computer(flops_per_s=1.0)), accounting="full")
    spent = times.gateway_s.sum() + model.layers * model.top_k * times.expert_s
    inactive = model.layers * (model.experts - model.top_k) * model.expert_params
    active = model.total_params - inactive
    if not model.tied_embedding:  # looking up the input embedding costs nothing
        active -= model.vocab * model.hidden
    assert spent == pytest.approx(2 * active, rel=1e-12)


def test_a_token_by_hand():
    path = np.array([[0.010, 0.012, 0.030], [0.020, 0.021, 0.022]])
    host = np.array([[1, 1, 2], [3, 4, 3]])
    compute = ComputeTimes(expert_s=0.005, gateway_s=np.array([0.001, 0.002]))
    choices = np.array([[[0, 1], [1, 0]], [[2, 0], [2, 0]]])
    result = sampled_latency(path, host, choices, compute)
    # Token 0: experts 0 and 1 share a satellite, so two units of compute after the longer way;
    # then two satellites. Token 1: expert 2 is far; then 2 and 0 share.
    first = [0.001 + 0.012 + 0.010, 0.002 + 0.021 + 0.005]
    second = [0.001 + 0.030 + 0.005, 0.002 + 0.022 + 0.010]
    np.testing.assert_allclose(result.total_s, [sum(first), sum(second)])
    np.testing.assert_allclose(result.propagation_s, [0.012 + 0.021, 0.030 + 0.022])
    np.testing.assert_allclose(result.layer_mean_s, np.mean([first, second], axis=0))
    assert result.served.all()
    assert result.mean_s == pytest.approx((sum(first) + sum(second)) / 2)


def test_draws_agree_with_plain_python():
    path, host, p, compute = case(5, 6, satellites=4, down=0.15, seed=2)
    choices = plackett_luce(p, 3, 300, rng(1))
    result = sampled_latency(path, host, choices, compute)
    expected = [
        sum(
            compute.gateway_s[layer]
            + layer_time(path[layer], host[layer], list(token[layer]), compute.expert_s)
            for layer in range(5)
        )
        for token in choices
    ]
    np.testing.assert_allclose(result.total_s, expected)
    served = np.isfinite(expected)
    assert 0 < served.sum() < 300
    np.testing.assert_array_equal(result.served, served)
    np.testing.assert_allclose(
        (result.propagation_s + result.compute_s)[served], result.total_s[served]
    )
    assert np.isinf(result.propagation_s[~served]).all()
    assert np.isinf(result.compute_s[~served]).all()
    assert result.layer_mean_s.sum() == pytest.approx(result.mean_s)


def test_arrays_that_do_not_fit_are_refused():
    path, host, p, compute = case(3, 4, satellites=3)
    choices = plackett_luce(p, 2, 5, rng())
    with pytest.raises(ValueError, match="shapes differ"):
        sampled_latency(path, host[:2], choices, compute)
    with pytest.raises(ValueError, match=r"outside 0\.\.3"):
        sampled_latency(path, host, choices + 2, compute)


def test_slow_and_stopped_satellites():
    """A quarter of the speed takes four times as long; a stopped host or gateway serves nobody."""
    path_s = np.array([[0.010, 0.020, 0.030]])
    host = np.array([[0, 1, 2]])
    base = ComputeTimes(expert_s=0.005, gateway_s=np.array([0.001]))
    choices = np.array([[[0, 1]], [[0, 2]], [[1, 2]]], np.int32)

    slow = base.at_speed(np.array([[1.0, 0.25, 1.0]]), np.ones(1))
    total_s = sampled_latency(path_s, host, choices, slow).total_s
    assert total_s == pytest.approx([0.041, 0.036, 0.041])

    stopped = base.at_speed(np.array([[1.0, 0.0, 1.0]]), np.ones(1))
    served = sampled_latency(path_s, host, choices, stopped).served
    assert served.tolist() == [False, True, False]

    dark = base.at_speed(np.ones((1, 3)), np.zeros(1))
    assert not sampled_latency(path_s, host, choices, dark).served.any()


def test_nothing_reachable_is_no_number():
    path, host, p, compute = case(3, 4, satellites=3)
    path[1] = np.inf
    drawn = sampled_latency(path, host, plackett_luce(p, 2, 10, rng()), compute)
    assert not drawn.served.any()
    assert np.isnan(drawn.mean_s)
    assert np.isnan(drawn.layer_mean_s).all()
