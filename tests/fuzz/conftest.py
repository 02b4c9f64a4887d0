"""The fuzzers' budget and randomness."""

import random

import pytest


@pytest.fixture
def budget(request):
    """How many cases of the whole budget to try."""
    share = request.config.getoption("--fuzz-budget")
    return lambda whole: max(1, round(share * whole))


@pytest.fixture
def rng(request):
    """A stream of random numbers of each test's own."""
    return random.Random(f"{request.config.getoption('--fuzz-seed')} {request.node.name}")
