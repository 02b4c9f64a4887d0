"""Timings of the hot path, one function at a time: ``pytest tests/bench/bench_hot_path.py``.

Not part of the test suite; ratios to the alternatives come from ``python tests/bench``.
"""

import itertools

import numpy as np
import pytest

from agents.model import TwinModel
from placement.deployment import deploy
from placement.strategies.table import STRATEGIES
from twin.moe.expectation import expected_latency
from twin.moe.latency import sampled_latency
from twin.network.routing import shortest_paths
from twin.scenario import loader
from twin.serving.admission import admit
from twin.study.place import problem_of


@pytest.fixture(scope="module")
def model() -> TwinModel:
    twin = TwinModel(loader.load("paper"))
    twin.step()
    return twin


def test_positions_a_step(benchmark, model):
    ephemeris = model.world.ephemeris
    benchmark(lambda: ephemeris.states(np.arange(10)))  # ten steps


def test_sunlit_share(benchmark, model):
    benchmark(lambda: model.world.ephemeris.sunlit(0))


def test_snapshot(benchmark, model):
    benchmark.pedantic(model.world.network(0).advance, rounds=100, iterations=1)


def test_sites_and_hand_over(benchmark):
    twin = TwinModel(loader.load("handover-study"))
    twin.step()
    starts = itertools.count(1)
    benchmark.pedantic(lambda: twin.ground.step(15.0 * next(starts)), rounds=100, iterations=1)


def test_energy_and_heat(benchmark, model):
    benchmark(model._power)


def test_routing_from_32_gateways(benchmark, model):
    skeleton, gateway = model.world.skeleton, model.controller.placement.gateway
    weight_s = model.snapshot.weight_s
    benchmark(lambda: shortest_paths(skeleton.indptr, skeleton.indices, weight_s, gateway))


def test_sampled_latency_of_256_tokens(benchmark, model):
    hosts, columns = model.hosts, model.served.columns
    compute = model.inference.compute
    benchmark(lambda: sampled_latency(hosts.path_s, hosts.satellite, columns, compute))


def test_admission_of_256_tokens(benchmark, model):
    hosts, moe, choices = model.hosts, model.inference, model.served.choices
    fine, budget_s = np.zeros(32, np.uint8), np.full(model.fleet.size, 30.0)
    wanted = hosts.wanted(choices, moe.expert_s, speed=model.fleet.speed, choose_from=1)
    benchmark(lambda: admit(choices, wanted, hosts, fine, model.fleet.up, moe.compute, budget_s))


def test_expected_latency(benchmark, model):
    hosts, moe = model.hosts, model.inference
    satellite = hosts.satellite
    benchmark(lambda: expected_latency(hosts.path_s, satellite, moe.probability, 2, moe.compute))


@pytest.mark.parametrize(
    "strategy", [s for s in STRATEGIES if s not in ("single-satellite", "exact")]
)
def test_planning(benchmark, model, strategy):
    problem = problem_of(model.config)
    rng = np.random.default_rng(0)
    benchmark(lambda: deploy(problem, STRATEGIES[strategy], instances=1, rng=rng))


def test_model_step(benchmark, model):
    benchmark.pedantic(model.step, rounds=50, iterations=1)
