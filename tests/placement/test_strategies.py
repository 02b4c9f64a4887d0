"""Invariants that every strategy of the table owes, and what sets each apart."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.cost import expected_path_s
from placement.deployment import deploy
from placement.problem import check, memory_used_bytes
from placement.rings import central_gateways, layer_ring
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.moe.expectation import expected_latency
from twin.moe.latency import ComputeTimes
from twin.moe.selection import inclusion_probabilities

QUICK = [name for name in STRATEGIES if name != "exact"]
ROOMY = {"memory_bytes": 1e4}
IN_SUBNETS = ["rand-intra", "rand-intra-cg", "compact-random", "space-xnet"]
FOLLOWING_THE_PAPER = ["rand-place", *IN_SUBNETS]


def rng(seed=0):
    return np.random.default_rng(seed)


def one(name, problem, seed=0):
    """The only instance that a strategy plans."""
    return deploy(problem, STRATEGIES[name], instances=1, rng=rng(seed)).instances[0]


@pytest.mark.parametrize("name", QUICK)
def test_everything_is_hosted_within_memory(name, make_problem):
    problem = make_problem(**ROOMY)
    placement = one(name, problem)
    check(problem, placement)
    assert (memory_used_bytes(problem, placement) <= problem.memory_bytes).all()


@pytest.mark.parametrize("name", QUICK)
def test_same_seed_same_placement(name, make_problem):
    problem = make_problem(**ROOMY)
    assert one(name, problem, 1) == one(name, problem, 1)


@pytest.mark.parametrize("name", ["rand-place", "rand-intra", "rand-intra-cg", "compact-random"])
def test_another_seed_another_placement(name, make_problem):
    problem = make_problem()
    assert STRATEGIES[name](problem, rng=rng(1)) != STRATEGIES[name](problem, rng=rng(2))


@pytest.mark.parametrize("name", FOLLOWING_THE_PAPER)
@settings(max_examples=25, deadline=None)
@given(
    limit=st.integers(1, 4),
    on_gateway=st.booleans(),
    memory=st.sampled_from([20.0, 40.0, 65.0, 200.0]),
    seed=st.integers(0, 1000),
)
def test_spreading_rule_and_memory_hold_or_the_strategy_says_why_not(
    name, make_problem, limit, on_gateway, memory, seed
):
    problem = make_problem(
        memory_bytes=memory,
        experts_per_satellite=limit,
        experts_on_gateway=on_gateway,
        seed=seed,
    )
    try:
        placement = STRATEGIES[name](problem, rng=rng(seed))
    except InputError as error:
        assert "room for" in str(error)  # noqa: PT017
        return
    check(problem, placement)
    experts = np.bincount(placement.expert.ravel(), minlength=problem.n_satellites)
    assert experts.max() <= limit
    if not on_gateway:
        assert experts[placement.gateway].sum() == 0


@pytest.mark.parametrize("name", IN_SUBNETS)
def test_layers_stay_in_their_subnets(name, make_problem):
    problem = make_problem()
    subnet = layer_ring(problem)
    placement = STRATEGIES[name](problem, rng=rng())
    layers = np.arange(problem.n_layers)
    np.testing.assert_array_equal(subnet[placement.gateway], layers)
    np.testing.assert_array_equal(subnet[placement.expert], layers[:, None] + 0 * placement.expert)


def test_compact_random_keeps_the_footprint_of_space_xnet(make_problem):
    problem = make_problem(planes=9)
    sorted_, shuffled = (
        STRATEGIES[n](problem, rng=rng()) for n in ("space-xnet", "compact-random")
    )
    np.testing.assert_array_equal(sorted_.gateway, shuffled.gateway)
    np.testing.assert_array_equal(np.sort(sorted_.expert, axis=1), np.sort(shuffled.expert, axis=1))


def test_satellites_without_memory_host_nothing(make_problem):
    problem = make_problem(planes=9, **ROOMY)
    problem.memory_bytes[::3] = 0
    for name in QUICK:
        placement = one(name, problem)
        hosts = np.unique(np.r_[placement.gateway, placement.expert.ravel()])
        assert (problem.memory_bytes[hosts] > 0).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_sorted_rule_is_optimal_among_all_assignments(make_problem, seed):
    """Brute force over every way to host 3 experts on the 4 free satellites of one layer."""
    problem = make_problem(experts=3, snapshots=1, seed=seed, down=0.0)
    weights = rng(seed).dirichlet(np.ones(3), size=problem.n_layers) + 1e-3
    weights /= weights.sum(axis=1, keepdims=True)
    problem = dataclasses.replace(problem, activation=inclusion_probabilities(weights, 2))
    chosen = STRATEGIES["space-xnet"](problem, rng=rng())
    subnet = layer_ring(problem)
    gateway = central_gateways(problem, subnet)
    path_s = expected_path_s(problem, gateway)[0]
    compute = ComputeTimes(expert_s=0.004, gateway_s=np.zeros(1))
    for layer in range(problem.n_layers):
        free = [i for i in np.flatnonzero(subnet == layer) if i != gateway[layer]]
        weight = weights[layer : layer + 1]

        def latency(hosts, layer=layer, weight=weight):
            hosts = np.asarray(hosts)[None, :]
            return float(expected_latency(path_s[layer][hosts], hosts, weight, 2, compute).mean_s)

        best = min(latency(hosts) for hosts in itertools.permutations(free, 3))
        assert latency(chosen.expert[layer]) == pytest.approx(best, rel=1e-12)


def test_single_satellite_says_what_it_would_need(make_problem):
    with pytest.raises(InputError, match=r"takes .* GB, the largest satellite has"):
        STRATEGIES["single-satellite"](make_problem(), rng=rng())
