"""The fuzzers' budget and randomness."""

import random

import pytest


@pytest.fixture
def rng(request):
    """A stream of random numbers of each test's own."""
    return random.Random(f"{request.config.getoption('--fuzz-seed')} {request.node.name}")
