"""The expectation over one sky against the tokens that the twin follows over the same."""

import numpy as np
import pytest

from agents.model import TwinModel
from twin.scenario import loader
from twin.study.evaluate import evaluate


@pytest.mark.parametrize(
    ("experts_per_satellite", "activations"),
    [
        (6, {"kind": "zipf"}),
        (13, {"kind": "olmoe", "topics": ("arxiv", "book"), "topic_s": 5000.0}),
    ],
)
def test_a_top_8_model_takes_what_its_tokens_take(experts_per_satellite, activations):
    """OLMoE, 64 experts a layer on few satellites, so that chosen ones share compute."""
    small = loader.load("small")
    changes = {
        "simulation": {"steps": 3},
        "constellation": {"planes": 12, "satellites_per_plane": 16},
        "compute": {"gflops": 1.0, "memory_gb": 100.0},
        "model": {"card": "olmoe-1b-7b"},
        "activations": activations,
        "placement": {"experts_per_satellite": experts_per_satellite},
        "workload": {"tokens_per_step": 2000, "rate_per_s": 0.001},
        "bus": {"eclipse": "none"},
    }
    scenario = small.model_copy(
        update={
            name: getattr(small, name).model_copy(update=update) for name, update in changes.items()
        }
    )
    exact = evaluate({"it": scenario}, 0)["it"]
    assert exact.served == pytest.approx(1.0)
    twin = TwinModel(scenario)
    first = twin.inference.probability
    for expected_s in exact.latency_s:
        twin.step()
        total_s = twin.served.latency.total_s
        assert len(total_s) == 2000
        error_s = total_s.std() / np.sqrt(2000)
        assert total_s.mean() == pytest.approx(expected_s, abs=4 * error_s)
        assert np.isnan(twin.row["expected_latency_s"])  # left out beyond top-2
    drifted = not np.array_equal(twin.inference.probability, first)
    assert drifted == ("topics" in activations)
