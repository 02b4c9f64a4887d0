"""Tokens that wait at a satellite, where their number is known."""

import numpy as np
import pytest
from queueing import system


def asked(engine, count, prompt):
    """Let prompts arrive at one time."""
    engine.add(
        {
            "number": np.arange(count),
            "site": np.zeros(count, int),
            "prompt": np.full(count, prompt),
            "output": np.ones(count, int),
            "asked_s": np.zeros(count),
        },
        np.zeros(count),
    )


@pytest.mark.parametrize("one_class", [0, 1])
def test_all_but_the_one_in_service_wait_at_the_gateway(one_class):
    engine = system(gateway=1.0, service_tokens=5, one_class=one_class)
    asked(engine, 4, 5)
    for done in range(4):
        engine.advance(5.0 * done + 2.5)
        assert engine.waiting_tokens().tolist() == [5 * (3 - done), 0, 0]


def test_what_nobody_wants_any_more_does_not_wait():
    engine = system(gateway=1.0, service_tokens=5, patience_s=12.0, cancels=1)
    asked(engine, 4, 5)
    engine.advance(11.0)
    assert engine.waiting_tokens()[0] == 5
    engine.advance(12.5)  # the users of the last two have left; one of them is in service
    assert engine.waiting_tokens()[0] == 0
