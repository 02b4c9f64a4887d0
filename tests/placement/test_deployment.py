"""Instances of one model: what they share, and how many fit."""

import dataclasses

import numpy as np
import pytest

from placement.cost import busy_s
from placement.deployment import Deployment, check_deployment, deploy, most_by_memory
from placement.problem import memory_used_bytes
from placement.strategies.table import STRATEGIES
from twin.errors import InputError


def rng(seed=0):
    return np.random.default_rng(seed)


def used(problem, deployment):
    return np.stack([memory_used_bytes(problem, p) for p in deployment.instances])


@pytest.mark.parametrize("name", ["rand-place", "space-xnet", "packed", "joint", "replicated"])
def test_one_instance_is_what_the_strategy_says(make_problem, name):
    problem = make_problem()
    alone = STRATEGIES[name](problem, rng=rng())
    assert deploy(problem, STRATEGIES[name], instances=1, rng=rng()) == Deployment((alone,))


def test_instances_share_memory_and_the_time_left_at_a_floor(make_problem):
    problem = make_problem(memory_bytes=300.0)
    floor = 20.0
    strategy = STRATEGIES.build("joint", {"min_tokens_per_s": floor})
    found = deploy(problem, strategy, instances="fill", rng=rng())
    assert len(found) > 1
    busy = sum(busy_s(problem, p, problem.stage_s) for p in found.instances)
    assert (busy * floor <= 1 + 1e-9).all()
    assert (used(problem, found) > 0).sum(axis=0).max() > 1  # some satellites work for several
    assert (used(problem, found).sum(axis=0) <= problem.memory_bytes).all()
    with pytest.raises(InputError, match=f"{len(found)} of {len(found) + 1} instances fit: "):
        deploy(problem, strategy, instances=len(found) + 1, rng=rng())


def test_the_paper_s_rule_has_its_satellites_to_itself(make_problem):
    problem = make_problem(planes=10, memory_bytes=1000.0)
    found = deploy(problem, STRATEGIES["space-xnet"], instances="fill", rng=rng())
    assert len(found) == 2  # a subnet of ten satellites has room for five twice
    assert (used(problem, found) > 0).sum(axis=0).max() == 1


def test_each_instance_serves_its_part_of_the_demand(make_problem):
    """One alone cannot carry it; "fill" finds as many as can carry it together."""
    problem = make_problem(planes=8, memory_bytes=300.0)
    asked = dataclasses.replace(problem, rate_per_s=120.0, gateway_s=problem.stage_s)
    strategy = STRATEGIES.build("joint", {"busy_margin": 1.0})
    with pytest.raises(InputError):
        deploy(asked, strategy, instances=1, rng=rng())
    found = deploy(asked, strategy, instances="fill", rng=rng())
    busy = sum(busy_s(asked, p, asked.stage_s) for p in found.instances)
    assert (busy * asked.rate_per_s / len(found) <= 1 + 1e-9).all()
    assert 1 < len(found) <= most_by_memory(asked)


def test_what_is_no_sound_deployment(make_problem):
    problem = make_problem(memory_bytes=30.0)
    placement = STRATEGIES["space-xnet"](problem, rng=rng())
    check_deployment(problem, Deployment((placement,)))
    with pytest.raises(InputError, match="for all 2 instances"):
        check_deployment(problem, Deployment((placement, placement)))
    with pytest.raises(InputError, match="no instance"):
        check_deployment(problem, Deployment(()))
