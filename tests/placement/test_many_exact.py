"""Several instances on a handful of satellites: brute force, the program, bounds and `tiled`."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.bounds import lower_bound_s, upper_bound_per_s
from placement.cost import busy_s
from placement.delays import mean_delay_s
from placement.deployment import Deployment, check_deployment, deploy
from placement.deployment_cost import deployment_cost, rates_per_s
from placement.problem import Placement, memory_used_bytes
from placement.scoring import scorer
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.moe.selection import inclusion_probabilities


def rng(seed=0):
    return np.random.default_rng(seed)


def plan(name, problem, instances, **params):
    return deploy(problem, STRATEGIES.build(name, params), instances=instances, rng=rng())


def score_s(problem, deployment):
    delay_s, of = mean_delay_s(problem), scorer(problem)
    return np.mean([of(delay_s[p.gateway], p.gateway, p.expert) for p in deployment.instances])


def every_placement(problem):
    """All placements of one instance: what each takes of satellites, and its time."""
    n, layers, experts = problem.n_satellites, problem.n_layers, problem.n_experts
    delay_s, of = mean_delay_s(problem), scorer(problem)
    for sites in itertools.product(range(n), repeat=layers * (1 + experts)):
        hosts = np.array(sites, np.int32)
        p = Placement(gateway=hosts[:layers], expert=hosts[layers:].reshape(layers, experts))
        yield p, of(delay_s[p.gateway], p.gateway, p.expert)


@pytest.mark.parametrize(("memory", "floor"), [(75.0, 0.0), (55.0, 0.0), (75.0, 50.0)])
def test_two_instances_by_brute_force(make_problem, memory, floor):
    """No pair of placements within memory and time is faster than the program's."""
    problem = make_problem(
        planes=2, slots=2, layers=2, experts=2, snapshots=1, down=0.0, memory_bytes=memory, seed=2
    )
    limit_s = 1 / floor if floor else np.inf
    found = [
        (time_s, memory_used_bytes(problem, p), busy_s(problem, p, problem.stage_s))
        for p, time_s in every_placement(problem)
    ]
    found = [f for f in found if (f[1] <= memory).all() and (f[2] <= limit_s).all()]
    found.sort(key=lambda f: f[0])
    used, busy = np.array([f[1] for f in found]), np.array([f[2] for f in found])
    time_s = np.array([f[0] for f in found])
    least = np.inf
    for i in range(len(found)):
        if 2 * time_s[i] >= least:
            break
        fits = ((used + used[i] <= memory) & (busy + busy[i] <= limit_s * (1 + 1e-9))).all(axis=1)
        if fits.any():
            least = min(least, time_s[i] + time_s[fits][0])
    params = {"min_tokens_per_s": floor} if floor else {}
    best = plan("exact", problem, 2, **params)
    check_deployment(problem, best)
    assert score_s(problem, best) == pytest.approx(least / 2, rel=1e-6)
    assert lower_bound_s(problem, min_tokens_per_s=floor, instances=2) <= least / 2 * (1 + 1e-9)
    try:
        assert score_s(problem, plan("tiled", problem, 2, **params)) >= least / 2 * (1 - 1e-6)
    except InputError as error:
        assert "instances fit" in str(error) or "room" in str(error)  # noqa: PT017


def test_filling_up_exactly_finds_as_many_as_there_are(make_problem):
    problem = make_problem(
        planes=2, slots=2, layers=2, experts=2, snapshots=1, down=0.0, memory_bytes=55.0
    )
    found = plan("exact", problem, "fill")
    assert len(found) == 2  # 100 bytes each of 220; 55 hold 50 at most
    with pytest.raises(InputError):
        plan("exact", problem, 3)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 9999),
    floor=st.sampled_from([0.0, 55.0, 65.0, 95.0]),
    top_k=st.integers(1, 3),
    instances=st.integers(1, 4),
    memory=st.sampled_from([35.0, 95.0, 400.0]),
)
def test_no_deployment_lies_below_the_lower_bound(
    make_problem, seed, floor, top_k, instances, memory
):
    problem = make_problem(planes=4, slots=6, layers=3, experts=4, seed=seed, down=0.0)
    problem = dataclasses.replace(
        problem,
        memory_bytes=np.full(24, memory),
        top_k=top_k,
        activation=inclusion_probabilities(problem.probability, top_k),
    )
    bound_s = lower_bound_s(problem, min_tokens_per_s=floor, instances=instances)
    most_per_s = upper_bound_per_s(problem, instances=instances)
    params = {"min_tokens_per_s": floor} if floor else {}
    for name in ("tiled", "joint"):
        try:
            found = plan(name, problem, instances, **params)
        except InputError:
            continue
        costs = deployment_cost(problem, found)
        assert costs.latency_s >= bound_s * (1 - 1e-9)
        assert costs.least_per_s >= floor * (1 - 1e-9)
        assert costs.throughput_per_s <= most_per_s * (1 + 1e-9)
        assert costs.latency_s <= costs.worst_s


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), floor=st.sampled_from([0.0, 60.0, 95.0]))
def test_no_random_deployment_lies_below_the_lower_bound(make_problem, seed, floor):
    """Gateways on neighbours, experts at them or around: near what is best, but any way round."""
    problem = make_problem(planes=4, slots=5, layers=3, experts=3, seed=seed, down=0.0)
    bound_s = lower_bound_s(problem, min_tokens_per_s=floor, instances=2)
    draw = rng(seed)
    near = np.argsort(mean_delay_s(problem), axis=1)[:, :6]
    for _ in range(40):
        instances = []
        for middle in draw.integers(0, 20, 2):
            gateway = draw.choice(near[middle], 3).astype(np.int32)
            expert = draw.choice(near[middle], (3, 3)).astype(np.int32)
            instances.append(Placement(gateway=gateway, expert=expert))
        found = Deployment(tuple(instances))
        try:
            check_deployment(problem, found)
        except InputError:
            continue
        if rates_per_s(problem, found).min() >= floor:
            assert deployment_cost(problem, found).latency_s >= bound_s * (1 - 1e-9)


def test_instances_on_one_satellite_share_its_time(make_problem):
    problem = make_problem(memory_bytes=1e4)
    alone = STRATEGIES["single-satellite"](problem, rng=rng())
    one, two = Deployment((alone,)), Deployment((alone, alone))
    assert rates_per_s(problem, two) == pytest.approx(rates_per_s(problem, one)[0] / 2)
    assert deployment_cost(problem, two).throughput_per_s == pytest.approx(
        deployment_cost(problem, one).throughput_per_s
    )
    assert deployment_cost(problem, two).satellites == 1
