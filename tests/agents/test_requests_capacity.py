"""What the paper's ring carries at most: the work of its busiest satellite bounds it."""

import pytest

from agents.model import TwinModel
from twin.scenario import loader
from twin.serving.engine.records import RUNNING


@pytest.mark.parametrize(
    ("batching", "heads", "tokens_per_s"),
    [
        ("continuous", 0, 18.4),  # attention 18 ms and LM head 36 ms on the first gateway
        ("micro-batch", 0, 18.4),
        ("continuous", 1, 27.8),  # LM head alone
        ("continuous", 2, 54.3),  # attention alone
    ],
)
def test_the_paper_ring_carries_what_its_busiest_satellite_does(batching, heads, tokens_per_s):
    changes = {
        "serving.head_satellites": heads,
        "serving.mode": "requests",
        "serving.batching": batching,
        "serving.max_batch_requests": 4,
        "serving.max_running": 200,
        "compute.accounting": "full",
        "requests.rate_per_s": 2.0,
        "requests.prompt_tokens": 1.0,
        "requests.output_tokens": 40.0,
        "outages.model": "none",
        "simulation.orbits": 0.15,
        "simulation.steps": 30,
    }
    model, made = TwinModel(loader.load("paper", changes)), 0
    while model.running:
        model.step()
        made += model.requested.tokens_made * (model.snapshot.step >= 15)
    assert made / (15 * model.world.step_s) == pytest.approx(tokens_per_s, rel=0.01)


def test_the_paper_ring_carries_less_behind_a_conversation():
    """Behind 1,155 tokens scores take the first gateway 2.6 ms more a token: 17.5 tokens/s.

    Users who ask at the same time all make answers, behind 1,105 to 1,205 tokens, between their
    prompts and the next ones.
    """
    changes = {
        "serving.mode": "requests",
        "serving.order": "prefill-first",
        "compute.accounting": "full",
        "requests.arrivals": "closed",
        "requests.users": 40,
        "requests.think": "fixed",
        "requests.think_s": 1.0,
        "requests.prompt_tokens": 1105.0,
        "requests.output_tokens": 101.0,
        "outages.model": "none",
        "simulation.orbits": None,
        "simulation.step_s": 30.0,
        "simulation.steps": 40,
    }
    model, per_s, behind = TwinModel(loader.load("paper", changes)), [], []
    assert model.requests is not None
    while model.running:
        model.step()
        inside = model.requests.state.engine.requests
        context = inside["context"][inside["phase"] == RUNNING]
        if len(context) and context.min() > 1120:  # no prompt was on its way in this step
            per_s.append(model.requested.tokens_made / model.world.step_s)
            behind.append(context.mean())
    assert sum(behind) / len(behind) == pytest.approx(1155, rel=0.01)
    assert sum(per_s) / len(per_s) == pytest.approx(17.5, rel=0.01)
