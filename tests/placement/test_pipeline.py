"""Whole layers, one after another, on few satellites."""

import itertools

import numpy as np
import pytest

from placement.delays import mean_delay_s
from placement.strategies.pipeline import pipeline
from twin.errors import InputError

LAYER_BYTES = 90.0
"""Of a problem's gateway and four experts."""


def planned(problem):
    return pipeline(problem, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("layers_each", "satellites"), [(1, 8), (2, 4), (3, 3), (4, 2), (8, 1)])
def test_layers_are_whole_consecutive_and_on_the_fewest_satellites(
    layers_each, satellites, make_problem
):
    placement = planned(make_problem(memory_bytes=layers_each * LAYER_BYTES, down=0.0))
    hosts = [host for host, _ in itertools.groupby(placement.gateway)]
    assert len(hosts) == len(set(hosts)) == satellites
    assert np.bincount(placement.gateway).max() <= layers_each
    assert (placement.expert == placement.gateway[:, None]).all()


@pytest.mark.parametrize("seed", range(5))
def test_two_satellites_are_the_pair_with_the_shortest_way(seed, make_problem):
    problem = make_problem(memory_bytes=4 * LAYER_BYTES, seed=seed)
    way_s = mean_delay_s(problem)
    first, last = planned(problem).gateway[[0, -1]]
    np.fill_diagonal(way_s, np.inf)
    assert way_s[first, last] == pytest.approx(way_s.min())


def test_a_satellite_with_room_for_all_has_all(make_problem):
    problem = make_problem(memory_bytes=4 * LAYER_BYTES)
    problem.memory_bytes[13] = 8 * LAYER_BYTES
    assert (planned(problem).gateway == 13).all()


def test_too_little_memory_is_refused(make_problem):
    with pytest.raises(InputError, match=r"pipeline: a layer takes 0\.00 GB; 0 of 8 layers find"):
        planned(make_problem(memory_bytes=LAYER_BYTES - 1))
