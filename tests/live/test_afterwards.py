"""What came of advice, on answers that are written down here."""

import numpy as np
import pytest

from twin.live.afterwards import Band, _outcome, _Said


def made(commanded, *, step=100, steps=80):
    still = np.full((4, steps), 0.9) + np.array([[-0.02], [-0.01], [0.01], [0.02]])
    return {
        "step": step, "steps": steps, "strategy": "energy-aware", "commanded": commanded,
        "unsent": "", "foretold": {"nothing": still, "energy-aware": still + 0.05},
    }  # fmt: skip


def said(carried_out, *, last=200, share=0.95):
    tokens = np.zeros((200, 2))
    tokens[:last] = 100, 100 * share
    return _Said(tokens=tokens, carried_out=carried_out, refused={})


@pytest.mark.parametrize(
    ("carried_out", "last", "until"),
    [
        ({103: 104}, 200, 180),  # to the horizon
        ({103: 104, 150: 151}, 200, 151),  # to the next that is carried out
        ({50: 51, 103: 104}, 140, 140),  # as far as there are tokens
    ],
)
def test_a_window_ends_with_what_was_advised(carried_out, last, until):
    """The command was sent three steps after what it rests on: a broker's messages do not wait."""
    found = _outcome(made(103), said(carried_out, last=last))
    assert (found.step, found.until, found.adopted) == (100, until, True)
    assert found.done == "carried out in step 104"
    assert found.served == pytest.approx(0.95)
    assert found.won == pytest.approx(0.05)
    assert found.gain.mean == pytest.approx(0.05)
    assert found.gain.half == pytest.approx(0.0, abs=1e-12)
    assert found.foretold.holds(found.served)
    assert not found.nothing.holds(1.0)


def test_what_was_not_done_is_compared_with_nothing():
    found = _outcome(made(0), said({}, share=0.9))
    assert (found.done, found.adopted) == ("nothing", False)
    assert found.foretold == found.nothing
    assert found.foretold.holds(found.served)


def test_a_plant_that_says_nothing_of_tokens_is_not_judged():
    found = _outcome(made(103), said({103: 104}, last=0))
    assert found.until == found.step
    assert np.isnan(found.served)
    assert not Band(mean=np.nan, half=np.inf).holds(0.9)
